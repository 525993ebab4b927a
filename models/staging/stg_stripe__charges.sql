-- One row per Stripe charge: its newest version, typed, amounts in the unit of their currency.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_stripe', 'charges'], input_key="concat('stripe:charges:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_stripe', 'charges', order_by='_dlt_load_id desc, content_hash desc') }}
),

charges as (
    select
        newest.*,
        concat('stripe:charges:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        charges.record_key,
        'stripe' as source_system,
        'charges' as source_object,
        charges.source_id,
        'stripe:customers:' || charges.customer as customer_record_key,

        ---------- strings
        upper(charges.currency) as currency,
        charges.status,
        charges.description,
        charges.payment_intent as payment_intent_id,
        charges.payment_method as payment_method_id,
        {{ json_text('charges.payment_method_details', '$.type') }} as payment_method_type,
        {{ json_text('charges.payment_method_details', '$.card.brand') }} as card_brand,
        {{ json_text('charges.payment_method_details', '$.card.last4') }} as card_last4,
        {{ json_text('charges.billing_details', '$.name') }} as billing_name,
        {{ json_text('charges.billing_details', '$.email') }} as billing_email,
        {{ json_text('charges.billing_details', '$.phone') }} as billing_phone,
        charges.receipt_email,
        charges.failure_code,
        charges.failure_message,
        charges.metadata,
        charges.custom_fields,
        {{ typing_issue('charges', {
            'amount': 'whole_number', 'amount_captured': 'whole_number',
            'amount_refunded': 'whole_number', 'paid': 'flag', 'captured': 'flag',
            'refunded': 'flag', 'disputed': 'flag', 'created': 'whole_number'
        }) }} as typing_issue,

        ---------- numbers
        {{ major_units('charges.amount', 'charges.currency') }} as amount,
        {{ major_units('charges.amount_captured', 'charges.currency') }} as captured_amount,
        {{ major_units('charges.amount_refunded', 'charges.currency') }} as refunded_amount,

        ---------- booleans
        charges.is_deleted,
        lower(charges.paid) = 'true' as is_paid,
        lower(charges.captured) = 'true' as is_captured,
        lower(charges.refunded) = 'true' as is_refunded,
        lower(charges.disputed) = 'true' as is_disputed,

        ---------- timestamps
        {{ timestamp_from_epoch('try_cast(charges.created as bigint)') }} as created_at,
        -- Stripe tells no time of change: the time of the event that brought the version, where one did.
        coalesce(charges.source_updated_at, charges.event_at) as source_updated_at,
        charges.first_landed_at,

        ---------- lineage
        charges._dlt_load_id as load_id,
        {{ record_hash('charges.content_hash') }} as record_hash
    from charges
    {{ only_changed('charges', hash='content_hash') }}
)

select * from renamed
