{#-
Promotion: what this run worked out about ids becomes the ledger. One transaction writes the crosswalk
history, the register of ids, the events and the golden history together, or none of them. It happens at
the end of `dbt build`, only when the crosswalk was built in this run and nothing failed, error tests included.
-#}
{% macro promote(results) %}
    {%- if execute and may_promote(results) -%}
        begin transaction;
        {{ promotion_sql() }}
        commit;
    {%- elif not execute -%}
        {#- dbt learns at parse time what a hook reads. -#}
        {{ promotion_sql() }}
    {%- endif -%}
{% endmacro %}


{#- The statements of a promotion, without their transaction. -#}
{% macro promotion_sql() %}
    {%- set crosswalk = ref('idr_crosswalk') -%}
    {%- set history = ref('idr_crosswalk_history') -%}
    {%- set ids = ref('idr_customer_ids') -%}
    {%- set events = ref('idr_match_events') -%}
    {%- set pending_events = ref('idr_pending_events') -%}
    {%- set pending_ids = ref('idr_pending_ids') -%}
    {%- set golden = ref('customer_360') -%}
    {%- set golden_history = ref('customer_360_history') -%}
    {%- set at = '(select promotion_time.at from promotion_time)' -%}
    {%- set run_id = "'" ~ invocation_id ~ "'" %}

        -- Never the time of an earlier promotion, also where the clock stands still: no stretch of time is empty.
        create or replace temporary table promotion_time as
        select greatest({{ as_of() }}, coalesce(max(latest) + interval 1 microsecond, {{ as_of() }})) as at
        from (
            select max(greatest(valid_from, coalesce(valid_to, valid_from))) as latest from {{ history }}
            union all
            select max(greatest(valid_from, coalesce(valid_to, valid_from))) as latest from {{ golden_history }}
        ) as promotions;

        -- The pending views compare with what is about to change, so they are read once, first.
        create or replace temporary table promoted_events as select * from {{ pending_events }};
        create or replace temporary table promoted_ids as select * from {{ pending_ids }};

        insert into {{ events }} (
            event_id, event, customer_id_before, customer_id_after, record_key, rule, deciding_pair, actor,
            run_id, occurred_at
        )
        select
            md5(concat_ws('/', {{ run_id }}, event, coalesce(customer_id_before, ''),
                coalesce(customer_id_after, ''), coalesce(record_key, ''))),
            event, customer_id_before, customer_id_after, record_key, rule, deciding_pair, actor,
            {{ run_id }}, {{ at }}
        from promoted_events;

        update {{ history }} as stored
        set valid_to = {{ at }}
        where stored.valid_to is null
            and not exists (
                select 1 from {{ crosswalk }} as crosswalk
                where crosswalk.record_key = stored.record_key
                    and crosswalk.customer_id = stored.customer_id
                    and crosswalk.cluster_id = stored.cluster_id
            );

        insert into {{ history }} (
            record_key, source_system, source_object, source_id, customer_id, cluster_id, valid_from, run_id
        )
        select
            record_key, source_system, source_object, source_id, customer_id, cluster_id, {{ at }}, {{ run_id }}
        from {{ crosswalk }} as crosswalk
        where not exists (
            select 1 from {{ history }} as stored
            where stored.record_key = crosswalk.record_key and stored.valid_to is null
        );

        insert into {{ ids }} (
            customer_id, current_customer_id, anchor_record_key, mint_ordinal, anchor_first_landed_at, born_at, run_id
        )
        select
            customer_id, customer_id, anchor_record_key, mint_ordinal, anchor_first_landed_at, {{ at }}, {{ run_id }}
        from promoted_ids
        where change = 'given';

        update {{ ids }} as ids
        set retired_at = {{ at }},
            retired_by = case when promoted_ids.current_customer_id is null then 'retired' else 'merged' end
        from promoted_ids
        where promoted_ids.change = 'ended' and ids.customer_id = promoted_ids.customer_id;

        -- Every id that led to an ended one leads on with it: redirects stay closed, one step each.
        update {{ ids }} as ids
        set current_customer_id = promoted_ids.current_customer_id
        from promoted_ids
        where promoted_ids.change = 'ended' and ids.current_customer_id = promoted_ids.customer_id;

        {{ promote_golden_history(golden, golden_history, at, run_id) }}
{% endmacro %}


{#- Whether this run may promote: a build that made the crosswalk and had no failure of any kind. -#}
{% macro may_promote(results) %}
    {%- set state = namespace(failed=false, built=[]) -%}
    {%- for result in results -%}
        {%- if result.status in ('error', 'fail', 'runtime error', 'skipped', 'partial success') -%}
            {%- set state.failed = true -%}
        {%- elif result.node.resource_type == 'model' -%}
            {%- do state.built.append(result.node.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(
        flags.WHICH == 'build' and not state.failed
        and 'idr_crosswalk' in state.built and 'idr_pending_events' in state.built
    ) }}
{% endmacro %}


{#- Close the golden rows that changed or ended and open their successors; part of promote()'s transaction. -#}
{% macro promote_golden_history(golden, history, at, run_id) %}
        update {{ history }} as stored
        set valid_to = {{ at }}
        where stored.valid_to is null
            and not exists (
                select 1 from {{ golden }} as golden
                where golden.customer_id = stored.customer_id and golden.golden_hash = stored.golden_hash
            );

        insert into {{ history }} ({{ golden_history_columns() }}, valid_from, run_id)
        select {{ golden_history_columns() }}, {{ at }}, {{ run_id }}
        from {{ golden }} as golden
        where not exists (
            select 1 from {{ history }} as stored
            where stored.customer_id = golden.customer_id and stored.valid_to is null
        );
{% endmacro %}


{#- The golden columns that history keeps: the person, not the counts, which facts already date. -#}
{% macro golden_history_columns() -%}
    customer_id, golden_hash, person_kind, full_name, given_name, middle_name, family_name, name_suffix, email, phone,
    mobile, house_number, street, unit, city, region, postal_code, country, date_of_birth, national_id, company_name,
    job_title, website, is_email_opted_out
{%- endmacro %}
