{#-
An empty table for every declared source table that nothing has landed yet, so that the models of a source
that is switched off build, and answer with no rows. The column list is the source's own declaration.
Runs before every build and freshness check; creates nothing twice. A table that an earlier version of the project
made gets the columns it lacks, empty; nothing else of what a loader made is altered.
-#}
{% macro create_raw_tables() %}
    {%- if execute and flags.WHICH in ('build', 'run', 'test', 'freshness') -%}
        {%- for table in graph.sources.values() | sort(attribute='unique_id') %}
            create schema if not exists {{ table.schema }};
            create table if not exists {{ table.schema }}.{{ table.identifier }} (
                {%- for column in table.columns.values() %}
                {{ adapter.quote(column.name) }} {{ column.data_type }}{{ "," if not loop.last }}
                {%- endfor %}
            );
            {%- for column in table.columns.values() %}
            alter table {{ table.schema }}.{{ table.identifier }}
                add column if not exists {{ adapter.quote(column.name) }} {{ column.data_type }};
            {%- endfor %}
        {%- endfor %}
    {%- endif -%}
{% endmacro %}
