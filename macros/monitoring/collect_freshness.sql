{#-
`dbt source freshness` by the project's clock and the project's own books, so that it and mon_source_freshness agree:
the sandbox's clock is pinned, and the ids of loads tell the machine's time, which is another.
-#}

{#-
When the source object that landed as table `raw` was last landed well, by raw_ingest.runs; used as `loaded_at_query`.
An object whose landing was never tried is switched off, and passes with age 0; one that was only tried in vain
gives null, which dbt takes as infinitely old. All spreadsheets share one table: the one landed last counts.
-#}
{% macro last_good_landing(raw) -%}
    {%- set system = raw.schema | replace('raw_', '', 1) -%}
    select case when count(*) > 0 then max(case when outcome = 'ok' then ended_at end) else {{ as_of() }} end
    from raw_ingest.runs
    where source_object = '{{ raw.identifier }}'
    {%- if system != 'spreadsheets' %} and source_system = '{{ system }}' {%- endif %}
        and _dlt_load_id in (select load_id from raw_ingest._dlt_loads where status = 0)
{%- endmacro %}

{#- The landing of anything at all, for the table of runs itself. -#}
{% macro last_good_run() -%}
    select case when count(*) > 0 then max(case when outcome = 'ok' then ended_at end) else {{ as_of() }} end
    from raw_ingest.runs
    where _dlt_load_id in (select load_id from raw_ingest._dlt_loads where status = 0)
{%- endmacro %}

{#- In place of dbt's own, which compares with the machine's time. -#}
{% macro default__collect_freshness_custom_sql(source, loaded_at_query) %}
    {% call statement('collect_freshness_custom_sql', fetch_result=True, auto_begin=False) -%}
        select ({{ loaded_at_query }}) as max_loaded_at, {{ as_of() }} as snapshotted_at
    {%- endcall %}
    {{ return(load_result('collect_freshness_custom_sql')) }}
{% endmacro %}
