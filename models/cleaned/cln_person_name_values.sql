-- Every distinct name written in one column in any source.
{{ config(materialized='view') }}

with

customers as (
    select * from {{ ref('stg_erp__customers') }} where not is_deleted
),

people as (
    select * from {{ ref('stg_spreadsheets__people') }} where not is_deleted
),

written as (
    select customers.full_name as raw_value from customers
    union all
    select people.full_name as raw_value from people
),

distinct_values as (
    select distinct
        raw_value as dictionary_key,
        raw_value,
        md5(raw_value) as value_hash
    from written
    where raw_value is not null and trim(raw_value) <> ''
)

select * from distinct_values
