-- One row per Salesforce contact: its newest version, named as the canonical person and still as typed by people.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_salesforce', 'contacts'], input_key="concat('salesforce:contacts:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_salesforce', 'contacts') }}
),

contacts as (
    select
        newest.*,
        concat('salesforce:contacts:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        contacts.record_key,
        'salesforce' as source_system,
        'contacts' as source_object,
        contacts.source_id,
        contacts.master_record_id as merged_into_id,
        contacts.account_id,
        'salesforce:accounts:' || contacts.account_id as account_record_key,

        ---------- strings
        contacts.salutation,
        contacts.first_name as given_name,
        contacts.last_name as family_name,
        contacts.email,
        contacts.phone,
        contacts.mobile_phone as mobile,
        contacts.mailing_street as address,
        contacts.mailing_city as city,
        contacts.mailing_state as region,
        contacts.mailing_postal_code as postal_code,
        contacts.mailing_country as country,
        contacts.birthdate as date_of_birth,
        contacts.title as job_title,
        contacts.department,
        contacts.lead_source,
        contacts.owner_id,
        {{ json_text('contacts.custom_fields', '$.ERP_Customer_Number__c') }} as erp_customer_number,
        {{ json_text('contacts.custom_fields', '$.Loyalty_Tier__c') }} as loyalty_tier,
        contacts.created_date as created_at,
        contacts.last_modified_date as updated_at,
        contacts.custom_fields,
        {{ typing_issue('contacts', {
            'has_opted_out_of_email': 'flag', 'do_not_call': 'flag',
            'is_email_bounced': 'flag'
        }) }} as typing_issue,

        ---------- booleans
        contacts.is_deleted,
        lower(contacts.has_opted_out_of_email) = 'true' as is_email_opted_out,
        lower(contacts.do_not_call) = 'true' as is_phone_opted_out,
        lower(contacts.is_email_bounced) = 'true' as is_email_bounced,

        ---------- timestamps
        contacts.source_updated_at,
        contacts.first_landed_at,

        ---------- lineage
        contacts._dlt_load_id as load_id,
        {{ record_hash('contacts.content_hash') }} as record_hash
    from contacts
    {{ only_changed('contacts', hash='content_hash') }}
)

select * from renamed
