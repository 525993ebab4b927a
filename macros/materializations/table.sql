{#- A table on DuckDB, replaced in one statement; see view.sql. -#}
{% materialization table, adapter='duckdb' %}
    {%- set relation = this.incorporate(type='table') -%}
    {%- do make_room_for(relation) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {{ replace_table_as(relation, compiled_code) }}
    {%- endcall %}
    {% do persist_docs(relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{#- A whole table in the place of the one that may be there; readers see one or the other. -#}
{% macro replace_table_as(relation, select) -%}
    create or replace table {{ relation }} as (
        {{ select }}
    )
{%- endmacro %}
