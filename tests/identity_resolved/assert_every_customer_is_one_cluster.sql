-- One customer is one cluster and one cluster one customer: the invariant on which the id rule's locality rests.
select customer_id, count(distinct cluster_id) as cluster_count, 'customer in several clusters' as problem
from {{ ref('idr_crosswalk') }}
group by customer_id
having count(distinct cluster_id) > 1
union all
select cluster_id, count(distinct customer_id), 'cluster with several customers'
from {{ ref('idr_crosswalk') }}
group by cluster_id
having count(distinct customer_id) > 1
