-- Nothing is lost and nothing fans out between staging and cleaning: live staged = cleaned, record by record.
{%- set pairs = [] %}
{%- for object in people_objects() + fact_objects() %}
    {%- do pairs.append((object, object, 'true')) %}
{%- endfor %}
{%- for cleaned, staged in account_objects().items() %}
    {%- do pairs.append((cleaned, staged, "trim(company_name) <> ''" if staged == 'erp__customers' else 'true')) %}
{%- endfor %}
with

staged as (
    {%- for cleaned, staged, filter in pairs %}
    select record_key, 'cln_{{ cleaned }}' as model from {{ ref('stg_' ~ staged) }}
    where not is_deleted and {{ filter }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

cleaned as (
    {%- for cleaned, staged, filter in pairs %}
    select record_key, 'cln_{{ cleaned }}' as model from {{ ref('cln_' ~ cleaned) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    coalesce(staged.model, cleaned.model) as model,
    coalesce(staged.record_key, cleaned.record_key) as record_key,
    case when cleaned.record_key is null then 'staged, not cleaned' else 'cleaned, not live in staging' end as problem
from staged
full outer join cleaned
    on staged.record_key = cleaned.record_key and staged.model = cleaned.model
where staged.record_key is null or cleaned.record_key is null
