-- One row per record that a source merged away: the record in which its chain of merges ends today.
{{ config(materialized='table', meta={'calls_udfs': true}) }}

with

source_merges as (
    select * from {{ ref('stg_ingest__record_merges') }}
),

records as (
    select * from {{ ref('idr_records') }}
),

standing as (
    -- A loser that is live again was restored: its merge no longer stands.
    select source_merges.*
    from source_merges
    where not exists (select 1 from records where records.record_key = source_merges.loser_key)
),

followed as (
    select {{ each_of('follow_chains(' ~ list_of_pairs('standing.loser_key', 'standing.winner_key') ~ ')') }} as step
    from standing
),

successors as (
    select
        step.a as record_key,
        step.b as successor_key
    from followed
)

select * from successors
