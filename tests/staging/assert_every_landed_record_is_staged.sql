-- Every record of a completed load is staged exactly once, and nothing else is.
{%- set objects = {
    'salesforce': ['contacts', 'leads', 'accounts', 'opportunities', 'campaigns', 'campaign_members'],
    'hubspot': ['contacts', 'companies', 'deals', 'associations'],
    'stripe': ['customers', 'charges', 'invoices', 'subscriptions', 'refunds'],
    'erp': ['customers', 'contacts', 'addresses', 'invoices', 'payments', 'products', 'stock'],
} %}
with

landed as (
    {%- for system, names in objects.items() %}
    {%- for name in names %}
    select concat('{{ system }}:{{ name }}:', versions.source_id) as record_key
    from ({{ rows_of_completed_loads('raw_' ~ system, name) }}) as versions
    union
    {%- endfor %}
    {%- endfor %}
    select concat(people.source_system, ':people:', people.source_id)
    from ({{ rows_of_completed_loads('raw_spreadsheets', 'people') }}) as people
),

staged as (
    {%- for system, names in objects.items() %}
    {%- for name in names %}
    select record_key from {{ ref('stg_' ~ system ~ '__' ~ name) }}
    union all
    {%- endfor %}
    {%- endfor %}
    select record_key from {{ ref('stg_spreadsheets__people') }}
)

select
    coalesce(landed.record_key, staged.record_key) as record_key,
    case when staged.record_key is null then 'landed, not staged' else 'staged, never landed' end as problem
from landed
full outer join staged
    on landed.record_key = staged.record_key
where landed.record_key is null or staged.record_key is null
