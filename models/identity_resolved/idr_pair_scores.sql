-- One row per candidate pair: how each field compares, what speaks for one person, what forbids it.
-- Guarded deterministic rules: an identifier in common counts only when the names do not speak against it.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='pair_key',
    input='idr_candidate_pairs', input_filter='input.record_key_a <> input.record_key_b',
) }}

with

pairs as (
    select * from {{ ref('idr_candidate_pairs') }} where record_key_a <> record_key_b
),

inputs as (
    select * from {{ ref('idr_match_inputs') }}
),

identifiers as (
    select * from {{ ref('idr_identifiers') }} where suppressed_because is null
),

nicknames as (
    select * from {{ ref('nicknames') }}
),

changed as (
    select pairs.* from pairs
    {{ only_changed('pairs', key='pair_key') }}
),

in_common as (
    select
        changed.pair_key,
        max(case when held_a.identifier_type = 'email' then held_a.identifier_value end) as same_email,
        max(case when held_a.identifier_type = 'phone' then held_a.identifier_value end) as same_phone,
        max(case when held_a.identifier_type = 'national_id' then held_a.identifier_value end) as same_national_id,
        max(case when held_a.identifier_type = 'address' then held_a.identifier_value end) as same_address,
        max(case when held_a.identifier_type = 'birth_date' then held_a.identifier_value end) as same_birth_date
    from changed
    inner join identifiers as held_a
        on changed.record_key_a = held_a.record_key
    inner join identifiers as held_b
        on changed.record_key_b = held_b.record_key
        and held_a.identifier_key = held_b.identifier_key
    group by changed.pair_key
),

compared as (
    select
        changed.*,
        in_common.same_email,
        in_common.same_phone,
        in_common.same_national_id,
        in_common.same_address,
        in_common.same_birth_date,
        case when left_input.company_key = right_input.company_key then left_input.company_key end
            as same_company,
        case
            when left_input.given_name_key is null or right_input.given_name_key is null
                then {{ told_by_email('given_name_key') }}
            when left_input.given_name_key = right_input.given_name_key then 'equal'
            when {{ is_initial_of('left_input.given_name_key', 'right_input.given_name_key') }} then 'initial'
            when nicknames.given_name is not null then 'nickname'
            when {{ names_nearly_equal('left_input.given_name_key', 'right_input.given_name_key') }}
                then 'one letter apart'
            else 'different'
        end as given_name_level,
        case
            when left_input.family_name_key is null or right_input.family_name_key is null
                then {{ told_by_email('family_name_key') }}
            when left_input.family_name_key = right_input.family_name_key then 'equal'
            when {{ names_nearly_equal('left_input.family_name_key', 'right_input.family_name_key') }}
                then 'one letter apart'
            else 'different'
        end as family_name_level,
        coalesce(
            left_input.given_name_key = right_input.family_name_key
            and left_input.family_name_key = right_input.given_name_key, false
        ) as names_swapped,
        case
            when left_input.person_kind = 'company' or right_input.person_kind = 'company'
                then 'one of them is a company'
            when left_input.date_of_birth <> right_input.date_of_birth
                then concat('different dates of birth, ', cast(left_input.date_of_birth as varchar), ' and ',
                    cast(right_input.date_of_birth as varchar))
            when left_input.name_suffix_key <> right_input.name_suffix_key
                then concat('one is ', left_input.name_suffix_key, ', the other ', right_input.name_suffix_key)
        end as veto
    from changed
    inner join inputs as left_input
        on changed.record_key_a = left_input.record_key
    inner join inputs as right_input
        on changed.record_key_b = right_input.record_key
    left join in_common
        on changed.pair_key = in_common.pair_key
    left join nicknames
        on left_input.given_name_key = nicknames.given_name
        and right_input.given_name_key = nicknames.nickname
),

guarded as (
    select
        compared.*,
        names_swapped or given_name_level in ('equal', 'initial', 'nickname', 'one letter apart', 'told by the e-mail')
            as given_agrees,
        names_swapped or family_name_level in ('equal', 'one letter apart', 'told by the e-mail') as family_agrees,
        names_swapped or family_name_level <> 'different' as family_does_not_speak_against
    from compared
),

judged as (
    select
        guarded.*,
        case
            when veto is not null then null
            when same_national_id is not null and (given_agrees or given_name_level = 'missing')
                then 'same national id'
            when same_email is not null and given_agrees then 'same e-mail, given names agree'
            when same_email is not null and given_name_level = 'missing' and family_does_not_speak_against
                then 'same e-mail, nothing speaks against it'
            when same_phone is not null and given_agrees and family_does_not_speak_against
                then 'same phone, names agree'
            when same_birth_date is not null and given_agrees and family_agrees then 'same name and birth date'
            when same_address is not null and given_agrees and family_does_not_speak_against
                then 'same name and address'
            when same_company is not null and given_agrees and family_agrees then 'same name and company'
        end as rule
    from guarded
),

scored as (
    select
        ---------- keys
        pair_key, record_key_a, record_key_b,

        ---------- strings
        blocking_rules, rule, veto, given_name_level, family_name_level,
        same_email, same_phone, same_national_id, same_address, same_birth_date, same_company,

        ---------- booleans
        names_swapped,
        rule is not null as is_accepted,

        ---------- lineage
        {{ record_hash('record_hash') }} as record_hash
    from judged
)

select * from scored
