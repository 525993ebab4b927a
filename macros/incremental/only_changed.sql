{#-
The worklist of a state_difference model, in one visible line: rows of `rows` (a CTE) whose hash differs
from the one stored with the same key, or whose key is not stored. On a full build: every row.
`key` is the model's unique_key (named here because a unit test does not see the model's config), `hash` the
column of `rows` that identifies its content, `more` further versions (SQL expressions) it depends on.
-#}
{% macro only_changed(rows, key='record_key', hash='record_hash', more=[]) -%}
    {%- if is_incremental() %}
    where not exists (
        select 1 from {{ this }} as stored
        where stored.{{ key }} = {{ rows }}.{{ key }}
            and stored.record_hash = {{ record_hash(rows ~ '.' ~ hash, more) }}
    )
    {%- endif %}
{%- endmacro %}
