{#- The scalar at a path of a JSON text (`$.address.city`), as text; null where there is none. -#}
{% macro json_text(text, path) %}{{ return(adapter.dispatch('json_text', 'customer_360')(text, path)) }}{% endmacro %}
{% macro default__json_text(text, path) -%} json_extract_string({{ text }}, '{{ path }}') {%- endmacro %}
{% macro spark__json_text(text, path) -%} get_json_object({{ text }}, '{{ path }}') {%- endmacro %}
