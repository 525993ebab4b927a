{#- The column identifies a row: never null, never twice. One query for what not_null and unique ask in two. -#}
{% test primary_key(model, column_name) %}
    select {{ column_name }}, count(*) as copies
    from {{ model }}
    group by {{ column_name }}
    having count(*) > 1 or {{ column_name }} is null
{% endtest %}
