-- Every distinct country as written in any source.
{{ config(materialized='view') }}

with

{{ distinct_values('country') }}

select * from distinct_values
