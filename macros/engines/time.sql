{#- A UTC timestamp without zone from seconds since 1970. -#}
{% macro timestamp_from_epoch(seconds) %}
    {{ return(adapter.dispatch('timestamp_from_epoch', 'customer_360')(seconds)) }}
{% endmacro %}
{% macro default__timestamp_from_epoch(seconds) -%}
    make_timestamp(cast(1000000 * ({{ seconds }}) as bigint))
{%- endmacro %}
{% macro spark__timestamp_from_epoch(seconds) -%}
    timestamp_micros(cast(1000000 * ({{ seconds }}) as bigint))
{%- endmacro %}

{#- ISO 8601 text, with or without an offset, as a UTC timestamp without zone; null when it is no time. -#}
{% macro iso_to_utc(text) %}{{ return(adapter.dispatch('iso_to_utc', 'customer_360')(text)) }}{% endmacro %}
{% macro default__iso_to_utc(text) -%} (try_cast({{ text }} as timestamptz) at time zone 'UTC') {%- endmacro %}
{% macro spark__iso_to_utc(text) -%} try_to_timestamp({{ text }}) {%- endmacro %}

{#- The project's only now: the `as_of` variable when given, else the environment's clock (operate/clock.py). -#}
{% macro as_of() -%}
    {%- if var('as_of', none) is not none -%} cast('{{ var("as_of") }}' as timestamp)
    {%- else -%} clock_now()
    {%- endif -%}
{%- endmacro %}
