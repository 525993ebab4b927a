-- One row per Salesforce opportunity: its newest version, named and typed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_salesforce', 'opportunities'], input_key="concat('salesforce:opportunities:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_salesforce', 'opportunities') }}
),

opportunities as (
    select
        newest.*,
        concat('salesforce:opportunities:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        opportunities.record_key,
        'salesforce' as source_system,
        'opportunities' as source_object,
        opportunities.source_id,
        opportunities.account_id,
        'salesforce:accounts:' || opportunities.account_id as account_record_key,
        opportunities.campaign_id,

        ---------- strings
        opportunities.name as opportunity_name,
        opportunities.stage_name as opportunity_stage,
        opportunities.type as opportunity_type,
        opportunities.next_step,
        opportunities.lead_source,
        opportunities.forecast_category_name as forecast_category,
        opportunities.currency_iso_code as currency,
        opportunities.owner_id,
        opportunities.created_date as created_at,
        opportunities.last_modified_date as updated_at,
        opportunities.custom_fields,
        {{ typing_issue('opportunities', {
            'amount': 'number', 'expected_revenue': 'number', 'probability': 'number',
            'is_closed': 'flag', 'is_won': 'flag', 'close_date': 'date',
            'created_date': 'time', 'last_modified_date': 'time'
        }) }} as typing_issue,

        ---------- numbers
        try_cast(opportunities.amount as decimal(18, 2)) as amount,
        try_cast(opportunities.expected_revenue as decimal(18, 2)) as expected_revenue,
        try_cast(opportunities.probability as decimal(18, 2)) as probability,

        ---------- booleans
        opportunities.is_deleted,
        lower(opportunities.is_closed) = 'true' as is_closed,
        lower(opportunities.is_won) = 'true' as is_won,

        ---------- dates
        try_cast(opportunities.close_date as date) as close_date,

        ---------- timestamps
        opportunities.source_updated_at,
        opportunities.first_landed_at,

        ---------- lineage
        opportunities._dlt_load_id as load_id,
        {{ record_hash('opportunities.content_hash') }} as record_hash
    from opportunities
    {{ only_changed('opportunities', hash='content_hash') }}
)

select * from renamed
