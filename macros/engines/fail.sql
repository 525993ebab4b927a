{#- Ends the query with a message of ours: for what must stop a build and be named. -#}
{% macro fail_with(message) %}{{ return(adapter.dispatch('fail_with', 'customer_360')(message)) }}{% endmacro %}
{% macro default__fail_with(message) -%} error({{ message }}) {%- endmacro %}
{% macro spark__fail_with(message) -%} raise_error({{ message }}) {%- endmacro %}
