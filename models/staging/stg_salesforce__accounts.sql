-- One row per Salesforce account: its newest version, named and typed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_salesforce', 'accounts'], input_key="concat('salesforce:accounts:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_salesforce', 'accounts') }}
),

accounts as (
    select
        newest.*,
        concat('salesforce:accounts:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        accounts.record_key,
        'salesforce' as source_system,
        'accounts' as source_object,
        accounts.source_id,
        accounts.master_record_id as merged_into_id,
        accounts.parent_id as parent_account_id,

        ---------- strings
        accounts.name as company_name,
        accounts.phone,
        accounts.billing_street as address,
        accounts.billing_city as city,
        accounts.billing_state as region,
        accounts.billing_postal_code as postal_code,
        accounts.billing_country as country,
        accounts.website,
        accounts.account_number,
        accounts.type as account_type,
        accounts.industry,
        accounts.rating,
        accounts.currency_iso_code as currency,
        accounts.owner_id,
        {{ json_text('accounts.custom_fields', '$.ERP_Customer_Number__c') }} as erp_customer_number,
        {{ json_text('accounts.custom_fields', '$.Loyalty_Tier__c') }} as loyalty_tier,
        accounts.created_date as created_at,
        accounts.last_modified_date as updated_at,
        accounts.custom_fields,
        {{ typing_issue('accounts', {
            'number_of_employees': 'number', 'annual_revenue': 'number',
            'created_date': 'time', 'last_modified_date': 'time'
        }) }} as typing_issue,

        ---------- numbers
        try_cast(try_cast(accounts.number_of_employees as double) as bigint) as employee_count,
        try_cast(accounts.annual_revenue as decimal(18, 2)) as annual_revenue,

        ---------- booleans
        accounts.is_deleted,

        ---------- timestamps
        accounts.source_updated_at,
        accounts.first_landed_at,

        ---------- lineage
        accounts._dlt_load_id as load_id,
        {{ record_hash('accounts.content_hash') }} as record_hash
    from accounts
    {{ only_changed('accounts', hash='content_hash') }}
)

select * from renamed
