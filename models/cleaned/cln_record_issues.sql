-- One row per cleaned record and rule that found something in it alone: the lines of `issues`, a row each.
{{ config(materialized='view') }}

{%- set columns = 'record_key, source_system, source_object, issues, first_landed_at' %}

with

rules as (
    select * from {{ ref('quality_rules') }}
),

flagged as (
    {%- for object in people_objects() + (account_objects().keys() | list) + fact_objects_with_issues() %}
    select 'cln_{{ object }}' as model, {{ columns }} from {{ ref('cln_' ~ object) }} where issues is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

found as (
    select
        flagged.model,
        flagged.record_key,
        flagged.source_system,
        flagged.source_object,
        rules.rule,
        rules.dimension,
        rules.severity,
        split_part(
            split_part(concat(chr(10), flagged.issues), concat(chr(10), rules.rule, ': '), 2), chr(10), 1
        ) as finding,
        flagged.first_landed_at
    from flagged
    inner join rules
        on contains(concat(chr(10), flagged.issues), concat(chr(10), rules.rule, ': '))
)

select * from found
