-- One row per Salesforce campaign: its newest version, named and typed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_salesforce', 'campaigns'], input_key="concat('salesforce:campaigns:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_salesforce', 'campaigns') }}
),

campaigns as (
    select
        newest.*,
        concat('salesforce:campaigns:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        campaigns.record_key,
        'salesforce' as source_system,
        'campaigns' as source_object,
        campaigns.source_id,

        ---------- strings
        campaigns.name as campaign_name,
        campaigns.type as campaign_type,
        campaigns.status as campaign_status,
        campaigns.currency_iso_code as currency,
        campaigns.owner_id,
        campaigns.created_date as created_at,
        campaigns.last_modified_date as updated_at,
        campaigns.custom_fields,
        {{ typing_issue('campaigns', {
            'budgeted_cost': 'number', 'is_active': 'flag', 'start_date': 'date',
            'end_date': 'date', 'created_date': 'time', 'last_modified_date': 'time'
        }) }} as typing_issue,

        ---------- numbers
        try_cast(campaigns.budgeted_cost as decimal(18, 2)) as budgeted_cost,

        ---------- booleans
        campaigns.is_deleted,
        lower(campaigns.is_active) = 'true' as is_active,

        ---------- dates
        try_cast(campaigns.start_date as date) as start_date,
        try_cast(campaigns.end_date as date) as end_date,

        ---------- timestamps
        campaigns.source_updated_at,
        campaigns.first_landed_at,

        ---------- lineage
        campaigns._dlt_load_id as load_id,
        {{ record_hash('campaigns.content_hash') }} as record_hash
    from campaigns
    {{ only_changed('campaigns', hash='content_hash') }}
)

select * from renamed
