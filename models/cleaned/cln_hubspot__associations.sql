-- One row per live HubSpot association of two records.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_hubspot__associations', input_filter='not input.is_deleted',
) }}

with

associations as (
    select * from {{ ref('stg_hubspot__associations') }} where not is_deleted
),

changed as (
    select associations.* from associations
    {{ only_changed('associations') }}
),

cleaned as (
    select
        ---------- keys
        changed.record_key,
        changed.source_system,
        changed.source_object,
        changed.source_id,
        changed.from_record_key,
        changed.to_record_key,

        ---------- strings
        {{ clean_text('changed.from_object') }} as from_object,
        {{ clean_text('changed.to_object') }} as to_object,
        changed.association_types,

        ---------- booleans
        changed.is_primary,

        ---------- timestamps
        changed.source_updated_at as updated_at,
        changed.first_landed_at,

        ---------- lineage
        changed.load_id,
        {{ record_hash('changed.record_hash') }} as record_hash
    from changed
)

select * from cleaned
