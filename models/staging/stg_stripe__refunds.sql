-- One row per Stripe refund: its newest version, typed, amounts in the unit of their currency.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_stripe', 'refunds'], input_key="concat('stripe:refunds:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_stripe', 'refunds', order_by='_dlt_load_id desc, content_hash desc') }}
),

refunds as (
    select
        newest.*,
        concat('stripe:refunds:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        refunds.record_key,
        'stripe' as source_system,
        'refunds' as source_object,
        refunds.source_id,
        'stripe:customers:' || refunds.customer as customer_record_key,
        'stripe:charges:' || refunds.charge as charge_record_key,

        ---------- strings
        upper(refunds.currency) as currency,
        refunds.status,
        refunds.reason,
        refunds.failure_reason,
        refunds.pending_reason,
        refunds.description,
        refunds.payment_intent as payment_intent_id,
        refunds.metadata,
        refunds.custom_fields,
        {{ typing_issue('refunds', {
            'amount': 'whole_number', 'created': 'whole_number'
        }) }} as typing_issue,

        ---------- numbers
        {{ major_units('refunds.amount', 'refunds.currency') }} as amount,

        ---------- booleans
        refunds.is_deleted,

        ---------- timestamps
        {{ timestamp_from_epoch('try_cast(refunds.created as bigint)') }} as created_at,
        -- Stripe tells no time of change: the time of the event that brought the version, where one did.
        coalesce(refunds.source_updated_at, refunds.event_at) as source_updated_at,
        refunds.first_landed_at,

        ---------- lineage
        refunds._dlt_load_id as load_id,
        {{ record_hash('refunds.content_hash') }} as record_hash
    from refunds
    {{ only_changed('refunds', hash='content_hash') }}
)

select * from renamed
