-- In the promoted ledger, a record whose customer changed is explained by exactly one event of the same run.
with

openings as (
    select
        record_key, customer_id, run_id,
        lag(customer_id) over (partition by record_key order by valid_from, valid_to nulls last) as customer_id_before
    from {{ ref('idr_crosswalk_history') }}
),

changes as (
    select * from openings
    where coalesce(customer_id_before, '') <> customer_id
),

events as (
    select * from {{ ref('idr_match_events') }}
),

explained as (
    select changes.record_key, changes.customer_id, changes.run_id, count(events.event_id) as event_count
    from changes
    left join events
        on changes.run_id = events.run_id
        and changes.customer_id = events.customer_id_after
        and (
            (events.event in ('record_added', 'moved') and changes.record_key = events.record_key)
            or (events.event in ('merged', 'split') and changes.customer_id_before = events.customer_id_before)
            or (events.event = 'created' and changes.customer_id_before is null)
        )
    group by changes.record_key, changes.customer_id, changes.run_id
)

select * from explained
where event_count <> 1
