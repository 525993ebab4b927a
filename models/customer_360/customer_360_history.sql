-- One row per customer and stretch of time its golden record read so; open rows have no valid_to.
-- Never built: promote() (macros/incremental) appends to it, in one transaction with the ledger, after a clean run.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

select
    {%- for column in golden_history_columns().split(',') %}
    cast(null as {{ {'date_of_birth': 'date', 'is_email_opted_out': 'boolean'}.get(column | trim, 'varchar') }})
        as {{ column | trim }},
    {%- endfor %}
    cast(null as timestamp) as valid_from,
    cast(null as timestamp) as valid_to,
    cast(null as varchar) as run_id
where 1 = 0
