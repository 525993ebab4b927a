-- One row per record and stretch of time it belonged to a customer. Who a record was on a day:
-- `where record_key = ... and valid_from <= day and (valid_to > day or valid_to is null)`.
{{ config(materialized='view') }}

with

history as (
    select * from {{ ref('idr_crosswalk_history') }}
),

redirects as (
    select * from {{ ref('customer_id_redirects') }}
),

as_of as (
    select
        ---------- keys
        history.record_key,
        history.source_system,
        history.source_object,
        history.source_id,
        history.customer_id,
        redirects.current_customer_id,

        ---------- timestamps
        history.valid_from,
        history.valid_to
    from history
    left join redirects
        on history.customer_id = redirects.customer_id
)

select * from as_of
