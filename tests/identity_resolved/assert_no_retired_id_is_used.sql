-- A retired customer_id never comes back to life.
select crosswalk.record_key, crosswalk.customer_id, ids.retired_at
from {{ ref('idr_crosswalk') }} as crosswalk
inner join {{ ref('idr_customer_ids') }} as ids
    on crosswalk.customer_id = ids.customer_id
where ids.retired_at is not null
