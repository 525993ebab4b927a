"""Random histories of the ERP, made straight in its PostgreSQL, and what its tables then say."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingest import erp
from ingest.objects import CUSTOM_FIELDS, Object
from ingest.run import LandingResult, run
from ingest.task import Window
from operate import clock
from operate.environment import Environment
from sandbox.contract import read_contract

# Staging's name of a column where it is not the table's own.
STAGED_NAMES = {
    "customers": {"name": "full_name", "birth_date": "date_of_birth"},
    "contacts": {"customer_id": "customer_record_key", "name": "full_name", "role": "job_role"},
    "addresses": {"customer_id": "customer_record_key", "kind": "address_kind", "street": "address"},
    "invoices": {
        "customer_id": "customer_record_key", "issued_on": "issued_date", "due_on": "due_date", "paid_on": "paid_date",
    },
    "payments": {
        "invoice_id": "invoice_record_key", "customer_id": "customer_record_key", "method": "payment_method",
        "received_on": "received_date",
    },
    "products": {"name": "product_name"},
    "stock": {"product_id": "product_record_key", "reserved": "reserved_quantity"},
}  # fmt: skip
RECORD_KEYS = {"customer_record_key": "customers", "invoice_record_key": "invoices", "product_record_key": "products"}
CHANGED = {  # a column of each table that changes, and how
    "customers": ("phone", str),
    "contacts": ("phone", str),
    "addresses": ("street", str),
    "invoices": ("amount", lambda number: f"{number}.07"),
    "payments": ("amount", lambda number: f"{number}.50"),
    "products": ("unit_price", lambda number: f"{number}.99"),
    "stock": ("quantity", int),
}
OPTIONAL = {"customers": ("company_name", "region"), "contacts": ("role",), "addresses": ("region", "recipient"),
            "products": ("category",)}  # fmt: skip
EVENTS = (
    "insert", "update", "update", "delete", "merge", "reinsert", "begin", "commit", "burst", "break_row", "repair",
    "ahead", "add_column", "drop_column", "rename_column",
)  # fmt: skip


class ErpHistory:
    """One history in the making: the tables, the clock, and a warehouse that follows them."""

    source = "erp"

    def __init__(self, outside: Environment, folder: Path, chance: random.Random) -> None:
        self.outside, self.chance = outside, chance
        self.told: list[str] = []
        self.dsn = read_contract(outside)["sources"]["erp"]["dsn"]
        self.database = psycopg.connect(self.dsn, autocommit=True)
        self.open: list[psycopg.Connection] = []  # transactions that are not committed yet
        self.gone: list[tuple[str, str, int]] = []  # table, row as JSON, landings begun before it went
        self.broken: list[tuple[str, str, dict[str, Any]]] = []  # table, key, what repairs it
        self.left: dict[tuple[str, str], int] = {}  # (table, column) -> landings begun before it went
        self.landings = self.landed = self.made = 0  # landings begun, and the last that ended
        self.moment = clock.now(outside)
        self._reset()
        shutil.rmtree(folder, ignore_errors=True)
        self.environment = Environment("sandbox", folder / "sandbox").create()
        shutil.copy(outside.sandbox_contract, self.environment.sandbox_contract)
        clock.set_now(self.environment, self.moment)

    def _reset(self) -> None:
        """The tables as they were at first: copies of them are kept in a schema beside."""
        kept = self.database.execute("select to_regclass('kept.customers')").fetchone()[0]
        statements = [] if kept else ["create schema kept"]
        for described in erp.OBJECTS:
            name = described.path
            if not kept:
                statements.append(f"create table kept.{name} (like {name} including all)")
                statements.append(f"insert into kept.{name} select * from {name}")
            statements.append(f"drop table if exists {name} cascade")
            statements.append(f"create table {name} (like kept.{name} including all)")
            statements.append(f"insert into {name} select * from kept.{name}")
        self.database.execute("; ".join(statements))

    def close(self) -> None:
        """Undo what is open, and put the tables back."""
        for connection in self.open:
            connection.close()
        self._reset()
        self.database.close()

    # ---------------------------------------------------------------- events
    def event(self, kind: str) -> None:
        """One thing happens, a minute after the last thing."""
        self.moment += timedelta(minutes=1)
        getattr(self, kind)()

    def tell(self, what: str) -> None:
        self.told.append(f"{self.moment:%H:%M} {what}")

    def _table(self) -> Object:
        return self.chance.choice(erp.OBJECTS)

    def _keys(self, described: Object, where: str = "true") -> list[str]:
        bad = [key for table, key, _ in self.broken if table == described.path]
        sql = f"select {described.key} from {described.path} where {where} order by 1"
        return [key for (key,) in self.database.execute(sql) if key not in bad]

    def _insert(self, connection: psycopg.Connection, described: Object, updated_at: datetime) -> str:
        """A row like another one under a key of its own; returns the key."""
        self.made += 1
        key = f"N{self.made:04d}'x"
        where = "where merged_into_id is null" if described.merges else ""
        sql = f"select to_jsonb(r) from kept.{described.path} as r {where} order by {described.key} limit 1"
        [(row,)] = self.database.execute(sql).fetchall()
        row |= {described.key: key, "created_at": updated_at.isoformat(), "updated_at": updated_at.isoformat()}
        self._put(connection, described.path, json.dumps(row))
        return key

    def _put(self, connection: psycopg.Connection, table: str, row: str) -> None:
        connection.execute(
            f"insert into {table} select * from jsonb_populate_record(null::{table}, %s) on conflict do nothing", [row]
        )

    def _set(self, described: Object, key: str, values: dict[str, Any]) -> None:
        given = ", ".join(f"{name} = %s" for name in values)
        sql = f"update {described.path} set {given} where {described.key} = %s"
        self.database.execute(sql, [*values.values(), key])

    def insert(self) -> None:
        described = self._table()
        self.tell(f"insert {described.name} {self._insert(self.database, described, self.moment)}")

    def update(self, moment: datetime | None = None) -> None:
        described = self._table()
        for key in self.chance.sample(self._keys(described), 1):
            name, value = CHANGED[described.name]
            self._set(described, key, {name: value(self.chance.randrange(10**6)), "updated_at": moment or self.moment})
            self.tell(f"update {described.name} {key}, at {moment or 'now'}")

    def ahead(self) -> None:
        """A time of change that is to come is a mistake of the ERP's clock."""
        self.update(self.moment + timedelta(days=self.chance.choice((1, 400))))

    def burst(self) -> None:
        """Several rows, and one row several times, change within a microsecond."""
        described, moment = self._table(), self.moment
        name, value = CHANGED[described.name]
        for key in self.chance.choices(self._keys(described)[:3], k=4):
            self._set(described, key, {name: value(self.chance.randrange(10**6)), "updated_at": moment})
            self.tell(f"burst {described.name} {key}")

    def delete(self) -> None:
        described = self._table()
        for key in self.chance.sample(self._keys(described), 1):
            sql = f"delete from {described.path} as r where {described.key} = %s returning to_jsonb(r)::text"
            [(row,)] = self.database.execute(sql, [key]).fetchall()
            self.gone.append((described.path, row, self.landings))
            self.tell(f"delete {described.name} {key}")

    def reinsert(self) -> None:
        """A row that went comes back: with its old time once its going was landed, else as a change of now."""
        if not self.gone:
            return
        table, row, landings = self.gone.pop(self.chance.randrange(len(self.gone)))
        # A landing that had begun before may have listed the row already.
        seen = landings < self.landed
        if not seen or self.chance.random() < 0.3:
            row = json.dumps(json.loads(row) | {"updated_at": self.moment.isoformat()})
        self._put(self.database, table, row)
        self.tell(f"reinsert {table} {row[:60]} {'as it was' if seen else 'now'}")

    def merge(self) -> None:
        keys = self._keys(erp.CUSTOMERS, "merged_into_id is null")
        loser, winner = self.chance.sample(keys, 2)
        self._set(erp.CUSTOMERS, loser, {"merged_into_id": winner, "updated_at": self.moment})
        self.tell(f"merge {loser} into {winner}")

    def begin(self) -> None:
        """A transaction inserts a row and stays open, far longer than the lag."""
        described = self._table()
        connection = psycopg.connect(self.dsn)
        key = self._insert(connection, described, self.moment - timedelta(hours=self.chance.choice((0, 3))))
        self.open.append(connection)
        self.tell(f"begin: insert {described.name} {key}")

    def commit(self) -> None:
        if self.open:
            connection = self.open.pop(0)
            connection.commit()
            connection.close()
            self.tell("commit")

    def break_row(self) -> None:
        """A row gets a value that cannot be landed."""
        described = self._table()
        for key in self.chance.sample(self._keys(described), 1):
            amount = CHANGED[described.name][0] if described.name in ("invoices", "payments", "products") else ""
            if amount and self.chance.random() < 0.6:
                was = self.database.execute(f"select {amount} from {described.path} where {described.key} = %s", [key])
                self.broken.append((described.path, key, {amount: was.fetchone()[0]}))
                self._set(described, key, {amount: "NaN", "updated_at": self.moment})
            else:
                self.broken.append((described.path, key, {"updated_at": None}))
                self._set(described, key, {"updated_at": "infinity"})
            self.tell(f"break {described.name} {key}")

    def repair(self) -> None:
        """A broken row becomes good again, sometimes without a new time of change."""
        if self.broken:
            table, key, values = self.broken.pop(0)
            if values.get("updated_at", "") is None or self.chance.random() < 0.5:
                values = values | {"updated_at": self.moment}
            described = next(one for one in erp.OBJECTS if one.path == table)
            self._set(described, key, values)
            self.tell(f"repair {table} {key}")

    # ---------------------------------------------------------------- columns
    def _columns(self, described: Object) -> list[str]:
        sql = "select column_name from information_schema.columns where table_schema = 'public' and table_name = %s"
        return sorted(name for (name,) in self.database.execute(sql, [described.path]))

    def _alter(self, described: Object, change: str) -> None:
        """An alter waits for open transactions: they end first."""
        while self.open:
            self.commit()
        self.database.execute(f"alter table {described.path} {change}")
        self.tell(f"alter {described.path} {change}")

    def add_column(self) -> None:
        described = self._table()
        self.made += 1
        kind = self.chance.choice(("text default 'given'", "int default 7", "text", "jsonb default '{\"a\": [1]}'"))
        absent = [name for name in OPTIONAL.get(described.name, ()) if name not in self._columns(described)]
        # One of the contract that was dropped comes back; not before a landing without it, which alone could tell.
        absent = [name for name in absent if self.landed > self.left[described.name, name]]
        if absent:
            self._alter(described, f"add column {absent[0]} text default 'back'")
        else:
            self._alter(described, f"add column extra_{self.made} {kind}")

    def drop_column(self) -> None:
        described = self._table()
        extra = [name for name in self._columns(described) if name.startswith("extra")]
        known = [name for name in OPTIONAL.get(described.name, ()) if name in self._columns(described)]
        if extra or known:
            self._leave(described, self.chance.choice(extra + known), "drop column {}")

    def rename_column(self) -> None:
        described = self._table()
        names = [name for name in self._columns(described) if name.startswith("extra")]
        names += [name for name in OPTIONAL.get(described.name, ()) if name in self._columns(described)]
        if names:
            self.made += 1
            self._leave(described, self.chance.choice(names), f"rename column {{}} to extra_{self.made}")

    def _leave(self, described: Object, name: str, change: str) -> None:
        self.left[described.name, name] = self.landings
        self._alter(described, change.format(name))

    # ---------------------------------------------------------------- landings
    def land(self, meanwhile: Iterable[str] = (), clock_hours: int = 0) -> LandingResult:
        """A landing with events before some of its statements, by a clock that is that many hours off."""
        self.tell(f"land, meanwhile {list(meanwhile)}, clock {clock_hours:+d} h")
        clock.set_now(self.environment, self.moment + timedelta(hours=clock_hours))
        waiting = list(meanwhile)
        original = erp.Database.query

        def query(database: erp.Database, sql: str, described: Object) -> Any:
            if waiting and self.chance.random() < 0.3:
                self.event(waiting.pop(0))
            return original(database, sql, described)

        self.landings += 1
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(erp.Database, "query", query)
            result = run(self.environment, ["erp"], lambda line: None)
        self.landed = self.landings
        for failure in result.failures:
            # A column that goes between the description and the rows is told; the next landing reads without it.
            altered = {"drop_column", "rename_column"} & set(meanwhile)
            assert altered and re.search(r'column "\w+" does not exist', failure.error), failure.error
        return result

    def settle(self) -> None:
        """Everything open ends, everything broken is repaired, and the ERP is landed."""
        while self.open:
            self.commit()
        while self.broken:
            self.moment += timedelta(minutes=1)
            self.repair()
        assert not self.land().failures

    def replay(self) -> list[LandingResult]:
        """Read what was read before: the whole once more, then all changes up to some time."""
        end = (self.moment - timedelta(minutes=self.chance.randrange(60))).replace(tzinfo=None)
        window = Window(datetime(2000, 1, 1), end)
        return [self.land(), run(self.environment, ["erp"], lambda line: None, window=window)]

    def truth(self) -> dict[str, dict[str, tuple[bool, str | None, dict[str, Any]]]]:
        """Per staging model, record_key -> (ended, heir, values by their staged names) of every row there is."""
        found = {}
        for described in erp.OBJECTS:
            rows = self.database.execute(f"select to_jsonb(r) from {described.path} as r").fetchall()
            found[f"stg_erp__{described.name}"] = dict(_staged(described, row) for (row,) in rows)
        return found


def _staged(described: Object, row: dict[str, Any]) -> tuple[str, tuple[bool, str | None, dict[str, Any]]]:
    named = {column.name for column in described.fields}
    values: dict[str, Any] = {}
    for name in named - {CUSTOM_FIELDS.name, "merged_into_id", "created_at", "updated_at"}:
        ours = STAGED_NAMES[described.name].get(name, name)
        value = row.get(name)
        if ours in RECORD_KEYS and value is not None:
            value = f"erp:{RECORD_KEYS[ours]}:{value}"
        values[ours] = value
    custom = {name: value for name, value in row.items() if name not in named | {described.key} and value is not None}
    values["custom_fields"] = custom or None
    heir = row.get("merged_into_id")
    return f"erp:{described.name}:{row[described.key]}", (heir is not None, heir, values)


def comparable(name: str, value: Any) -> Any:
    """A staged value in the form of JSON from PostgreSQL."""
    if name == "custom_fields":
        return json.loads(value) if value else None
    if value is None or isinstance(value, bool | str):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return float(value)
