{#-
The incremental strategy of this project: no watermark, no dirty table, the difference of two states.
The model's own select holds the rows whose `record_hash` differs from the stored one (see only_changed);
this replaces them and removes the keys that left the input, in the model's transaction. A key of the input must have a
row always: one that changed and gives none would keep its old rows, and be worked again in every run.

config:
    unique_key     one column; all rows that share it are replaced together
    input          the model (a name) or source (a pair of names) whose keys must be here, no more and no less
    input_key      how the input spells unique_key, when it does so otherwise
    input_filter   which rows of the input count, when not all do
-#}
{% macro get_incremental_state_difference_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set changed = arg_dict['temp_relation'] -%}
    {%- set key = arg_dict['unique_key'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set input = config.require('input') -%}
    {%- set input_relation = ref(input) if input is string else source(input[0], input[1]) -%}

    delete from {{ target }} as stored
    where not exists (
        select 1 from {{ input_relation }} as input
        where {{ config.get('input_key', 'input.' ~ key) }} = stored.{{ key }}
        {%- if config.get('input_filter') %} and {{ config.get('input_filter') }} {%- endif %}
    );

    delete from {{ target }} as stored
    where exists (select 1 from {{ changed }} as changed where changed.{{ key }} = stored.{{ key }});

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ changed }}
{% endmacro %}
