-- One row: a hash of every decision table that cleaning reads. A changed seed is then a change of each row's hash.
{{ config(materialized='view') }}

with

role_mailboxes as (
    select * from {{ ref('role_mailboxes') }}
),

disposable_domains as (
    select * from {{ ref('disposable_domains') }}
),

decisions as (
    select {{ row_text('role_mailboxes') }} as decision from role_mailboxes
    union all
    select {{ row_text('disposable_domains') }} as decision from disposable_domains
),

versioned as (
    select md5({{ join_text('decision', '|', 'decision') }}) as version
    from decisions
)

select * from versioned
