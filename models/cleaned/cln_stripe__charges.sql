-- One row per live Stripe charge: a payment or an attempt at one, keyed by its source customer.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_stripe__charges', input_filter='not input.is_deleted',
) }}

with

rates as (
    select * from {{ ref('cln_exchange_rates') }}
),

charges as (
    select * from {{ ref('stg_stripe__charges') }} where not is_deleted
),

changed as (
    select charges.* from charges
    {{ only_changed('charges', more=rates_versions()) }}
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
        'payment' as payment_kind,
        lower({{ clean_text('changed.payment_method_type') }}) as payment_method,
        lower({{ clean_text('changed.status') }}) as status,
        {{ clean_currency('changed.currency') }} as currency,
        {{ clean_text('changed.description') }} as description,
        {{ clean_text('changed.failure_code') }} as failure_code,
        changed.typing_issue,
        {{ currency_issue('changed.currency') }} as currency_issue,
        {{ record_issues({
            'values_are_typed': 'changed.typing_issue',
            'amount_can_be_converted': currency_issue('changed.currency')
        }) }} as issues,

        ---------- numbers
        changed.amount,
        {{ in_reporting_currency('changed.amount') }} as amount_reporting,
        changed.captured_amount,
        changed.refunded_amount,

        ---------- booleans
        changed.is_paid,
        changed.is_captured,
        changed.is_refunded,
        changed.is_disputed,

        ---------- dates
        case when changed.is_paid then cast(changed.created_at as date) end as paid_date,

        ---------- timestamps
        changed.created_at,
        changed.source_updated_at as updated_at,
        changed.first_landed_at,

        ---------- lineage
        changed.load_id,
        {{ record_hash('changed.record_hash', more=rates_versions()) }} as record_hash
    from changed
    left join rates
        on {{ clean_currency('changed.currency') }} = rates.currency
)

select * from cleaned
