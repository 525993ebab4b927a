"""Small tools of the pipeline tests: land rows by the raw contract, run dbt in this process, compare contents."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from operate import build as dbt_build
from operate import clock
from operate.environment import Environment
from udfs.duckdb_plugin import register

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
LAYERS = ("staging", "cleaned", "identity_resolved", "customer_360")
# When and by which run something was landed or promoted differs between two ways to the same state.
VOLATILE = {
    "load_id", "first_landed_at", "anchor_first_landed_at", "run_id", "event_id", "valid_from", "valid_to",
    "occurred_at", "born_at", "retired_at",
}  # fmt: skip

# What land_people and land_contacts do not reach: the other sources, and what only tells about a run.
UNREACHED = (
    "stg_salesforce__*", "stg_stripe__*", "stg_erp__*", "stg_hubspot__companies", "stg_hubspot__deals",
    "stg_hubspot__associations", "cln_salesforce__*", "cln_stripe__*", "cln_erp__*", "cln_hubspot__accounts",
    "cln_hubspot__deals", "cln_hubspot__associations", "path:models/monitoring", "resource_type:seed",
)  # fmt: skip
Row = dict[str, Any]


def dbt(environment: Environment, *arguments: str) -> Any:
    """Run dbt in this process on `environment`; returns dbt's result. Failures are in it, not raised."""
    if not environment.clock.exists():
        clock.set_now(environment, START)
    return dbt_build.invoke(environment, arguments)


def build(environment: Environment, *arguments: str, tests: bool = False, whole: bool = False) -> Any:
    """`dbt build` that must succeed: models and promotion, with the data tests when `tests` says so.

    Without the tests, an environment that has begun() is left with what the landed people and contacts do not reach
    as it is, unless the `whole` is asked for: it would be half of the work.
    """
    left_out = ["unit_test"] if tests else ["unit_test", "test"]
    rest = list(arguments)
    if not (tests or whole) and "--select" not in rest:
        rest += [*UNREACHED] if "--exclude" in rest else ["--exclude", *UNREACHED]
    # Nobody reads dbt's artifacts here, and writing them is a quarter of a small build.
    outcome = dbt(environment, "build", *rest, "--exclude-resource-type", *left_out, "--no-write-json")
    bad = [] if outcome.result is None else [r for r in outcome.result.results if r.status not in ("success", "pass")]
    assert outcome.success, (outcome.exception, [(r.node.name, r.message) for r in bad])
    return outcome


_begun: bytes | None = None


def begin(environment: Environment) -> None:
    """Everything built on nothing landed: built once in this process, then copied."""
    global _begun
    if _begun is None:
        build(environment, whole=True)
        _begun = environment.warehouse.read_bytes()
    environment.warehouse.write_bytes(_begun)
    if not environment.clock.exists():
        clock.set_now(environment, START)


def open_warehouse(environment: Environment) -> duckdb.DuckDBPyConnection:
    """A connection to the warehouse that knows the UDFs. Close it before dbt runs."""
    connection = duckdb.connect(str(environment.warehouse))
    register(connection, environment)
    return connection


def query(environment: Environment, sql: str) -> list[tuple]:
    """All rows of one query on the warehouse."""
    with open_warehouse(environment) as connection:
        return connection.execute(sql).fetchall()


def contents(environment: Environment, schemas: Iterable[str] = LAYERS) -> dict[str, list[tuple]]:
    """Every table and view of `schemas` as sorted rows, without the columns that tell when and by which run."""
    found = {}
    with open_warehouse(environment) as connection:
        columns: dict[str, list[str]] = {}
        for schema, table, column in connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns "
            "where table_catalog = current_database() order by all"
        ).fetchall():
            if schema in schemas and column not in VOLATILE:
                columns.setdefault(f"{schema}.{table}", []).append(f'"{column}"')
        for table, names in columns.items():
            found[table] = connection.execute(f"select {', '.join(names)} from {table} order by all").fetchall()
    return found


def differences(left: dict[str, list[tuple]], right: dict[str, list[tuple]]) -> dict[str, tuple[list, list]]:
    """Per table, the rows that only one side has; empty when both are the same."""
    out = {}
    for table in sorted(set(left) | set(right)):
        if left.get(table) != right.get(table):
            only_left = [row for row in left.get(table, []) if row not in set(right.get(table, []))]
            only_right = [row for row in right.get(table, []) if row not in set(left.get(table, []))]
            out[table] = (only_left[:3], only_right[:3])
    return out


def partition(environment: Environment, column: str = "customer_id") -> set[frozenset[str]]:
    """The live records as sets of one customer each, whatever the customers are called."""
    groups: dict[str, set[str]] = {}
    for key, record in query(environment, f"select {column}, record_key from identity_resolved.idr_crosswalk"):
        groups.setdefault(key, set()).add(record)
    return {frozenset(group) for group in groups.values()}


def land_people(environment: Environment, rows: Iterable[Row], load: int, complete: bool = True) -> None:
    """Append versions of spreadsheet people as another loader would, by docs/raw_contract.md.

    `rows` hold source_id and canonical fields; `is_deleted` marks a tombstone. `load` orders the loads.
    """
    _land(environment, "raw_spreadsheets", "people", [{"source_system": "desk", **row} for row in rows], load, complete)


def land_contacts(environment: Environment, rows: Iterable[Row], load: int, complete: bool = True) -> None:
    """Append versions of HubSpot contacts; each row needs source_id and source_updated_at."""
    _land(environment, "raw_hubspot", "contacts", list(rows), load, complete)


def land_merges(environment: Environment, rows: Iterable[Row], load: int) -> None:
    """Append merge facts: source_system, source_object, loser_id, winner_id, merged_at."""
    _land(environment, "raw_ingest", "record_merges", list(rows), load, True)


def _land(environment: Environment, schema: str, table: str, rows: list[Row], load: int, complete: bool) -> None:
    load_id = f"{1_700_000_000 + load}.5"
    with duckdb.connect(str(environment.warehouse)) as connection:
        known = {name for (name, *_) in connection.execute(f"describe {schema}.{table}").fetchall()}
        for row in rows:
            business = {key: value for key, value in row.items() if key != "source_updated_at"}
            full = {"is_deleted": False, **row, "_dlt_load_id": load_id}
            full["content_hash"] = hashlib.sha256(
                json.dumps(business, sort_keys=True, default=str).encode()
            ).hexdigest()
            full = {key: value for key, value in full.items() if key in known}
            connection.execute(
                f"insert into {schema}.{table} ({', '.join(full)}) values ({', '.join('?' * len(full))})",
                list(full.values()),
            )
        if complete:
            connection.execute(
                f"insert into {schema}._dlt_loads (load_id, schema_name, status) values (?, 'test', 0)", [load_id]
            )


GIVEN = ("anna", "bert", "carla", "dmitri", "elena", "farid", "greta", "hugo")
FAMILY = ("adler", "bruno", "castell", "dorn", "eriksen")


def random_person(chance: random.Random, source_id: str) -> Row:
    """A person out of a small town, so that people share names, mailboxes and phones often enough to matter."""
    given, family = chance.choice(GIVEN), chance.choice(FAMILY)
    return {
        "source_id": source_id,
        "given_name": chance.choice([given, given, given[0], None]),
        "family_name": chance.choice([family, family, family, None]),
        "email": chance.choice([f"{given}.{family}@mail.test", f"{family}@mail.test", None]),
        "phone": chance.choice([f"+4930{9018200 + FAMILY.index(family)}", None, None]),
        "date_of_birth": chance.choice([f"198{GIVEN.index(given)}-03-0{1 + FAMILY.index(family)}", None, None]),
        "country": "DE",
    }


def compiled_sql(environment: Environment, model: str) -> str:
    """The compiled SQL of a model after the last dbt run of `environment`."""
    found = list((dbt_build.target_path(environment) / "compiled").rglob(f"{model}.sql"))
    assert len(found) == 1, (model, found)
    return Path(found[0]).read_text(encoding="utf-8")
