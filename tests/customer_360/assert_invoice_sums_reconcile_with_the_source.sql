-- To the cent and per currency: what the ERP invoiced is what customer_invoices holds.
with

source_sums as (
    select currency, sum(amount) as amount, count(*) as invoice_count
    from {{ ref('stg_erp__invoices') }}
    where not is_deleted
    group by currency
),

customer_sums as (
    select currency, sum(amount) as amount, count(*) as invoice_count
    from {{ ref('customer_invoices') }}
    group by currency
)

select
    coalesce(source_sums.currency, customer_sums.currency) as currency,
    source_sums.amount as source_amount,
    customer_sums.amount as customer_amount
from source_sums
full outer join customer_sums
    on upper(trim(source_sums.currency)) = customer_sums.currency
where coalesce(source_sums.amount, 0) <> coalesce(customer_sums.amount, 0)
    or coalesce(source_sums.invoice_count, 0) <> coalesce(customer_sums.invoice_count, 0)
