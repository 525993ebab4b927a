{#-
The canonical cleaned columns of a company, from `accounts`: a CTE in canonical raw columns, as clean_people has
`people`. Needs the CTEs of dictionaries(), and ends the model's steps with a CTE called `cleaned`.
-#}
{% macro clean_accounts() %}
located as (
    select
        accounts.*,
        countries.country as country_written,
        countries.country as country_given,
        {{ country_of('countries.country', "cast(null as varchar)") }} as country_code,
        countries.issue as country_issue,
        {{ clean_text('accounts.city') }} as city_tidy,
        parse_datetime(accounts.created_at, 'iso', accounts.timezone) as created,
        parse_datetime(accounts.updated_at, 'iso', accounts.timezone) as updated
    from accounts
    left join countries
        on accounts.country = countries.raw_value
),

canonical as (
    select
        ---------- keys
        located.record_key,
        located.source_system,
        located.source_object,
        located.source_id,

        ---------- strings
        located.company_name as company_name_raw,
        companies.company_name,
        companies.company_key,
        companies.legal_form,
        companies.issue as company_name_issue,
        located.website as website_raw,
        {{ clean_text('located.website') }} as website,
        located.domain as domain_raw,
        {{ domain_of('coalesce(located.domain, located.website)') }} as domain,
        located.phone as phone_raw,
        phones.e164 as phone,
        phones.extension as phone_extension,
        phones.phone_type,
        phones.match_key as phone_match_key,
        phones.issue as phone_issue,
        {{ clean_place('located') }},
        {{ clean_text('located.industry') }} as industry,
        {{ clean_text('located.account_number') }} as account_number,
        located.created_at as created_at_raw,
        located.created.issue as created_at_issue,
        located.updated_at as updated_at_raw,
        located.updated.issue as updated_at_issue,
        located.typing_issue,
        {{ text_issue([
            'located.company_name', 'located.website', 'located.phone', 'located.address', 'located.city',
            'located.region', 'located.postal_code', 'located.country', 'located.industry'
        ], words=['located.company_name', 'located.city', 'located.industry']) }} as text_issue,
        located.outdated_rule,

        ---------- numbers
        located.employee_count,

        ---------- booleans
        located.outdated_rule is not null as is_outdated,

        ---------- timestamps
        cast(located.created.value as timestamp) as created_at,
        cast(located.updated.value as timestamp) as updated_at,
        located.first_landed_at,

        ---------- lineage
        located.load_id,
        {{ record_hash('located.record_hash', more=outdated_versions('located')) }} as record_hash
    from located
    left join companies
        on located.company_name = companies.raw_value
    left join phones
        on located.phone = phones.raw_value
        and coalesce(located.country_code, '') = phones.region
    left join addresses
        on located.address = addresses.raw_value
        and coalesce(located.country_given, '') = addresses.country
),

cleaned as (
    select
        canonical.*,
        {{ account_issues() }} as issues
    from canonical
)
{% endmacro %}

{#- The host of a web address without scheme, `www.`, port and path, in lower case. -#}
{% macro domain_of(website) -%}
    nullif(
        {{ regex_replace_all(
            regex_replace_all('lower(' ~ clean_text(website) ~ ')', '^([a-z]+://)?(www\\.)?', ''),
            '([/?#:].*)?$', ''
        ) }}, ''
    )
{%- endmacro %}
