-- One row per live Salesforce campaign.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_salesforce__campaigns', input_filter='not input.is_deleted',
) }}

with

rates as (
    select * from {{ ref('cln_exchange_rates') }}
),

campaigns as (
    select * from {{ ref('stg_salesforce__campaigns') }} where not is_deleted
),

changed as (
    select campaigns.* from campaigns
    {{ only_changed('campaigns', more=rates_versions()) }}
),

cleaned as (
    select
        ---------- keys
        changed.record_key,
        changed.source_system,
        changed.source_object,
        changed.source_id,

        ---------- strings
        {{ clean_text('changed.campaign_name') }} as campaign_name,
        lower({{ clean_text('changed.campaign_type') }}) as campaign_type,
        lower({{ clean_text('changed.campaign_status') }}) as campaign_status,
        {{ clean_currency('changed.currency') }} as currency,
        changed.typing_issue,
        {{ currency_issue('changed.currency') }} as currency_issue,
        {{ record_issues({
            'values_are_typed': 'changed.typing_issue',
            'amount_can_be_converted': currency_issue('changed.currency')
        }) }} as issues,

        ---------- numbers
        changed.budgeted_cost,
        {{ in_reporting_currency('changed.budgeted_cost') }} as budgeted_cost_reporting,

        ---------- booleans
        changed.is_active,

        ---------- dates
        changed.start_date,
        changed.end_date,

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
