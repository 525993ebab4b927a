-- One row per live person record of every source, in canonical columns. A new source joins by one more line.
{{ config(materialized='view') }}

{%- set columns %}
        record_key, source_system, source_object, source_id,
        person_kind, given_name, middle_name, family_name, name_suffix,
        email, email_match_key, email_2, phone, phone_extension, phone_type, phone_match_key,
        mobile, mobile_match_key, house_number, street, unit, city, region, postal_code, country, address_key,
        national_id, company_name, company_key, job_title, website, external_ids,
        email_is_role, email_is_disposable, is_email_opted_out, date_of_birth,
        created_at, updated_at, first_landed_at, record_hash
{%- endset %}

with

hubspot_contacts as (
    select {{ columns }}, 'hubspot' as mapping_system from {{ ref('cln_hubspot__contacts') }}
),

erp_customers as (
    select {{ columns }}, 'erp' as mapping_system from {{ ref('cln_erp__customers') }}
),

spreadsheet_people as (
    select {{ columns }}, 'spreadsheets' as mapping_system from {{ ref('cln_spreadsheets__people') }}
),

unioned as (
    select * from hubspot_contacts
    union all
    select * from erp_customers
    union all
    select * from spreadsheet_people
)

select * from unioned
