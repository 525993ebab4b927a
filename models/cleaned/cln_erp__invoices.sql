-- One row per live ERP invoice: money with its currency and in the reporting currency, keyed by its source customer.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_erp__invoices', input_filter='not input.is_deleted',
) }}

with

invoices as (
    select * from {{ ref('stg_erp__invoices') }} where not is_deleted
),

rates as (
    select * from {{ ref('exchange_rates') }} where reporting_currency = '{{ var("reporting_currency") }}'
),

rates_version as (
    select md5({{ join_text(row_text('rates'), '|', 'currency') }}) as version from rates
),

changed as (
    select * from invoices
    {{ only_changed('invoices', more=['(select rates_version.version from rates_version)']) }}
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
        upper({{ clean_text('changed.currency') }}) as currency,
        lower({{ clean_text('changed.status') }}) as status,
        case when rates.rate is null then 'no exchange rate' end as currency_issue,

        ---------- numbers
        changed.amount,
        cast(round(changed.amount * rates.rate, 2) as decimal(18, 2)) as amount_reporting,

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
        {{ record_hash('changed.record_hash', more=['(select rates_version.version from rates_version)']) }}
            as record_hash
    from changed
    left join rates
        on upper(trim(changed.currency)) = rates.currency
)

select * from cleaned
