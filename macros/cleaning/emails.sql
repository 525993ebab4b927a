{#- The address inside what was typed: wrappers (`mailto:`, `Name <...>`), blanks and trailing dots cut. -#}
{% macro unwrap_email(text) -%}
    {{ regex_replace_all(
        regex_replace_all(clean_text(text), '^.*<([^<>]+)>.*$', '\\1'),
        '^(mailto:)|[\\s.,;]+$', ''
    ) }}
{%- endmacro %}

{#- A stored address: as written, the domain in lower case; null when it cannot be an address. Never corrected. -#}
{% macro clean_email(unwrapped) -%}
    case
        when {{ regex_matches(unwrapped, '^[^@\\s<>,;:\\x22]+@([\\p{L}0-9]([\\p{L}0-9-]*[\\p{L}0-9])?\\.)+[\\p{L}][\\p{L}0-9-]*[\\p{L}0-9]$') }}
            and not contains({{ unwrapped }}, '..')
            and not starts_with({{ unwrapped }}, '.')
            and not contains({{ unwrapped }}, '.@')
            then concat(split_part({{ unwrapped }}, '@', 1), '@', lower(split_part({{ unwrapped }}, '@', 2)))
    end
{%- endmacro %}

{#- One readable lower-case address per mailbox: gmail without dots and +tag, +tag cut where the provider ignores it. -#}
{% macro email_match_key(email) -%}
    case
        when split_part({{ email }}, '@', 2) in ('gmail.com', 'googlemail.com')
            then concat(
                replace(split_part(split_part(lower({{ email }}), '@', 1), '+', 1), '.', ''), '@gmail.com'
            )
        when split_part({{ email }}, '@', 2)
            in ('outlook.com', 'hotmail.com', 'icloud.com', 'proton.me', 'fastmail.com')
            then concat(
                split_part(split_part(lower({{ email }}), '@', 1), '+', 1), '@', split_part({{ email }}, '@', 2)
            )
        else lower({{ email }})
    end
{%- endmacro %}
