-- One row per record that its source merged into another: the latest word on it, in record keys.
{{ config(materialized='view') }}

with

source_merges as (
    {{ rows_of_completed_loads('raw_ingest', 'record_merges') }}
),

latest as (
    select ranked.*
    from (
        select
            source_merges.*,
            row_number() over (
                partition by source_system, source_object, loser_id
                order by merged_at desc nulls last, _dlt_load_id desc, winner_id asc
            ) as recency
        from source_merges
    ) as ranked
    where ranked.recency = 1
),

keyed as (
    select
        concat(source_system, ':', source_object, ':', loser_id) as loser_key,
        concat(source_system, ':', source_object, ':', winner_id) as winner_key,
        source_system,
        source_object,
        loser_id,
        winner_id,
        evidence,
        merged_at
    from latest
)

select * from keyed
