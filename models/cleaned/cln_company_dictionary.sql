-- One row per distinct company name as written, parsed once: its name and, without legal form, its key.
-- A library upgrade or a change of the UDF changes udf_version(), and with it every hash: all values are parsed anew.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='dictionary_key',
    input='cln_company_values', meta={'calls_udfs': true},
) }}

with

written as (
    select * from {{ ref('cln_company_values') }}
),

changed as (
    select written.* from written
    {{ only_changed('written', key='dictionary_key', hash='value_hash') }}
),

parsed as (
    select
        changed.*,
        clean_company(changed.raw_value) as result
    from changed
),

named as (
    select
        ---------- keys
        parsed.dictionary_key,

        ---------- strings
        parsed.raw_value,
        parsed.result.company_name,
        parsed.result.company_key,
        parsed.result.legal_form,
        parsed.result.issue,

        ---------- lineage
        {{ record_hash('parsed.value_hash') }} as record_hash
    from parsed
)

select * from named
