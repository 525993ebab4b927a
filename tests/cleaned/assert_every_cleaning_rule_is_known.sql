-- A rule that cleaning_rules.csv does not describe stops the build, and is named.
with

mappings as (
    select * from {{ ref('field_mappings') }}
),

rules as (
    select * from {{ ref('cleaning_rules') }}
),

unknown as (
    select
        mappings.source_system,
        mappings.source_object,
        mappings.source_field,
        mappings.cleaning_rule
    from mappings
    left join rules
        on mappings.cleaning_rule = rules.rule
    where rules.rule is null
)

-- In the filter, because a count of rows would leave a column of the select out, and the name with it.
select *
from unknown
where
    {{ fail_with(
        "concat('field_mappings.csv: nothing implements the cleaning_rule ', cleaning_rule, ' of ', source_system, "
        ~ "'.', source_object, '.', source_field, '; take one of cleaning_rules.csv')"
    ) }} is not null
