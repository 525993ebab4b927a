-- Each golden cell is rank 1 of its lineage, and each rank 1 is a golden cell.
with

{%- set fields = [
    'person_kind', 'given_name', 'middle_name', 'family_name', 'name_suffix', 'email', 'phone', 'mobile',
    'house_number', 'street', 'unit', 'city', 'region', 'postal_code', 'country', 'date_of_birth', 'national_id',
    'company_name', 'job_title', 'website', 'is_email_opted_out',
] %}

cells as (
    {%- for field in fields %}
    select customer_id, '{{ field }}' as field, cast({{ field }} as varchar) as value
    from {{ ref('customer_360') }}
    where {{ field }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

winners as (
    select customer_id, field, value from {{ ref('customer_field_lineage') }} where rank = 1
)

select
    coalesce(cells.customer_id, winners.customer_id) as customer_id,
    coalesce(cells.field, winners.field) as field,
    cells.value as golden_value,
    winners.value as lineage_value
from cells
full outer join winners
    on cells.customer_id = winners.customer_id
    and cells.field = winners.field
where coalesce(cells.value, '') <> coalesce(winners.value, '')
