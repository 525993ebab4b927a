-- One row per customer_id that the next promotion gives or ends: the difference of the crosswalk and the register.
-- Empty right after a promotion.
{{ config(materialized='view') }}

with

crosswalk as (
    select * from {{ ref('idr_crosswalk') }}
),

ids as (
    select * from {{ ref('idr_customer_ids') }}
),

ledger as (
    select * from {{ ref('idr_crosswalk_history') }} where valid_to is null
),

successors as (
    select * from {{ ref('idr_record_successors') }}
),

records as (
    select * from {{ ref('idr_records') }}
),

new_ids as (
    select ranked.customer_id, ranked.record_key as anchor_record_key, ranked.first_landed_at
    from (
        select
            crosswalk.customer_id,
            crosswalk.record_key,
            records.first_landed_at,
            row_number() over (
                partition by crosswalk.customer_id order by records.first_landed_at, crosswalk.record_key
            ) as age
        from crosswalk
        inner join records
            on crosswalk.record_key = records.record_key
        where not exists (select 1 from ids where ids.customer_id = crosswalk.customer_id)
    ) as ranked
    where ranked.age = 1
),

ended_ids as (
    select ids.customer_id, ids.born_at
    from ids
    where ids.retired_at is null
        and not exists (select 1 from crosswalk where crosswalk.customer_id = ids.customer_id)
),

-- Where most of an ended id's previous members are now: the same vote as in the crosswalk.
heirs as (
    select ranked.customer_id, ranked.heir_id
    from (
        select
            ended_ids.customer_id,
            crosswalk.customer_id as heir_id,
            row_number() over (
                partition by ended_ids.customer_id
                order by count(*) desc,
                    min(concat(cast(records.first_landed_at as varchar), '/', records.record_key))
            ) as preference
        from ended_ids
        inner join ledger
            on ended_ids.customer_id = ledger.customer_id
        left join successors
            on ledger.record_key = successors.record_key
        inner join crosswalk
            on coalesce(successors.successor_key, ledger.record_key) = crosswalk.record_key
        inner join records
            on crosswalk.record_key = records.record_key
        group by ended_ids.customer_id, crosswalk.customer_id
    ) as ranked
    where ranked.preference = 1
),

pending as (
    select
        new_ids.customer_id,
        'given' as change,
        new_ids.customer_id as current_customer_id,
        new_ids.anchor_record_key,
        new_ids.first_landed_at as anchor_first_landed_at,
        (select count(*) from ids where ids.anchor_record_key = new_ids.anchor_record_key) as mint_ordinal
    from new_ids
    union all
    select
        ended_ids.customer_id,
        'ended' as change,
        heirs.heir_id as current_customer_id,
        cast(null as varchar) as anchor_record_key,
        cast(null as timestamp) as anchor_first_landed_at,
        cast(null as bigint) as mint_ordinal
    from ended_ids
    left join heirs
        on ended_ids.customer_id = heirs.customer_id
)

select * from pending
