-- One row per record and identifier it holds, with the reason where the identifier counts for nothing.
{{ config(materialized='view') }}

with

identifiers as (
    select * from {{ ref('idr_record_identifiers') }} where identifier_type <> 'none'
),

suppressed as (
    select * from {{ ref('idr_suppressed_identifiers') }}
),

joined as (
    select
        identifiers.record_key,
        identifiers.identifier_type,
        identifiers.identifier_value,
        identifiers.identifier_key,
        suppressed.suppressed_because
    from identifiers
    left join suppressed
        on identifiers.identifier_key = suppressed.identifier_key
)

select * from joined
