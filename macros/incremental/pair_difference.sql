{#-
state_difference for a table of pairs: a pair goes when either end changed or left, and the changed ends'
pairs are inserted anew. Config: `left_key`, `right_key` (columns of the pair), `input` (model with
`record_key`, the ends that exist), `changed_by` (column of the pair that is true for rows of changed ends).
Every record has a row with itself, which keeps the hash it was compared under even when it has no pair.
-#}
{% macro get_incremental_pair_difference_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set changed = arg_dict['temp_relation'] -%}
    {%- set left_key = config.require('left_key') -%}
    {%- set right_key = config.require('right_key') -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set input_relation = ref(config.require('input')) -%}

    delete from {{ target }} as stored
    where not exists (
        select 1 from {{ input_relation }} as input where input.record_key = stored.{{ left_key }}
    )
    or not exists (
        select 1 from {{ input_relation }} as input where input.record_key = stored.{{ right_key }}
    );

    delete from {{ target }} as stored
    where exists (
        select 1 from {{ changed }} as changed
        where changed.{{ left_key }} = changed.{{ right_key }}
            and changed.{{ left_key }} in (stored.{{ left_key }}, stored.{{ right_key }})
    );

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ changed }}
{% endmacro %}
