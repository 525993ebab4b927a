{#- A part of a person's name: placeholders empty, shouting and whispering put into a capital each. -#}
{% macro clean_name_part(text) -%}
    case
        when {{ clean_text(text) }} is null then null
        when lower({{ clean_text(text) }}) in ('test', 'n/a', 'na', 'none', 'null', 'unknown', '-', '.', 'xxx', 'tbd')
            then null
        when not {{ regex_matches(text, '\\p{L}') }} then null
        when {{ clean_text(text) }} in (lower({{ clean_text(text) }}), upper({{ clean_text(text) }}))
            then {{ title_case(clean_text(text)) }}
        else {{ clean_text(text) }}
    end
{%- endmacro %}

{#- The comparable form of a name: lower case, no diacritics, letters only. -#}
{% macro name_key(text) -%}
    nullif({{ regex_replace_all(unaccent('lower(' ~ text ~ ')'), '[^\\p{L}]', '') }}, '')
{%- endmacro %}
