{#-
A part of a person's name, or a place: placeholders empty, shouting and whispering put into a capital each. `tidy` is a
column that clean_text() made.
-#}
{% macro clean_name_part(tidy) -%}
    case
        when lower({{ tidy }}) in ('test', 'n/a', 'na', 'none', 'null', 'unknown', '-', '.', 'xxx', 'tbd') then null
        when not {{ regex_matches(tidy, '\\p{L}') }} then null
        when {{ tidy }} in (lower({{ tidy }}), upper({{ tidy }})) then {{ title_case(tidy) }}
        else {{ tidy }}
    end
{%- endmacro %}

{#- The comparable form of a name: lower case, no diacritics, letters only. -#}
{% macro name_key(text) -%}
    nullif({{ regex_replace_all(unaccent('lower(' ~ text ~ ')'), '[^\\p{L}]', '') }}, '')
{%- endmacro %}
