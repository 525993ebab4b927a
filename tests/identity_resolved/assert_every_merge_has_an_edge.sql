-- No record is in company without evidence: each member of a cluster of two or more has an edge inside it.
with

clusters as (
    select * from {{ ref('idr_clusters') }}
),

edges as (
    select record_key_a as record_key, record_key_b as other_key from {{ ref('idr_edges') }}
    union all
    select record_key_b, record_key_a from {{ ref('idr_edges') }}
),

inside as (
    select distinct clusters.record_key
    from clusters
    inner join edges
        on clusters.record_key = edges.record_key
    inner join clusters as others
        on edges.other_key = others.record_key
        and clusters.cluster_id = others.cluster_id
),

grouped as (
    select cluster_id from clusters group by cluster_id having count(*) > 1
)

select clusters.record_key, clusters.cluster_id
from clusters
inner join grouped
    on clusters.cluster_id = grouped.cluster_id
left join inside
    on clusters.record_key = inside.record_key
where inside.record_key is null
