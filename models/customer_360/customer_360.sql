-- One row per customer: the golden record, its counts and money, when it was first and last seen.
-- Every golden cell equals rank 1 of customer_field_lineage, which names its source record and rule.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='customer_id',
    input='idr_customers',
) }}

with

lineage as (
    select * from {{ ref('customer_field_lineage') }}
),

invoices as (
    select * from {{ ref('customer_invoices') }} where customer_id is not null
),

invoice_states as (
    select customer_id, md5({{ join_text('record_hash', '|', 'record_key') }}) as invoices_hash
    from invoices
    group by customer_id
),

lineage_states as (
    -- One hash per customer: all rows of a customer are written together.
    select customer_id, max(record_hash) as lineage_hash
    from lineage
    group by customer_id
),

states as (
    select
        customers.customer_id,
        customers.record_count,
        customers.source_count,
        concat_ws(
            '/', customers.record_hash, lineage_states.lineage_hash, invoice_states.invoices_hash
        ) as state_hash
    from {{ ref('idr_customers') }} as customers
    left join lineage_states
        on customers.customer_id = lineage_states.customer_id
    left join invoice_states
        on customers.customer_id = invoice_states.customer_id
),

customers as (
    select * from states
    {{ only_changed('states', key='customer_id', hash='state_hash') }}
),

golden as (
    select
        lineage.customer_id,
        max(case when lineage.field = 'person_kind' then lineage.value end) as person_kind,
        max(case when lineage.field = 'given_name' then lineage.value end) as given_name,
        max(case when lineage.field = 'middle_name' then lineage.value end) as middle_name,
        max(case when lineage.field = 'family_name' then lineage.value end) as family_name,
        max(case when lineage.field = 'name_suffix' then lineage.value end) as name_suffix,
        max(case when lineage.field = 'email' then lineage.value end) as email,
        max(case when lineage.field = 'phone' then lineage.value end) as phone,
        max(case when lineage.field = 'mobile' then lineage.value end) as mobile,
        max(case when lineage.field = 'house_number' then lineage.value end) as house_number,
        max(case when lineage.field = 'street' then lineage.value end) as street,
        max(case when lineage.field = 'unit' then lineage.value end) as unit,
        max(case when lineage.field = 'city' then lineage.value end) as city,
        max(case when lineage.field = 'region' then lineage.value end) as region,
        max(case when lineage.field = 'postal_code' then lineage.value end) as postal_code,
        max(case when lineage.field = 'country' then lineage.value end) as country,
        max(case when lineage.field = 'date_of_birth' then lineage.value end) as date_of_birth,
        max(case when lineage.field = 'national_id' then lineage.value end) as national_id,
        max(case when lineage.field = 'company_name' then lineage.value end) as company_name,
        max(case when lineage.field = 'job_title' then lineage.value end) as job_title,
        max(case when lineage.field = 'website' then lineage.value end) as website,
        max(case when lineage.field = 'is_email_opted_out' then lineage.value end) as is_email_opted_out,
        count(*) as golden_count
    from lineage
    inner join customers
        on lineage.customer_id = customers.customer_id
    where lineage.is_golden
    group by lineage.customer_id
),

seen as (
    select
        crosswalk.customer_id,
        {{ join_text('distinct crosswalk.source_system', ', ', 'crosswalk.source_system') }} as source_systems,
        min(coalesce(records.created_at, records.updated_at)) as first_seen_at,
        max(coalesce(records.updated_at, records.created_at)) as last_seen_at
    from {{ ref('idr_crosswalk') }} as crosswalk
    inner join customers
        on crosswalk.customer_id = customers.customer_id
    inner join {{ ref('idr_records') }} as records
        on crosswalk.record_key = records.record_key
    group by crosswalk.customer_id
),

invoiced as (
    select
        invoices.customer_id,
        count(*) as invoice_count,
        sum(case when invoices.status = 'open' then 1 else 0 end) as open_invoice_count,
        sum(case when invoices.status <> 'void' then invoices.amount_reporting end) as invoiced_amount_reporting,
        sum(case when invoices.status = 'open' then invoices.amount_reporting end) as open_amount_reporting,
        min(invoices.issued_date) as first_invoice_date,
        max(invoices.issued_date) as last_invoice_date
    from invoices
    inner join customers
        on invoices.customer_id = customers.customer_id
    group by invoices.customer_id
),

joined as (
    select
        ---------- keys
        customers.customer_id,

        ---------- strings
        golden.person_kind,
        coalesce(
            nullif(concat_ws(
                ' ', golden.given_name, golden.middle_name, golden.family_name, golden.name_suffix
            ), ''),
            golden.company_name
        ) as full_name,
        golden.given_name, golden.middle_name, golden.family_name, golden.name_suffix,
        golden.email, golden.phone, golden.mobile,
        golden.house_number, golden.street, golden.unit, golden.city, golden.region, golden.postal_code, golden.country,
        golden.national_id, golden.company_name, golden.job_title, golden.website,
        seen.source_systems,

        ---------- numbers
        customers.record_count,
        customers.source_count,
        coalesce(invoiced.invoice_count, 0) as invoice_count,
        cast(coalesce(invoiced.open_invoice_count, 0) as bigint) as open_invoice_count,
        cast(coalesce(invoiced.invoiced_amount_reporting, 0) as decimal(18, 2)) as invoiced_amount_reporting,
        cast(coalesce(invoiced.open_amount_reporting, 0) as decimal(18, 2)) as open_amount_reporting,
        {{ quality_score() }} as quality_score,

        ---------- booleans
        cast(golden.is_email_opted_out as boolean) as is_email_opted_out,

        ---------- dates
        cast(golden.date_of_birth as date) as date_of_birth,
        invoiced.first_invoice_date,
        invoiced.last_invoice_date,

        ---------- timestamps
        seen.first_seen_at,
        seen.last_seen_at,

        ---------- lineage
        {{ record_hash('customers.state_hash') }} as record_hash
    from customers
    left join golden
        on customers.customer_id = golden.customer_id
    left join seen
        on customers.customer_id = seen.customer_id
    left join invoiced
        on customers.customer_id = invoiced.customer_id
),

hashed as (
    select
        joined.*,
        md5(concat_ws('|', {{ golden_hash_fields() }})) as golden_hash
    from joined
)

select * from hashed
