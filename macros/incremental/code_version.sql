{#-
A text that changes when this model's SQL, a macro of this project that it calls, one of the project's
variables or (for models that call UDFs) a UDF or its library changes. A change of code is then an ordinary
change of the hash: the next incremental run rebuilds what a full refresh would.
`models` names further models whose code counts too.
-#}
{% macro code_version(models=[]) -%}
    {%- if execute -%}
        {%- set nodes = [model] -%}
        {%- for name in models -%}
            {%- do nodes.append(graph.nodes['model.customer_360.' ~ name]) -%}
        {%- endfor -%}
        {%- set parts = [tojson(var('reporting_currency')), tojson(var('default_country'))] -%}
        {%- set waiting = [] -%}
        {%- for node in nodes -%}
            {%- do parts.append(node.raw_code) -%}
            {%- do waiting.extend(node.depends_on.macros) -%}
        {%- endfor -%}
        {%- set seen = [] -%}
        {%- for _ in range(500) if waiting -%}
            {%- set name = waiting.pop() -%}
            {%- if name.startswith('macro.customer_360.') and name not in seen -%}
                {%- do seen.append(name) -%}
                {#- A macro that dispatches by engine names its forms only at run time, so each form is looked for. -#}
                {%- for prefix in ['', 'default__', target.type ~ '__'] -%}
                    {%- set found = context.get(prefix ~ name.split('.')[-1]) -%}
                    {%- if found and found.macro -%}
                        {%- do parts.append(found.macro.macro_sql) -%}
                        {%- do waiting.extend(found.macro.depends_on.macros) -%}
                    {%- endif -%}
                {%- endfor -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set calls_udfs = config.get('meta', {}).get('calls_udfs') -%}
        concat('{{ local_md5(parts | sort | join)[:12] }}'{% if calls_udfs %}, udf_version(){% endif %})
    {%- else -%}
        'parsing'
    {%- endif -%}
{%- endmacro %}
