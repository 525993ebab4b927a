-- One row per live HubSpot deal; whose it is, its associations say.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_hubspot__deals', input_filter='not input.is_deleted',
) }}

with

rates as (
    select * from {{ ref('cln_exchange_rates') }}
),

deals as (
    select * from {{ ref('stg_hubspot__deals') }} where not is_deleted
),

changed as (
    select deals.* from deals
    {{ only_changed('deals', more=rates_versions()) }}
),

cleaned as (
    select
        ---------- keys
        changed.record_key,
        changed.source_system,
        changed.source_object,
        changed.source_id,

        ---------- strings
        {{ clean_text('changed.deal_name') }} as deal_name,
        lower({{ clean_text('changed.deal_stage') }}) as deal_stage,
        {{ clean_text('changed.pipeline') }} as pipeline,
        lower({{ clean_text('changed.deal_type') }}) as deal_type,
        {{ clean_currency('changed.currency') }} as currency,
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
        cast(changed.close_at as date) as close_date,

        ---------- timestamps
        {{ iso_to_utc('changed.created_at') }} as created_at,
        {{ iso_to_utc('changed.updated_at') }} as updated_at,
        changed.first_landed_at,

        ---------- lineage
        changed.load_id,
        {{ record_hash('changed.record_hash', more=rates_versions()) }} as record_hash
    from changed
    left join rates
        on {{ clean_currency('changed.currency') }} = rates.currency
)

select * from cleaned
