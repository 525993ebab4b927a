-- Every distinct street line as written in any source, with the country that decides its order.
{{ config(materialized='view') }}

with

contacts as (
    select
        *,
        {{ country_of('country', 'cast(null as varchar)') }} as country_code
    from {{ ref('stg_hubspot__contacts') }}
    where not is_deleted
),

customers as (
    select
        *,
        {{ country_of('country', 'cast(null as varchar)') }} as country_code
    from {{ ref('stg_erp__customers') }}
    where not is_deleted
),

people as (
    select
        *,
        {{ country_of('country', 'default_country') }} as country_code
    from {{ ref('stg_spreadsheets__people') }}
    where not is_deleted
),

written as (
    select address as raw_value, country_code as country from contacts
    union all
    select address as raw_value, country_code as country from customers
    union all
    select coalesce(address, concat_ws(', ', street, street_2)) as raw_value, country_code as country from people
),

distinct_values as (
    select distinct
        concat(raw_value, '|', coalesce(country, '')) as dictionary_key,
        raw_value,
        coalesce(country, '') as country,
        md5(concat(raw_value, '|', coalesce(country, ''))) as value_hash
    from written
    where raw_value is not null and trim(raw_value) <> ''
)

select * from distinct_values
