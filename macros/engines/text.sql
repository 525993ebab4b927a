{#- What DuckDB and Spark spell differently. One macro a concept; the default is the form both parse. -#}

{% macro unaccent(text) %}{{ return(adapter.dispatch('unaccent', 'customer_360')(text)) }}{% endmacro %}
{% macro default__unaccent(text) -%} strip_accents({{ text }}) {%- endmacro %}
{% macro spark__unaccent(text) -%}
    translate(
        {{ text }},
        'áàâäãåāçćčéèêëēėęíìîïīłñńóòôöõøōśšúùûüūýÿžźż',
        'aaaaaaacccceeeeeeeiiiiilnnooooooossuuuuuyyzzz'
    )
{%- endmacro %}

{% macro regex_replace_all(text, pattern, replacement) %}
    {{ return(adapter.dispatch('regex_replace_all', 'customer_360')(text, pattern, replacement)) }}
{% endmacro %}
{% macro default__regex_replace_all(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}
{% macro spark__regex_replace_all(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}')
{%- endmacro %}

{% macro regex_matches(text, pattern) %}
    {{ return(adapter.dispatch('regex_matches', 'customer_360')(text, pattern)) }}
{% endmacro %}
{% macro default__regex_matches(text, pattern) -%} regexp_matches({{ text }}, '{{ pattern }}') {%- endmacro %}
{% macro spark__regex_matches(text, pattern) -%} regexp_like({{ text }}, '{{ pattern }}') {%- endmacro %}

{#- Words of a text with a capital each; hyphens and apostrophes start a word too. -#}
{% macro title_case(text) %}{{ return(adapter.dispatch('title_case', 'customer_360')(text)) }}{% endmacro %}
{% macro default__title_case(text) -%}
    array_to_string(
        list_transform(
            regexp_extract_all(lower({{ text }}), '[^ ''-]+[ ''-]*'),
            word -> concat(upper(substr(word, 1, 1)), substr(word, 2))
        ),
        ''
    )
{%- endmacro %}
{% macro spark__title_case(text) -%} initcap({{ text }}) {%- endmacro %}

{#- One text of a whole row, for hashing a seed without listing its columns. -#}
{% macro row_text(alias) %}{{ return(adapter.dispatch('row_text', 'customer_360')(alias)) }}{% endmacro %}
{% macro default__row_text(alias) -%} cast({{ alias }} as varchar) {%- endmacro %}
{% macro spark__row_text(alias) -%} to_json(struct({{ alias }}.*)) {%- endmacro %}

{#- All values of a group in one text, in the order of `order_by`. -#}
{% macro join_text(text, separator, order_by) %}
    {{ return(adapter.dispatch('join_text', 'customer_360')(text, separator, order_by)) }}
{% endmacro %}
{% macro default__join_text(text, separator, order_by) -%}
    string_agg({{ text }}, '{{ separator }}' order by {{ order_by }})
{%- endmacro %}
{% macro spark__join_text(text, separator, order_by) -%}
    array_join(
        transform(sort_array(collect_list(struct({{ order_by }} as o, {{ text }} as t))), x -> x.t), '{{ separator }}'
    )
{%- endmacro %}

{#-
A text that a UDF gives, as a copy. DuckDB 1.5.5 lets go of a UDF's result before `coalesce` or `case` is done with it
("Invalid unicode (byte sequence mismatch)"), so that inside of them it must be a text of its own.
-#}
{% macro own_text(text) -%} ({{ text }} || '') {%- endmacro %}
