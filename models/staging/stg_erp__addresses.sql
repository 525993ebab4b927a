-- One row per address of an ERP customer: its newest version, named and typed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_erp', 'addresses'], input_key="concat('erp:addresses:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_erp', 'addresses') }}
),

addresses as (
    select
        newest.*,
        concat('erp:addresses:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        addresses.record_key,
        'erp' as source_system,
        'addresses' as source_object,
        addresses.source_id,
        concat('erp:customers:', addresses.customer_id) as customer_record_key,

        ---------- strings
        addresses.kind as address_kind,
        addresses.recipient,
        addresses.street as address,
        addresses.city,
        addresses.region,
        addresses.postal_code,
        addresses.country,
        addresses.custom_fields,

        ---------- booleans
        addresses.is_deleted,
        addresses.is_default,

        ---------- timestamps
        addresses.created_at,
        addresses.updated_at,
        addresses.source_updated_at,
        addresses.first_landed_at,

        ---------- lineage
        addresses._dlt_load_id as load_id,
        {{ record_hash('addresses.content_hash') }} as record_hash
    from addresses
    {{ only_changed('addresses', hash='content_hash') }}
)

select * from renamed
