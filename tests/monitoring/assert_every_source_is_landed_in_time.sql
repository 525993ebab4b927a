-- No source object was last landed longer ago than its expectation in seeds/inventory/source_objects.csv allows.
{{ config(
    severity='warn',
    meta={'remedy': 'run `c360 ingest status` to see why the object is late, '
        ~ 'then `c360 run`; tell its owner if it stays'}
) }}
select
    source_system,
    source_object,
    owner,
    latency_minutes,
    latency_expectation_minutes,
    last_landed_at,
    last_error,
    concat(
        'land ', source_system, ' ', source_object, ' with `c360 run`; if it stays late, tell ',
        coalesce(owner, 'whoever owns it: the inventory does not say'),
        ', or empty its expectation if it was switched off'
    ) as remedy
from {{ ref('mon_source_freshness') }}
where is_late
