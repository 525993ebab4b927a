-- One row per value of any dictionary: what was written, and all that the parser made of it as one text.
{{ config(materialized='view') }}

{%- set parts = {
    'country': ['country', 'issue'],
    'phone': ['e164', 'extension', 'phone_type', 'match_key', 'second_e164', 'issue'],
    'email': ['email', 'match_key', 'second_email', 'is_role', 'is_disposable', 'issue'],
    'address': ['house_number', 'street', 'unit', 'city', 'region', 'postal_code', 'address_key', 'issue'],
    'person_name': [
        'person_kind', 'given_name', 'middle_name', 'family_name', 'name_suffix', 'nickname', 'company_key', 'issue'
    ],
    'company': ['company_name', 'company_key', 'legal_form', 'issue']
} %}

with

parsed_values as (
    {%- for dictionary, columns in parts.items() %}
    select
        concat('{{ dictionary }}:', dictionary_key) as value_key,
        '{{ dictionary }}' as dictionary,
        raw_value,
        concat_ws(
            ' | '{% for column in columns %},
            case when {{ column }} is not null then concat('{{ column }}: ', cast({{ column }} as varchar)) end
            {%- endfor %}
        ) as parsed_as,
        record_hash
    from {{ ref('cln_' ~ dictionary ~ '_dictionary') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from parsed_values
