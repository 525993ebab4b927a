-- One row per live Salesforce lead in canonical form: the raw value stays beside each clean
-- one, with the reason where cleaning failed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_salesforce__leads', input_filter='not input.is_deleted',
    meta={'calls_udfs': true},
) }}

with

{{ dictionaries() }}

outdated_rules as (
    select * from {{ ref('cln_outdated_rules') }}
),

staged as (
    select
        leads.*,
        {{ outdated_rule(
            'leads', job_title='leads.job_title',
            superseded='leads.converted_contact_id is not null'
        ) }} as outdated_rule
    from {{ ref('stg_salesforce__leads') }} as leads
    cross join outdated_rules
    where not leads.is_deleted
),

people as (
    select
        staged.record_key,
        staged.source_system,
        staged.source_object,
        staged.source_id,
        'salesforce:accounts:' || staged.converted_account_id as account_record_key,
        cast(null as varchar) as full_name,
        staged.given_name,
        cast(null as varchar) as middle_name,
        staged.family_name,
        cast(null as varchar) as name_suffix,
        staged.email,
        cast(null as varchar) as email_2,
        staged.phone,
        staged.mobile,
        staged.address,
        staged.city,
        staged.region,
        staged.postal_code,
        staged.country,
        cast(null as varchar) as default_country,
        cast(null as varchar) as date_of_birth,
        cast(null as varchar) as national_id,
        staged.company_name,
        staged.job_title,
        staged.website,
        cast(null as varchar) as external_ids,
        staged.created_at,
        staged.updated_at,
        'iso' as date_format,
        cast(null as varchar) as timezone,
        staged.typing_issue,
        staged.is_email_opted_out,
        staged.is_phone_opted_out,
        staged.outdated_rule,
        staged.first_landed_at,
        staged.load_id,
        staged.record_hash
    from staged
    {{ only_changed('staged', more=outdated_versions('staged')) }}
),

{{ clean_people() }}

select * from cleaned
