-- One row per cleaned model: how many records it holds, and in how many a quality rule found something.
{{ config(materialized='view') }}

with

counted as (
    {%- for object in people_objects() + (account_objects().keys() | list) + fact_objects() %}
    select 'cln_{{ object }}' as model, count(*) as records from {{ ref('cln_' ~ object) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

issues as (
    select
        model,
        count(distinct case when severity = 'error' then record_key end) as records_in_error,
        count(distinct record_key) as records_flagged
    from {{ ref('cln_record_issues') }}
    group by model
),

measured as (
    select
        counted.model,
        counted.records,
        coalesce(issues.records_in_error, 0) as records_in_error,
        coalesce(issues.records_flagged, 0) as records_flagged
    from counted
    left join issues
        on counted.model = issues.model
)

select * from measured
