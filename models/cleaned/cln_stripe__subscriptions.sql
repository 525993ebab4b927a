-- One row per live Stripe subscription, keyed by its source customer.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_stripe__subscriptions', input_filter='not input.is_deleted',
) }}

with

rates as (
    select * from {{ ref('cln_exchange_rates') }}
),

subscriptions as (
    select * from {{ ref('stg_stripe__subscriptions') }} where not is_deleted
),

changed as (
    select subscriptions.* from subscriptions
    {{ only_changed('subscriptions', more=rates_versions()) }}
),

cleaned as (
    select
        ---------- keys
        changed.record_key,
        changed.source_system,
        changed.source_object,
        changed.source_id,
        changed.customer_record_key,
        changed.latest_invoice_record_key,

        ---------- strings
        lower({{ clean_text('changed.status') }}) as status,
        {{ clean_currency('changed.currency') }} as currency,
        {{ clean_text('changed.price_name') }} as price_name,
        changed.price_id,
        changed.product_id,
        lower({{ clean_text('changed.billing_interval') }}) as billing_interval,
        lower({{ clean_text('changed.cancellation_reason') }}) as cancellation_reason,
        changed.typing_issue,
        {{ currency_issue('changed.currency') }} as currency_issue,
        {{ record_issues({
            'values_are_typed': 'changed.typing_issue',
            'amount_can_be_converted': currency_issue('changed.currency')
        }) }} as issues,

        ---------- numbers
        changed.unit_amount,
        {{ in_reporting_currency('changed.unit_amount') }} as unit_amount_reporting,
        changed.quantity,

        ---------- booleans
        changed.is_ending_with_period,

        ---------- timestamps
        changed.created_at,
        changed.started_at,
        changed.period_start_at,
        changed.period_end_at,
        changed.cancel_at,
        changed.canceled_at,
        changed.ended_at,
        changed.trial_start_at,
        changed.trial_end_at,
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
