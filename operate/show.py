"""`c360 show`: one customer as the published steward file has it, each value with where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb

from operate import words
from operate.environment import Environment
from operate.published import open_published, resolve, rows

FIELD_ORDER = (
    "person_kind", "given_name", "middle_name", "family_name", "name_suffix", "email", "phone", "mobile",
    "street", "house_number", "unit", "postal_code", "city", "region", "country", "date_of_birth", "national_id",
    "company_name", "job_title", "website", "is_email_opted_out",
)  # fmt: skip
EVENTS_SHOWN = 8
MEMBERS_SHOWN = 30


def show(environment: Environment, name: str) -> str:
    """The text about the customer called `name`: an id (old ones are followed) or the key of one of its records.

    Raises UserError when nothing is published or nothing published knows the name.
    """
    with open_published(environment) as connection:
        found = resolve(connection, name)
        lines = list(found["notes"])
        customer_id = found["customer_id"]
        if customer_id is None:
            lines += _past(connection, found)
            return "\n".join(lines)
        if found["kind"] == "record":
            lines.append(f"{found['name']} belongs to customer {customer_id}.")
        if lines:
            lines.append("")
        return "\n".join([*lines, *_customer(connection, customer_id)])


def _customer(connection: duckdb.DuckDBPyConnection, customer_id: str) -> Iterator[str]:
    customer = rows(connection, "select * from customer_360.customer_360 where customer_id = ?", [customer_id])[0]
    yield f"Customer {customer_id}: {customer['full_name'] or 'no name known'}"
    yield (
        f"{words.count(customer['record_count'], 'record')} from {customer['source_systems']}, "
        f"first seen {words.moment(customer['first_seen_at'])}, last seen {words.moment(customer['last_seen_at'])}, "
        f"completeness {customer['quality_score']} of 100"
    )
    for title, section in (
        ("Golden record", _golden(connection, customer_id)),
        ("Records", _members(connection, customer_id)),
        ("Ways to reach them", _contact_points(connection, customer_id)),
        ("Invoices", _invoices(connection, customer_id)),
        ("What happened to this customer", _events(connection, customer_id)),
    ):
        yield ""
        yield title
        yield from section


def _golden(connection: duckdb.DuckDBPyConnection, customer_id: str) -> list[str]:
    lineage = rows(
        connection,
        "select golden.*, (select count(distinct other.value) from customer_360.customer_field_lineage as other "
        "where other.customer_id = golden.customer_id and other.field = golden.field) as value_count "
        "from customer_360.customer_field_lineage as golden where customer_id = ? and is_golden",
        [customer_id],
    )
    by_field = {row["field"]: row for row in lineage}
    ordered = [field for field in FIELD_ORDER if field in by_field]
    ordered += sorted(set(by_field) - set(ordered))
    table = []
    for field in ordered:
        row = by_field[field]
        rule = words.rule_label(row["survivorship_rule"])
        if row["value_count"] > 1:
            rule += f" of {row['value_count']} values"
        said = f"said {words.moment(row['said_at'])}"
        table.append((words.field_label(field), row["value"], row["record_key"], rule, said))
    return aligned(table)


def _members(connection: duckdb.DuckDBPyConnection, customer_id: str) -> list[str]:
    members = rows(
        connection,
        "select * from customer_360.customer_source_records where customer_id = ? order by record_key",
        [customer_id],
    )
    table = [
        (row["record_key"], person(row), row["email"] or "-", row["phone"] or row["mobile"] or "-", _place(row))
        for row in members[:MEMBERS_SHOWN]
    ]
    lines = aligned(table)
    if len(members) > MEMBERS_SHOWN:
        lines.append(f"  and {words.count(len(members) - MEMBERS_SHOWN, 'more record')}")
    return lines


def person(row: dict[str, Any]) -> str:
    """The name in a record, else its company, else a dash."""
    parts = [row.get(part) for part in ("given_name", "middle_name", "family_name", "name_suffix")]
    return " ".join(part for part in parts if part) or row.get("company_name") or "-"


def _place(row: dict[str, Any]) -> str:
    parts = [row["street"], row["house_number"], row["postal_code"], row["city"], row["country"]]
    return " ".join(part for part in parts if part) or "-"


def _contact_points(connection: duckdb.DuckDBPyConnection, customer_id: str) -> list[str]:
    points = rows(
        connection,
        "select * from customer_360.customer_contact_points where customer_id = ? "
        "order by contact_type, is_golden desc, record_count desc, contact_value",
        [customer_id],
    )
    return aligned(
        [
            (
                words.field_label(row["contact_type"]),
                row["contact_value"],
                f"in {words.count(row['record_count'], 'record')}",
                "golden" if row["is_golden"] else "",
            )
            for row in points
        ]
    )


def _invoices(connection: duckdb.DuckDBPyConnection, customer_id: str) -> list[str]:
    sums = rows(
        connection,
        "select status, currency, count(*) as invoice_count, sum(amount) as amount, "
        "min(issued_date) as first_date, max(issued_date) as last_date "
        "from customer_360.customer_invoices where customer_id = ? group by all order by status, currency",
        [customer_id],
    )
    return aligned(
        [
            (
                row["status"] or "no status",
                words.count(row["invoice_count"], "invoice"),
                words.amount(row["amount"], row["currency"] or ""),
                f"{words.moment(row['first_date'])} to {words.moment(row['last_date'])}",
            )
            for row in sums
        ]
    )


def _events(connection: duckdb.DuckDBPyConnection, customer_id: str) -> list[str]:
    events = rows(
        connection,
        "select * from identity_resolved.idr_match_events where ? in (customer_id_before, customer_id_after) "
        "order by occurred_at desc, event, record_key",
        [customer_id],
    )
    lines = [f"  {words.moment(row['occurred_at'])}  {words.describe_event(row)}" for row in events[:EVENTS_SHOWN]]
    if len(events) > EVENTS_SHOWN:
        lines.append(f"  and {words.count(len(events) - EVENTS_SHOWN, 'earlier event')}")
    return lines


def _past(connection: duckdb.DuckDBPyConnection, found: dict[str, Any]) -> list[str]:
    """Who belonged to a customer that is no more, or the customer that a gone record belonged to."""
    column = "customer_id" if found["kind"] == "customer" else "record_key"
    past = rows(
        connection,
        f"select * from customer_360.customer_as_of where {column} = ? order by valid_from, record_key",
        [found["name"]],
    )
    return [
        f"  {row['record_key']} belonged to {row['customer_id']} from {words.moment(row['valid_from'])} "
        f"to {words.moment(row['valid_to']) if row['valid_to'] else 'today'}"
        for row in past
    ]


def aligned(table: list[tuple[str, ...]]) -> list[str]:
    """Rows of texts as indented columns; `  none` when there are none."""
    if not table:
        return ["  none"]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    ]
