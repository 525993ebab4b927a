-- An id leads in one step to a live customer, or to nothing when all its records left their sources.
select redirects.customer_id, redirects.current_customer_id, redirects.status
from {{ ref('customer_id_redirects') }} as redirects
left join {{ ref('customer_360') }} as golden
    on redirects.current_customer_id = golden.customer_id
where redirects.current_customer_id is not null and golden.customer_id is null
