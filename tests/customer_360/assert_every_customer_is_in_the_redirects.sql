-- Every id an analyst can meet resolves, to itself while it lives.
select golden.customer_id
from {{ ref('customer_360') }} as golden
left join {{ ref('customer_id_redirects') }} as redirects
    on golden.customer_id = redirects.customer_id
where redirects.customer_id is null or redirects.current_customer_id <> golden.customer_id
