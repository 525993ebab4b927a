-- One row per ERP payment: its newest version, named and typed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_erp', 'payments'], input_key="concat('erp:payments:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_erp', 'payments') }}
),

payments as (
    select
        newest.*,
        concat('erp:payments:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        payments.record_key,
        'erp' as source_system,
        'payments' as source_object,
        payments.source_id,
        concat('erp:invoices:', payments.invoice_id) as invoice_record_key,
        concat('erp:customers:', payments.customer_id) as customer_record_key,

        ---------- strings
        payments.method as payment_method,
        payments.currency,
        payments.custom_fields,

        ---------- numbers
        payments.amount,

        ---------- booleans
        payments.is_deleted,

        ---------- dates
        payments.received_on as received_date,

        ---------- timestamps
        payments.created_at,
        payments.updated_at,
        payments.source_updated_at,
        payments.first_landed_at,

        ---------- lineage
        payments._dlt_load_id as load_id,
        {{ record_hash('payments.content_hash') }} as record_hash
    from payments
    {{ only_changed('payments', hash='content_hash') }}
)

select * from renamed
