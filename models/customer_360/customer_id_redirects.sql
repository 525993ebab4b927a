-- One row per customer_id ever given: the id it leads to today, itself while it lives, none when all its records left.
-- Shows what the next promotion will make of it, so that it agrees with customer_360 at every moment of a build.
{{ config(materialized='view') }}

with

ids as (
    select * from {{ ref('idr_customer_ids') }}
),

pending as (
    select * from {{ ref('idr_pending_ids') }}
),

ended as (
    select * from pending where change = 'ended'
),

given as (
    select * from pending where change = 'given'
),

redirects as (
    select
        ids.customer_id,
        case when ended.customer_id is not null then ended.current_customer_id else ids.current_customer_id end
            as current_customer_id,
        ids.born_at,
        case when ended_itself.customer_id is not null then {{ as_of() }} else ids.retired_at end as retired_at
    from ids
    left join ended
        on ids.current_customer_id = ended.customer_id
    left join ended as ended_itself
        on ids.customer_id = ended_itself.customer_id
    union all
    select
        given.customer_id,
        given.customer_id as current_customer_id,
        {{ as_of() }} as born_at,
        cast(null as timestamp) as retired_at
    from given
),

described as (
    select
        ---------- keys
        redirects.customer_id,
        redirects.current_customer_id,

        ---------- strings
        case
            when redirects.customer_id = redirects.current_customer_id then 'live'
            when redirects.current_customer_id is null then 'retired: all its records left their sources'
            else 'merged'
        end as status,

        ---------- timestamps
        redirects.born_at,
        redirects.retired_at
    from redirects
)

select * from described
