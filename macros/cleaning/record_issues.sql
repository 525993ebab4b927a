{#-
What the row-level quality rules find in a cleaned record, one line a rule: `rule: what was found`; null when nothing
is. `found` says per rule (seeds/governance/quality_rules.csv) the expression that is null where the rule holds.
-#}
{% macro record_issues(found) -%}
    nullif(
        concat_ws(
            chr(10)
            {%- for rule, expression in found.items() %},
            '{{ rule }}: ' || replace({{ expression }}, chr(10), ' ')
            {%- endfor %}
        ),
        ''
    )
{%- endmacro %}

{#- The rules for a person, over the CTE `canonical`. -#}
{% macro person_issues() -%}
    {{ record_issues({
        'email_is_an_address': "case when canonical.email is null then canonical.email_issue end",
        'email_is_typed_right': "case when canonical.email is not null then canonical.email_issue end",
        'phone_is_valid': "coalesce(canonical.phone_issue, canonical.mobile_issue)",
        'country_is_known': "canonical.country_issue",
        'postal_code_fits_its_country': "canonical.postal_code_issue",
        'address_is_understood': "canonical.address_issue",
        'name_is_a_name': "case when canonical.name_issue <> 'placeholder' then canonical.name_issue end",
        'birth_date_is_plausible': "canonical.date_of_birth_issue",
        'times_are_times': "case when canonical.created_at is null then canonical.created_at_issue "
            ~ "when canonical.updated_at is null then canonical.updated_at_issue end",
        'values_are_typed': "canonical.typing_issue",
        'text_is_clean': "canonical.text_issue",
        'record_names_somebody': "case when coalesce(canonical.given_name, canonical.family_name, "
            ~ "canonical.company_name) is null then 'neither a name nor a company' end",
        'record_is_reachable': "case when coalesce(canonical.email, canonical.phone, canonical.mobile, "
            ~ "canonical.street) is null then 'no e-mail, phone or address' end"
    }) }}
{%- endmacro %}

{#- The rules for a company, over the CTE `canonical`. -#}
{% macro account_issues() -%}
    {{ record_issues({
        'phone_is_valid': "canonical.phone_issue",
        'country_is_known': "canonical.country_issue",
        'postal_code_fits_its_country': "canonical.postal_code_issue",
        'address_is_understood': "canonical.address_issue",
        'times_are_times': "case when canonical.created_at is null then canonical.created_at_issue "
            ~ "when canonical.updated_at is null then canonical.updated_at_issue end",
        'values_are_typed': "canonical.typing_issue",
        'text_is_clean': "canonical.text_issue",
        'record_names_somebody': "case when canonical.company_name is null then 'no company name' end"
    }) }}
{%- endmacro %}
