-- One row per person of a spreadsheet: the version of the latest snapshot, whatever its own timestamps say.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_spreadsheets', 'people'],
    input_key="concat(input.source_system, ':people:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions(
        'raw_spreadsheets', 'people', key='source_system, source_id',
        order_by='_dlt_load_id desc, content_hash desc'
    ) }}
),

people as (
    select
        newest.*,
        concat(newest.source_system, ':people:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        people.record_key,
        people.source_system,
        'people' as source_object,
        people.source_id,

        ---------- strings
        people.full_name,
        people.given_name,
        people.middle_name,
        people.family_name,
        people.name_suffix,
        people.email,
        people.email_2,
        people.phone,
        people.mobile,
        people.address,
        people.street,
        people.street_2,
        coalesce(people.address, nullif(concat_ws(', ', people.street, people.street_2), '')) as address_line,
        people.city,
        people.region,
        people.postal_code,
        people.country,
        people.date_of_birth,
        people.national_id,
        people.company_name,
        people.job_title,
        people.website,
        people.external_ids,
        people.created_at,
        people.updated_at,
        people.file_name,
        people.default_country,
        people.date_format,
        people.timezone,

        ---------- booleans
        people.is_deleted,

        ---------- timestamps
        people.source_updated_at,
        people.first_landed_at,

        ---------- lineage
        people._dlt_load_id as load_id,
        {{ record_hash('people.content_hash') }} as record_hash
    from people
    {{ only_changed('people', hash='content_hash') }}
)

select * from renamed
