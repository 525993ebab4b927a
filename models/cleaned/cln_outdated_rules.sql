-- One row: the rules of the seed that are active, a column each, as cleaning asks for them.
{{ config(materialized='view') }}

with

rules as (
    select * from {{ ref('outdated_rules') }} where is_active
),

in_columns as (
    select
        1 as rules_key,
        max(case when rule = 'email_bounced' then rule end) as email_bounced,
        max(case when rule = 'left_company' then rule end) as left_company,
        max(case when rule = 'no_activity' then rule end) as no_activity,
        max(case when rule = 'superseded' then rule end) as superseded,
        max(case when rule = 'no_activity' then parameter end) as inactive_days
    from rules
)

select * from in_columns
