{#-
Which rule of seeds/governance/outdated_rules.csv makes a record outdated, null when none does. Needs the one row of
cln_outdated_rules as `outdated_rules`. `bounced` and `superseded` are conditions over `table`, false where its source
knows no such thing. The clock moves the answer, so it is part of the row's hash (outdated_versions).
-#}
{% macro outdated_rule(table, job_title=none, bounced=none, superseded=none) -%}
    case
        {%- if bounced %}
        when {{ bounced }} and outdated_rules.email_bounced is not null then outdated_rules.email_bounced
        {%- endif %}
        {%- if job_title %}
        when outdated_rules.left_company is not null
            and {{ regex_matches('lower(' ~ job_title ~ ')', '^(former|ex-|retired|no longer|left the company)') }}
            then outdated_rules.left_company
        {%- endif %}
        {%- if superseded %}
        when {{ superseded }} and outdated_rules.superseded is not null then outdated_rules.superseded
        {%- endif %}
        when coalesce({{ table }}.source_updated_at, {{ table }}.first_landed_at)
            < {{ as_of() }} - outdated_rules.inactive_days * interval '1' day then outdated_rules.no_activity
    end
{%- endmacro %}

{#- What a cleaned record's hash holds beside its staged row: the rule that makes it outdated today. -#}
{% macro outdated_versions(table) %}{{ return(["coalesce(" ~ table ~ ".outdated_rule, '')"]) }}{% endmacro %}
