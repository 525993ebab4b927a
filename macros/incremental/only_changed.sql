{#-
The worklist of a state_difference model, in one visible line: rows of `rows` (a CTE) whose hash differs
from the one stored with the same key, or whose key is not stored. On a full build: every row.
`hash` is the column of `rows` that identifies its content. `more` are further versions it depends on.
-#}
{% macro only_changed(rows, hash='record_hash', more=[]) -%}
    {%- if is_incremental() %}
    where not exists (
        select 1 from {{ this }} as stored
        where stored.{{ config.get('unique_key') }} = {{ rows }}.{{ config.get('unique_key') }}
            and stored.record_hash = {{ record_hash(rows ~ '.' ~ hash, more) }}
    )
    {%- endif %}
{%- endmacro %}
