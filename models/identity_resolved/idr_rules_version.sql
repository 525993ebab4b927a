-- One row: a hash of every decision table that matching reads. A changed seed is then a change of each match_hash.
{{ config(materialized='view') }}

with

nicknames as (
    select * from {{ ref('nicknames') }}
),

versioned as (
    select md5({{ join_text(row_text('nicknames'), '|', 'given_name, nickname') }}) as version
    from nicknames
)

select * from versioned
