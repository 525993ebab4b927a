{#-
An empty table for every declared source table that nothing has landed yet, so that the models of a source
that is switched off build, and answer with no rows. The column list is the source's own declaration.
Runs before every build; creates nothing twice and never alters what a loader made.
-#}
{% macro create_raw_tables() %}
    {%- if execute and flags.WHICH in ('build', 'run', 'test') -%}
        {%- for table in graph.sources.values() | sort(attribute='unique_id') %}
            create schema if not exists {{ table.schema }};
            create table if not exists {{ table.schema }}.{{ table.identifier }} (
                {%- for column in table.columns.values() %}
                {{ adapter.quote(column.name) }} {{ column.data_type }}{{ "," if not loop.last }}
                {%- endfor %}
            );
        {%- endfor %}
    {%- endif -%}
{% endmacro %}
