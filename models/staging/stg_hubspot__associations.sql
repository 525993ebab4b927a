-- One row per association between two HubSpot records: its newest version, named and typed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_hubspot', 'associations'], input_key="concat('hubspot:associations:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_hubspot', 'associations', order_by='_dlt_load_id desc, content_hash desc') }}
),

associations as (
    select
        newest.*,
        concat('hubspot:associations:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        associations.record_key,
        'hubspot' as source_system,
        'associations' as source_object,
        associations.source_id,
        concat('hubspot:', associations.from_object, ':', associations.from_id) as from_record_key,
        concat('hubspot:', associations.to_object, ':', associations.to_id) as to_record_key,

        ---------- strings
        associations.from_object,
        associations.to_object,
        associations.association_types,

        ---------- booleans
        associations.is_deleted,
        coalesce(associations.association_types like '%"Primary"%', false) as is_primary,

        ---------- timestamps
        associations.source_updated_at,
        associations.first_landed_at,

        ---------- lineage
        associations._dlt_load_id as load_id,
        {{ record_hash('associations.content_hash') }} as record_hash
    from associations
    {{ only_changed('associations', hash='content_hash') }}
)

select * from renamed
