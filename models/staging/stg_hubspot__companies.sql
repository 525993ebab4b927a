-- One row per HubSpot company: its newest version, named and typed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_hubspot', 'companies'], input_key="concat('hubspot:companies:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_hubspot', 'companies') }}
),

record_merges as (
    select * from {{ ref('stg_ingest__record_merges') }}
),

companies as (
    select
        newest.*,
        record_merges.winner_id as merged_into_id,
        concat('hubspot:companies:', newest.source_id) as record_key
    from newest
    left join record_merges
        on record_merges.loser_key = concat('hubspot:companies:', newest.source_id)
),

renamed as (
    select
        ---------- keys
        companies.record_key,
        'hubspot' as source_system,
        'companies' as source_object,
        companies.source_id,
        companies.merged_into_id,

        ---------- strings
        companies.name as company_name,
        companies.domain,
        companies.phone,
        companies.address,
        companies.city,
        companies.state as region,
        companies.zip as postal_code,
        companies.country,
        companies.website,
        companies.industry,
        companies.createdate as created_at,
        companies.hs_lastmodifieddate as updated_at,
        companies.custom_fields,
        {{ typing_issue('companies', {
            'numberofemployees': 'whole_number', 'num_associated_contacts': 'whole_number',
            'num_associated_deals': 'whole_number', 'createdate': 'time',
            'hs_lastmodifieddate': 'time'
        }) }} as typing_issue,

        ---------- numbers
        try_cast(companies.numberofemployees as bigint) as employee_count,
        try_cast(companies.num_associated_contacts as bigint) as contact_count,
        try_cast(companies.num_associated_deals as bigint) as deal_count,

        ---------- booleans
        companies.is_deleted,

        ---------- timestamps
        companies.source_updated_at,
        companies.first_landed_at,

        ---------- lineage
        companies._dlt_load_id as load_id,
        {{ record_hash('companies.content_hash', more=["coalesce(companies.merged_into_id, '')"]) }} as record_hash
    from companies
    {{ only_changed('companies', hash='content_hash', more=["coalesce(companies.merged_into_id, '')"]) }}
)

select * from renamed
