{#- The country of the project, for records without one of their own or of their file; null where it has none. -#}
{% macro project_country() -%}
    {%- if var('default_country', none) -%} '{{ var("default_country") }}'
    {%- else -%} cast(null as varchar) {%- endif -%}
{%- endmacro %}

{#- The country that decides how a record's phone is read: its own code, the file's, the project's. -#}
{% macro country_of(country, default_country) -%}
    coalesce({{ country }}, {{ default_country }}, {{ project_country() }})
{%- endmacro %}
