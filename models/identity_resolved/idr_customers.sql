-- One row per live customer: its members in one hash, the state that golden records are computed from.
{{ config(materialized='view') }}

with

crosswalk as (
    select * from {{ ref('idr_crosswalk') }}
),

records as (
    select * from {{ ref('idr_records') }}
),

customers as (
    select
        ---------- keys
        crosswalk.customer_id,

        ---------- strings
        min(crosswalk.cluster_id) as cluster_id,

        ---------- numbers
        count(*) as record_count,
        count(distinct crosswalk.source_system) as source_count,

        ---------- lineage
        md5({{ join_text(
            "concat(crosswalk.record_key, '=', records.record_hash)", '|', 'crosswalk.record_key'
        ) }}) as record_hash
    from crosswalk
    inner join records
        on crosswalk.record_key = records.record_key
    group by crosswalk.customer_id
)

select * from customers
