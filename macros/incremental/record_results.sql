{#- Keep the outcome of every node of this run in mon_dbt_results; runs at the end of builds and tests, good or bad. -#}
{% macro record_results(results) %}
    {%- set kept_results = ref('mon_dbt_results') -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'test') and results
        and adapter.get_relation(database=target.database, schema='monitoring', identifier='mon_dbt_results') -%}
        insert into {{ kept_results }} (
            run_id, node_id, node_name, resource_type, status, message, failures, seconds, recorded_at
        )
        values
        {%- for result in results %}
        (
            '{{ invocation_id }}', '{{ result.node.unique_id }}', '{{ result.node.name }}',
            '{{ result.node.resource_type }}', '{{ result.status }}',
            '{{ (result.message or "") | string | replace("'", "''") }}',
            {{ result.failures if result.failures is not none else 'null' }},
            {{ result.execution_time }}, {{ as_of() }}
        ){{ "," if not loop.last }}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
