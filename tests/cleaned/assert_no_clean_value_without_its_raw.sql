-- Cleaning invents nothing: a clean value has the written one beside it that it was made of. A part of an address may
-- come from its own column or from the whole address, a second value from the cell of the first.
with

people as (
    {%- for object in people_objects() %}
    select
        record_key, concat_ws(' ', full_name_raw, given_name_raw, middle_name_raw, family_name_raw) as name_raw,
        given_name, middle_name, family_name, nickname, email_raw, email, email_2_raw, email_2, phone_raw, phone,
        mobile_raw, mobile, phone_2, date_of_birth_raw, date_of_birth, national_id_raw, national_id,
        company_name_raw, company_name, address_raw, house_number, street, unit, city_raw, city, region_raw, region,
        postal_code_raw, postal_code
    from {{ ref('cln_' ~ object) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

invented as (
    {%- for field, raw in {
        'given_name': 'name_raw', 'middle_name': 'name_raw', 'family_name': 'name_raw', 'nickname': 'name_raw',
        'email': 'email_raw', 'email_2': 'coalesce(email_2_raw, email_raw)', 'phone': 'phone_raw',
        'mobile': 'mobile_raw', 'phone_2': 'coalesce(phone_raw, mobile_raw)', 'date_of_birth': 'date_of_birth_raw',
        'national_id': 'national_id_raw', 'company_name': 'coalesce(company_name_raw, name_raw)',
        'house_number': 'address_raw', 'street': 'address_raw', 'unit': 'address_raw',
        'city': 'coalesce(city_raw, address_raw)', 'region': 'coalesce(region_raw, address_raw)',
        'postal_code': 'coalesce(postal_code_raw, address_raw)'
    }.items() %}
    select record_key, '{{ field }}' as field, cast({{ field }} as varchar) as clean_value
    from people
    where {{ field }} is not null and nullif(trim({{ raw }}), '') is null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from invented
