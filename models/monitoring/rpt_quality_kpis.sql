-- One row per quality KPI: its value now, its threshold, and whether it is breached.
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

customers as (
    select * from {{ ref('customer_360') }}
),

phones as (
    select * from {{ ref('cln_phone_dictionary') }}
),

measured as (
    select
        'sync_latency_minutes' as kpi,
        cast(max(date_diff('minute', ended_at, {{ as_of() }})) as double) as measured_value
    from runs
    union all
    select 'landing_error_rate', 100.0 * sum(rows_rejected) / nullif(sum(rows_served), 0) from runs
    union all
    select 'duplicate_rate', 100.0 * (1 - count(*) / nullif(sum(record_count), 0)) from customers
    union all
    select 'email_completeness', 100.0 * count(email) / nullif(count(*), 0) from customers
    union all
    select 'phone_validity', 100.0 * count(e164) / nullif(count(*), 0) from phones
    union all
    select 'largest_customer_records', max(record_count) from customers
),

judged as (
    select
        ---------- keys
        kpis.kpi,

        ---------- strings
        kpis.unit,
        kpis.direction,
        kpis.description,
        kpis.remedy,

        ---------- numbers
        round(measured.measured_value, 3) as measured_value,
        cast(kpis.threshold as double) as threshold,

        ---------- booleans
        coalesce(
            case
                when kpis.direction = 'at_most' then measured.measured_value > kpis.threshold
                else measured.measured_value < kpis.threshold
            end, false
        ) as is_breached
    from kpis
    left join measured
        on kpis.kpi = measured.kpi
)

select * from judged
