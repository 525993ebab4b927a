-- The log of the promoted ledger: one row per change of a customer or of a record's customer, with its reason.
-- Never built: promote() (macros/incremental) appends idr_pending_events to it after a clean run.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

select
    cast(null as varchar) as event_id,
    cast(null as varchar) as event,
    cast(null as varchar) as customer_id_before,
    cast(null as varchar) as customer_id_after,
    cast(null as varchar) as record_key,
    cast(null as varchar) as rule,
    cast(null as varchar) as deciding_pair,
    cast(null as varchar) as actor,
    cast(null as varchar) as run_id,
    cast(null as timestamp) as occurred_at
where 1 = 0
