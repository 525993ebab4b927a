-- Cleaning invents nothing: a clean e-mail, phone, street or birth date has a written value beside it.
with

people as (
    {%- for model in ['cln_hubspot__contacts', 'cln_erp__customers', 'cln_spreadsheets__people'] %}
    select
        record_key, email_raw, email, phone_raw, phone, mobile_raw, mobile, address_raw, street,
        date_of_birth_raw, date_of_birth
    from {{ ref(model) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from people
where (email is not null and email_raw is null)
    or (phone is not null and phone_raw is null)
    or (mobile is not null and mobile_raw is null)
    or (street is not null and address_raw is null)
    or (date_of_birth is not null and date_of_birth_raw is null)
