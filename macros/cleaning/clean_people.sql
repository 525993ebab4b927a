{#-
The canonical cleaned columns of a person, from `people`: a CTE in canonical raw columns (every cleaned model
of person records has one, and states there what its source lacks). One place, so that every source is
cleaned alike: a raw value, its clean form and, where cleaning failed, why.
Reads the dictionaries, in which each distinct value was parsed once. Needs CTEs phones, addresses, names,
role_mailboxes and disposable_domains, and ends the model's steps with a CTE called `cleaned`.
-#}
{% macro clean_people(people='people') %}
unwrapped as (
    select
        {{ people }}.*,
        {{ unwrap_email(people ~ '.email') }} as email_unwrapped,
        {{ country_of(people ~ '.country', people ~ '.default_country') }} as country_code,
        {{ people }}.country is not null and parse_country({{ people }}.country) is null as country_not_understood,
        parse_date({{ people }}.date_of_birth, {{ people }}.date_format) as birth,
        parse_datetime({{ people }}.created_at, {{ people }}.date_format, {{ people }}.timezone) as created,
        parse_datetime({{ people }}.updated_at, {{ people }}.date_format, {{ people }}.timezone) as updated
    from {{ people }}
),

with_email as (
    select
        unwrapped.*,
        {{ clean_email('unwrapped.email_unwrapped') }} as email_clean
    from unwrapped
),

cleaned as (
    select
        ---------- keys
        with_email.record_key,
        with_email.source_system,
        with_email.source_object,
        with_email.source_id,

        ---------- strings
        case
            when names.person_kind is not null and names.person_kind <> 'unknown' then names.person_kind
            when {{ clean_name_part('with_email.given_name') }} is not null
                or {{ clean_name_part('with_email.family_name') }} is not null then 'person'
            when role_mailboxes.local_part is not null then 'role'
            when {{ clean_text('with_email.company_name') }} is not null and with_email.email_clean is null
                then 'company'
            else 'unknown'
        end as person_kind,
        with_email.full_name as full_name_raw,
        with_email.given_name as given_name_raw,
        coalesce({{ clean_name_part('with_email.given_name') }}, {{ clean_name_part('names.given_name') }})
            as given_name,
        coalesce({{ clean_name_part('with_email.middle_name') }}, {{ clean_name_part('names.middle_name') }})
            as middle_name,
        with_email.family_name as family_name_raw,
        coalesce({{ clean_name_part('with_email.family_name') }}, {{ clean_name_part('names.family_name') }})
            as family_name,
        coalesce({{ clean_text('with_email.name_suffix') }}, names.name_suffix) as name_suffix,
        with_email.email as email_raw,
        with_email.email_clean as email,
        {{ email_match_key('with_email.email_clean') }} as email_match_key,
        case
            when {{ clean_text('with_email.email') }} is not null and with_email.email_clean is null
                then 'not an e-mail address'
        end as email_issue,
        with_email.email_2 as email_2_raw,
        {{ clean_email(unwrap_email('with_email.email_2')) }} as email_2,
        with_email.phone as phone_raw,
        phones.e164 as phone,
        phones.extension as phone_extension,
        phones.phone_type,
        phones.match_key as phone_match_key,
        phones.issue as phone_issue,
        with_email.mobile as mobile_raw,
        mobiles.e164 as mobile,
        mobiles.match_key as mobile_match_key,
        mobiles.issue as mobile_issue,
        with_email.address as address_raw,
        addresses.house_number,
        coalesce(addresses.street, {{ clean_text('with_email.street') }}) as street,
        addresses.unit,
        with_email.city as city_raw,
        {{ clean_name_part('with_email.city') }} as city,
        {{ clean_text('with_email.region') }} as region,
        with_email.postal_code as postal_code_raw,
        {{ clean_postal_code('with_email.postal_code', 'with_email.country_code') }} as postal_code,
        with_email.country as country_raw,
        case when not with_email.country_not_understood then with_email.country_code end as country,
        case when with_email.country_not_understood then 'not a country' end as country_issue,
        case
            when addresses.address_key is not null then concat_ws(
                '|',
                addresses.address_key,
                coalesce(
                    {{ clean_postal_code('with_email.postal_code', 'with_email.country_code') }},
                    {{ name_key('with_email.city') }}, ''
                )
            )
        end as address_key,
        addresses.issue as address_issue,
        with_email.date_of_birth as date_of_birth_raw,
        with_email.birth.issue as date_of_birth_issue,
        {{ clean_text('with_email.national_id') }} as national_id,
        with_email.company_name as company_name_raw,
        coalesce(
            {{ clean_text('with_email.company_name') }},
            case when names.person_kind = 'company' then {{ clean_text('with_email.full_name') }} end
        ) as company_name,
        {{ company_key(
            "coalesce(" ~ clean_text('with_email.company_name')
            ~ ", case when names.person_kind = 'company' then " ~ clean_text('with_email.full_name') ~ " end)"
        ) }} as company_key,
        {{ clean_text('with_email.job_title') }} as job_title,
        {{ clean_text('with_email.website') }} as website,
        {{ clean_text('with_email.external_ids') }} as external_ids,
        with_email.created_at as created_at_raw,
        with_email.created.issue as created_at_issue,
        with_email.updated_at as updated_at_raw,
        with_email.updated.issue as updated_at_issue,

        ---------- booleans
        coalesce(role_mailboxes.local_part is not null, false) as email_is_role,
        coalesce(disposable_domains.domain is not null, false) as email_is_disposable,
        with_email.is_email_opted_out,

        ---------- dates
        cast(with_email.birth.value as date) as date_of_birth,

        ---------- timestamps
        cast(with_email.created.value as timestamp) as created_at,
        cast(with_email.updated.value as timestamp) as updated_at,
        with_email.first_landed_at,

        ---------- lineage
        with_email.load_id,
        {{ record_hash('with_email.record_hash', more=['(select rules.version from rules)']) }} as record_hash
    from with_email
    left join phones
        on with_email.phone = phones.raw_value
        and coalesce(with_email.country_code, '') = phones.region
    left join phones as mobiles
        on with_email.mobile = mobiles.raw_value
        and coalesce(with_email.country_code, '') = mobiles.region
    left join addresses
        on with_email.address = addresses.raw_value
        and coalesce(with_email.country_code, '') = addresses.country
    left join names
        on with_email.full_name = names.raw_value
    left join role_mailboxes
        on split_part(lower(with_email.email_clean), '@', 1) = role_mailboxes.local_part
    left join disposable_domains
        on split_part(with_email.email_clean, '@', 2) = disposable_domains.domain
)
{% endmacro %}
