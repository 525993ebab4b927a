{#-
Which written values of a row could not be typed, in words and with the value: what a typed column cannot hold
is not lost. `kinds` says what each field of `table` should be: number, whole_number, date, time or flag.
-#}
{% macro typing_issue(table, kinds) -%}
    {%- set words = {
        'number': 'a number', 'whole_number': 'a whole number', 'date': 'a date', 'time': 'a time',
        'flag': 'true or false'
    } -%}
    nullif(
        concat_ws(
            '; '
            {%- for field, kind in kinds.items() %}
            {%- set written = table ~ '.' ~ field -%}
            ,
            case
                when trim({{ written }}) <> '' and {{ as_kind(written, kind) }} is null
                    then concat('{{ field }} is not {{ words[kind] }}: ', substr({{ written }}, 1, 200))
            end
            {%- endfor %}
        ),
        ''
    )
{%- endmacro %}

{#- A text as the kind of value that typing_issue names; null when it is none. -#}
{% macro as_kind(written, kind) -%}
    {%- if kind == 'number' -%} try_cast({{ written }} as decimal(18, 2))
    {%- elif kind == 'whole_number' -%} try_cast({{ written }} as bigint)
    {%- elif kind == 'date' -%} try_cast({{ written }} as date)
    {%- elif kind == 'time' -%} {{ iso_to_utc(written) }}
    {%- elif kind == 'flag' -%} try_cast({{ written }} as boolean)
    {%- else -%} {{ exceptions.raise_compiler_error('typing_issue: ' ~ kind ~ ' is not a kind of value') }}
    {%- endif -%}
{%- endmacro %}
