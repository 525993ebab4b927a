{#- Whether two comparable names are one name: equal, or one letter apart in names of four letters or more. -#}
{% macro names_nearly_equal(a, b) -%}
    ({{ a }} = {{ b }} or (length({{ a }}) >= 4 and length({{ b }}) >= 4 and levenshtein({{ a }}, {{ b }}) <= 1))
{%- endmacro %}

{#- Whether one of two comparable names is the initial of the other. -#}
{% macro is_initial_of(a, b) -%}
    (
        (length({{ a }}) = 1 and starts_with({{ b }}, {{ a }}))
        or (length({{ b }}) = 1 and starts_with({{ a }}, {{ b }}))
    )
{%- endmacro %}
