-- One row per ERP invoice: its newest version, typed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_erp', 'invoices'], input_key="concat('erp:invoices:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_erp', 'invoices') }}
),

invoices as (
    select
        newest.*,
        concat('erp:invoices:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        invoices.record_key,
        'erp' as source_system,
        'invoices' as source_object,
        invoices.source_id,
        concat('erp:customers:', invoices.customer_id) as customer_record_key,

        ---------- strings
        invoices.invoice_number,
        invoices.currency,
        invoices.status,
        invoices.custom_fields,

        ---------- numbers
        invoices.amount,

        ---------- booleans
        invoices.is_deleted,

        ---------- dates
        invoices.issued_on as issued_date,
        invoices.due_on as due_date,
        invoices.paid_on as paid_date,

        ---------- timestamps
        invoices.created_at,
        invoices.updated_at,
        invoices.source_updated_at,
        invoices.first_landed_at,

        ---------- lineage
        invoices._dlt_load_id as load_id,
        {{ record_hash('invoices.content_hash') }} as record_hash
    from invoices
    {{ only_changed('invoices', hash='content_hash') }}
)

select * from renamed
