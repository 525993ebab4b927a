{#-
The hash of everything that determines a row: its input's hash, the code that turns one into the other,
and the versions of the decisions it reads (`more`, SQL expressions). Equal hashes mean equal rows.
-#}
{% macro record_hash(input_hash, more=[]) -%}
    md5(concat({{ input_hash }}, '/', {{ code_version() }}{% for version in more %}, '/', {{ version }}{% endfor %}))
{%- endmacro %}
