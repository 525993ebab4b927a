-- One row per source object and golden field: the rule that ranks competing values and the source's priority.
-- Read from the mapping seed: changing a rule there changes the golden records, without touching SQL.
{{ config(materialized='view') }}

with

mappings as (
    select * from {{ ref('field_mappings') }} where target_entity = 'person' and survivorship_rule is not null
),

field_groups as (
    select * from {{ ref('field_groups') }}
),

rules as (
    select
        mappings.source_system as mapping_system,
        mappings.source_object,
        field_groups.field,
        field_groups.field_group,
        min(
            case
                when mappings.survivorship_rule in (
                    'most_recent', 'most_complete', 'most_frequent', 'source_priority', 'any_true'
                )
                    then mappings.survivorship_rule
                else {{ fail_with(
                    "concat('field_mappings.csv: nothing implements the survivorship_rule ', "
                    ~ "mappings.survivorship_rule, ' of ', mappings.source_system, '.', mappings.source_object, '.', "
                    ~ "mappings.source_field, '; take one of those in customer_field_lineage')"
                ) }}
            end
        ) as survivorship_rule,
        min(cast(mappings.source_priority as integer)) as source_priority
    from field_groups
    inner join mappings
        on field_groups.lead_field = mappings.target_field
    group by mappings.source_system, mappings.source_object, field_groups.field, field_groups.field_group
)

select * from rules
