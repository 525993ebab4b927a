-- One row per cleaned record and quality rule that it breaks: rules that look at one record (cln_record_issues), and
-- those that need others to compare with. Nothing is removed for it: the record stays, and here is why it is flagged.
{{ config(materialized='view') }}

with

rules as (
    select * from {{ ref('quality_rules') }}
),

calling_codes as (
    select * from {{ ref('calling_codes') }}
),

record_merges as (
    select * from {{ ref('stg_ingest__record_merges') }}
),

people as (
    {%- for object in people_objects() %}
    select
        'cln_{{ object }}' as model, record_key, source_system, source_object, email_match_key, email_is_role, phone,
        country, postal_code, city, first_landed_at
    from {{ ref('cln_' ~ object) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

facts as (
    {%- set facts = facts_of_customers() %}
    {%- for object in facts %}
    select
        'cln_{{ object }}' as model, record_key, source_system, source_object, customer_record_key, first_landed_at
    from {{ ref('cln_' ~ object) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

shared_mailboxes as (
    select source_system, source_object, email_match_key
    from people
    where email_match_key is not null and not email_is_role
    group by source_system, source_object, email_match_key
    having count(*) > 1
),

cities as (
    select
        country,
        postal_code,
        {{ name_key('city') }} as city_key,
        count(*) as records,
        sum(count(*)) over (partition by country, postal_code) as all_records
    from people
    where country is not null and postal_code is not null and city is not null
    group by country, postal_code, {{ name_key('city') }}
),

usual_cities as (
    select * from cities where all_records >= 10 and records >= 0.9 * all_records
),

compared as (
    select
        people.model, people.record_key, people.source_system, people.source_object, people.first_landed_at,
        'email_is_its_own' as rule, people.email_match_key as finding
    from people
    inner join shared_mailboxes
        on people.source_system = shared_mailboxes.source_system
        and people.source_object = shared_mailboxes.source_object
        and people.email_match_key = shared_mailboxes.email_match_key
    where not people.email_is_role
    union all
    select
        facts.model, facts.record_key, facts.source_system, facts.source_object, facts.first_landed_at,
        'customer_is_known', facts.customer_record_key
    from facts
    left join people
        on facts.customer_record_key = people.record_key
    left join record_merges
        on facts.customer_record_key = record_merges.loser_key
    where facts.customer_record_key is not null and people.record_key is null and record_merges.loser_key is null
    union all
    select
        people.model, people.record_key, people.source_system, people.source_object, people.first_landed_at,
        'phone_country_fits_address', concat(people.phone, ' in ', people.country)
    from people
    inner join calling_codes
        on people.country = calling_codes.country
    where not starts_with(people.phone, concat('+', calling_codes.calling_code))
    union all
    select
        people.model, people.record_key, people.source_system, people.source_object, people.first_landed_at,
        'city_fits_postal_code', concat(people.postal_code, ' ', people.city, ', usually ', usual_cities.city_key)
    from people
    inner join usual_cities
        on people.country = usual_cities.country
        and people.postal_code = usual_cities.postal_code
        and {{ name_key('people.city') }} <> usual_cities.city_key
),

issues as (
    select model, record_key, source_system, source_object, rule, dimension, severity, finding, first_landed_at
    from {{ ref('cln_record_issues') }}
    union all
    select
        compared.model, compared.record_key, compared.source_system, compared.source_object, compared.rule,
        rules.dimension, rules.severity, compared.finding, compared.first_landed_at
    from compared
    inner join rules
        on compared.rule = rules.rule
)

select * from issues
