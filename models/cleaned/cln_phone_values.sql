-- Every distinct phone as written in any source, with the country that decides how it is read.
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
    select phone as raw_value, country_code as region from contacts
    union all
    select mobile as raw_value, country_code as region from contacts
    union all
    select phone as raw_value, country_code as region from customers
    union all
    select mobile as raw_value, country_code as region from customers
    union all
    select phone as raw_value, country_code as region from people
    union all
    select mobile as raw_value, country_code as region from people
),

distinct_values as (
    select distinct
        concat(raw_value, '|', coalesce(region, '')) as dictionary_key,
        raw_value,
        coalesce(region, '') as region,
        md5(concat(raw_value, '|', coalesce(region, ''))) as value_hash
    from written
    where raw_value is not null and trim(raw_value) <> ''
)

select * from distinct_values
