-- One row per record and block: records that share a block are compared, no others. The blocking rules, written out.
{{ config(materialized='view') }}

with

inputs as (
    select * from {{ ref('idr_match_inputs') }}
),

identifiers as (
    select * from {{ ref('idr_identifiers') }} where suppressed_because is null
),

by_identifier as (
    select record_key, identifier_type as blocking_rule, identifier_value as block
    from identifiers
    where identifier_type <> 'birth_date'
),

-- What many people share (an employer, a birthday) blocks together with a name only. Either of the two names may be
-- mistyped or the two swapped, so each opens a block of its own.
named as (
    select
        record_key,
        company_key,
        date_of_birth,
        least(given_name, family_name) as first_name_key,
        greatest(given_name, family_name) as last_name_key
    from (
        select
            inputs.*,
            coalesce(given_name_key, mail_given_name_key) as given_name,
            coalesce(family_name_key, mail_family_name_key) as family_name
        from inputs
    ) as inputs
    where given_name is not null and family_name is not null
),

by_company_and_a_name as (
    select record_key, 'company' as blocking_rule, concat(company_key, '|', first_name_key) as block
    from named
    where company_key is not null
    union
    select record_key, 'company' as blocking_rule, concat(company_key, '|', last_name_key) as block
    from named
    where company_key is not null
),

by_birth_date_and_a_name as (
    select record_key, 'birth date' as blocking_rule, concat(date_of_birth, '|', first_name_key) as block
    from named
    where date_of_birth is not null
    union
    select record_key, 'birth date' as blocking_rule, concat(date_of_birth, '|', last_name_key) as block
    from named
    where date_of_birth is not null
),

blocks as (
    select * from by_identifier
    union all
    select * from by_company_and_a_name
    union all
    select * from by_birth_date_and_a_name
)

select * from blocks
