{#-
Where each kind of value is written: per staged object, the columns (or expressions) that hold it. One place to
extend when a source joins; the dictionaries read it, and a test asks for every written value in its dictionary.
-#}
{% macro written_columns() %}
    {{ return({
        'hubspot__contacts': {
            'person_name': [name_line()], 'email': ['email', 'email_2'], 'phone': ['phone', 'mobile'],
            'address': ['address'], 'country': ['country'], 'company': ['company_name']
        },
        'hubspot__companies': {
            'phone': ['phone'], 'address': ['address'], 'country': ['country'], 'company': ['company_name']
        },
        'salesforce__contacts': {
            'person_name': [name_line()], 'email': ['email'], 'phone': ['phone', 'mobile'],
            'address': ['address'], 'country': ['country']
        },
        'salesforce__leads': {
            'person_name': [name_line()], 'email': ['email'], 'phone': ['phone', 'mobile'],
            'address': ['address'], 'country': ['country'], 'company': ['company_name']
        },
        'salesforce__accounts': {
            'phone': ['phone'], 'address': ['address'], 'country': ['country'], 'company': ['company_name']
        },
        'stripe__customers': {
            'person_name': ['full_name'], 'email': ['email'], 'phone': ['phone'],
            'address': ['address'], 'country': ['country'], 'company': ['company_name']
        },
        'erp__customers': {
            'person_name': ['full_name'], 'email': ['email'], 'phone': ['phone', 'mobile'],
            'address': ['address'], 'country': ['country'], 'company': ['company_name']
        },
        'erp__contacts': {'person_name': ['full_name'], 'email': ['email'], 'phone': ['phone']},
        'erp__addresses': {'address': ['address'], 'country': ['country']},
        'spreadsheets__people': {
            'person_name': ['coalesce(full_name, ' ~ name_line() ~ ')'], 'email': ['email', 'email_2'],
            'phone': ['phone', 'mobile'], 'address': ['address_line'], 'country': ['country'],
            'company': ['company_name']
        },
    }) }}
{% endmacro %}

{#- A name that a source keeps in two columns, as one line: what tells a person from a company or a role. -#}
{% macro name_line(table=none) -%}
    {%- set prefix = table ~ '.' if table else '' -%}
    nullif(concat_ws(' ', {{ prefix }}given_name, {{ prefix }}family_name), '')
{%- endmacro %}

{#-
Every distinct value of one kind as written in any source, with its key in the dictionary; for kinds that are read
by their country, with the code of the country: the record's own, else the file's, and for `by_country='always'` else
the project's (an address may say itself where it is, so it is not told before it was asked).
-#}
{% macro distinct_values(kind, by_country=none) -%}
    {%- set branches = [] -%}
    {%- for object, columns in written_columns().items() -%}
        {%- for column in columns.get(kind, []) -%}
            {%- do branches.append({'object': object, 'column': column, 'has_country': 'country' in columns}) -%}
        {%- endfor -%}
    {%- endfor -%}
written as (
    {%- for branch in branches %}
    select
        {{ branch.column }} as raw_value
        {%- if by_country %},
        {{ 'country' if branch.has_country else 'cast(null as varchar)' }} as country_raw,
        {{ 'default_country' if branch.object == 'spreadsheets__people' else 'cast(null as varchar)' }}
            as default_country
        {%- endif %}
    from {{ ref('stg_' ~ branch.object) }}
    where not is_deleted
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{% if by_country -%}
countries as (
    select * from {{ ref('cln_country_dictionary') }}
),

read_by_country as (
    select distinct
        written.raw_value,
        {%- if by_country == 'always' %}
        coalesce({{ country_of('countries.country', 'written.default_country') }}, '') as country
        {%- else %}
        coalesce(countries.country, written.default_country, '') as country
        {%- endif %}
    from written
    left join countries
        on written.country_raw = countries.raw_value
    where trim(written.raw_value) <> ''
),

distinct_values as (
    select
        concat(raw_value, '|', country) as dictionary_key,
        raw_value,
        country,
        md5(concat(raw_value, '|', country)) as value_hash
    from read_by_country
)
{%- else -%}
distinct_values as (
    select distinct
        raw_value as dictionary_key,
        raw_value,
        md5(raw_value) as value_hash
    from written
    where trim(raw_value) <> ''
)
{%- endif %}
{%- endmacro %}
