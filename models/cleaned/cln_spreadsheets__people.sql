-- One row per live spreadsheet person in canonical form: the raw value stays beside each clean
-- one, with the reason where cleaning failed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_spreadsheets__people', input_filter='not input.is_deleted',
    meta={'calls_udfs': true},
) }}

with

staged as (
    select * from {{ ref('stg_spreadsheets__people') }} where not is_deleted
),

phones as (
    select * from {{ ref('cln_phone_dictionary') }}
),

addresses as (
    select * from {{ ref('cln_address_dictionary') }}
),

names as (
    select * from {{ ref('cln_person_name_dictionary') }}
),

role_mailboxes as (
    select * from {{ ref('role_mailboxes') }}
),

disposable_domains as (
    select * from {{ ref('disposable_domains') }}
),

rules as (
    select * from {{ ref('cln_rules_version') }}
),

people as (
    select
        staged.record_key,
        staged.source_system,
        staged.source_object,
        staged.source_id,
        staged.full_name,
        staged.given_name,
        staged.middle_name,
        staged.family_name,
        staged.name_suffix,
        staged.email,
        staged.email_2,
        staged.phone,
        staged.mobile,
        coalesce(staged.address, concat_ws(', ', staged.street, staged.street_2)) as address,
        cast(null as varchar) as street,
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
        cast(null as boolean) as is_email_opted_out,
        staged.first_landed_at,
        staged.load_id,
        staged.record_hash
    from staged
    {{ only_changed('staged', more=['(select rules.version from rules)']) }}
),

{{ clean_people('people') }}

select * from cleaned
