-- One row per live record: the group it belongs to today. cluster_id is the group's smallest record_key: ephemeral.
-- Only components that hold a changed or vanished record, or that a new edge reaches, are computed again.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='idr_match_inputs', meta={'calls_udfs': true},
) }}

with

inputs as (
    select * from {{ ref('idr_match_inputs') }}
),

edges as (
    select * from {{ ref('idr_edges') }}
),

{%- if is_incremental() %}

changed as (
    select inputs.record_key from inputs
    {{ only_changed('inputs', hash='match_hash') }}
),

reached as (
    select record_key from changed
    union
    select edges.record_key_b as record_key
    from edges
    inner join changed on edges.record_key_a = changed.record_key
    union
    select edges.record_key_a as record_key
    from edges
    inner join changed on edges.record_key_b = changed.record_key
),

touched_clusters as (
    select stored.cluster_id
    from {{ this }} as stored
    inner join reached on stored.record_key = reached.record_key
    union
    select stored.cluster_id
    from {{ this }} as stored
    where not exists (select 1 from inputs where inputs.record_key = stored.record_key)
),

affected as (
    select inputs.* from inputs
    inner join (
        select record_key from reached
        union
        select stored.record_key
        from {{ this }} as stored
        inner join touched_clusters on stored.cluster_id = touched_clusters.cluster_id
    ) as affected_keys
        on inputs.record_key = affected_keys.record_key
),

{%- else %}

affected as (
    select * from inputs
),

{%- endif %}

affected_edges as (
    select edges.record_key_a, edges.record_key_b
    from edges
    inner join affected on edges.record_key_a = affected.record_key
),

components as (
    select {{ each_of(
        'connected_components(' ~ list_of_pairs('affected_edges.record_key_a', 'affected_edges.record_key_b') ~ ')'
    ) }} as member
    from affected_edges
),

labels as (
    select
        member.record_key, -- noqa: RF01
        member.cluster_id -- noqa: RF01
    from components
),

clustered as (
    select
        ---------- keys
        affected.record_key,
        coalesce(labels.cluster_id, affected.record_key) as cluster_id,

        ---------- lineage
        affected.match_hash,
        {{ record_hash('affected.match_hash') }} as record_hash
    from affected
    left join labels
        on affected.record_key = labels.record_key
)

select * from clustered
