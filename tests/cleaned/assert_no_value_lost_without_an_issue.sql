-- A written value has a clean form or the reason why it has none.
with

people as (
    {%- for object in people_objects() %}
    select
        record_key, email_raw, email, email_issue, email_2_raw, email_2, email_2_issue, phone_raw, phone, phone_issue,
        mobile_raw, mobile, mobile_issue, country_raw, country, country_issue, date_of_birth_raw, date_of_birth,
        date_of_birth_issue, created_at_raw, created_at, created_at_issue, updated_at_raw, updated_at,
        updated_at_issue, address_raw, street, address_issue
    from {{ ref('cln_' ~ object) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

lost as (
    {%- for field in [
        'email', 'email_2', 'phone', 'mobile', 'country', 'date_of_birth', 'created_at', 'updated_at', 'street'
    ] %}
    {%- set written = 'address' if field == 'street' else field %}
    select record_key, '{{ field }}' as field, {{ written }}_raw as raw_value
    from people
    where nullif(trim({{ written }}_raw), '') is not null and {{ field }} is null and {{ written }}_issue is null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from lost
