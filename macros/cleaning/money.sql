{#-
An amount in the smallest unit of its currency, as text (`1999`, `usd`), in the currency's own unit (19.99);
null when it is no whole number. Source: Stripe's documentation of zero-decimal and three-decimal currencies; the
last digit of the latter is always 0, so that two decimals hold them.
-#}
{% macro major_units(amount, currency) -%}
    cast(
        try_cast({{ amount }} as decimal(15, 0)) * case
            when
                lower({{ currency }}) in (
                    'bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv',
                    'xaf', 'xof', 'xpf'
                )
                then cast(1 as decimal(4, 3))
            when lower({{ currency }}) in ('bhd', 'jod', 'kwd', 'omr', 'tnd') then cast(0.001 as decimal(4, 3))
            else cast(0.01 as decimal(4, 3))
        end as decimal(18, 2)
    )
{%- endmacro %}

{#- A currency as its ISO 4217 code is written; needs no table, so that an unknown one is kept and flagged. -#}
{% macro clean_currency(text) -%} upper({{ clean_text(text) }}) {%- endmacro %}

{#- Why an amount has no value in the reporting currency; `rates` is the row of cln_exchange_rates joined to it. -#}
{% macro currency_issue(text) -%}
    case
        when {{ clean_text(text) }} is null then 'no currency'
        when rates.rate is null then 'no exchange rate'
    end
{%- endmacro %}

{#- An amount in the reporting currency, to the cent. -#}
{% macro in_reporting_currency(amount) -%} cast(round({{ amount }} * rates.rate, 2) as decimal(18, 2)) {%- endmacro %}

{#- What a fact's hash holds beside its staged row: the rates it was converted by. -#}
{% macro rates_versions() %}{{ return(['(select max(known.version) from rates as known)']) }}{% endmacro %}
