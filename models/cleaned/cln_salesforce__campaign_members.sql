-- One row per live Salesforce campaign member: somebody's part in a campaign, keyed by the contact or lead.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_salesforce__campaign_members', input_filter='not input.is_deleted',
) }}

with

campaign_members as (
    select * from {{ ref('stg_salesforce__campaign_members') }} where not is_deleted
),

changed as (
    select campaign_members.* from campaign_members
    {{ only_changed('campaign_members') }}
),

cleaned as (
    select
        ---------- keys
        changed.record_key,
        changed.source_system,
        changed.source_object,
        changed.source_id,
        changed.contact_record_key,
        changed.lead_record_key,
        coalesce(changed.contact_record_key, changed.lead_record_key) as person_record_key,
        changed.campaign_record_key,

        ---------- strings
        lower({{ clean_text('changed.member_status') }}) as member_status,
        changed.typing_issue,
        {{ record_issues({
            'values_are_typed': 'changed.typing_issue'
        }) }} as issues,

        ---------- booleans
        changed.has_responded,

        ---------- dates
        changed.first_responded_date,

        ---------- timestamps
        {{ iso_to_utc('changed.created_at') }} as created_at,
        {{ iso_to_utc('changed.updated_at') }} as updated_at,
        changed.first_landed_at,

        ---------- lineage
        changed.load_id,
        {{ record_hash('changed.record_hash') }} as record_hash
    from changed
)

select * from cleaned
