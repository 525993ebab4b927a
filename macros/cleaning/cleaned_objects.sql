{#- The source objects that hold people, companies and facts, by stem: what tests and quality rules walk over. -#}
{% macro people_objects() %}
    {{ return([
        'hubspot__contacts', 'salesforce__contacts', 'salesforce__leads', 'stripe__customers', 'erp__customers',
        'erp__contacts', 'spreadsheets__people',
    ]) }}
{% endmacro %}

{#- A cleaned company model, and the staged object it is made of. -#}
{% macro account_objects() %}
    {{ return({
        'hubspot__accounts': 'hubspot__companies', 'salesforce__accounts': 'salesforce__accounts',
        'erp__accounts': 'erp__customers'
    }) }}
{% endmacro %}

{#- Facts: what happened to somebody, or what else a source keeps. -#}
{% macro fact_objects() %}
    {{ return(fact_objects_with_issues() + ['erp__stock', 'hubspot__associations']) }}
{% endmacro %}

{#- Facts that row-level rules look at. -#}
{% macro fact_objects_with_issues() %}
    {{ return([
        'erp__invoices', 'erp__payments', 'erp__addresses', 'erp__products', 'stripe__charges', 'stripe__refunds',
        'stripe__invoices', 'stripe__subscriptions', 'hubspot__deals', 'salesforce__opportunities',
        'salesforce__campaigns', 'salesforce__campaign_members'
    ]) }}
{% endmacro %}

{#- Facts that belong to a customer record of their source. -#}
{% macro facts_of_customers() %}
    {{ return([
        'erp__invoices', 'erp__payments', 'erp__addresses', 'stripe__charges', 'stripe__refunds', 'stripe__invoices',
        'stripe__subscriptions'
    ]) }}
{% endmacro %}
