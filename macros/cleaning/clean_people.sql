{#-
The canonical cleaned columns of a person, from `people`: a CTE in canonical raw columns (every cleaned model
of person records has one, and states there what its source lacks). One place, so that every source is
cleaned alike: a raw value, its clean form and, where cleaning failed, why.
Reads the dictionaries, in which each distinct value was parsed once. Needs the CTEs of dictionaries(), and
ends the model's steps with a CTE called `cleaned`.
-#}
{% macro clean_people() %}
located as (
    select
        people.*,
        countries.country as country_written,
        coalesce(countries.country, people.default_country) as country_given,
        {{ country_of('countries.country', 'people.default_country') }} as country_code,
        countries.issue as country_issue,
        coalesce(people.full_name, {{ name_line('people') }}) as name_line,
        {{ clean_text('people.given_name') }} as given_name_tidy,
        {{ clean_text('people.middle_name') }} as middle_name_tidy,
        {{ clean_text('people.family_name') }} as family_name_tidy,
        {{ clean_text('people.city') }} as city_tidy,
        parse_date(people.date_of_birth, people.date_format) as birth,
        parse_datetime(people.created_at, people.date_format, people.timezone) as created,
        parse_datetime(people.updated_at, people.date_format, people.timezone) as updated
    from people
    left join countries
        on people.country = countries.raw_value
),

parsed as (
    select
        located.*,
        emails.email as email_clean,
        emails.match_key as email_match_key,
        coalesce(emails.is_role, false) as email_is_role,
        coalesce(emails.is_disposable, false) as email_is_disposable,
        emails.issue as email_issue,
        coalesce(second_emails.email, emails.second_email) as email_2_clean,
        coalesce(second_emails.match_key, lower(emails.second_email)) as email_2_match_key,
        second_emails.issue as email_2_issue,
        names.person_kind as name_kind,
        {{ clean_name_part('located.given_name_tidy') }} as own_given_name,
        {{ clean_name_part('located.middle_name_tidy') }} as own_middle_name,
        {{ clean_name_part('located.family_name_tidy') }} as own_family_name,
        -- A name in one column is split by the parser; one that its source keeps in parts is not guessed anew.
        case when located.full_name is not null then names.given_name end as parsed_given_name,
        case when located.full_name is not null then names.middle_name end as parsed_middle_name,
        case when located.full_name is not null then names.family_name end as parsed_family_name,
        case when located.full_name is not null then names.name_suffix end as parsed_name_suffix,
        names.nickname,
        names.issue as name_issue,
        coalesce(companies.company_name, names.company_name) as company_name_clean,
        coalesce(companies.company_key, names.company_key) as company_key,
        companies.issue as company_issue
    from located
    left join emails
        on located.email = emails.raw_value
    left join emails as second_emails
        on located.email_2 = second_emails.raw_value
    left join names
        on located.name_line = names.raw_value
    left join companies
        on located.company_name = companies.raw_value
),

canonical as (
    select
        ---------- keys
        parsed.record_key,
        parsed.source_system,
        parsed.source_object,
        parsed.source_id,
        parsed.account_record_key,

        ---------- strings
        {{ person_kind('parsed') }} as person_kind,
        parsed.full_name as full_name_raw,
        parsed.given_name as given_name_raw,
        {{ name_part('given_name') }} as given_name,
        parsed.middle_name as middle_name_raw,
        {{ name_part('middle_name') }} as middle_name,
        parsed.family_name as family_name_raw,
        {{ name_part('family_name') }} as family_name,
        parsed.name_suffix as name_suffix_raw,
        coalesce({{ clean_text('parsed.name_suffix') }}, parsed.parsed_name_suffix) as name_suffix,
        parsed.nickname,
        parsed.name_issue,
        parsed.email as email_raw,
        parsed.email_clean as email,
        parsed.email_match_key,
        parsed.email_issue,
        parsed.email_2 as email_2_raw,
        parsed.email_2_clean as email_2,
        parsed.email_2_match_key,
        parsed.email_2_issue,
        parsed.phone as phone_raw,
        phones.e164 as phone,
        phones.extension as phone_extension,
        phones.phone_type,
        phones.match_key as phone_match_key,
        phones.issue as phone_issue,
        parsed.mobile as mobile_raw,
        mobiles.e164 as mobile,
        mobiles.match_key as mobile_match_key,
        mobiles.issue as mobile_issue,
        coalesce(phones.second_e164, mobiles.second_e164) as phone_2,
        {{ clean_place('parsed') }},
        parsed.date_of_birth as date_of_birth_raw,
        parsed.birth.issue as date_of_birth_issue,
        parsed.national_id as national_id_raw,
        {{ clean_text('parsed.national_id') }} as national_id,
        parsed.company_name as company_name_raw,
        parsed.company_name_clean as company_name,
        parsed.company_key,
        parsed.company_issue as company_name_issue,
        {{ clean_text('parsed.job_title') }} as job_title,
        {{ clean_text('parsed.website') }} as website,
        {{ clean_text('parsed.external_ids') }} as external_ids,
        parsed.created_at as created_at_raw,
        parsed.created.issue as created_at_issue,
        parsed.updated_at as updated_at_raw,
        parsed.updated.issue as updated_at_issue,
        parsed.typing_issue,
        {{ text_issue([
            'parsed.name_line', 'parsed.email', 'parsed.phone', 'parsed.mobile', 'parsed.address', 'parsed.city',
            'parsed.region', 'parsed.postal_code', 'parsed.country', 'parsed.company_name', 'parsed.job_title',
            'parsed.website', 'parsed.national_id', 'parsed.date_of_birth'
        ], words=['parsed.name_line', 'parsed.city', 'parsed.company_name', 'parsed.job_title']) }} as text_issue,
        parsed.outdated_rule,

        ---------- booleans
        parsed.email_is_role,
        parsed.email_is_disposable,
        parsed.is_email_opted_out,
        parsed.is_phone_opted_out,
        parsed.outdated_rule is not null as is_outdated,

        ---------- dates
        cast(parsed.birth.value as date) as date_of_birth,

        ---------- timestamps
        cast(parsed.created.value as timestamp) as created_at,
        cast(parsed.updated.value as timestamp) as updated_at,
        parsed.first_landed_at,

        ---------- lineage
        parsed.load_id,
        {{ record_hash('parsed.record_hash', more=outdated_versions('parsed')) }} as record_hash
    from parsed
    left join phones
        on parsed.phone = phones.raw_value
        and coalesce(parsed.country_code, '') = phones.region
    left join phones as mobiles
        on parsed.mobile = mobiles.raw_value
        and coalesce(parsed.country_code, '') = mobiles.region
    left join addresses
        on parsed.address = addresses.raw_value
        and coalesce(parsed.country_given, '') = addresses.country
),

cleaned as (
    select
        canonical.*,
        {{ person_issues() }} as issues
    from canonical
)
{% endmacro %}

{#- The dictionaries that clean_people and clean_accounts look values up in, as CTEs. -#}
{% macro dictionaries() %}
phones as (
    select * from {{ ref('cln_phone_dictionary') }}
),

emails as (
    select * from {{ ref('cln_email_dictionary') }}
),

addresses as (
    select * from {{ ref('cln_address_dictionary') }}
),

countries as (
    select * from {{ ref('cln_country_dictionary') }}
),

names as (
    select * from {{ ref('cln_person_name_dictionary') }}
),

companies as (
    select * from {{ ref('cln_company_dictionary') }}
),
{% endmacro %}

{#- What a person record names: as its name says, else by the columns that are filled. -#}
{% macro person_kind(table) -%}
    case
        when {{ table }}.name_kind in ('person', 'company', 'couple', 'role') then {{ table }}.name_kind
        when coalesce({{ table }}.own_given_name, {{ table }}.own_family_name) is not null then 'person'
        when {{ table }}.email_is_role then 'role'
        when {{ table }}.company_name_clean is not null and {{ table }}.email_clean is null then 'company'
        else 'unknown'
    end
{%- endmacro %}

{#- A part of a person's name, from its own column or from the parsed full name; a company or a role has none. -#}
{% macro name_part(field) -%}
    case
        when parsed.name_kind in ('company', 'role') then null
        else coalesce(parsed.own_{{ field }}, parsed.parsed_{{ field }})
    end
{%- endmacro %}

{#- The columns of a place: each written beside its clean form, what an address names where its own column is empty. -#}
{% macro clean_place(table) -%}
    {%- set own_code = own_text("clean_postal_code(" ~ table ~ ".postal_code, " ~ table ~ ".country_code)") -%}
    {%- set own_region = own_text("clean_region(" ~ table ~ ".region, " ~ table ~ ".country_code)") -%}
    {%- set postal_code = "coalesce(" ~ own_code ~ ", addresses.postal_code)" -%}
    {%- set city = "coalesce(" ~ clean_name_part(table ~ ".city_tidy") ~ ", addresses.city)" -%}
    {{ table }}.address as address_raw,
        addresses.house_number,
        addresses.street,
        addresses.unit,
        {{ table }}.city as city_raw,
        {{ city }} as city,
        {{ table }}.region as region_raw,
        coalesce({{ own_region }}, addresses.region) as region,
        {{ table }}.postal_code as postal_code_raw,
        {{ postal_code }} as postal_code,
        case
            when trim({{ table }}.postal_code) <> ''
                and {{ own_code }} is null
                then 'not a postal code of its country'
        end as postal_code_issue,
        addresses.postal_code_suffix,
        {{ table }}.country as country_raw,
        -- What the address says comes before the default of the file or the project, not before the record's own.
        case
            when {{ table }}.country_issue is null
                then coalesce({{ table }}.country_written, addresses.country_named, {{ table }}.country_code)
        end as country,
        {{ table }}.country_issue,
        case
            when addresses.address_key is not null then concat_ws(
                '|', addresses.address_key, coalesce({{ postal_code }}, {{ name_key(city) }}, '')
            )
        end as address_key,
        addresses.issue as address_issue
{%- endmacro %}
