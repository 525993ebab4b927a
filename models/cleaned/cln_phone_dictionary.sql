-- One row per distinct phone as written, parsed once: E.164 where valid, else the reason.
-- A library upgrade or a change of the UDF changes udf_version(), and with it every hash: all values are parsed anew.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='dictionary_key',
    input='cln_phone_values', meta={'calls_udfs': true},
) }}

with

written as (
    select * from {{ ref('cln_phone_values') }}
),

changed as (
    select written.* from written
    {{ only_changed('written', key='dictionary_key', hash='value_hash') }}
),

parsed as (
    select
        changed.*,
        parse_phone(changed.raw_value, nullif(changed.country, '')) as result
    from changed
),

named as (
    select
        ---------- keys
        parsed.dictionary_key,

        ---------- strings
        parsed.raw_value,
        parsed.country as region,
        parsed.result.e164,
        parsed.result.extension,
        parsed.result.phone_type,
        parsed.result.match_key,
        parsed.result.second_e164,
        parsed.result.second_extension,
        parsed.result.second_type,
        parsed.result.issue,

        ---------- lineage
        {{ record_hash('parsed.value_hash') }} as record_hash
    from parsed
)

select * from named
