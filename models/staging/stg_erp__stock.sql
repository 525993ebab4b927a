-- One row per product in a warehouse: its newest version, named and typed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_erp', 'stock'], input_key="concat('erp:stock:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_erp', 'stock') }}
),

stock as (
    select
        newest.*,
        concat('erp:stock:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        stock.record_key,
        'erp' as source_system,
        'stock' as source_object,
        stock.source_id,
        concat('erp:products:', stock.product_id) as product_record_key,

        ---------- strings
        stock.warehouse,
        stock.custom_fields,

        ---------- numbers
        stock.quantity,
        stock.reserved as reserved_quantity,

        ---------- booleans
        stock.is_deleted,

        ---------- timestamps
        stock.created_at,
        stock.updated_at,
        stock.source_updated_at,
        stock.first_landed_at,

        ---------- lineage
        stock._dlt_load_id as load_id,
        {{ record_hash('stock.content_hash') }} as record_hash
    from stock
    {{ only_changed('stock', hash='content_hash') }}
)

select * from renamed
