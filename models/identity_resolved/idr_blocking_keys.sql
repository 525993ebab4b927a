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
),

by_company_and_a_name as (
    -- Either of the two names may be mistyped or the two swapped, so each opens a block of its own.
    select record_key, 'company' as blocking_rule,
        concat(company_key, '|', least(given_name_key, family_name_key)) as block
    from inputs
    where company_key is not null and given_name_key is not null and family_name_key is not null
    union
    select record_key, 'company' as blocking_rule,
        concat(company_key, '|', greatest(given_name_key, family_name_key)) as block
    from inputs
    where company_key is not null and given_name_key is not null and family_name_key is not null
),

blocks as (
    select * from by_identifier
    union all
    select * from by_company_and_a_name
)

select * from blocks
