-- One row per customer, kind of contact point and value: every way to reach a person, not only the golden one.
{{ config(materialized='view') }}

with

members as (
    select crosswalk.customer_id, records.*
    from {{ ref('idr_crosswalk') }} as crosswalk
    inner join {{ ref('idr_records') }} as records
        on crosswalk.record_key = records.record_key
),

customers as (
    select * from {{ ref('customer_360') }}
),

offered as (
    select customer_id, record_key, 'email' as contact_type, email as contact_value, is_outdated, updated_at
    from members
    union all
    select customer_id, record_key, 'email', email_2, is_outdated, updated_at from members
    union all
    select customer_id, record_key, 'phone', phone, is_outdated, updated_at from members
    union all
    select customer_id, record_key, 'phone', mobile, is_outdated, updated_at from members
    union all
    select customer_id, record_key, 'phone', phone_2, is_outdated, updated_at from members
),

contact_points as (
    select
        ---------- keys
        offered.customer_id,
        offered.contact_type,
        offered.contact_value,

        ---------- numbers
        count(distinct offered.record_key) as record_count,

        ---------- booleans
        coalesce(max(offered.contact_value in (customers.email, customers.phone, customers.mobile)), false)
            as is_golden,
        -- Every record that offers it is outdated.
        min(offered.is_outdated) as is_outdated,

        ---------- timestamps
        max(offered.updated_at) as last_seen_at
    from offered
    inner join customers
        on offered.customer_id = customers.customer_id
    where offered.contact_value is not null
    group by offered.customer_id, offered.contact_type, offered.contact_value
)

select * from contact_points
