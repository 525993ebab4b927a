-- One row per Stripe invoice: its newest version, typed, amounts in the unit of their currency.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_stripe', 'invoices'], input_key="concat('stripe:invoices:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_stripe', 'invoices', order_by='_dlt_load_id desc, content_hash desc') }}
),

invoices as (
    select
        newest.*,
        {{ json_text('newest.parent', '$.subscription_details.subscription') }} as subscription,
        {{ json_text('newest.status_transitions', '$.finalized_at') }} as finalized,
        {{ json_text('newest.status_transitions', '$.paid_at') }} as paid,
        {{ json_text('newest.status_transitions', '$.voided_at') }} as voided,
        concat('stripe:invoices:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        invoices.record_key,
        'stripe' as source_system,
        'invoices' as source_object,
        invoices.source_id,
        'stripe:customers:' || invoices.customer as customer_record_key,
        'stripe:subscriptions:' || invoices.subscription as subscription_record_key,

        ---------- strings
        invoices.number as invoice_number,
        upper(invoices.currency) as currency,
        invoices.status,
        invoices.billing_reason,
        invoices.collection_method,
        invoices.description,
        invoices.customer_name as billing_name,
        invoices.customer_email as billing_email,
        invoices.customer_phone as billing_phone,
        invoices.metadata,
        invoices.custom_fields,
        {{ typing_issue('invoices', {
            'total': 'whole_number', 'subtotal': 'whole_number',
            'amount_due': 'whole_number', 'amount_paid': 'whole_number',
            'amount_remaining': 'whole_number', 'attempt_count': 'whole_number',
            'created': 'whole_number', 'due_date': 'whole_number',
            'finalized': 'whole_number', 'paid': 'whole_number', 'voided': 'whole_number',
            'period_start': 'whole_number', 'period_end': 'whole_number'
        }) }} as typing_issue,

        ---------- numbers
        {{ major_units('invoices.total', 'invoices.currency') }} as amount,
        {{ major_units('invoices.subtotal', 'invoices.currency') }} as subtotal_amount,
        {{ major_units('invoices.amount_due', 'invoices.currency') }} as due_amount,
        {{ major_units('invoices.amount_paid', 'invoices.currency') }} as paid_amount,
        {{ major_units('invoices.amount_remaining', 'invoices.currency') }} as remaining_amount,
        try_cast(invoices.attempt_count as bigint) as attempt_count,

        ---------- booleans
        invoices.is_deleted,

        ---------- timestamps
        {{ timestamp_from_epoch('try_cast(invoices.created as bigint)') }} as created_at,
        {{ timestamp_from_epoch('try_cast(invoices.due_date as bigint)') }} as due_at,
        {{ timestamp_from_epoch('try_cast(invoices.finalized as bigint)') }} as finalized_at,
        {{ timestamp_from_epoch('try_cast(invoices.paid as bigint)') }} as paid_at,
        {{ timestamp_from_epoch('try_cast(invoices.voided as bigint)') }} as voided_at,
        {{ timestamp_from_epoch('try_cast(invoices.period_start as bigint)') }} as period_start_at,
        {{ timestamp_from_epoch('try_cast(invoices.period_end as bigint)') }} as period_end_at,
        -- Stripe tells no time of change: the time of the event that brought the version, where one did.
        coalesce(invoices.source_updated_at, invoices.event_at) as source_updated_at,
        invoices.first_landed_at,

        ---------- lineage
        invoices._dlt_load_id as load_id,
        {{ record_hash('invoices.content_hash') }} as record_hash
    from invoices
    {{ only_changed('invoices', hash='content_hash') }}
)

select * from renamed
