-- One row per source object of the inventory or of a landing run: how late and how old it is, against what was agreed.
-- Latency counts from the last landing that ended well, whether or not it brought anything. Data age counts from the
-- newest change the source told of; where it tells no times, from the last landing that brought a change.
-- A spreadsheet without a row of its own is measured by the inventory's row of the inbox (spreadsheets people), and the
-- inbox by whichever spreadsheet was landed last.
{{ config(materialized='view') }}

with

objects as (
    select * from {{ ref('source_objects') }}
),

systems as (
    select * from {{ ref('source_systems') }}
),

runs as (
    select * from {{ ref('mon_landing_runs') }}
),

attempts as (
    select source_system, source_object, outcome, error, rows_landed, ended_at, newest_source_at, load_id, run_id
    from runs
    union all
    select
        'spreadsheets' as source_system,
        source_object,
        outcome,
        error,
        rows_landed,
        ended_at,
        newest_source_at,
        load_id,
        run_id
    from runs
    where source_object = 'people' and source_system <> 'spreadsheets'
),

landed as (
    select
        source_system,
        source_object,
        max(case when outcome = 'ok' then ended_at end) as last_landed_at,
        max(ended_at) as last_tried_at,
        coalesce(
            max(case when outcome = 'ok' then newest_source_at end),
            max(case when outcome = 'ok' and rows_landed > 0 then ended_at end)
        ) as newest_data_at
    from attempts
    group by source_system, source_object
),

last_runs as (
    select source_system, source_object, outcome, error
    from (
        select
            attempts.*,
            row_number() over (
                partition by source_system, source_object order by load_id desc, ended_at desc, outcome asc, run_id asc
            ) as recency
        from attempts
    ) as ranked
    where recency = 1
),

known as (
    select source_system, source_object from objects
    union distinct
    select source_system, source_object from landed
),

measured as (
    select
        known.source_system,
        known.source_object,
        coalesce(objects.source_system, inbox.source_system, known.source_system) as inventory_system,
        coalesce(objects.staging_model, inbox.staging_model) as staging_model,
        coalesce(objects.latency_expectation_minutes, inbox.latency_expectation_minutes) as latency_expectation_minutes,
        coalesce(objects.max_data_age_hours, inbox.max_data_age_hours) as max_data_age_hours,
        landed.last_landed_at,
        landed.last_tried_at,
        landed.newest_data_at,
        objects.source_system is not null as is_in_inventory,
        cast(date_diff('minute', landed.last_landed_at, {{ as_of() }}) as bigint) as latency_minutes,
        round(date_diff('minute', landed.newest_data_at, {{ as_of() }}) / 60.0, 1) as data_age_hours
    from known
    left join objects
        on known.source_system = objects.source_system
        and known.source_object = objects.source_object
    left join objects as inbox
        on objects.source_system is null
        and known.source_object = inbox.source_object
        and inbox.source_system = 'spreadsheets'
    left join landed
        on known.source_system = landed.source_system
        and known.source_object = landed.source_object
),

judged as (
    select
        ---------- keys
        measured.source_system,
        measured.source_object,

        ---------- strings
        systems.title,
        systems.owner,
        systems.steward,
        measured.staging_model,
        last_runs.outcome as last_outcome,
        last_runs.error as last_error,

        ---------- numbers
        measured.latency_minutes,
        measured.latency_expectation_minutes,
        measured.data_age_hours,
        measured.max_data_age_hours,

        ---------- booleans
        measured.is_in_inventory,
        measured.last_tried_at is not null as is_enabled,
        measured.last_landed_at is null as is_never_landed,
        coalesce(measured.latency_minutes > measured.latency_expectation_minutes, false) as is_late,
        coalesce(measured.data_age_hours > measured.max_data_age_hours, false) as is_stale,

        ---------- timestamps
        measured.last_landed_at,
        measured.last_tried_at,
        measured.newest_data_at
    from measured
    left join systems
        on measured.inventory_system = systems.source_system
    left join last_runs
        on measured.source_system = last_runs.source_system
        and measured.source_object = last_runs.source_object
)

select * from judged
