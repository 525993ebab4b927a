-- One row per live Salesforce opportunity: a deal, keyed by its source account.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_salesforce__opportunities', input_filter='not input.is_deleted',
) }}

with

rates as (
    select * from {{ ref('cln_exchange_rates') }}
),

opportunities as (
    select * from {{ ref('stg_salesforce__opportunities') }} where not is_deleted
),

changed as (
    select opportunities.* from opportunities
    {{ only_changed('opportunities', more=rates_versions()) }}
),

cleaned as (
    select
        ---------- keys
        changed.record_key,
        changed.source_system,
        changed.source_object,
        changed.source_id,
        changed.account_record_key,

        ---------- strings
        {{ clean_text('changed.opportunity_name') }} as deal_name,
        lower({{ clean_text('changed.opportunity_stage') }}) as deal_stage,
        lower({{ clean_text('changed.opportunity_type') }}) as deal_type,
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
        changed.probability,

        ---------- booleans
        changed.is_closed,
        changed.is_won,

        ---------- dates
        changed.close_date,

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
