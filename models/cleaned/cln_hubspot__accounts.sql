-- One row per live company of HubSpot, in the canonical form of a company: raw beside clean beside the
-- reason where cleaning failed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_hubspot__companies', input_filter="not input.is_deleted",
    meta={'calls_udfs': true},
) }}

with

{{ dictionaries() }}

outdated_rules as (
    select * from {{ ref('cln_outdated_rules') }}
),

staged as (
    select
        companies.*,
        {{ outdated_rule('companies') }} as outdated_rule
    from {{ ref('stg_hubspot__companies') }} as companies
    cross join outdated_rules
    where not companies.is_deleted
),

accounts as (
    select
        staged.record_key,
        staged.source_system,
        staged.source_object,
        staged.source_id,
        staged.company_name,
        staged.domain,
        staged.website,
        staged.phone,
        staged.address,
        staged.city,
        staged.region,
        staged.postal_code,
        staged.country,
        staged.industry,
        cast(null as varchar) as account_number,
        staged.created_at,
        staged.updated_at,
        cast(null as varchar) as timezone,
        staged.typing_issue,
        staged.employee_count,
        staged.outdated_rule,
        staged.first_landed_at,
        staged.load_id,
        staged.record_hash
    from staged
    {{ only_changed('staged', more=outdated_versions('staged')) }}
),

{{ clean_accounts() }}

select * from cleaned
