"""`c360 why`: in plain English, why two records are one customer, or why they are not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from operate import words
from operate.environment import Environment
from operate.published import open_published, resolve, rows
from operate.show import person

# What each shared identifier asks of the names before it joins two records; the guards of idr_pair_scores.
GUARDS = (
    ("same_national_id", "national_id", "that the given names agree or one is missing"),
    ("same_email", "email", "that the given names agree, or one is missing and the family names do not differ"),
    ("same_phone", "phone", "that the given names agree and the family names do not differ"),
    ("same_birth_date", "birth_date", "that given and family names both agree"),
    ("same_address", "address", "that the given names agree and the family names do not differ"),
    ("same_company", "company", "that given and family names both agree"),
)
COMPARED = ("email", "phone", "mobile", "date_of_birth", "national_id", "address", "company_name")
RECORDS_SHOWN = 30
EDGES_SHOWN = 30


@dataclass(frozen=True)
class Side:
    """One of the two things asked about and the live records it stands for."""

    asked: str
    name: str
    kind: str
    customer_id: str | None
    keys: list[str]
    notes: list[str]


def why(environment: Environment, first: str, second: str) -> str:
    """The text about two records or customers, given by record key or customer id.

    Raises UserError when nothing is published or nothing published knows one of the names.
    """
    with open_published(environment) as connection:
        one, other = _side(connection, first), _side(connection, second)
        lines = [*one.notes, *other.notes]
        if lines:
            lines.append("")
        return "\n".join([*lines, *_answer(connection, one, other)])


def _side(connection: duckdb.DuckDBPyConnection, name: str) -> Side:
    found = resolve(connection, name)
    keys = [found["name"]] if found["kind"] == "record" else _members(connection, found["customer_id"])
    return Side(
        name.strip(), found["name"], found["kind"], found["customer_id"],
        keys if found["customer_id"] else [], found["notes"],
    )  # fmt: skip


def _members(connection: duckdb.DuckDBPyConnection, customer_id: str | None) -> list[str]:
    found = connection.execute(
        "select record_key from identity_resolved.idr_crosswalk where customer_id = ? order by record_key",
        [customer_id],
    )
    return [key for (key,) in found.fetchall()]


def _answer(connection: duckdb.DuckDBPyConnection, one: Side, other: Side) -> list[str]:
    gone = [side for side in (one, other) if side.customer_id is None]
    if gone:
        return _about_gone(connection, one, other, gone)
    if one.customer_id != other.customer_id:
        return list(_apart(connection, one, other))
    if one.kind == "record" and other.kind == "record":
        if one.name == other.name:
            return [f"{one.asked} and {other.asked} are the same record, {one.name}, of customer {one.customer_id}."]
        return list(_together(connection, one, other))
    return list(_same_customer(connection, one, other))


def _about_gone(connection: duckdb.DuckDBPyConnection, one: Side, other: Side, gone: list[Side]) -> list[str]:
    names = words.listed(list(dict.fromkeys(side.name for side in gone)))
    is_plural = len({side.name for side in gone}) > 1
    lines = [f"{names} {'are' if is_plural else 'is'} no longer live, so there is nothing to join any more."]
    if one.kind == other.kind == "record":
        shared = connection.execute(
            "select former.customer_id, greatest(former.valid_from, latter.valid_from), "
            "least(former.valid_to, latter.valid_to) "
            "from customer_360.customer_as_of as former inner join customer_360.customer_as_of as latter "
            "on former.customer_id = latter.customer_id and former.record_key = ? and latter.record_key = ? "
            "and former.valid_from < coalesce(latter.valid_to, 'infinity') "
            "and latter.valid_from < coalesce(former.valid_to, 'infinity') order by 2 desc limit 1",
            [one.name, other.name],
        ).fetchall()
        lines += [
            f"They were one customer, {customer}, from {words.moment(start)} to {words.moment(end)}."
            for customer, start, end in shared
        ] or ["They were never one customer at one time."]
    return lines


# ---------- one customer
def _together(connection: duckdb.DuckDBPyConnection, one: Side, other: Side) -> Iterator[str]:
    members = _members(connection, one.customer_id)
    yield (
        f"Yes: {one.name} and {other.name} are one customer, {one.customer_id}, "
        f"which has {words.count(len(members), 'record')}."
    )
    yield ""
    yield from _introduced(connection, [one.name, other.name])
    yield ""
    path = _path(connection, one, other)
    if path is None:
        yield "No chain of evidence between them is left in what is published; the next run will part them."
        return
    if len(path) == 1:
        yield "They are joined directly:"
    else:
        yield f"They are joined through {words.count(len(path) - 1, 'other record')}:"
    for number, (left, right, edge) in enumerate(path, 1):
        certain = " This is certain, not a guess." if edge["is_certain"] else ""
        yield f"  {number}. {left} and {right}: {words.sentence(edge['evidence'])}{certain}"
    if len(path) > 1:
        score = _score(connection, one.name, other.name)
        yield ""
        yield "On their own, without the records between, they would not be joined:"
        yield from (f"  {line}" for line in _verdict(connection, one.name, other.name, score))
    yield from _since(connection, one, other)


def _same_customer(connection: duckdb.DuckDBPyConnection, one: Side, other: Side) -> Iterator[str]:
    members = _members(connection, one.customer_id)
    if one.asked == other.asked:
        yield f"{one.asked} is one customer; its {words.count(len(members), 'record')} and what joins them:"
    else:
        yield f"Yes: {one.asked} and {other.asked} are one customer, {one.customer_id}, today."
    merges = rows(
        connection,
        "select * from identity_resolved.idr_match_events where event = 'merged' "
        "and customer_id_before in (?, ?) order by occurred_at",
        [one.asked, other.asked],
    )
    for event in merges:
        yield f"On {words.moment(event['occurred_at'])} {words.describe_event(event)}."
    yield ""
    yield from _introduced(connection, members)
    edges = _edges(connection, one.customer_id)
    if edges:
        yield ""
        yield "What joins them:"
    for edge in edges[:EDGES_SHOWN]:
        yield f"  {edge['record_key_a']} and {edge['record_key_b']}: {words.sentence(edge['evidence'])}"
    if len(edges) > EDGES_SHOWN:
        yield f"  and {words.count(len(edges) - EDGES_SHOWN, 'more link')}"


def _edges(connection: duckdb.DuckDBPyConnection, customer_id: str | None) -> list[dict[str, Any]]:
    return rows(
        connection,
        "select edges.* from identity_resolved.idr_edges as edges "
        "inner join identity_resolved.idr_crosswalk as crosswalk on edges.record_key_a = crosswalk.record_key "
        "where crosswalk.customer_id = ? order by edges.record_key_a, edges.record_key_b",
        [customer_id],
    )


def _path(
    connection: duckdb.DuckDBPyConnection, one: Side, other: Side
) -> list[tuple[str, str, dict[str, Any]]] | None:
    """The shortest chain of edges from one record to the other, inside their customer."""
    neighbours: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for edge in _edges(connection, one.customer_id):
        neighbours.setdefault(edge["record_key_a"], []).append((edge["record_key_b"], edge))
        neighbours.setdefault(edge["record_key_b"], []).append((edge["record_key_a"], edge))
    came_from: dict[str, tuple[str, dict[str, Any]] | None] = {one.name: None}
    waiting = deque([one.name])
    while waiting and other.name not in came_from:
        here = waiting.popleft()
        for there, edge in neighbours.get(here, ()):
            if there not in came_from:
                came_from[there] = (here, edge)
                waiting.append(there)
    if other.name not in came_from:
        return None
    path, here = [], other.name
    while (step := came_from[here]) is not None:
        path.append((step[0], here, step[1]))
        here = step[0]
    return path[::-1]


def _since(connection: duckdb.DuckDBPyConnection, one: Side, other: Side) -> Iterator[str]:
    since = connection.execute(
        "select max(valid_from) from identity_resolved.idr_crosswalk_history "
        "where valid_to is null and record_key in (?, ?)",
        [one.name, other.name],
    ).fetchall()[0][0]
    if since:
        yield ""
        yield f"They have been in this customer, as it is, since {words.moment(since)}."


# ---------- two customers
def _apart(connection: duckdb.DuckDBPyConnection, one: Side, other: Side) -> Iterator[str]:
    left, right, score = _closest(connection, one, other)
    yield (
        f"No: {one.asked} and {other.asked} are two customers: "
        f"{one.customer_id} ({words.count(len(_members(connection, one.customer_id)), 'record')}) and "
        f"{other.customer_id} ({words.count(len(_members(connection, other.customer_id)), 'record')})."
    )
    yield ""
    if (left, right) != (one.name, other.name):
        yield "Of their records, these two come closest:"
    yield from _introduced(connection, [left, right])
    yield ""
    yield from _verdict(connection, left, right, score)


def _closest(connection: duckdb.DuckDBPyConnection, one: Side, other: Side) -> tuple[str, str, dict[str, Any] | None]:
    """The pair to explain: the two records asked for, or of two customers the pair with most in common."""
    if len(one.keys) == len(other.keys) == 1:
        return one.keys[0], other.keys[0], _score(connection, one.keys[0], other.keys[0])
    best = rows(
        connection,
        "select * from identity_resolved.idr_pair_scores where record_key_a in (select unnest(?)) "
        "and record_key_b in (select unnest(?)) or record_key_a in (select unnest(?)) "
        "and record_key_b in (select unnest(?)) order by (veto is null) desc, "
        "(same_national_id is not null)::int * 3 + (same_email is not null)::int * 3 "
        "+ (same_phone is not null)::int * 2 + (same_birth_date is not null)::int * 2 "
        "+ (same_address is not null)::int + (same_company is not null)::int desc, pair_key limit 1",
        [one.keys, other.keys, other.keys, one.keys],
    )
    if not best:
        return one.keys[0], other.keys[0], None
    pair = (best[0]["record_key_a"], best[0]["record_key_b"])
    left, right = pair if pair[0] in one.keys else pair[::-1]
    return left, right, best[0]


def _score(connection: duckdb.DuckDBPyConnection, left: str, right: str) -> dict[str, Any] | None:
    found = rows(
        connection,
        "select * from identity_resolved.idr_pair_scores where record_key_a = ? and record_key_b = ?",
        sorted((left, right)),
    )
    return found[0] if found else None


def _verdict(
    connection: duckdb.DuckDBPyConnection, left: str, right: str, score: dict[str, Any] | None
) -> Iterator[str]:
    """Why a pair is not joined by itself."""
    if score is None:
        yield from _never_compared(connection, left, right)
    else:
        shared = [words.identifier(kind, score[column]) for column, kind, _ in GUARDS if score[column] is not None]
        yield words.sentence(f"they have {words.listed(shared)} in common" if shared else "they were compared")
        if score["veto"]:
            yield words.sentence(f"but something forbids it, whatever else agrees: {score['veto']}")
        else:
            yield from _failed_guards(score)
    yield from _suppressed(connection, left, right)


def _failed_guards(score: dict[str, Any]) -> Iterator[str]:
    given = {
        "missing": "one of them has no given name",
        "equal": "their given names are equal",
        "initial": "one given name is the initial of the other",
        "nickname": "one given name is a nickname of the other",
        "one letter apart": "their given names are one letter apart",
        "told by the e-mail": "an e-mail address tells the same given name",
    }.get(score["given_name_level"], "their given names differ")
    family = {
        "missing": "one of them has no family name",
        "equal": "their family names are equal",
        "one letter apart": "their family names are one letter apart",
        "told by the e-mail": "an e-mail address tells the same family name",
    }.get(score["family_name_level"], "their family names differ")
    yield words.sentence(f"but {given} and {family}")
    for column, kind, guard in GUARDS:
        if score[column] is not None:
            thing = words.identifier(kind, "").strip().removeprefix("the ").removeprefix("an ").removeprefix("a ")
            yield words.sentence(f"the same {thing} counts only on condition {guard}")


def _never_compared(connection: duckdb.DuckDBPyConnection, left: str, right: str) -> Iterator[str]:
    yield "They were never compared: no identifier that counts is held by both."
    said = {row["record_key"]: row for row in _records(connection, [left, right])}
    lines = []
    for field in COMPARED:
        values = [_value(said.get(key, {}), field) for key in (left, right)]
        if not any(values):
            continue
        label = words.field_label(field)
        if all(values):
            relation = "both say" if values[0] == values[1] else "differ:"
            text = values[0] if values[0] == values[1] else f"{values[0]} and {values[1]}"
            lines.append(f"  {label}: {relation} {text}")
        else:
            has, lacks = (left, right) if values[0] else (right, left)
            lines.append(f"  {label}: only {has} has one ({values[0] or values[1]}), {lacks} has none")
    yield from lines or ["  Neither says anything that could be compared."]
    yield (
        "To be joined they would have to share one of these, with agreeing names: a national id, an e-mail, a phone, "
        "an address with its postal code, a date of birth, or a company."
    )


def _value(record: dict[str, Any], field: str) -> str | None:
    if field == "address":
        parts = [record.get(part) for part in ("house_number", "street", "unit", "postal_code", "city")]
        return " ".join(part for part in parts if part) or None
    value = record.get(field)
    return None if value is None else str(value)


def _suppressed(connection: duckdb.DuckDBPyConnection, left: str, right: str) -> Iterator[str]:
    """Identifiers that both hold and that count for nothing."""
    common = rows(
        connection,
        "select distinct held.identifier_type, held.identifier_value, held.suppressed_because "
        "from identity_resolved.idr_identifiers as held "
        "inner join identity_resolved.idr_identifiers as other on held.identifier_key = other.identifier_key "
        "where held.record_key = ? and other.record_key = ? and held.suppressed_because is not null order by all",
        [left, right],
    )
    for row in common:
        thing = words.identifier(row["identifier_type"], row["identifier_value"])
        yield words.sentence(f"both hold {thing}, which counts for nothing: {row['suppressed_because']}")


# ---------- records
def _records(connection: duckdb.DuckDBPyConnection, keys: list[str]) -> list[dict[str, Any]]:
    return rows(
        connection,
        "select * from identity_resolved.idr_records where record_key in (select unnest(?)) order by record_key",
        [keys],
    )


def _introduced(connection: duckdb.DuckDBPyConnection, keys: list[str]) -> Iterator[str]:
    """Each record in a line, in the order asked for."""
    said = {row["record_key"]: row for row in _records(connection, keys)}
    for key in keys[:RECORDS_SHOWN]:
        row = said.get(key, {})
        facts = [person(row), row.get("email"), row.get("phone"), row.get("mobile")]
        facts.append(f"born {row['date_of_birth']}" if row.get("date_of_birth") else None)
        facts.append(row.get("company_name"))
        yield f"  {key}: {', '.join(dict.fromkeys(fact for fact in facts if fact))}"
    if len(keys) > RECORDS_SHOWN:
        yield f"  and {words.count(len(keys) - RECORDS_SHOWN, 'more record')}"
