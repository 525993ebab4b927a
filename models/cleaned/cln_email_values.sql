-- Every distinct e-mail address as written in any source.
{{ config(materialized='view') }}

with

{{ distinct_values('email') }}

select * from distinct_values
