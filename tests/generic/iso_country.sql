{#- Every value is an assigned ISO 3166-1 alpha-2 code (XK tolerated). -#}
{% test iso_country(model, column_name) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} is not null
    and coalesce(parse_country({{ column_name }}), '') <> {{ column_name }}
{% endtest %}
