-- One row per event that the next promotion will log: old ledger against new crosswalk. Empty right after a promotion.
-- Customer events: created, split (before -> after), merged (before -> after), retired. Record events: record_added,
-- record_removed, moved. A record whose customer changed by a merge or split is explained by that event, by no other.
{{ config(materialized='view') }}

with

crosswalk as (
    select * from {{ ref('idr_crosswalk') }}
),

ledger as (
    select * from {{ ref('idr_crosswalk_history') }} where valid_to is null
),

pending_ids as (
    select * from {{ ref('idr_pending_ids') }}
),

edges as (
    select * from {{ ref('idr_edges') }}
),

successors as (
    select * from {{ ref('idr_record_successors') }}
),

record_changes as (
    select
        coalesce(crosswalk.record_key, ledger.record_key) as record_key,
        ledger.customer_id as customer_id_before,
        crosswalk.customer_id as customer_id_after
    from crosswalk
    full outer join ledger
        on crosswalk.record_key = ledger.record_key
    where coalesce(crosswalk.customer_id, '') <> coalesce(ledger.customer_id, '')
),

given as (
    select * from pending_ids where change = 'given'
),

ended as (
    select * from pending_ids where change = 'ended'
),

classified as (
    select
        record_changes.*,
        case
            when record_changes.customer_id_after is null then 'record_removed'
            when record_changes.customer_id_before is not null and given.customer_id is not null then 'split'
            when record_changes.customer_id_before is not null
                and ended.current_customer_id = record_changes.customer_id_after then 'merged'
            when record_changes.customer_id_before is not null then 'moved'
            -- A record that joins on the day its customer splits off another is an addition to what split off.
            when given.customer_id is not null
                and max(record_changes.customer_id_before)
                    over (partition by record_changes.customer_id_after) is null then 'created'
            else 'record_added'
        end as event
    from record_changes
    left join given
        on record_changes.customer_id_after = given.customer_id
    left join ended
        on record_changes.customer_id_before = ended.customer_id
),

-- The record whose merge in its source carried a whole customer away, where that is what happened.
merged_away as (
    select ledger.customer_id, min(ledger.record_key) as record_key
    from ledger
    inner join successors
        on ledger.record_key = successors.record_key
    group by ledger.customer_id
),

-- A customer event is one row however many records it moves; it names the smallest of them.
customer_events as (
    select event, customer_id_before, customer_id_after, min(record_key) as record_key
    from classified
    where event in ('split', 'merged')
    group by event, customer_id_before, customer_id_after
    union all
    select 'created', cast(null as varchar), given.customer_id, given.anchor_record_key
    from given
    where not exists (
        select 1 from classified
        where classified.event = 'split' and classified.customer_id_after = given.customer_id
    )
    union all
    -- Every previous member was merged away in its source or is gone, so no live record tells of this merge.
    select
        case when ended.current_customer_id is null then 'retired' else 'merged' end,
        ended.customer_id,
        ended.current_customer_id,
        case when ended.current_customer_id is not null then merged_away.record_key end
    from ended
    left join merged_away
        on ended.customer_id = merged_away.customer_id
    where not exists (
        select 1 from classified
        where classified.event = 'merged' and classified.customer_id_before = ended.customer_id
    )
),

record_events as (
    select event, customer_id_before, customer_id_after, record_key
    from classified
    where event in ('record_added', 'record_removed', 'moved')
),

events as (
    select * from customer_events
    union all
    select * from record_events
),

edge_ends as (
    select record_key_a as record_key, rule, concat(record_key_a, ' ~ ', record_key_b) as pair from edges
    union all
    select record_key_b as record_key, rule, concat(record_key_a, ' ~ ', record_key_b) as pair from edges
),

deciding as (
    select ranked.record_key, ranked.rule, ranked.pair
    from (
        select
            edge_ends.*,
            row_number() over (partition by edge_ends.record_key order by edge_ends.rule, edge_ends.pair) as preference
        from edge_ends
        inner join events
            on edge_ends.record_key = events.record_key
    ) as ranked
    where ranked.preference = 1
),

decided as (
    select
        events.event,
        events.customer_id_before,
        events.customer_id_after,
        events.record_key,
        case
            when successors.record_key is not null then 'merged in the source'
            else deciding.rule
        end as rule,
        case
            when successors.record_key is not null
                then concat(successors.record_key, ' ~ ', successors.successor_key)
            else deciding.pair
        end as deciding_pair,
        case
            when events.event in ('record_removed', 'retired') or successors.record_key is not null then 'source'
            else 'model'
        end as actor
    from events
    left join successors
        on events.record_key = successors.record_key
    left join deciding
        on events.record_key = deciding.record_key
)

select * from decided
