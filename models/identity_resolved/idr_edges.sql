-- One row per pair of live records held to be one person: the evidence in words. Merges made in a source, and
-- ids that one source keeps of another, are certain; the rest comes from the pair rules.
{{ config(materialized='view') }}

with

scores as (
    select * from {{ ref('idr_pair_scores') }} where is_accepted
),

records as (
    select * from {{ ref('idr_records') }}
),

source_merges as (
    select * from {{ ref('stg_ingest__record_merges') }}
),

by_rule as (
    select
        record_key_a,
        record_key_b,
        rule,
        concat_ws(
            ', ',
            case when same_national_id is not null then 'they have the same national id' end,
            case when same_email is not null then concat('they share the e-mail ', same_email) end,
            case when same_phone is not null then concat('they share the phone ', same_phone) end,
            case when same_birth_date is not null then concat('they were both born on ', same_birth_date) end,
            case when same_address is not null then 'they live at the same address' end,
            case when same_company is not null then concat('they work for ', same_company) end,
            case
                when names_swapped then 'their given and family names are the same, swapped'
                when given_name_level = 'equal' then 'their given names are equal'
                when given_name_level = 'initial' then 'one given name is the initial of the other'
                when given_name_level = 'nickname' then 'one given name is a nickname of the other'
                when given_name_level = 'one letter apart' then 'their given names are one letter apart'
                when given_name_level = 'told by the e-mail' then 'an e-mail address tells the same given name'
                else 'one of them has no given name'
            end,
            case
                when names_swapped then null
                when family_name_level = 'equal' then 'their family names are equal'
                when family_name_level = 'one letter apart' then 'their family names are one letter apart'
                when family_name_level = 'told by the e-mail' then 'an e-mail address tells the same family name'
                when family_name_level = 'missing' then 'one of them has no family name'
                else 'their family names differ'
            end
        ) as evidence,
        false as is_certain
    from scores
),

by_source_merge as (
    -- Both ends live: the source merged them and its loader kept the loser's row.
    select
        least(source_merges.loser_key, source_merges.winner_key) as record_key_a,
        greatest(source_merges.loser_key, source_merges.winner_key) as record_key_b,
        'merged in the source' as rule,
        concat(source_merges.source_system, ' merged ', source_merges.loser_key, ' into ', source_merges.winner_key)
            as evidence,
        true as is_certain
    from source_merges
    inner join records as losers
        on source_merges.loser_key = losers.record_key
    inner join records as winners
        on source_merges.winner_key = winners.record_key
),

named_ids as (
    select
        records.record_key,
        trim({{ each_of("string_split(records.external_ids, ';')") }}) as named_key
    from records
    where records.external_ids is not null
),

by_external_id as (
    select
        least(named_ids.record_key, records.record_key) as record_key_a,
        greatest(named_ids.record_key, records.record_key) as record_key_b,
        'external id' as rule,
        concat(named_ids.record_key, ' names ', records.record_key, ' as the same person') as evidence,
        true as is_certain
    from named_ids
    inner join records
        on named_ids.named_key = records.record_key
        and named_ids.record_key <> records.record_key
),

ranked as (
    select
        unioned.*,
        row_number() over (
            partition by record_key_a, record_key_b order by is_certain desc, rule asc
        ) as preference
    from (
        select * from by_rule
        union all
        select * from by_source_merge
        union all
        select * from by_external_id
    ) as unioned
),

edges as (
    select record_key_a, record_key_b, rule, evidence, is_certain
    from ranked
    where preference = 1
)

select * from edges
