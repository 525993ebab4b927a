"""The published steward file, opened read-only: what `show`, `why` and `export` answer from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from operate.environment import Environment
from operate.errors import UserError


def steward_file(environment: Environment) -> Path:
    """The file of the role `steward`. Raises UserError when nothing is published."""
    path = environment.published / "steward.duckdb"
    if not path.exists():
        raise UserError(
            f"nothing is published in environment {environment.name!r} ({path} does not exist): "
            f"run `c360 run --env {environment.name}` first"
        )
    return path


@contextmanager
def open_published(environment: Environment) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection in UTC to the published steward file; a publish in between does not disturb it."""
    connection = duckdb.connect(str(steward_file(environment)), read_only=True)
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Any = None) -> list[dict[str, Any]]:
    """The result of a query as one dict per row."""
    result = connection.execute(sql, parameters)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def resolve(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, Any]:
    """What `name` is: a customer id (live, merged or retired) or a record key (live or gone).

    Returns kind ("customer" or "record"), name, customer_id (the live customer it leads to, or None) and
    notes: sentences on how it got there. Raises UserError when nothing published knows the name.
    """
    name = name.strip()
    redirect = rows(connection, "select * from customer_360.customer_id_redirects where customer_id = ?", [name])
    if redirect:
        return {"kind": "customer", "name": name, **_customer(redirect[0])}
    record = _record(connection, name)
    if record is None:
        raise UserError(_unknown(connection, name))
    return record


def _customer(redirect: dict[str, Any]) -> dict[str, Any]:
    old, current = redirect["customer_id"], redirect["current_customer_id"]
    ended = f"on {redirect['retired_at']:%Y-%m-%d}" if redirect["retired_at"] else "meanwhile"
    notes = []
    if current is None:
        notes.append(f"Customer {old} was retired {ended}: all its records left their sources.")
    elif current != old:
        notes.append(f"Customer {old} was merged {ended}; the id leads to {current} now.")
    return {"customer_id": current, "notes": notes}


def _record(connection: duckdb.DuckDBPyConnection, key: str) -> dict[str, Any] | None:
    notes: list[str] = []
    successor = rows(connection, "select * from identity_resolved.idr_record_successors where record_key = ?", [key])
    live_key = key
    if successor:
        live_key = successor[0]["successor_key"]
        notes.append(f"{key} was merged in its source and lives on as {live_key}.")
    live = rows(connection, "select * from identity_resolved.idr_crosswalk where record_key = ?", [live_key])
    if live:
        return {"kind": "record", "name": live_key, "customer_id": live[0]["customer_id"], "notes": notes}
    past = rows(
        connection,
        "select * from customer_360.customer_as_of where record_key = ? order by valid_from desc limit 1",
        [live_key],
    )
    if not past:
        return None
    left = past[0]["valid_to"]
    notes.append(
        f"{live_key} left its source{f' (noticed on {left:%Y-%m-%d})' if left else ''}; "
        f"it belonged to customer {past[0]['customer_id']}."
    )
    return {"kind": "record", "name": live_key, "customer_id": None, "notes": notes}


def _unknown(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    text = f"neither a customer nor a record is called {name!r} in what is published"
    similar = connection.execute(
        "select record_key from identity_resolved.idr_crosswalk where source_id = ? or lower(record_key) = lower(?) "
        "order by record_key limit 3",
        [name.rpartition(":")[2], name],
    ).fetchall()
    if similar:
        return f"{text}; did you mean {' or '.join(key for (key,) in similar)}?"
    return (
        f"{text}. A customer id begins with c_, a record key reads system:object:id; "
        "`c360 export identity_resolved.idr_crosswalk --to all.csv` lists them all"
    )
