{#-
What no field of a person should hold, whatever its meaning: control characters, the mark that a decoder leaves for
bytes it could not read, marks that turn the direction of text, emoji, and text longer than any such field; and in
`words`, the fields that hold nothing but words, the punctuation of a programme.
-#}
{% macro text_issue(fields, words) -%}
    {%- set text = "concat_ws(' ', " ~ fields | join(', ') ~ ")" -%}
    case
        when length({{ text }}) > 10000 then 'text too long'
        when {{ regex_matches(text, '[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]') }} then 'control characters'
        when {{ regex_matches(text, '\\x{fffd}') }} then 'bytes that are no text'
        when {{ regex_matches(text, '[\\x{200e}\\x{200f}\\x{202a}-\\x{202e}\\x{2066}-\\x{2069}]') }}
            then 'marks of writing direction'
        when {{ regex_matches("concat_ws(' ', " ~ words | join(', ') ~ ")", '[{}<>\\\\^]|;.*--|[$][a-z]+\"?:') }}
            then 'code and no words'
        when {{ regex_matches(text, '[\\x{1f000}-\\x{1faff}]') }} then 'emoji'
    end
{%- endmacro %}
