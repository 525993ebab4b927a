{#-
An incremental model on DuckDB: the rows that changed in a temporary table, then the model's strategy, all in one
transaction. A column that the model gained is added to the table; its rows come with the change of the model's code
(record_hash). Columns are looked up once per table and not five times, as dbt-duckdb's own does; see view.sql.
-#}
{% materialization incremental, adapter='duckdb' %}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set is_whole = existing is none or existing.type != 'table' or should_full_refresh() -%}
    {%- do make_room_for(relation) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if is_whole %}
        {% call statement('main') -%}
            {{ replace_table_as(relation, compiled_code) }}
        {%- endcall %}
    {%- else %}
        {%- set changed = make_temp_relation(relation) -%}
        {% call statement('changed') -%}
            create temporary table {{ changed }} as (
                {{ compiled_code }}
            )
        {%- endcall %}
        {%- set changed_columns = columns_to_write(changed, relation) -%}
        {%- set strategy = adapter.get_incremental_strategy_macro(context, config.require('incremental_strategy')) -%}
        {% call statement('main') -%}
            {{ strategy({
                'target_relation': relation, 'temp_relation': changed, 'dest_columns': changed_columns,
                'unique_key': config.get('unique_key'),
            }) }}
        {%- endcall %}
    {%- endif %}
    {% do persist_docs(relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{#- The columns of `changed`, each with a `name`, all of them columns of the table `relation` from now on. -#}
{% macro columns_to_write(changed, relation) %}
    {%- set columns = run_query("describe " ~ changed) -%}
    {%- set known = run_query("describe " ~ relation).columns['column_name'].values() | list -%}
    {%- set written = [] -%}
    {%- for column in columns -%}
        {%- do written.append({'name': column['column_name']}) -%}
        {%- if column['column_name'] not in known -%}
            {%- call statement('add_column') -%}
                alter table {{ relation }} add column "{{ column['column_name'] }}" {{ column['column_type'] }}
            {%- endcall -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(written) }}
{% endmacro %}
