-- One row per field of a source object: its type now, whether it is landed, and the last change of it. What is custom
-- or has changed since the first reading is the drift report.
{{ config(materialized='view') }}

with

source_fields as (
    {{ rows_of_completed_loads('raw_ingest', 'source_fields') }}
),

changes as (
    select
        source_fields.*,
        min(observed_at) over (partition by source_system, source_object, field_name) as first_seen_at,
        row_number() over (
            partition by source_system, source_object, field_name
            order by observed_at desc, _dlt_load_id desc, case when change = 'dropped' then 1 else 0 end asc
        ) as recency
    from source_fields
),

described as (
    select
        ---------- keys
        source_system,
        source_object,
        field_name,

        ---------- strings
        field_type,
        standing,
        change as last_change,
        note,

        ---------- booleans
        change = 'dropped' as is_gone,
        standing = 'custom' or change <> 'first' as is_drift,

        ---------- timestamps
        first_seen_at,
        observed_at as changed_at
    from changes
    where recency = 1
)

select * from described
