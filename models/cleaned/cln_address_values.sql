-- Every distinct address as written in any source, with the country that decides the order of its parts.
{{ config(materialized='view') }}

with

{{ distinct_values('address', by_country='when given') }}

select * from distinct_values
