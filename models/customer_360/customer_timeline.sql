-- One row per dated fact about a customer, whatever the system: first contact per record, invoices issued and paid.
{{ config(materialized='view') }}

with

source_records as (
    select * from {{ ref('customer_source_records') }}
),

invoices as (
    select * from {{ ref('customer_invoices') }} where customer_id is not null
),

happenings as (
    select
        customer_id, record_key, 'record_created' as happening, source_system,
        concat('became known to ', source_system) as description,
        cast(null as decimal(18, 2)) as amount_reporting, created_at as happened_at
    from source_records
    where created_at is not null
    union all
    select
        customer_id, record_key, 'invoice_issued', source_system,
        concat('invoice ', invoice_number, ' over ', amount, ' ', currency),
        amount_reporting, cast(issued_date as timestamp)
    from invoices
    where issued_date is not null
    union all
    select
        customer_id, record_key, 'invoice_paid', source_system,
        concat('paid invoice ', invoice_number), amount_reporting, cast(paid_date as timestamp)
    from invoices
    where paid_date is not null
)

select * from happenings
