-- One row per live invoice, with the customer it belongs to. An invoice whose ERP customer is gone keeps its money and
-- has no customer: sums reconcile with the source, nothing is lost, nothing fans out.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='cln_erp__invoices',
) }}

with

crosswalk as (
    select * from {{ ref('idr_crosswalk') }}
),

successors as (
    select * from {{ ref('idr_record_successors') }}
),

attributed as (
    select
        invoices.*,
        crosswalk.customer_id,
        concat_ws('/', invoices.record_hash, crosswalk.customer_id) as attributed_hash
    from {{ ref('cln_erp__invoices') }} as invoices
    left join successors
        on invoices.customer_record_key = successors.record_key
    left join crosswalk
        on coalesce(successors.successor_key, invoices.customer_record_key) = crosswalk.record_key
),

invoices as (
    select
        ---------- keys
        attributed.record_key,
        attributed.customer_id,
        attributed.customer_record_key,

        ---------- strings
        attributed.source_system,
        attributed.invoice_number,
        attributed.currency,
        attributed.status,

        ---------- numbers
        attributed.amount,
        attributed.amount_reporting,

        ---------- dates
        attributed.issued_date,
        attributed.due_date,
        attributed.paid_date,

        ---------- timestamps
        attributed.updated_at,

        ---------- lineage
        {{ record_hash('attributed.attributed_hash') }} as record_hash
    from attributed
    {{ only_changed('attributed', hash='attributed_hash') }}
)

select * from invoices
