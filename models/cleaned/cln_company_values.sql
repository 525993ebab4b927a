-- Every distinct company name as written in any source.
{{ config(materialized='view') }}

with

{{ distinct_values('company') }}

select * from distinct_values
