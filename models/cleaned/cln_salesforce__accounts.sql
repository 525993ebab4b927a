-- One row per live account of Salesforce, in the canonical form of a company: raw beside clean beside the
-- reason where cleaning failed.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_salesforce__accounts', input_filter="not input.is_deleted",
    meta={'calls_udfs': true},
) }}

with

{{ dictionaries() }}

outdated_rules as (
    select * from {{ ref('cln_outdated_rules') }}
),

staged as (
    select
        accounts.*,
        {{ outdated_rule('accounts') }} as outdated_rule
    from {{ ref('stg_salesforce__accounts') }} as accounts
    cross join outdated_rules
    where not accounts.is_deleted
),

accounts as (
    select
        staged.record_key,
        staged.source_system,
        staged.source_object,
        staged.source_id,
        staged.company_name,
        cast(null as varchar) as domain,
        staged.website,
        staged.phone,
        staged.address,
        staged.city,
        staged.region,
        staged.postal_code,
        staged.country,
        staged.industry,
        staged.account_number,
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
