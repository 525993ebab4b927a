-- One row per distinct e-mail address as written, parsed once: stored and comparable form, else the reason.
-- A library upgrade or a change of the UDF changes udf_version(), and with it every hash: all values are parsed anew.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='dictionary_key',
    input='cln_email_values', meta={'calls_udfs': true},
) }}

with

written as (
    select * from {{ ref('cln_email_values') }}
),

changed as (
    select written.* from written
    {{ only_changed('written', key='dictionary_key', hash='value_hash') }}
),

parsed as (
    select
        changed.*,
        normalise_email(changed.raw_value) as result
    from changed
),

named as (
    select
        ---------- keys
        parsed.dictionary_key,

        ---------- strings
        parsed.raw_value,
        parsed.result.email,
        parsed.result.match_key,
        parsed.result.domain,
        parsed.result.second_email,
        parsed.result.issue,

        ---------- booleans
        coalesce(parsed.result.is_role = 'true', false) as is_role,
        coalesce(parsed.result.is_disposable = 'true', false) as is_disposable,

        ---------- lineage
        {{ record_hash('parsed.value_hash') }} as record_hash
    from parsed
)

select * from named
