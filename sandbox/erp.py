"""The ERP: customers, what belongs to them and what they buy, in a real PostgreSQL, made from the world.

A customer that was merged keeps its row with `merged_into_id` set; deletions remove rows. Which day
of the world the tables show is kept in schema `sandbox`, out of sight of a connector that reads `public`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from sandbox.world import World, iso

_AUDIT = "created_at timestamptz not null, updated_at timestamptz not null"


@dataclass(frozen=True)
class Table:
    """One table: its columns as in `create table`, the first of them the key, and how a row is made of a record."""

    name: str
    ddl: str
    row: Callable[[Any, dict], tuple]
    indexes: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        return [part.strip().split(" ")[0] for part in f"{self.ddl}, {_AUDIT}".replace("(18, 2)", "").split(",")]


def _customer(row, fields: dict) -> tuple:
    names = ("full_name", "email", "phone", "mobile", "address", "city", "region", "postal_code", "country",
             "birth_date", "company_name")  # fmt: skip
    return (row["source_id"], *(fields[name] or None for name in names), row["merged_into"] or None)


def _plain(*names: str) -> Callable[[Any, dict], tuple]:
    def made(row, fields: dict) -> tuple:
        return (row["source_id"], *(None if fields[name] == "" else fields[name] for name in names))

    return made


def _payment(row, fields: dict) -> tuple:
    amount = _money(fields["cents"])
    return (
        row["source_id"], fields["invoice_id"], fields["customer_id"], fields["method"], fields["currency"], amount,
        fields["received_on"],
    )  # fmt: skip


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


_CUSTOMERS = Table(
    "customers",
    "customer_id text primary key, name text, email text, phone text, mobile text, address text, city text, "
    "region text, postal_code text, country text, birth_date date, company_name text, merged_into_id text",
    _customer,
)
_INVOICES = Table(
    "invoices",
    "invoice_id text primary key, customer_id text not null, invoice_number text not null, currency text not null, "
    "amount numeric(18, 2) not null, status text not null, issued_on date not null, due_on date not null, paid_on date",
    lambda row, _: (
        row["invoice_id"], row["customer_id"], row["invoice_number"], row["currency"], _money(row["cents"]),
        row["status"], row["issued_on"], row["due_on"], row["paid_on"] or None,
    ),
    ("customer_id",),
)  # fmt: skip
_OTHERS = (
    Table(
        "contacts",
        "contact_id text primary key, customer_id text not null, name text, email text, phone text, role text",
        _plain("customer_id", "name", "email", "phone", "role"),
        ("customer_id",),
    ),
    Table(
        "addresses",
        "address_id text primary key, customer_id text not null, kind text not null, recipient text, street text, "
        "city text, region text, postal_code text, country text, is_default boolean not null",
        _plain("customer_id", "kind", "recipient", "address", "city", "region", "postal_code", "country", "is_default"),
        ("customer_id",),
    ),
    Table(
        "payments",
        "payment_id text primary key, invoice_id text not null, customer_id text not null, method text not null, "
        "currency text not null, amount numeric(18, 2) not null, received_on date not null",
        _payment,
        ("invoice_id",),
    ),
    Table(
        "products",
        "product_id text primary key, name text not null, category text, unit_price numeric(18, 2), currency text, "
        "is_active boolean not null",
        _plain("name", "category", "unit_price", "currency", "is_active"),
    ),
    Table(
        "stock",
        "stock_id text primary key, product_id text not null, warehouse text not null, quantity bigint not null, "
        "reserved bigint not null",
        _plain("product_id", "warehouse", "quantity", "reserved"),
    ),
)
_TABLES = (_CUSTOMERS, _INVOICES, *_OTHERS)
TABLES = tuple(table.name for table in _TABLES)


def show_world(dsn: str, world: World, skew_seconds: float = 0.0) -> None:
    """Make the tables at `dsn` show the world as it is: by what changed since, else from scratch.

    skew_seconds   how far ahead the ERP's clock is: times of change written now are that much later
    """
    identity = f"{world.seed}/{world.meta('people')}"
    with psycopg.connect(dsn) as connection:
        shown = _shown_day(connection, identity)
        if shown is None or shown > world.day:
            _load(connection, world)
        else:
            _apply_days(connection, world, shown, timedelta(seconds=skew_seconds))
        connection.execute("delete from sandbox.shown")
        connection.execute("insert into sandbox.shown values (%s, %s)", (identity, world.day))


def reload_world(dsn: str, world: World) -> None:
    """Make the tables at `dsn` anew, whatever was done to them."""
    with psycopg.connect(dsn) as connection:
        _load(connection, world)
        identity = f"{world.seed}/{world.meta('people')}"
        connection.execute("insert into sandbox.shown values (%s, %s)", (identity, world.day))


def _shown_day(connection: psycopg.Connection, identity: str) -> int | None:
    if connection.execute("select to_regclass('sandbox.shown')").fetchone()[0] is None:
        return None
    row = connection.execute("select day from sandbox.shown where world = %s", (identity,)).fetchone()
    return row[0] if row else None


def _load(connection: psycopg.Connection, world: World) -> None:
    connection.execute("create schema if not exists sandbox")
    connection.execute("create table if not exists sandbox.shown (world text not null, day integer not null)")
    connection.execute("delete from sandbox.shown")
    for table in _TABLES:
        connection.execute(f"drop table if exists {table.name}")
        connection.execute(f"create table {table.name} ({table.ddl}, {_AUDIT})")
        with connection.cursor().copy(f"copy {table.name} ({', '.join(table.columns)}) from stdin") as copy:
            for row in _rows(world, table):
                copy.write_row(_written(table, row, timedelta(0)))
        key = table.columns[0]
        for name, columns in (("updated_at", f"updated_at, {key}"), *((column, column) for column in table.indexes)):
            connection.execute(f"create index {table.name}_{name} on {table.name} ({columns})")


def _rows(world: World, table: Table, changed_after: int = -1) -> Iterator:
    """What the table shows, or what changed after a day (then also what is gone)."""
    if table is _INVOICES:
        sql = "select * from invoices where changed_day > ? order by invoice_id"
        parameters: tuple = (changed_after,)
    else:
        sql = "select * from records where system = 'erp' and object = ? and changed_day > ? order by seq"
        parameters = (table.name, changed_after)
    for row in world.connection.execute(sql, parameters):
        if changed_after >= 0 or not _is_gone(table, row):
            yield row


def _is_gone(table: Table, row) -> bool:
    return bool(row["is_deleted"]) if table is _INVOICES else row["state"] == "deleted"


def _written(table: Table, row, skew: timedelta) -> tuple:
    fields = {} if table is _INVOICES else json.loads(row["fields"])
    updated = row["updated_at"]
    if skew:
        updated = iso(datetime.fromisoformat(updated) + skew)
    return (*table.row(row, fields), row["created_at"], updated)


def _apply_days(connection: psycopg.Connection, world: World, shown: int, skew: timedelta) -> None:
    """Write what changed after day `shown`: upserts and hard deletes."""
    for table in _TABLES:
        changed = list(_rows(world, table, shown))
        key = table.columns[0]
        gone = [(row["invoice_id" if table is _INVOICES else "source_id"],) for row in changed if _is_gone(table, row)]
        kept = [_written(table, row, skew) for row in changed if not _is_gone(table, row)]
        with connection.cursor() as cursor:
            cursor.executemany(_upsert(table), kept)
            cursor.executemany(f"delete from {table.name} where {key} = %s", gone)


def _upsert(table: Table) -> str:
    columns = table.columns
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
    return (
        f"insert into {table.name} ({', '.join(columns)}) values ({', '.join(['%s'] * len(columns))})"
        f" on conflict ({columns[0]}) do update set {changes}"
    )
