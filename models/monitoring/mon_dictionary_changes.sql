-- One row per value of a dictionary: what the parser makes of it, and what it made of it before a library or a UDF of
-- ours changed. A value that left its sources leaves here too, so that nothing of an erased person stays.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='value_key',
    input='cln_parsed_values', full_refresh=false, meta={'calls_udfs': true},
) }}

with

parsed_values as (
    select * from {{ ref('cln_parsed_values') }}
),

changed as (
    select parsed_values.* from parsed_values
    {{ only_changed('parsed_values', key='value_key') }}
),

known as (
    {%- if is_incremental() %}
    select * from {{ this }}
    {%- else %}
    select
        value_key,
        parsed_as,
        parsed_as as parsed_before,
        cast(null as varchar) as parsed_by,
        cast(null as varchar) as parsed_by_before,
        cast(null as timestamp) as changed_at
    from parsed_values
    where false
    {%- endif %}
),

compared as (
    select
        changed.value_key,
        changed.dictionary,
        changed.raw_value,
        changed.parsed_as,
        case when changed.parsed_as <> known.parsed_as then known.parsed_as else known.parsed_before end
            as parsed_before,
        udf_version() as parsed_by,
        case when changed.parsed_as <> known.parsed_as then known.parsed_by else known.parsed_by_before end
            as parsed_by_before,
        case when changed.parsed_as <> known.parsed_as then {{ as_of() }} else known.changed_at end as changed_at,
        {{ record_hash('changed.record_hash') }} as record_hash
    from changed
    left join known
        on changed.value_key = known.value_key
)

select * from compared
