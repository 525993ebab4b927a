-- One row per Stripe customer: its newest version, named as the canonical person and still as typed by people.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_stripe', 'customers'], input_key="concat('stripe:customers:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_stripe', 'customers', order_by='_dlt_load_id desc, content_hash desc') }}
),

customers as (
    select
        newest.*,
        concat('stripe:customers:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        customers.record_key,
        'stripe' as source_system,
        'customers' as source_object,
        customers.source_id,

        ---------- strings
        customers.name as full_name,
        customers.business_name as company_name,
        customers.email,
        customers.phone,
        nullif(
            concat_ws(
                ', ',
                {{ json_text('customers.address', '$.line1') }},
                {{ json_text('customers.address', '$.line2') }}
            ),
            ''
        ) as address,
        {{ json_text('customers.address', '$.city') }} as city,
        {{ json_text('customers.address', '$.state') }} as region,
        {{ json_text('customers.address', '$.postal_code') }} as postal_code,
        {{ json_text('customers.address', '$.country') }} as country,
        {{ json_text('customers.shipping', '$.name') }} as shipping_name,
        {{ json_text('customers.shipping', '$.phone') }} as shipping_phone,
        nullif(
            concat_ws(
                ', ',
                {{ json_text('customers.shipping', '$.address.line1') }},
                {{ json_text('customers.shipping', '$.address.line2') }}
            ),
            ''
        ) as shipping_address,
        {{ json_text('customers.shipping', '$.address.city') }} as shipping_city,
        {{ json_text('customers.shipping', '$.address.state') }} as shipping_region,
        {{ json_text('customers.shipping', '$.address.postal_code') }} as shipping_postal_code,
        {{ json_text('customers.shipping', '$.address.country') }} as shipping_country,
        customers.description,
        upper(customers.currency) as currency,
        customers.tax_exempt,
        customers.preferred_locales,
        customers.metadata,
        customers.custom_fields,
        {{ typing_issue('customers', {
            'balance': 'whole_number', 'delinquent': 'flag', 'created': 'whole_number'
        }) }} as typing_issue,

        ---------- numbers
        {{ major_units('customers.balance', 'customers.currency') }} as balance,

        ---------- booleans
        customers.is_deleted,
        lower(customers.delinquent) = 'true' as is_delinquent,

        ---------- timestamps
        {{ timestamp_from_epoch('try_cast(customers.created as bigint)') }} as created_at,
        -- Stripe tells no time of change: the time of the event that brought the version, where one did.
        coalesce(customers.source_updated_at, customers.event_at) as source_updated_at,
        customers.first_landed_at,

        ---------- lineage
        customers._dlt_load_id as load_id,
        {{ record_hash('customers.content_hash') }} as record_hash
    from customers
    {{ only_changed('customers', hash='content_hash') }}
)

select * from renamed
