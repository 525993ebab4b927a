-- customer_360 has exactly the customers of the crosswalk.
with

crosswalk as (
    select distinct customer_id from {{ ref('idr_crosswalk') }}
)

select coalesce(crosswalk.customer_id, golden.customer_id) as customer_id
from crosswalk
full outer join {{ ref('customer_360') }} as golden
    on crosswalk.customer_id = golden.customer_id
where crosswalk.customer_id is null or golden.customer_id is null
