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
        min(mappings.survivorship_rule) as survivorship_rule,
        min(cast(mappings.source_priority as integer)) as source_priority
    from field_groups
    inner join mappings
        on field_groups.lead_field = mappings.target_field
    group by mappings.source_system, mappings.source_object, field_groups.field, field_groups.field_group
)

select * from rules
