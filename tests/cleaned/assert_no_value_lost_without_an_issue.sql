-- A written e-mail, phone, country or birth date has a clean form or the reason why it has none.
with

people as (
    {%- for model in ['cln_hubspot__contacts', 'cln_erp__customers', 'cln_spreadsheets__people'] %}
    select
        record_key, email_raw, email, email_issue, phone_raw, phone, phone_issue, mobile_raw, mobile, mobile_issue,
        country_raw, country, country_issue, date_of_birth_raw, date_of_birth, date_of_birth_issue,
        created_at_raw, created_at, created_at_issue
    from {{ ref(model) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

lost as (
    {%- for field in ['email', 'phone', 'mobile', 'country', 'date_of_birth', 'created_at'] %}
    select record_key, '{{ field }}' as field, {{ field }}_raw as raw_value
    from people
    where nullif(trim({{ field }}_raw), '') is not null and {{ field }} is null and {{ field }}_issue is null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from lost
