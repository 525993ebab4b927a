-- Phones out are E.164, countries out are two capital letters that the dictionary of countries knows as a code.
with

{% set objects = people_objects() + (account_objects().keys() | list) -%}
phones as (
    {%- for object in objects %}
    select record_key, phone as clean_value from {{ ref('cln_' ~ object) }}
    {%- if object in people_objects() %}
    union all
    select record_key, mobile from {{ ref('cln_' ~ object) }}
    union all
    select record_key, phone_2 from {{ ref('cln_' ~ object) }}
    {%- endif %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

countries as (
    {%- for object in objects + ['erp__addresses'] %}
    select record_key, country as clean_value from {{ ref('cln_' ~ object) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

distinct_countries as (
    select clean_value as country, min(record_key) as record_key
    from countries
    where clean_value is not null
    group by clean_value
)

select record_key, clean_value, 'not E.164' as problem
from phones
where clean_value is not null and not {{ regex_matches('clean_value', '^\+[1-9][0-9]{6,14}$') }}
union all
select record_key, country, 'not a code of ISO 3166'
from distinct_countries
where coalesce(parse_country(country) <> country, true)
