-- One row per distinct country as written, parsed once: its ISO 3166 code, or the reason why there is none.
-- A library upgrade or a change of the UDF changes udf_version(), and with it every hash: all values are parsed anew.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='dictionary_key',
    input='cln_country_values', meta={'calls_udfs': true},
) }}

with

written as (
    select * from {{ ref('cln_country_values') }}
),

changed as (
    select written.* from written
    {{ only_changed('written', key='dictionary_key', hash='value_hash') }}
),

parsed as (
    select
        changed.*,
        parse_country(changed.raw_value) as result
    from changed
),

named as (
    select
        ---------- keys
        parsed.dictionary_key,

        ---------- strings
        parsed.raw_value,
        parsed.result as country,
        case when parsed.result is null then 'not a country' end as issue,

        ---------- lineage
        {{ record_hash('parsed.value_hash') }} as record_hash
    from parsed
)

select * from named
