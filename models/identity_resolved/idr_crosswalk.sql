-- One row per live record: the customer it belongs to, by the id rule, computed against the last promoted ledger.
-- The id rule: each old id's heir is the cluster with most of its previous members; a cluster keeps the oldest id it is
-- heir to; a cluster that is heir to none mints one. Only clusters whose membership changed are looked at.
-- Invariant of the ledger: one customer is one cluster, so an unchanged record in an untouched cluster keeps its id.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='idr_clusters', meta={'calls_udfs': true},
) }}

with

clusters as (
    select
        clusters.record_key,
        clusters.cluster_id,
        records.source_system,
        records.source_object,
        records.source_id,
        records.first_landed_at
    from {{ ref('idr_clusters') }} as clusters
    inner join {{ ref('idr_records') }} as records
        on clusters.record_key = records.record_key
),

ledger as (
    select * from {{ ref('idr_crosswalk_history') }} where valid_to is null
),

ids as (
    select * from {{ ref('idr_customer_ids') }}
),

successors as (
    select * from {{ ref('idr_record_successors') }}
),

-- A record merged away in its source votes with the record it became, so a native merge moves no id.
previous_members as (
    select
        ledger.customer_id,
        coalesce(successors.successor_key, ledger.record_key) as record_key
    from ledger
    left join successors
        on ledger.record_key = successors.record_key
),

changed_records as (
    select clusters.record_key, clusters.cluster_id, ledger.customer_id
    from clusters
    left join ledger
        on clusters.record_key = ledger.record_key
    where ledger.record_key is null or ledger.cluster_id <> clusters.cluster_id
),

vanished_records as (
    select ledger.record_key, ledger.customer_id
    from ledger
    where not exists (select 1 from clusters where clusters.record_key = ledger.record_key)
),

-- A cluster may change without a changed record: when a vanished one was merged into a member of it.
changed_clusters as (
    select cluster_id from changed_records
    union
    select clusters.cluster_id
    from vanished_records
    inner join successors
        on vanished_records.record_key = successors.record_key
    inner join clusters
        on successors.successor_key = clusters.record_key
),

touched_ids as (
    select previous_members.customer_id
    from previous_members
    inner join clusters
        on previous_members.record_key = clusters.record_key
    inner join changed_clusters
        on clusters.cluster_id = changed_clusters.cluster_id
    union
    select customer_id from changed_records where customer_id is not null
    union
    select customer_id from vanished_records
),

votes as (
    select
        previous_members.customer_id,
        clusters.cluster_id,
        count(*) as member_count,
        min(concat(cast(clusters.first_landed_at as varchar), '/', clusters.record_key)) as oldest_member
    from previous_members
    inner join touched_ids
        on previous_members.customer_id = touched_ids.customer_id
    inner join clusters
        on previous_members.record_key = clusters.record_key
    group by previous_members.customer_id, clusters.cluster_id
),

touched_clusters as (
    select cluster_id from votes
    union
    select cluster_id from changed_clusters
),

heirs as (
    select ranked.customer_id, ranked.cluster_id
    from (
        select
            votes.*,
            row_number() over (
                partition by customer_id order by member_count desc, oldest_member asc
            ) as preference
        from votes
    ) as ranked
    where ranked.preference = 1
),

kept as (
    select ranked.cluster_id, ranked.customer_id
    from (
        select
            heirs.*,
            row_number() over (
                partition by heirs.cluster_id
                order by ids.born_at, ids.anchor_first_landed_at, ids.anchor_record_key, ids.mint_ordinal
            ) as seniority
        from heirs
        inner join ids
            on heirs.customer_id = ids.customer_id
    ) as ranked
    where ranked.seniority = 1
),

anchors as (
    select ranked.cluster_id, ranked.record_key
    from (
        select
            clusters.*,
            row_number() over (
                partition by clusters.cluster_id order by clusters.first_landed_at, clusters.record_key
            ) as age
        from clusters
        inner join touched_clusters
            on clusters.cluster_id = touched_clusters.cluster_id
        where clusters.cluster_id not in (select kept.cluster_id from kept)
    ) as ranked
    where ranked.age = 1
),

minted as (
    select
        anchors.cluster_id,
        {{ mint_customer_id('anchors.record_key', 'count(ids.customer_id)') }} as customer_id
    from anchors
    left join ids
        on anchors.record_key = ids.anchor_record_key
    group by anchors.cluster_id, anchors.record_key
),

assigned as (
    select
        clusters.*,
        coalesce(kept.customer_id, minted.customer_id, ledger.customer_id) as customer_id
    from clusters
    left join kept
        on clusters.cluster_id = kept.cluster_id
    left join minted
        on clusters.cluster_id = minted.cluster_id
    left join ledger
        on clusters.record_key = ledger.record_key
),

crosswalk as (
    select
        ---------- keys
        assigned.record_key,
        assigned.source_system,
        assigned.source_object,
        assigned.source_id,
        assigned.customer_id,
        assigned.cluster_id,

        ---------- lineage
        {{ record_hash("concat(assigned.customer_id, assigned.cluster_id)") }} as record_hash
    from assigned
    {%- if is_incremental() %}
    where not exists (
        select 1 from {{ this }} as stored
        where stored.record_key = assigned.record_key
            and stored.record_hash = {{ record_hash("concat(assigned.customer_id, assigned.cluster_id)") }}
    )
    {%- endif %}
)

select * from crosswalk
