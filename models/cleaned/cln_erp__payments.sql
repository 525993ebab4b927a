-- One row per live ERP payment, keyed by its source customer and invoice.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_erp__payments', input_filter='not input.is_deleted',
) }}

with

rates as (
    select * from {{ ref('cln_exchange_rates') }}
),

payments as (
    select * from {{ ref('stg_erp__payments') }} where not is_deleted
),

changed as (
    select payments.* from payments
    {{ only_changed('payments', more=rates_versions()) }}
),

cleaned as (
    select
        ---------- keys
        changed.record_key,
        changed.source_system,
        changed.source_object,
        changed.source_id,
        changed.customer_record_key,
        changed.invoice_record_key,

        ---------- strings
        'payment' as payment_kind,
        lower({{ clean_text('changed.payment_method') }}) as payment_method,
        {{ clean_currency('changed.currency') }} as currency,
        {{ currency_issue('changed.currency') }} as currency_issue,
        {{ record_issues({
            'amount_can_be_converted': currency_issue('changed.currency')
        }) }} as issues,

        ---------- numbers
        changed.amount,
        {{ in_reporting_currency('changed.amount') }} as amount_reporting,

        ---------- dates
        changed.received_date as paid_date,

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
