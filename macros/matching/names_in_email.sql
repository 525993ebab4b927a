{#-
The comparable local part of an e-mail address: words of letters, separated by single dots; jane_doe81@ is jane.doe.
-#}
{% macro mailbox(email) -%}
    {{ regex_replace_all(
        regex_replace_all(unaccent("lower(split_part(" ~ email ~ ", '@', 1))"), '[^\\p{L}._-]', ''), '[._-]+', '.'
    ) }}
{%- endmacro %}

{#-
The given name that an e-mail address tells of a record that has none: jane.doe@, doe_jane@, janedoe@, jdoe81@. The
record's family name must stand in it; where the record has no name at all, two words are one.
Columns of `records`: given_name_key, family_name_key, mailbox (all comparable).
-#}
{% macro mail_given_name(records) -%}
    {%- set family = records ~ '.family_name_key' -%}
    {%- set mailbox = records ~ '.mailbox' -%}
    {%- set first = "split_part(" ~ mailbox ~ ", '.', 1)" -%}
    {%- set second = "split_part(" ~ mailbox ~ ", '.', 2)" -%}
    case
        when {{ records }}.given_name_key is not null or split_part({{ mailbox }}, '.', 3) <> '' then null
        when {{ second }} <> '' and ({{ family }} is null or {{ second }} = {{ family }}) then nullif({{ first }}, '')
        when {{ second }} <> '' and {{ first }} = {{ family }} then {{ second }}
        when {{ second }} <> '' or {{ mailbox }} = {{ family }} then null
        when starts_with({{ mailbox }}, {{ family }}) or ends_with({{ mailbox }}, {{ family }})
            then replace({{ mailbox }}, {{ family }}, '')
    end
{%- endmacro %}

{#- The family name that it tells of a record that has none; its given name must stand in it, or its initial. -#}
{% macro mail_family_name(records) -%}
    {%- set given = records ~ '.given_name_key' -%}
    {%- set mailbox = records ~ '.mailbox' -%}
    {%- set first = "split_part(" ~ mailbox ~ ", '.', 1)" -%}
    {%- set second = "split_part(" ~ mailbox ~ ", '.', 2)" -%}
    case
        when {{ records }}.family_name_key is not null or split_part({{ mailbox }}, '.', 3) <> '' then null
        when length({{ second }}) > 1 and ({{ given }} is null or {{ first }} in ({{ given }}, left({{ given }}, 1)))
            then {{ second }}
        when {{ second }} <> '' and {{ second }} = {{ given }} then nullif({{ first }}, '')
        when {{ second }} <> '' or length({{ mailbox }}) < 4 then null
        when starts_with({{ mailbox }}, {{ given }}) and length({{ mailbox }}) < length({{ given }}) + 3 then null
        when starts_with({{ mailbox }}, {{ given }}) then replace({{ mailbox }}, {{ given }}, '')
        when left({{ mailbox }}, 1) = left({{ given }}, 1) then substring({{ mailbox }}, 2)
    end
{%- endmacro %}
