-- The dictionaries hold exactly the values that the sources hold today: no gaps, no leftovers.
with

{% for name in ['country', 'phone', 'email', 'address', 'person_name', 'company'] -%}
{{ name }}_gaps as (
    select written.dictionary_key, 'missing in cln_{{ name }}_dictionary' as problem
    from {{ ref('cln_' ~ name ~ '_values') }} as written
    left join {{ ref('cln_' ~ name ~ '_dictionary') }} as parsed
        on written.dictionary_key = parsed.dictionary_key
    where parsed.dictionary_key is null
    union all
    select parsed.dictionary_key, 'left over in cln_{{ name }}_dictionary'
    from {{ ref('cln_' ~ name ~ '_dictionary') }} as parsed
    left join {{ ref('cln_' ~ name ~ '_values') }} as written
        on parsed.dictionary_key = written.dictionary_key
    where written.dictionary_key is null
),

{% endfor -%}
gaps as (
    {%- for name in ['country', 'phone', 'email', 'address', 'person_name', 'company'] %}
    select * from {{ name }}_gaps
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from gaps
