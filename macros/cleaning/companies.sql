{#- A company's name without its legal form, case, diacritics and punctuation: what two spellings share. -#}
{% macro company_key(text) -%}
    nullif(trim({{ regex_replace_all(
        regex_replace_all(
            regex_replace_all(unaccent('lower(' ~ text ~ ')'), '(\\s*&\\s*|\\s+and\\s+)', ' '),
            '[^\\p{L}0-9 ]', ''
        ),
        '(\\s+(inc|incorporated|llc|ltd|limited|corp|corporation|co|company|plc|llp|lp|gmbh|mbh|ag|kg|ohg|ug|ek|sarl|sas|sasu|sa|sl|slu|srl|spa|bv|nv|oy|oyj|ab|as|aps|pty|kk|sa de cv|de cv|sdn bhd|pte|spol sro|sro|sp z oo|kft|doo))+$',
        ''
    ) }}), '')
{%- endmacro %}
