{#- One row per element of a list of structs made by a UDF: `select {{ each_of(list) }} as item`. -#}
{% macro each_of(list) %}{{ return(adapter.dispatch('each_of', 'customer_360')(list)) }}{% endmacro %}
{% macro default__each_of(list) -%} unnest({{ list }}) {%- endmacro %}
{% macro spark__each_of(list) -%} explode({{ list }}) {%- endmacro %}

{#- All {a, b} pairs of a group as one list of structs, the argument of the graph UDFs. -#}
{% macro list_of_pairs(a, b) %}{{ return(adapter.dispatch('list_of_pairs', 'customer_360')(a, b)) }}{% endmacro %}
{% macro default__list_of_pairs(a, b) -%} array_agg(struct_pack(a := {{ a }}, b := {{ b }})) {%- endmacro %}
{% macro spark__list_of_pairs(a, b) -%} collect_list(named_struct('a', {{ a }}, 'b', {{ b }})) {%- endmacro %}
