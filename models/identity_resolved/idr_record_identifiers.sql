-- One row per record and identifier it holds (e-mail, phone, address, ...), before anything is suppressed. Every record
-- has a row of the type `none` beside them, which keeps the hash it was worked under even when it holds no identifier.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='idr_records',
) }}

with

records as (
    select * from {{ ref('idr_records') }}
),

changed as (
    select records.* from records
    {{ only_changed('records') }}
),

held as (
    select record_key, record_hash, given_name, family_name, email_is_role, 'email' as identifier_type,
        email_match_key as identifier_value
    from changed
    union
    select record_key, record_hash, given_name, family_name, false, 'email', email_2_match_key
    from changed
    union
    select record_key, record_hash, given_name, family_name, false, 'phone', phone_match_key
    from changed
    union
    select record_key, record_hash, given_name, family_name, false, 'phone', mobile_match_key
    from changed
    union
    select record_key, record_hash, given_name, family_name, false, 'phone', phone_2
    from changed
    union
    select record_key, record_hash, given_name, family_name, false, 'national_id', national_id
    from changed
    union
    select record_key, record_hash, given_name, family_name, false, 'address', address_key
    from changed
    union
    select record_key, record_hash, given_name, family_name, false, 'birth_date',
        cast(date_of_birth as varchar)
    from changed
    union
    select record_key, record_hash, given_name, family_name, false, 'none', ''
    from changed
),

identifiers as (
    select
        ---------- keys
        held.record_key,

        ---------- strings
        held.identifier_type,
        held.identifier_value,
        concat(held.identifier_type, ':', held.identifier_value) as identifier_key,
        {{ name_key('held.given_name') }} as given_name_key,
        {{ name_key('held.family_name') }} as family_name_key,

        ---------- booleans
        max(held.email_is_role) as is_role,

        ---------- lineage
        {{ record_hash('held.record_hash') }} as record_hash
    from held
    where held.identifier_value is not null
    group by
        held.record_key, held.identifier_type, held.identifier_value, held.given_name, held.family_name,
        held.record_hash
)

select * from identifiers
