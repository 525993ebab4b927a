-- One row per quality KPI: its value now, its threshold, and whether it is breached.
-- Latency is judged by what was agreed for each source object: the object furthest beyond its own expectation gives
-- value and threshold. The seed's threshold holds for objects without one, and while nothing is landed.
{{ config(materialized='view') }}

with

kpis as (
    select * from {{ ref('quality_kpis') }}
),

runs as (
    select ranked.*
    from (
        select
            runs.*,
            row_number() over (
                partition by source_system, source_object order by load_id desc, started_at desc, run_id asc
            ) as recency
        from {{ ref('mon_landing_runs') }} as runs
        where outcome = 'ok'
    ) as ranked
    where ranked.recency = 1
),

freshness as (
    select * from {{ ref('mon_source_freshness') }}
),

slowest as (
    select latency_minutes, allowed_minutes
    from (
        select
            objects.latency_minutes,
            objects.allowed_minutes,
            row_number() over (
                order by
                    1.0 * objects.latency_minutes / objects.allowed_minutes desc,
                    objects.allowed_minutes asc,
                    objects.source_system asc,
                    objects.source_object asc
            ) as place
        from (
            select
                freshness.source_system,
                freshness.source_object,
                freshness.latency_minutes,
                coalesce(freshness.latency_expectation_minutes, kpis.threshold) as allowed_minutes
            from freshness
            inner join kpis
                on kpis.kpi = 'sync_latency_minutes'
            where freshness.latency_minutes is not null
        ) as objects
    ) as ranked
    where place = 1
),

customers as (
    select * from {{ ref('customer_360') }}
),

phones as (
    select * from {{ ref('cln_phone_dictionary') }}
),

record_quality as (
    select * from {{ ref('mon_record_quality') }}
),

measured as (
    select
        'sync_latency_minutes' as kpi,
        cast(latency_minutes as double) as measured_value,
        cast(allowed_minutes as double) as own_threshold
    from slowest
    union all
    select 'data_age_beyond_expectation', count(case when is_stale then 1 end), null from freshness
    union all
    select 'landing_error_rate', 100.0 * sum(rows_rejected) / nullif(sum(rows_served), 0), null from runs
    union all
    select 'record_error_rate', 100.0 * sum(records_in_error) / nullif(sum(records), 0), null from record_quality
    union all
    select 'duplicate_rate', 100.0 * (1 - count(*) / nullif(sum(record_count), 0)), null from customers
    union all
    select 'email_completeness', 100.0 * count(email) / nullif(count(*), 0), null from customers
    union all
    select 'phone_validity', 100.0 * count(e164) / nullif(count(*), 0), null from phones
    union all
    select 'largest_customer_records', max(record_count), null from customers
),

with_thresholds as (
    select
        kpis.kpi,
        kpis.unit,
        kpis.direction,
        kpis.description,
        kpis.remedy,
        measured.measured_value,
        coalesce(measured.own_threshold, kpis.threshold) as threshold
    from kpis
    left join measured
        on kpis.kpi = measured.kpi
),

judged as (
    select
        ---------- keys
        kpi,

        ---------- strings
        unit,
        direction,
        description,
        remedy,

        ---------- numbers
        round(measured_value, 3) as measured_value,
        threshold,

        ---------- booleans
        coalesce(
            case when direction = 'at_most' then measured_value > threshold else measured_value < threshold end, false
        ) as is_breached
    from with_thresholds
)

select * from judged
