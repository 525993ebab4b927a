-- One row per Salesforce lead: its newest version, named as the canonical person and still as typed by people.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_salesforce', 'leads'], input_key="concat('salesforce:leads:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_salesforce', 'leads') }}
),

leads as (
    select
        newest.*,
        concat('salesforce:leads:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        leads.record_key,
        'salesforce' as source_system,
        'leads' as source_object,
        leads.source_id,
        leads.master_record_id as merged_into_id,
        leads.converted_contact_id,
        'salesforce:contacts:' || leads.converted_contact_id as converted_contact_record_key,
        leads.converted_account_id,

        ---------- strings
        leads.salutation,
        leads.first_name as given_name,
        leads.last_name as family_name,
        leads.email,
        leads.phone,
        leads.mobile_phone as mobile,
        leads.street as address,
        leads.city,
        leads.state as region,
        leads.postal_code,
        leads.country,
        leads.company as company_name,
        leads.title as job_title,
        leads.website,
        leads.status as lead_status,
        leads.lead_source,
        leads.industry,
        leads.rating,
        leads.owner_id,
        {{ json_text('leads.custom_fields', '$.ERP_Customer_Number__c') }} as erp_customer_number,
        {{ json_text('leads.custom_fields', '$.Loyalty_Tier__c') }} as loyalty_tier,
        leads.created_date as created_at,
        leads.last_modified_date as updated_at,
        leads.custom_fields,
        {{ typing_issue('leads', {
            'has_opted_out_of_email': 'flag', 'do_not_call': 'flag', 'is_converted': 'flag',
            'converted_date': 'date'
        }) }} as typing_issue,

        ---------- booleans
        leads.is_deleted,
        lower(leads.has_opted_out_of_email) = 'true' as is_email_opted_out,
        lower(leads.do_not_call) = 'true' as is_phone_opted_out,
        lower(leads.is_converted) = 'true' as is_converted,

        ---------- dates
        try_cast(leads.converted_date as date) as converted_date,

        ---------- timestamps
        leads.source_updated_at,
        leads.first_landed_at,

        ---------- lineage
        leads._dlt_load_id as load_id,
        {{ record_hash('leads.content_hash') }} as record_hash
    from leads
    {{ only_changed('leads', hash='content_hash') }}
)

select * from renamed
