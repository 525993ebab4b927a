-- One row per live source record: the customer it belongs to and what it says, in canonical form.
{{ config(materialized='view') }}

with

crosswalk as (
    select * from {{ ref('idr_crosswalk') }}
),

records as (
    select * from {{ ref('idr_records') }}
),

source_records as (
    select
        ---------- keys
        crosswalk.customer_id,
        records.record_key,
        records.source_system,
        records.source_object,
        records.source_id,

        ---------- strings
        records.person_kind,
        records.given_name,
        records.middle_name,
        records.family_name,
        records.name_suffix,
        records.email,
        records.phone,
        records.mobile,
        records.house_number,
        records.street,
        records.unit,
        records.city,
        records.region,
        records.postal_code,
        records.country,
        records.company_name,
        records.job_title,

        ---------- dates
        records.date_of_birth,

        ---------- timestamps
        records.created_at,
        records.updated_at,
        records.first_landed_at
    from crosswalk
    inner join records
        on crosswalk.record_key = records.record_key
)

select * from source_records
