-- One row per landing run of one source object: what was served, landed, unchanged and rejected, and how it ended.
{{ config(materialized='view') }}

with

runs as (
    {{ rows_of_completed_loads('raw_ingest', 'runs') }}
),

described as (
    select
        ---------- keys
        run_id,
        source_system,
        source_object,

        ---------- strings
        outcome,
        error,

        ---------- numbers
        rows_served,
        rows_landed,
        rows_unchanged,
        rows_rejected,
        rows_deleted,

        ---------- timestamps
        started_at,
        ended_at,
        newest_source_at,

        ---------- lineage
        -- The first load that told of the run: it orders runs also where a pinned clock stands still.
        min(_dlt_load_id) as load_id
    from runs
    group by
        run_id, source_system, source_object, outcome, error, rows_served, rows_landed, rows_unchanged, rows_rejected,
        rows_deleted, started_at, ended_at, newest_source_at
)

select * from described
