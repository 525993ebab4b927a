-- Every distinct name written in one column, or in two that are read as one, in any source.
{{ config(materialized='view') }}

with

{{ distinct_values('person_name') }}

select * from distinct_values
