-- One row per distinct name as written, parsed once: what it names, and a person's parts.
-- A library upgrade or a change of the UDF changes udf_version(), and with it every hash: all values are parsed anew.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='dictionary_key',
    input='cln_person_name_values', meta={'calls_udfs': true},
) }}

with

written as (
    select * from {{ ref('cln_person_name_values') }}
),

changed as (
    select written.* from written
    {{ only_changed('written', key='dictionary_key', hash='value_hash') }}
),

parsed as (
    select
        changed.*,
        parse_person_name(changed.raw_value) as result,
        clean_company(changed.raw_value) as company
    from changed
),

named as (
    select
        ---------- keys
        parsed.dictionary_key,

        ---------- strings
        parsed.raw_value,
        parsed.result.person_kind,
        parsed.result.given_name,
        parsed.result.middle_name,
        parsed.result.family_name,
        parsed.result.name_suffix,
        parsed.result.nickname,
        parsed.result.issue,
        case
            when parsed.result.person_kind = 'company' then {{ own_text('parsed.company.company_name') }}
        end as company_name,
        case
            when parsed.result.person_kind = 'company' then {{ own_text('parsed.company.company_key') }}
        end as company_key,

        ---------- lineage
        {{ record_hash('parsed.value_hash') }} as record_hash
    from parsed
)

select * from named
