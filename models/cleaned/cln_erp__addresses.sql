-- One row per live address of an ERP customer, parsed into its parts: raw beside clean beside issue.
{{ config(
    materialized='incremental', incremental_strategy='state_difference', unique_key='record_key',
    input='stg_erp__addresses', input_filter='not input.is_deleted',
    meta={'calls_udfs': true},
) }}

with

addresses as (
    select * from {{ ref('cln_address_dictionary') }}
),

countries as (
    select * from {{ ref('cln_country_dictionary') }}
),

staged as (
    select * from {{ ref('stg_erp__addresses') }} where not is_deleted
),

changed as (
    select
        staged.*,
        countries.country as country_written,
        countries.country as country_given,
        {{ country_of('countries.country', "cast(null as varchar)") }} as country_code,
        countries.issue as country_issue,
        {{ clean_text('staged.city') }} as city_tidy
    from staged
    left join countries
        on staged.country = countries.raw_value
    {{ only_changed('staged') }}
),

cleaned as (
    select
        ---------- keys
        changed.record_key,
        changed.source_system,
        changed.source_object,
        changed.source_id,
        changed.customer_record_key,

        ---------- strings
        lower({{ clean_text('changed.address_kind') }}) as address_kind,
        {{ clean_text('changed.recipient') }} as recipient,
        {{ clean_place('changed') }},
        {{ record_issues({
            'country_is_known': 'changed.country_issue',
            'address_is_understood': 'addresses.issue'
        }) }} as issues,

        ---------- booleans
        changed.is_default,

        ---------- timestamps
        changed.created_at,
        changed.updated_at,
        changed.first_landed_at,

        ---------- lineage
        changed.load_id,
        {{ record_hash('changed.record_hash') }} as record_hash
    from changed
    left join addresses
        on changed.address = addresses.raw_value
        and coalesce(changed.country_given, '') = addresses.country
)

select * from cleaned
