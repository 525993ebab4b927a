-- One row per ERP product: its newest version, named and typed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_erp', 'products'], input_key="concat('erp:products:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_erp', 'products') }}
),

products as (
    select
        newest.*,
        concat('erp:products:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        products.record_key,
        'erp' as source_system,
        'products' as source_object,
        products.source_id,

        ---------- strings
        products.name as product_name,
        products.category,
        products.currency,
        products.custom_fields,

        ---------- numbers
        products.unit_price,

        ---------- booleans
        products.is_deleted,
        products.is_active,

        ---------- timestamps
        products.created_at,
        products.updated_at,
        products.source_updated_at,
        products.first_landed_at,

        ---------- lineage
        products._dlt_load_id as load_id,
        {{ record_hash('products.content_hash') }} as record_hash
    from products
    {{ only_changed('products', hash='content_hash') }}
)

select * from renamed
