-- One row per record that left its source: the latest word on it, in record keys.
{{ config(materialized='view') }}

with

deletions as (
    select deletions.*
    from {{ source('raw_ingest', 'record_deletions') }} as deletions
    inner join {{ source('raw_ingest', '_dlt_loads') }} as loads
        on deletions._dlt_load_id = loads.load_id and loads.status = 0
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
