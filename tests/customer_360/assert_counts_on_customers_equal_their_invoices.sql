-- The counts and sums on a customer are those of its invoices, to the cent.
with

invoiced as (
    select
        customer_id,
        count(*) as invoice_count,
        sum(case when status <> 'void' then amount_reporting else 0 end) as amount_reporting
    from {{ ref('customer_invoices') }}
    where customer_id is not null
    group by customer_id
)

select golden.customer_id, golden.invoice_count, invoiced.invoice_count as counted
from {{ ref('customer_360') }} as golden
left join invoiced
    on golden.customer_id = invoiced.customer_id
where golden.invoice_count <> coalesce(invoiced.invoice_count, 0)
    or golden.invoiced_amount_reporting <> coalesce(invoiced.amount_reporting, 0)
