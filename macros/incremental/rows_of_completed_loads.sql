{#- The rows of a landed table whose load is complete; what a killed load left does not count. -#}
{% macro rows_of_completed_loads(source_name, table_name) -%}
    select landed.*
    from {{ source(source_name, table_name) }} as landed
    inner join {{ source(source_name, '_dlt_loads') }} as loads
        on landed._dlt_load_id = loads.load_id and loads.status = 0
{%- endmacro %}
