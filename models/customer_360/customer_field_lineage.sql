-- One row per customer, field and source record that offers a value: its rank, the rule that ranked it, and when it was
-- said. Rank 1 is the golden cell. Fields of one group (a name, an address) are ranked together, by source record, so
-- that a street never meets the city of another record.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='customer_id',
    input='idr_customers',
) }}

with

rules as (
    select * from {{ ref('survivorship_rules') }}
),

rules_version as (
    select md5({{ join_text(row_text('rules'), '|', 'mapping_system, source_object, field') }}) as version from rules
),

all_customers as (
    select * from {{ ref('idr_customers') }}
),

customers as (
    select all_customers.* from all_customers
    {{ only_changed('all_customers', key='customer_id', more=['(select rules_version.version from rules_version)']) }}
),

members as (
    select customers.customer_id, records.*
    from customers
    inner join {{ ref('idr_crosswalk') }} as crosswalk
        on customers.customer_id = crosswalk.customer_id
    inner join {{ ref('idr_records') }} as records
        on crosswalk.record_key = records.record_key
),

offered as (
    select customer_id, record_key, 'person_kind' as field, cast(person_kind as varchar) as value from members
    union all
    select customer_id, record_key, 'given_name' as field, cast(given_name as varchar) as value from members
    union all
    select customer_id, record_key, 'middle_name' as field, cast(middle_name as varchar) as value from members
    union all
    select customer_id, record_key, 'family_name' as field, cast(family_name as varchar) as value from members
    union all
    select customer_id, record_key, 'name_suffix' as field, cast(name_suffix as varchar) as value from members
    union all
    select customer_id, record_key, 'email' as field, cast(email as varchar) as value from members
    union all
    select customer_id, record_key, 'phone' as field, cast(phone as varchar) as value from members
    union all
    select customer_id, record_key, 'mobile' as field, cast(mobile as varchar) as value from members
    union all
    select customer_id, record_key, 'house_number' as field, cast(house_number as varchar) as value from members
    union all
    select customer_id, record_key, 'street' as field, cast(street as varchar) as value from members
    union all
    select customer_id, record_key, 'unit' as field, cast(unit as varchar) as value from members
    union all
    select customer_id, record_key, 'city' as field, cast(city as varchar) as value from members
    union all
    select customer_id, record_key, 'region' as field, cast(region as varchar) as value from members
    union all
    select customer_id, record_key, 'postal_code' as field, cast(postal_code as varchar) as value from members
    union all
    select customer_id, record_key, 'country' as field, cast(country as varchar) as value from members
    union all
    select customer_id, record_key, 'date_of_birth' as field, cast(date_of_birth as varchar) as value from members
    union all
    select customer_id, record_key, 'national_id' as field, cast(national_id as varchar) as value from members
    union all
    select customer_id, record_key, 'company_name' as field, cast(company_name as varchar) as value from members
    union all
    select customer_id, record_key, 'job_title' as field, cast(job_title as varchar) as value from members
    union all
    select customer_id, record_key, 'website' as field, cast(website as varchar) as value from members
    union all
    select customer_id, record_key, 'is_email_opted_out' as field, cast(is_email_opted_out as varchar) as value
    from members
),

ruled as (
    select
        offered.customer_id,
        offered.record_key,
        offered.field,
        offered.value,
        rules.field_group,
        rules.survivorship_rule,
        rules.source_priority,
        members.source_system,
        members.source_object,
        members.source_id,
        coalesce(members.updated_at, members.created_at) as said_at,
        members.first_landed_at
    from offered
    inner join members
        on offered.record_key = members.record_key
    inner join rules
        on members.mapping_system = rules.mapping_system
        and members.source_object = rules.source_object
        and offered.field = rules.field
    where offered.value is not null
),

offers_of_records as (
    select
        customer_id,
        record_key,
        field_group,
        survivorship_rule,
        source_priority,
        said_at,
        count(*) as completeness,
        {{ join_text('value', '|', 'field') }} as said
    from ruled
    group by customer_id, record_key, field_group, survivorship_rule, source_priority, said_at
),

agreed as (
    select
        offers_of_records.*,
        count(*) over (partition by customer_id, field_group, said) as frequency
    from offers_of_records
),

ranked as (
    select
        agreed.*,
        row_number() over (
            partition by customer_id, field_group
            order by
                case survivorship_rule
                    when 'source_priority' then source_priority
                    when 'most_frequent' then -frequency
                    when 'most_complete' then -completeness
                    when 'any_true' then case when said = 'true' then 0 else 1 end
                    else 0
                end,
                case when survivorship_rule = 'most_complete' then -frequency else 0 end,
                said_at desc nulls last,
                source_priority asc,
                record_key asc
        ) as rank
    from agreed
),

lineage as (
    select
        ---------- keys
        ruled.customer_id,
        ruled.field,
        ruled.record_key,

        ---------- strings
        ruled.field_group,
        ruled.value,
        ruled.survivorship_rule,
        ruled.source_system,
        ruled.source_object,
        ruled.source_id,

        ---------- numbers
        ranked.rank,
        ruled.source_priority,
        ranked.frequency,

        ---------- booleans
        ranked.rank = 1 as is_golden,

        ---------- timestamps
        ruled.said_at,
        ruled.first_landed_at,

        ---------- lineage
        {{ record_hash('customers.record_hash', more=['(select rules_version.version from rules_version)']) }}
            as record_hash
    from ruled
    inner join ranked
        on ruled.customer_id = ranked.customer_id
        and ruled.record_key = ranked.record_key
        and ruled.field_group = ranked.field_group
    inner join customers
        on ruled.customer_id = customers.customer_id
)

select * from lineage
