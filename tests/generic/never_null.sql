{#- Columns that every row fills: one query for what not_null asks in one per column. -#}
{% test never_null(model, columns) %}
    select {{ columns | join(', ') }}
    from {{ model }}
    where {{ columns | join(' is null or ') }} is null
{% endtest %}
