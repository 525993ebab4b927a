-- One row per live person record of every source, in canonical columns. A new source joins in people_objects().
{{ config(materialized='view') }}

{%- set columns %}
        record_key, source_system, source_object, source_id,
        person_kind, given_name, middle_name, family_name, name_suffix,
        email, email_match_key, email_2, email_2_match_key, phone, phone_extension, phone_type, phone_match_key,
        mobile, mobile_match_key, phone_2, house_number, street, unit, city, region, postal_code, country, address_key,
        national_id, company_name, company_key, job_title, website, external_ids,
        email_is_role, email_is_disposable, is_email_opted_out, is_outdated, date_of_birth,
        created_at, updated_at, first_landed_at, record_hash
{%- endset %}

with

unioned as (
    {%- for object in people_objects() %}
    select {{ columns }}, '{{ object.split('__')[0] }}' as mapping_system from {{ ref('cln_' ~ object) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from unioned
