-- Every live person record is in the crosswalk once, and the crosswalk holds no other.
select
    coalesce(records.record_key, crosswalk.record_key) as record_key,
    case when crosswalk.record_key is null then 'live, without a customer' else 'in the crosswalk, not live' end
        as problem
from {{ ref('idr_records') }} as records
full outer join {{ ref('idr_crosswalk') }} as crosswalk
    on records.record_key = crosswalk.record_key
where records.record_key is null or crosswalk.record_key is null
