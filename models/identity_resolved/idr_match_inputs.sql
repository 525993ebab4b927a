-- One row per live record: all that matching may look at, and `match_hash`, which changes when any of it does.
-- Crossing a cap, a new native merge, a changed seed or changed matching code are ordinary changes of the hash.
{{ config(materialized='table') }}

with

records as (
    select * from {{ ref('idr_records') }}
),

identifiers as (
    select * from {{ ref('idr_identifiers') }} where suppressed_because is null
),

source_merges as (
    select * from {{ ref('stg_ingest__record_merges') }}
),

rules as (
    select * from {{ ref('idr_rules_version') }}
),

identifier_sets as (
    select
        record_key,
        {{ join_text('identifier_key', '|', 'identifier_key') }} as identifier_keys,
        max(case when identifier_type = 'birth_date' then cast(identifier_value as date) end) as date_of_birth
    from identifiers
    group by record_key
),

native_links as (
    select linked.record_key, {{ join_text('linked.link', '|', 'linked.link') }} as links
    from (
        select loser_key as record_key, concat('into ', winner_key) as link from source_merges
        union all
        select winner_key as record_key, concat('from ', loser_key) as link from source_merges
    ) as linked
    group by linked.record_key
),

named as (
    select
        records.*,
        {{ name_key('records.given_name') }} as given_name_key,
        {{ name_key('records.family_name') }} as family_name_key,
        case when not records.email_is_role then {{ mailbox('records.email_match_key') }} end as mailbox
    from records
),

features as (
    select
        records.record_key,
        records.person_kind,
        records.given_name_key,
        records.family_name_key,
        -- What the address tells where the record's own column is empty: it may speak for a match, never against one.
        {{ mail_given_name('records') }} as mail_given_name_key,
        {{ mail_family_name('records') }} as mail_family_name_key,
        lower(records.name_suffix) as name_suffix_key,
        records.company_key,
        records.external_ids,
        identifier_sets.identifier_keys,
        native_links.links as native_links,
        identifier_sets.date_of_birth,
        records.first_landed_at
    from named as records
    left join identifier_sets
        on records.record_key = identifier_sets.record_key
    left join native_links
        on records.record_key = native_links.record_key
),

hashed as (
    select
        features.*,
        md5(concat_ws(
            '/',
            coalesce(features.person_kind, ''),
            coalesce(features.given_name_key, ''),
            coalesce(features.family_name_key, ''),
            coalesce(features.mail_given_name_key, ''),
            coalesce(features.mail_family_name_key, ''),
            coalesce(features.name_suffix_key, ''),
            coalesce(features.company_key, ''),
            coalesce(features.external_ids, ''),
            coalesce(features.identifier_keys, ''),
            coalesce(features.native_links, ''),
            rules.version,
            {{ code_version(['idr_blocking_keys', 'idr_candidate_pairs', 'idr_pair_scores', 'idr_edges']) }}
        )) as match_hash
    from features
    cross join rules
)

select * from hashed
