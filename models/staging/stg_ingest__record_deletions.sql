-- One row per record that left its source: the latest word on it, in record keys.
{{ config(materialized='view') }}

with

deletions as (
    {{ rows_of_completed_loads('raw_ingest', 'record_deletions') }}
),

latest as (
    select ranked.*
    from (
        select
            deletions.*,
            row_number() over (
                partition by source_system, source_object, source_id
                order by deleted_at desc nulls last, _dlt_load_id desc
            ) as recency
        from deletions
    ) as ranked
    where ranked.recency = 1
),

keyed as (
    select
        concat(source_system, ':', source_object, ':', source_id) as record_key,
        source_system,
        source_object,
        source_id,
        evidence,
        deleted_at
    from latest
)

select * from keyed
