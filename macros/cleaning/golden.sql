{#- The golden fields of a person as one list of texts, so that a hash tells when any of them changed. -#}
{% macro golden_hash_fields() -%}
    {%- for field in [
        'person_kind', 'given_name', 'middle_name', 'family_name', 'name_suffix', 'email',
        'phone', 'mobile', 'house_number', 'street', 'unit', 'city',
        'region', 'postal_code', 'country', 'date_of_birth', 'national_id', 'company_name',
        'job_title', 'website', 'is_email_opted_out'
    ] -%}
    coalesce(cast(joined.{{ field }} as varchar), ''){{ ', ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- How complete a golden record is, 0 to 100: a name, a way to reach the person, a place, a birth date. -#}
{% macro quality_score() -%}
    cast(
        20 * (case when golden.given_name is not null then 1 else 0 end)
        + 20 * (case when golden.family_name is not null then 1 else 0 end)
        + 25 * (case when golden.email is not null then 1 else 0 end)
        + 15 * (case when golden.phone is not null or golden.mobile is not null then 1 else 0 end)
        + 15 * (case when golden.street is not null and golden.city is not null then 1 else 0 end)
        + 5 * (case when golden.date_of_birth is not null then 1 else 0 end)
        as integer
    )
{%- endmacro %}
