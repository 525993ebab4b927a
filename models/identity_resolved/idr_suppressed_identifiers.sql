-- One row per identifier that says nothing about who somebody is, and why: found from the data, not from a list alone.
{{ config(materialized='table') }}

with

identifiers as (
    select * from {{ ref('idr_record_identifiers') }}
),

caps as (
    select * from {{ ref('identifier_caps') }}
),

placeholders as (
    select * from {{ ref('placeholder_identifiers') }}
),

holders as (
    select
        identifier_key,
        identifier_type,
        identifier_value,
        count(distinct record_key) as record_count,
        count(distinct given_name_key) as given_name_count,
        count(distinct family_name_key) as family_name_count,
        max(is_role) as is_role
    from identifiers
    group by identifier_key, identifier_type, identifier_value
),

judged as (
    select
        holders.*,
        case
            when placeholders.identifier_value is not null then concat('placeholder: ', placeholders.meaning)
            when holders.is_role then 'role mailbox: shared by whoever does the job'
            when holders.given_name_count > caps.max_given_names
                then concat('held by ', holders.given_name_count, ' different given names, more than ',
                    caps.max_given_names)
            when holders.family_name_count > caps.max_family_names
                then concat('held by ', holders.family_name_count, ' different family names, more than ',
                    caps.max_family_names)
            when holders.record_count > caps.max_records
                then concat('held by ', holders.record_count, ' records, more than ', caps.max_records)
        end as suppressed_because
    from holders
    inner join caps
        on holders.identifier_type = caps.identifier_type
    left join placeholders
        on holders.identifier_type = placeholders.identifier_type
        and holders.identifier_value = placeholders.identifier_value
),

suppressed as (
    select
        ---------- keys
        identifier_key,

        ---------- strings
        identifier_type,
        identifier_value,
        suppressed_because,

        ---------- numbers
        record_count,
        given_name_count,
        family_name_count
    from judged
    where suppressed_because is not null
)

select * from suppressed
