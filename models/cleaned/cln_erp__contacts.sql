-- One row per live contact person of an ERP customer in canonical form: the raw value stays beside each clean
-- one, with the reason where cleaning failed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_erp__contacts', input_filter='not input.is_deleted',
    meta={'calls_udfs': true},
) }}

with

{{ dictionaries() }}

outdated_rules as (
    select * from {{ ref('cln_outdated_rules') }}
),

staged as (
    select
        contacts.*,
        {{ outdated_rule('contacts', job_title='contacts.job_role') }} as outdated_rule
    from {{ ref('stg_erp__contacts') }} as contacts
    cross join outdated_rules
    where not contacts.is_deleted
),

people as (
    select
        staged.record_key,
        staged.source_system,
        staged.source_object,
        staged.source_id,
        staged.customer_record_key as account_record_key,
        staged.full_name,
        cast(null as varchar) as given_name,
        cast(null as varchar) as middle_name,
        cast(null as varchar) as family_name,
        cast(null as varchar) as name_suffix,
        staged.email,
        cast(null as varchar) as email_2,
        staged.phone,
        cast(null as varchar) as mobile,
        cast(null as varchar) as address,
        cast(null as varchar) as city,
        cast(null as varchar) as region,
        cast(null as varchar) as postal_code,
        cast(null as varchar) as country,
        cast(null as varchar) as default_country,
        cast(null as varchar) as date_of_birth,
        cast(null as varchar) as national_id,
        cast(null as varchar) as company_name,
        staged.job_role as job_title,
        cast(null as varchar) as website,
        cast(null as varchar) as external_ids,
        cast(staged.created_at as varchar) as created_at,
        cast(staged.updated_at as varchar) as updated_at,
        'iso' as date_format,
        'UTC' as timezone,
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
