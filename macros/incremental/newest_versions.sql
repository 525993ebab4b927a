{#-
The newest version of each record of a landed table, whatever the order in which versions arrived.
Only rows of completed loads count. `key` names the columns that identify a record in the table;
`order_by` is overridden where a source gives no time of change and landing order is the time.
-#}
{% macro newest_versions(
    source_name, table_name, key='source_id',
    order_by='source_updated_at desc nulls last, _dlt_load_id desc, content_hash desc'
) -%}
    select ranked.*
    from (
        select
            versions.*,
            {{ timestamp_from_epoch('min(cast(versions._dlt_load_id as double)) over (partition by ' ~ key ~ ')') }}
                as first_landed_at,
            row_number() over (partition by {{ key }} order by {{ order_by }}) as recency
        from (
            {{ rows_of_completed_loads(source_name, table_name) }}
        ) as versions
    ) as ranked
    where ranked.recency = 1
{%- endmacro %}
