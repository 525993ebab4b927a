-- Every record of a completed load is staged exactly once, and nothing else is.
with

landed as (
    select concat('hubspot:contacts:', contacts.source_id) as record_key
    from {{ source('raw_hubspot', 'contacts') }} as contacts
    inner join {{ source('raw_hubspot', '_dlt_loads') }} as loads
        on contacts._dlt_load_id = loads.load_id and loads.status = 0
    union
    select concat('erp:customers:', customers.source_id)
    from {{ source('raw_erp', 'customers') }} as customers
    inner join {{ source('raw_erp', '_dlt_loads') }} as loads
        on customers._dlt_load_id = loads.load_id and loads.status = 0
    union
    select concat('erp:invoices:', invoices.source_id)
    from {{ source('raw_erp', 'invoices') }} as invoices
    inner join {{ source('raw_erp', '_dlt_loads') }} as loads
        on invoices._dlt_load_id = loads.load_id and loads.status = 0
    union
    select concat(people.source_system, ':people:', people.source_id)
    from {{ source('raw_spreadsheets', 'people') }} as people
    inner join {{ source('raw_spreadsheets', '_dlt_loads') }} as loads
        on people._dlt_load_id = loads.load_id and loads.status = 0
),

staged as (
    select record_key from {{ ref('stg_hubspot__contacts') }}
    union all
    select record_key from {{ ref('stg_erp__customers') }}
    union all
    select record_key from {{ ref('stg_erp__invoices') }}
    union all
    select record_key from {{ ref('stg_spreadsheets__people') }}
)

select
    coalesce(landed.record_key, staged.record_key) as record_key,
    case when staged.record_key is null then 'landed, not staged' else 'staged, never landed' end as problem
from landed
full outer join staged
    on landed.record_key = staged.record_key
where landed.record_key is null or staged.record_key is null
