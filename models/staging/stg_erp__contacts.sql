-- One row per contact person of an ERP customer: its newest version, named and typed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_erp', 'contacts'], input_key="concat('erp:contacts:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_erp', 'contacts') }}
),

contacts as (
    select
        newest.*,
        concat('erp:contacts:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        contacts.record_key,
        'erp' as source_system,
        'contacts' as source_object,
        contacts.source_id,
        concat('erp:customers:', contacts.customer_id) as customer_record_key,

        ---------- strings
        contacts.name as full_name,
        contacts.email,
        contacts.phone,
        contacts.role as job_role,
        contacts.custom_fields,

        ---------- booleans
        contacts.is_deleted,

        ---------- timestamps
        contacts.created_at,
        contacts.updated_at,
        contacts.source_updated_at,
        contacts.first_landed_at,

        ---------- lineage
        contacts._dlt_load_id as load_id,
        {{ record_hash('contacts.content_hash') }} as record_hash
    from contacts
    {{ only_changed('contacts', hash='content_hash') }}
)

select * from renamed
