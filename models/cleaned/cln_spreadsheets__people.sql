-- One row per live spreadsheet person in canonical form: the raw value stays beside each clean
-- one, with the reason where cleaning failed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_spreadsheets__people', input_filter='not input.is_deleted',
    meta={'calls_udfs': true},
) }}

with

{{ dictionaries() }}

outdated_rules as (
    select * from {{ ref('cln_outdated_rules') }}
),

staged as (
    select
        people.*,
        {{ outdated_rule('people', job_title='people.job_title') }} as outdated_rule
    from {{ ref('stg_spreadsheets__people') }} as people
    cross join outdated_rules
    where not people.is_deleted
),

people as (
    select
        staged.record_key,
        staged.source_system,
        staged.source_object,
        staged.source_id,
        cast(null as varchar) as account_record_key,
        staged.full_name,
        staged.given_name,
        staged.middle_name,
        staged.family_name,
        staged.name_suffix,
        staged.email,
        staged.email_2,
        staged.phone,
        staged.mobile,
        staged.address_line as address,
        staged.city,
        staged.region,
        staged.postal_code,
        staged.country,
        staged.default_country,
        staged.date_of_birth,
        staged.national_id,
        staged.company_name,
        staged.job_title,
        staged.website,
        staged.external_ids,
        staged.created_at,
        staged.updated_at,
        staged.date_format,
        staged.timezone,
        cast(null as varchar) as typing_issue,
        cast(null as boolean) as is_email_opted_out,
        cast(null as boolean) as is_phone_opted_out,
        staged.outdated_rule,
        staged.first_landed_at,
        staged.load_id,
        staged.record_hash
    from staged
    {{ only_changed('staged', more=outdated_versions('staged')) }}
),

{{ clean_people() }}

select * from cleaned
