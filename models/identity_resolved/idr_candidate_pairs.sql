-- One row per pair of records that share a block, with the rules that proposed it. A record is also paired with
-- itself: that row keeps the hash under which it was compared, so that a record without a pair has a state too.
{{ config(
    materialized='incremental', incremental_strategy='pair_difference',
    left_key='record_key_a', right_key='record_key_b', input='idr_match_inputs',
) }}

with

inputs as (
    select * from {{ ref('idr_match_inputs') }}
),

blocks as (
    select * from {{ ref('idr_blocking_keys') }}
),

changed as (
    select inputs.* from inputs
    {%- if is_incremental() %}
    where not exists (
        select 1 from {{ this }} as stored
        where stored.record_key_a = inputs.record_key
            and stored.record_key_b = inputs.record_key
            and stored.record_hash = {{ record_hash('inputs.match_hash') }}
    )
    {%- endif %}
),

proposed as (
    select distinct
        least(changed_blocks.record_key, all_blocks.record_key) as record_key_a,
        greatest(changed_blocks.record_key, all_blocks.record_key) as record_key_b,
        changed_blocks.blocking_rule
    from changed
    inner join blocks as changed_blocks
        on changed.record_key = changed_blocks.record_key
    inner join blocks as all_blocks
        on changed_blocks.blocking_rule = all_blocks.blocking_rule
        and changed_blocks.block = all_blocks.block
        and changed_blocks.record_key <> all_blocks.record_key
),

pairs as (
    select
        record_key_a,
        record_key_b,
        {{ join_text('blocking_rule', ', ', 'blocking_rule') }} as blocking_rules
    from proposed
    group by record_key_a, record_key_b
),

with_hashes as (
    select
        concat(pairs.record_key_a, ' ~ ', pairs.record_key_b) as pair_key,
        pairs.record_key_a,
        pairs.record_key_b,
        pairs.blocking_rules,
        md5(concat(inputs_a.match_hash, inputs_b.match_hash)) as record_hash
    from pairs
    inner join inputs as inputs_a
        on pairs.record_key_a = inputs_a.record_key
    inner join inputs as inputs_b
        on pairs.record_key_b = inputs_b.record_key
),

with_itself as (
    select
        concat(changed.record_key, ' ~ ', changed.record_key) as pair_key,
        changed.record_key as record_key_a,
        changed.record_key as record_key_b,
        'itself' as blocking_rules,
        {{ record_hash('changed.match_hash') }} as record_hash
    from changed
),

candidate_pairs as (
    select * from with_hashes
    union all
    select * from with_itself
)

select * from candidate_pairs
