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

{#-
How a name compares where one of the pair has none of its own: equal by what an e-mail address tells, or missing.
An initial that it tells is enough for a given name: j.doe@ is Jane's.
-#}
{% macro told_by_email(name_key) -%}
    {%- set left_name = "coalesce(left_input." ~ name_key ~ ", left_input.mail_" ~ name_key ~ ")" -%}
    {%- set right_name = "coalesce(right_input." ~ name_key ~ ", right_input.mail_" ~ name_key ~ ")" -%}
    case
        when {{ left_name }} = {{ right_name }} or {{ is_initial_of(left_name, right_name) }} then 'told by the e-mail'
        else 'missing'
    end
{%- endmacro %}
