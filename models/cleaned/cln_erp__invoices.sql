-- One row per live ERP invoice: money with its currency and in the reporting currency, keyed by its source customer.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_erp__invoices', input_filter='not input.is_deleted',
) }}

with

rates as (
    select * from {{ ref('cln_exchange_rates') }}
),

invoices as (
    select * from {{ ref('stg_erp__invoices') }} where not is_deleted
),

changed as (
    select invoices.* from invoices
    {{ only_changed('invoices', more=rates_versions()) }}
),

cleaned as (
    select
        ---------- keys
        changed.record_key,
        changed.source_system,
        changed.source_object,
        changed.source_id,
        changed.customer_record_key,

        ---------- strings
        {{ clean_text('changed.invoice_number') }} as invoice_number,
        {{ clean_currency('changed.currency') }} as currency,
        lower({{ clean_text('changed.status') }}) as status,
        {{ currency_issue('changed.currency') }} as currency_issue,
        {{ record_issues({
            'amount_can_be_converted': currency_issue('changed.currency')
        }) }} as issues,

        ---------- numbers
        changed.amount,
        {{ in_reporting_currency('changed.amount') }} as amount_reporting,

        ---------- dates
        changed.issued_date,
        changed.due_date,
        changed.paid_date,

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
