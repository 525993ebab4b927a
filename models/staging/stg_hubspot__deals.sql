-- One row per HubSpot deal: its newest version, named and typed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_hubspot', 'deals'], input_key="concat('hubspot:deals:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_hubspot', 'deals') }}
),

record_merges as (
    select * from {{ ref('stg_ingest__record_merges') }}
),

deals as (
    select
        newest.*,
        record_merges.winner_id as merged_into_id,
        concat('hubspot:deals:', newest.source_id) as record_key
    from newest
    left join record_merges
        on record_merges.loser_key = concat('hubspot:deals:', newest.source_id)
),

renamed as (
    select
        ---------- keys
        deals.record_key,
        'hubspot' as source_system,
        'deals' as source_object,
        deals.source_id,
        deals.merged_into_id,

        ---------- strings
        deals.dealname as deal_name,
        deals.deal_currency_code as currency,
        deals.dealstage as deal_stage,
        deals.pipeline,
        deals.dealtype as deal_type,
        deals.createdate as created_at,
        deals.hs_lastmodifieddate as updated_at,
        deals.custom_fields,
        {{ typing_issue('deals', {
            'amount': 'number', 'num_associated_contacts': 'whole_number',
            'closedate': 'time', 'createdate': 'time', 'hs_lastmodifieddate': 'time'
        }) }} as typing_issue,

        ---------- numbers
        try_cast(deals.amount as decimal(18, 2)) as amount,
        try_cast(deals.num_associated_contacts as bigint) as contact_count,

        ---------- booleans
        deals.is_deleted,

        ---------- timestamps
        {{ iso_to_utc('deals.closedate') }} as close_at,
        deals.source_updated_at,
        deals.first_landed_at,

        ---------- lineage
        deals._dlt_load_id as load_id,
        {{ record_hash('deals.content_hash', more=["coalesce(deals.merged_into_id, '')"]) }} as record_hash
    from deals
    {{ only_changed('deals', hash='content_hash', more=["coalesce(deals.merged_into_id, '')"]) }}
)

select * from renamed
