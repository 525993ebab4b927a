-- Served = landed + unchanged + rejected for every landing run that ended well; tombstones come on top.
select run_id, source_system, source_object, rows_served, rows_landed, rows_unchanged, rows_rejected, rows_deleted
from {{ ref('mon_landing_runs') }}
where outcome = 'ok'
    and rows_served <> rows_landed - rows_deleted + rows_unchanged + rows_rejected
