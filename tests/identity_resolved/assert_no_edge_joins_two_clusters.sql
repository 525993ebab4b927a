-- Every edge lies inside one cluster: clustering left out no evidence.
select edges.record_key_a, edges.record_key_b, edges.rule
from {{ ref('idr_edges') }} as edges
inner join {{ ref('idr_clusters') }} as cluster_a
    on edges.record_key_a = cluster_a.record_key
inner join {{ ref('idr_clusters') }} as cluster_b
    on edges.record_key_b = cluster_b.record_key
where cluster_a.cluster_id <> cluster_b.cluster_id
