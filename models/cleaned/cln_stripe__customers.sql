-- One row per live Stripe customer in canonical form: the raw value stays beside each clean
-- one, with the reason where cleaning failed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_stripe__customers', input_filter='not input.is_deleted',
    meta={'calls_udfs': true},
) }}

with

{{ dictionaries() }}

outdated_rules as (
    select * from {{ ref('cln_outdated_rules') }}
),

staged as (
    select
        customers.*,
        {{ outdated_rule('customers') }} as outdated_rule
    from {{ ref('stg_stripe__customers') }} as customers
    cross join outdated_rules
    where not customers.is_deleted
),

people as (
    select
        staged.record_key,
        staged.source_system,
        staged.source_object,
        staged.source_id,
        cast(null as varchar) as account_record_key,
        staged.full_name,
        cast(null as varchar) as given_name,
        cast(null as varchar) as middle_name,
        cast(null as varchar) as family_name,
        cast(null as varchar) as name_suffix,
        staged.email,
        cast(null as varchar) as email_2,
        staged.phone,
        cast(null as varchar) as mobile,
        staged.address,
        staged.city,
        staged.region,
        staged.postal_code,
        staged.country,
        cast(null as varchar) as default_country,
        cast(null as varchar) as date_of_birth,
        cast(null as varchar) as national_id,
        staged.company_name,
        cast(null as varchar) as job_title,
        cast(null as varchar) as website,
        cast(null as varchar) as external_ids,
        cast(staged.created_at as varchar) as created_at,
        cast(staged.source_updated_at as varchar) as updated_at,
        'iso' as date_format,
        'UTC' as timezone,
        staged.typing_issue,
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
