-- One row per live ERP customer that names a company, in the canonical form of a company: raw beside clean beside the
-- reason where cleaning failed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_erp__customers', input_filter="not input.is_deleted and trim(input.company_name) <> ''",
    meta={'calls_udfs': true},
) }}

with

{{ dictionaries() }}

outdated_rules as (
    select * from {{ ref('cln_outdated_rules') }}
),

staged as (
    select
        customers.*,
        {{ outdated_rule('customers') }} as outdated_rule
    from {{ ref('stg_erp__customers') }} as customers
    cross join outdated_rules
    where not customers.is_deleted and trim(customers.company_name) <> ''
),

accounts as (
    select
        staged.record_key,
        staged.source_system,
        staged.source_object,
        staged.source_id,
        staged.company_name,
        cast(null as varchar) as domain,
        cast(null as varchar) as website,
        staged.phone,
        staged.address,
        staged.city,
        staged.region,
        staged.postal_code,
        staged.country,
        cast(null as varchar) as industry,
        staged.source_id as account_number,
        cast(staged.created_at as varchar) as created_at,
        cast(staged.updated_at as varchar) as updated_at,
        'UTC' as timezone,
        cast(null as varchar) as typing_issue,
        cast(null as bigint) as employee_count,
        staged.outdated_rule,
        staged.first_landed_at,
        staged.load_id,
        staged.record_hash
    from staged
    {{ only_changed('staged', more=outdated_versions('staged')) }}
),

{{ clean_accounts() }}

select * from cleaned
