-- One row per HubSpot contact: its newest version, named as the canonical person and still as typed by people.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_hubspot', 'contacts'], input_key="concat('hubspot:contacts:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_hubspot', 'contacts') }}
),

record_merges as (
    select * from {{ ref('stg_ingest__record_merges') }}
),

contacts as (
    select
        newest.*,
        record_merges.winner_id as merged_into_id,
        concat('hubspot:contacts:', newest.source_id) as record_key
    from newest
    left join record_merges
        on record_merges.loser_key = concat('hubspot:contacts:', newest.source_id)
),

renamed as (
    select
        ---------- keys
        contacts.record_key,
        'hubspot' as source_system,
        'contacts' as source_object,
        contacts.source_id,
        contacts.merged_into_id,
        concat('hubspot:companies:', contacts.associatedcompanyid) as company_record_key,

        ---------- strings
        contacts.firstname as given_name,
        contacts.lastname as family_name,
        contacts.email,
        contacts.hs_additional_emails as email_2,
        contacts.phone,
        contacts.mobilephone as mobile,
        contacts.address,
        contacts.city,
        contacts.state as region,
        contacts.zip as postal_code,
        contacts.country,
        contacts.date_of_birth,
        contacts.company as company_name,
        contacts.jobtitle as job_title,
        contacts.website,
        contacts.createdate as created_at,
        contacts.lastmodifieddate as updated_at,
        contacts.lifecyclestage as lifecycle_stage,
        contacts.custom_fields,
        {{ typing_issue('contacts', {
            'hs_email_optout': 'flag', 'num_associated_deals': 'whole_number'
        }) }} as typing_issue,

        ---------- numbers
        try_cast(contacts.num_associated_deals as bigint) as deal_count,

        ---------- booleans
        contacts.is_deleted,
        lower(contacts.hs_email_optout) = 'true' as is_email_opted_out,

        ---------- timestamps
        contacts.source_updated_at,
        contacts.first_landed_at,

        ---------- lineage
        contacts._dlt_load_id as load_id,
        {{ record_hash('contacts.content_hash', more=["coalesce(contacts.merged_into_id, '')"]) }} as record_hash
    from contacts
    {{ only_changed('contacts', hash='content_hash', more=["coalesce(contacts.merged_into_id, '')"]) }}
)

select * from renamed
