-- A customer's golden record reads one way at a time.
select customer_id, count(*) as open_rows
from {{ ref('customer_360_history') }}
where valid_to is null
group by customer_id
having count(*) > 1
