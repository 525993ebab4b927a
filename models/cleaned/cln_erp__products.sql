-- One row per live ERP product.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_erp__products', input_filter='not input.is_deleted',
) }}

with

rates as (
    select * from {{ ref('cln_exchange_rates') }}
),

products as (
    select * from {{ ref('stg_erp__products') }} where not is_deleted
),

changed as (
    select products.* from products
    {{ only_changed('products', more=rates_versions()) }}
),

cleaned as (
    select
        ---------- keys
        changed.record_key,
        changed.source_system,
        changed.source_object,
        changed.source_id,

        ---------- strings
        {{ clean_text('changed.product_name') }} as product_name,
        {{ clean_text('changed.category') }} as category,
        {{ clean_currency('changed.currency') }} as currency,
        {{ currency_issue('changed.currency') }} as currency_issue,
        {{ record_issues({
            'amount_can_be_converted': currency_issue('changed.currency')
        }) }} as issues,

        ---------- numbers
        changed.unit_price,
        {{ in_reporting_currency('changed.unit_price') }} as unit_price_reporting,

        ---------- booleans
        changed.is_active,

        ---------- timestamps
        changed.created_at,
        changed.updated_at,
        changed.first_landed_at,

        ---------- lineage
        changed.load_id,
        {{ record_hash('changed.record_hash', more=rates_versions()) }} as record_hash
    from changed
    left join rates
        on {{ clean_currency('changed.currency') }} = rates.currency
)

select * from cleaned
