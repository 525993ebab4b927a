-- One row per Stripe subscription: its newest version, typed. Canceled ones stay; the plan is that of the first item.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_stripe', 'subscriptions'], input_key="concat('stripe:subscriptions:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_stripe', 'subscriptions', order_by='_dlt_load_id desc, content_hash desc') }}
),

subscriptions as (
    select
        newest.*,
        {{ json_text('newest.items', '$.data[0].price.unit_amount') }} as item_unit_amount,
        {{ json_text('newest.items', '$.data[0].current_period_start') }} as item_period_start,
        {{ json_text('newest.items', '$.data[0].current_period_end') }} as item_period_end,
        concat('stripe:subscriptions:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        subscriptions.record_key,
        'stripe' as source_system,
        'subscriptions' as source_object,
        subscriptions.source_id,
        'stripe:customers:' || subscriptions.customer as customer_record_key,
        'stripe:invoices:' || subscriptions.latest_invoice as latest_invoice_record_key,

        ---------- strings
        subscriptions.status,
        upper(subscriptions.currency) as currency,
        subscriptions.description,
        {{ json_text('subscriptions.items', '$.data[0].price.id') }} as price_id,
        {{ json_text('subscriptions.items', '$.data[0].price.nickname') }} as price_name,
        {{ json_text('subscriptions.items', '$.data[0].price.product') }} as product_id,
        {{ json_text('subscriptions.items', '$.data[0].price.recurring.interval') }} as billing_interval,
        subscriptions.collection_method,
        {{ json_text('subscriptions.cancellation_details', '$.reason') }} as cancellation_reason,
        {{ json_text('subscriptions.cancellation_details', '$.feedback') }} as cancellation_feedback,
        subscriptions.metadata,
        subscriptions.custom_fields,
        {{ typing_issue('subscriptions', {
            'item_unit_amount': 'whole_number', 'cancel_at_period_end': 'flag',
            'created': 'whole_number', 'start_date': 'whole_number',
            'item_period_start': 'whole_number', 'item_period_end': 'whole_number',
            'cancel_at': 'whole_number', 'canceled_at': 'whole_number',
            'ended_at': 'whole_number', 'trial_start': 'whole_number',
            'trial_end': 'whole_number'
        }) }} as typing_issue,

        ---------- numbers
        {{ major_units('subscriptions.item_unit_amount', 'subscriptions.currency') }} as unit_amount,
        try_cast({{ json_text('subscriptions.items', '$.data[0].quantity') }} as bigint) as quantity,

        ---------- booleans
        subscriptions.is_deleted,
        lower(subscriptions.cancel_at_period_end) = 'true' as is_ending_with_period,

        ---------- timestamps
        {{ timestamp_from_epoch('try_cast(subscriptions.created as bigint)') }} as created_at,
        {{ timestamp_from_epoch('try_cast(subscriptions.start_date as bigint)') }} as started_at,
        {{ timestamp_from_epoch('try_cast(subscriptions.item_period_start as bigint)') }} as period_start_at,
        {{ timestamp_from_epoch('try_cast(subscriptions.item_period_end as bigint)') }} as period_end_at,
        {{ timestamp_from_epoch('try_cast(subscriptions.cancel_at as bigint)') }} as cancel_at,
        {{ timestamp_from_epoch('try_cast(subscriptions.canceled_at as bigint)') }} as canceled_at,
        {{ timestamp_from_epoch('try_cast(subscriptions.ended_at as bigint)') }} as ended_at,
        {{ timestamp_from_epoch('try_cast(subscriptions.trial_start as bigint)') }} as trial_start_at,
        {{ timestamp_from_epoch('try_cast(subscriptions.trial_end as bigint)') }} as trial_end_at,
        -- Stripe tells no time of change: the time of the event that brought the version, where one did.
        coalesce(subscriptions.source_updated_at, subscriptions.event_at) as source_updated_at,
        subscriptions.first_landed_at,

        ---------- lineage
        subscriptions._dlt_load_id as load_id,
        {{ record_hash('subscriptions.content_hash') }} as record_hash
    from subscriptions
    {{ only_changed('subscriptions', hash='content_hash') }}
)

select * from renamed
