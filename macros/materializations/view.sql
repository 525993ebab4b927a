{#-
A view on DuckDB, replaced in one statement. dbt's own way (make it under another name, rename the old one, rename the
new one, drop the old one) suits engines that cannot replace; here it is six statements for one.
-#}
{% materialization view, adapter='duckdb' %}
    {%- set relation = this.incorporate(type='view') -%}
    {%- do make_room_for(relation) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        create or replace view {{ relation }} as (
            {{ compiled_code }}
        )
    {%- endcall %}
    {% do persist_docs(relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{#- Drop what stands under the name of `relation` and is of another kind: it cannot be replaced, only dropped. -#}
{% macro make_room_for(relation) %}
    {%- set existing = load_cached_relation(relation) -%}
    {%- if existing is not none and existing.type != relation.type -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
{% endmacro %}
