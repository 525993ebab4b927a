-- One row per ERP customer (a person or a company): its newest version, named as the canonical person.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input=['raw_erp', 'customers'], input_key="concat('erp:customers:', input.source_id)",
) }}

with

newest as (
    {{ newest_versions('raw_erp', 'customers') }}
),

customers as (
    select
        newest.*,
        concat('erp:customers:', newest.source_id) as record_key
    from newest
),

renamed as (
    select
        ---------- keys
        customers.record_key,
        'erp' as source_system,
        'customers' as source_object,
        customers.source_id,

        ---------- strings
        customers.name as full_name,
        customers.email,
        customers.phone,
        customers.mobile,
        customers.address,
        customers.city,
        customers.region,
        customers.postal_code,
        customers.country,
        cast(customers.birth_date as varchar) as date_of_birth,
        customers.company_name,
        customers.merged_into_id,
        cast(customers.created_at as varchar) as created_at,
        cast(customers.updated_at as varchar) as updated_at,
        customers.custom_fields,

        ---------- booleans
        customers.is_deleted,

        ---------- timestamps
        customers.source_updated_at,
        customers.first_landed_at,

        ---------- lineage
        customers._dlt_load_id as load_id,
        {{ record_hash('customers.content_hash') }} as record_hash
    from customers
    {{ only_changed('customers', hash='content_hash') }}
)

select * from renamed
