-- One row per currency: its rate into the project's reporting currency, and the version of all rates together.
{{ config(materialized='view') }}

with

rates as (
    select * from {{ ref('exchange_rates') }} where reporting_currency = '{{ var("reporting_currency") }}'
),

rates_version as (
    select md5({{ join_text(row_text('rates'), '|', 'currency') }}) as version from rates
),

versioned as (
    select
        rates.currency,
        rates.rate,
        rates_version.version
    from rates
    cross join rates_version
)

select * from versioned
