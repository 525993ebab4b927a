{#-
The id number `ordinal` that a record mints: a keyed hash (udfs/customer_id.py), so that a retired id never
returns.
-#}
{% macro mint_customer_id(record_key, ordinal) -%}
    mint_customer_id({{ record_key }}, {{ ordinal }})
{%- endmacro %}
