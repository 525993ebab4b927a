-- Nothing is lost and nothing fans out between staging and cleaning: live staged = cleaned, record by record.
with

staged as (
    select record_key from {{ ref('stg_hubspot__contacts') }} where not is_deleted
    union all
    select record_key from {{ ref('stg_erp__customers') }} where not is_deleted
    union all
    select record_key from {{ ref('stg_spreadsheets__people') }} where not is_deleted
    union all
    select record_key from {{ ref('stg_erp__invoices') }} where not is_deleted
),

cleaned as (
    select record_key from {{ ref('cln_hubspot__contacts') }}
    union all
    select record_key from {{ ref('cln_erp__customers') }}
    union all
    select record_key from {{ ref('cln_spreadsheets__people') }}
    union all
    select record_key from {{ ref('cln_erp__invoices') }}
)

select
    coalesce(staged.record_key, cleaned.record_key) as record_key,
    case when cleaned.record_key is null then 'staged, not cleaned' else 'cleaned, not live in staging' end as problem
from staged
full outer join cleaned
    on staged.record_key = cleaned.record_key
where staged.record_key is null or cleaned.record_key is null
