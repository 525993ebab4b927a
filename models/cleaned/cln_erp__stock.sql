-- One row per live product in an ERP warehouse.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_erp__stock', input_filter='not input.is_deleted',
) }}

with

stock as (
    select * from {{ ref('stg_erp__stock') }} where not is_deleted
),

changed as (
    select stock.* from stock
    {{ only_changed('stock') }}
),

cleaned as (
    select
        ---------- keys
        changed.record_key,
        changed.source_system,
        changed.source_object,
        changed.source_id,
        changed.product_record_key,

        ---------- strings
        {{ clean_text('changed.warehouse') }} as warehouse,

        ---------- numbers
        changed.quantity,
        changed.reserved_quantity,

        ---------- timestamps
        changed.created_at,
        changed.updated_at,
        changed.first_landed_at,

        ---------- lineage
        changed.load_id,
        {{ record_hash('changed.record_hash') }} as record_hash
    from changed
)

select * from cleaned
