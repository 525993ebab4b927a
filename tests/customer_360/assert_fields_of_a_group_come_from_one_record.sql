-- A golden street never meets the city of another record: the fields of a group come from one source record.
select customer_id, field_group, count(distinct record_key) as record_count
from {{ ref('customer_field_lineage') }}
where is_golden
group by customer_id, field_group
having count(distinct record_key) > 1
