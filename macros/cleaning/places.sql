{#- The country that decides how a record's phone and address are read: its own, the file's, the project's. -#}
{% macro country_of(country, default_country) -%}
    coalesce(parse_country({{ country }}), {{ default_country }}
    {%- if var('default_country', none) %}, '{{ var("default_country") }}'{% endif %})
{%- endmacro %}

{#- A postal code as its country prints it: prefixes (D-, CH-) cut, five digits for the United States. -#}
{% macro clean_postal_code(text, country) -%}
    case
        when {{ country }} = 'US'
            then nullif(substr({{ regex_replace_all(text, '[^0-9]', '') }}, 1, 5), '')
        else upper({{ regex_replace_all(clean_text(text), '^(D|CH|A|F|B|L|NL|SE|FI|DK)-\\s?', '') }})
    end
{%- endmacro %}
