"""The project's codes in plain English: fields, rules, identifiers, events, moments, amounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

FIELDS = {
    "person_kind": "kind of customer",
    "email": "e-mail",
    "email_2": "second e-mail",
    "national_id": "national id",
    "company_name": "company",
    "unit": "flat or unit",
    "is_email_opted_out": "opted out of e-mail",
}
RULES = {
    "most_complete": "from the record that says most about it",
    "most_recent": "the most recent",
    "source_priority": "from the source trusted most for it",
    "most_frequent": "what most records say",
    "any_true": "true as soon as one source says so",
}
IDENTIFIERS = {
    "email": "the e-mail {}",
    "phone": "the phone {}",
    "national_id": "a national id",
    "birth_date": "the date of birth {}",
    "address": "an address",
    "company": "the company {}",
}


def field_label(field: str) -> str:
    """`date_of_birth` -> `date of birth`."""
    return FIELDS.get(field, field.replace("_", " "))


def rule_label(rule: str | None) -> str:
    """A survivorship rule in words."""
    return RULES.get(rule or "", (rule or "no rule").replace("_", " "))


def identifier(kind: str, value: str) -> str:
    """An identifier somebody holds: `the e-mail a@b.org`."""
    return IDENTIFIERS.get(kind, kind.replace("_", " ") + " {}").format(value)


def moment(value: datetime | date | None) -> str:
    """A time to the minute, a date as it is, `at an unknown time` for none."""
    if value is None:
        return "at an unknown time"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else f"{value:%Y-%m-%d}"


def amount(value: Decimal | float | int | None, currency: str) -> str:
    """`1,234.50 EUR`."""
    return f"{value or 0:,.2f} {currency}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 record`, `2 records`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(items: list[str], last: str = "and") -> str:
    """`a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def sentence(text: str) -> str:
    """Capital letter in front, full stop behind."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".") if text else ""


def describe_event(event: Mapping[str, Any]) -> str:
    """One row of idr_match_events (event, customer ids before and after, record_key, rule, deciding_pair)."""
    before, after = event["customer_id_before"], event["customer_id_after"]
    record = event["record_key"] or "a record that is gone"
    texts = {
        "created": f"customer {after} was created from {record}",
        "merged": f"customer {before} was merged into {after}",
        "split": f"customer {after} was split from {before}, with {record}: nothing joins it to the others any more",
        "retired": f"customer {before} was retired: all its records left their sources",
        "record_added": f"{record} joined customer {after}",
        "record_removed": f"{record} left customer {before}: it is gone from its source",
        "moved": f"{record} moved from customer {before} to {after}",
    }
    text = texts.get(event["event"], f"{event['event'].replace('_', ' ')}: {before} to {after}")
    # A created customer or a removed record needs no reason; the others tell what decided.
    if event["event"] in ("merged", "record_added", "moved") and event["rule"]:
        text += f", because of: {event['rule']}"
        if event["deciding_pair"]:
            text += f" ({event['deciding_pair'].replace(' ~ ', ' and ')})"
    return text
