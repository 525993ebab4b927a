-- One row per Salesforce campaign member: its newest version, named and typed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_salesforce', 'campaign_members'], input_key="concat('salesforce:campaign_members:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_salesforce', 'campaign_members') }}
),

campaign_members as (
    select
        newest.*,
        concat('salesforce:campaign_members:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        campaign_members.record_key,
        'salesforce' as source_system,
        'campaign_members' as source_object,
        campaign_members.source_id,
        campaign_members.campaign_id,
        'salesforce:campaigns:' || campaign_members.campaign_id as campaign_record_key,
        campaign_members.contact_id,
        'salesforce:contacts:' || campaign_members.contact_id as contact_record_key,
        campaign_members.lead_id,
        'salesforce:leads:' || campaign_members.lead_id as lead_record_key,

        ---------- strings
        campaign_members.status as member_status,
        campaign_members.created_date as created_at,
        campaign_members.last_modified_date as updated_at,
        campaign_members.custom_fields,
        {{ typing_issue('campaign_members', {
            'has_responded': 'flag', 'first_responded_date': 'date', 'created_date': 'time',
            'last_modified_date': 'time'
        }) }} as typing_issue,

        ---------- booleans
        campaign_members.is_deleted,
        lower(campaign_members.has_responded) = 'true' as has_responded,

        ---------- dates
        try_cast(campaign_members.first_responded_date as date) as first_responded_date,

        ---------- timestamps
        campaign_members.source_updated_at,
        campaign_members.first_landed_at,

        ---------- lineage
        campaign_members._dlt_load_id as load_id,
        {{ record_hash('campaign_members.content_hash') }} as record_hash
    from campaign_members
    {{ only_changed('campaign_members', hash='content_hash') }}
)

select * from renamed
