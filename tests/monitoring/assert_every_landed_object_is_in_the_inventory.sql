-- What was landed has an expectation: its row in seeds/inventory/source_objects.csv, or the inbox's for a spreadsheet.
{{ config(
    severity='warn',
    meta={'remedy': 'add the object to seeds/inventory/source_objects.csv, agreed with its owner'}
) }}
select
    source_system,
    source_object,
    owner,
    last_tried_at,
    'add it to seeds/inventory/source_objects.csv, agreed with its owner' as remedy
from {{ ref('mon_source_freshness') }}
where not is_in_inventory
    and staging_model is null
