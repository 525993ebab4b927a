-- Every distinct phone as written in any source, with the country that decides how it is read.
{{ config(materialized='view') }}

with

{{ distinct_values('phone', by_country='always') }}

select * from distinct_values
