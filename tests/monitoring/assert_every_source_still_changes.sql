-- No source object's newest change is older than its maximum data age in seeds/inventory/source_objects.csv.
{{ config(
    severity='warn',
    meta={'remedy': 'ask the owner whether the source is still kept; '
        ~ '`c360 ingest status` shows what the last landings brought'}
) }}
select
    source_system,
    source_object,
    owner,
    data_age_hours,
    max_data_age_hours,
    newest_data_at,
    concat(
        'ask ', coalesce(owner, 'whoever owns it: the inventory does not say'), ' whether ', source_system, ' ',
        source_object, ' is still kept; correct max_data_age_hours if such a pause is usual'
    ) as remedy
from {{ ref('mon_source_freshness') }}
where is_stale
