-- The register of ids, part of the promoted ledger: one row per customer_id ever given, with its birth and its end.
-- Never built: promote() (macros/incremental) writes it, in one transaction with the events, after a clean run.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

select
    cast(null as varchar) as customer_id,
    cast(null as varchar) as current_customer_id,
    cast(null as varchar) as anchor_record_key,
    cast(null as bigint) as mint_ordinal,
    cast(null as timestamp) as anchor_first_landed_at,
    cast(null as timestamp) as born_at,
    cast(null as timestamp) as retired_at,
    cast(null as varchar) as retired_by,
    cast(null as varchar) as run_id
where 1 = 0
