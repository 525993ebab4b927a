-- The promoted ledger: one row per record and stretch of time it belonged to a customer; open rows have no valid_to.
-- Never built: promote() (macros/incremental) appends to it, in one transaction with the events, after a clean run.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

select
    cast(null as varchar) as record_key,
    cast(null as varchar) as source_system,
    cast(null as varchar) as source_object,
    cast(null as varchar) as source_id,
    cast(null as varchar) as customer_id,
    cast(null as varchar) as cluster_id,
    cast(null as timestamp) as valid_from,
    cast(null as timestamp) as valid_to,
    cast(null as varchar) as run_id
where 1 = 0
