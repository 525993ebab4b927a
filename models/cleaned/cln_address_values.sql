-- Every distinct street line as written in any source, with the country that decides its order.
{{ config(materialized='view') }}

with

contacts as (
    select * from {{ ref('stg_hubspot__contacts') }} where not is_deleted
),

customers as (
    select * from {{ ref('stg_erp__customers') }} where not is_deleted
),

people as (
    select * from {{ ref('stg_spreadsheets__people') }} where not is_deleted
),

written as (
    select contacts.address as raw_value, {{ country_of('contacts.country', 'cast(null as varchar)') }} as country from contacts
    union all
    select customers.address as raw_value, {{ country_of('customers.country', 'cast(null as varchar)') }} as country from customers
    union all
    select coalesce(people.address, concat_ws(', ', people.street, people.street_2)) as raw_value, {{ country_of('people.country', 'people.default_country') }} as country from people
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
