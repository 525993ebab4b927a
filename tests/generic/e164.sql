{#- Every value is a phone number in E.164: a plus, then 7 to 15 digits, the first not zero. -#}
{% test e164(model, column_name) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} is not null
    and not {{ regex_matches(column_name, '^\\+[1-9][0-9]{6,14}$') }}
{% endtest %}
