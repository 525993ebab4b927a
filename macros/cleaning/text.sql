{#- Text as people mean it: trimmed, one space between words, empty is null. -#}
{% macro clean_text(text) -%}
    nullif(trim({{ regex_replace_all(text, '[\\s\\x00-\\x1f\\x7f\\x{a0}\\x{200b}-\\x{200f}\\x{feff}]+', ' ') }}), '')
{%- endmacro %}
