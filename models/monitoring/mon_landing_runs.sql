-- One row per landing run of one source object: what was served, landed, unchanged and rejected, and how it ended.
{{ config(materialized='view') }}

with

runs as (
    select runs.*
    from {{ source('raw_ingest', 'runs') }} as runs
    inner join {{ source('raw_ingest', '_dlt_loads') }} as loads
        on runs._dlt_load_id = loads.load_id and loads.status = 0
),

described as (
    select distinct
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
        newest_source_at
    from runs
)

select * from described
