-- One row per distinct address as written, parsed once into its parts.
-- A library upgrade or a change of the UDF changes udf_version(), and with it every hash: all values are parsed anew.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='dictionary_key',
    input='cln_address_values', meta={'calls_udfs': true},
) }}

with

written as (
    select * from {{ ref('cln_address_values') }}
),

changed as (
    select written.* from written
    {{ only_changed('written', key='dictionary_key', hash='value_hash') }}
),

parsed as (
    select
        changed.*,
        parse_address(changed.raw_value, nullif(changed.country, ''), {{ project_country() }}) as result
    from changed
),

named as (
    select
        ---------- keys
        parsed.dictionary_key,

        ---------- strings
        parsed.raw_value,
        parsed.country,
        parsed.result.house_number,
        parsed.result.street,
        parsed.result.unit,
        parsed.result.city,
        parsed.result.region,
        parsed.result.postal_code,
        parsed.result.postal_code_suffix,
        parsed.result.country as country_named,
        parsed.result.address_key,
        parsed.result.issue,

        ---------- lineage
        {{ record_hash('parsed.value_hash') }} as record_hash
    from parsed
)

select * from named
