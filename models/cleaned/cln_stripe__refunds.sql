-- One row per live Stripe refund: money that went back, keyed by its source customer and charge.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_stripe__refunds', input_filter='not input.is_deleted',
) }}

with

rates as (
    select * from {{ ref('cln_exchange_rates') }}
),

refunds as (
    select * from {{ ref('stg_stripe__refunds') }} where not is_deleted
),

changed as (
    select refunds.* from refunds
    {{ only_changed('refunds', more=rates_versions()) }}
),

cleaned as (
    select
        ---------- keys
        changed.record_key,
        changed.source_system,
        changed.source_object,
        changed.source_id,
        changed.customer_record_key,
        changed.charge_record_key,

        ---------- strings
        'refund' as payment_kind,
        lower({{ clean_text('changed.status') }}) as status,
        {{ clean_currency('changed.currency') }} as currency,
        {{ clean_text('changed.reason') }} as reason,
        changed.typing_issue,
        {{ currency_issue('changed.currency') }} as currency_issue,
        {{ record_issues({
            'values_are_typed': 'changed.typing_issue',
            'amount_can_be_converted': currency_issue('changed.currency')
        }) }} as issues,

        ---------- numbers
        changed.amount,
        {{ in_reporting_currency('changed.amount') }} as amount_reporting,

        ---------- dates
        case when changed.status = 'succeeded' then cast(changed.created_at as date) end as paid_date,

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
