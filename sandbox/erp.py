"""The ERP: customers and invoices in a real PostgreSQL, made from the world.

A customer that was merged keeps its row with `merged_into_id` set; deletions remove rows. Which day
of the world the tables show is kept in schema `sandbox`, out of sight of a connector that reads `public`.
"""

from __future__ import annotations

import json

import psycopg

from sandbox.world import World

_SCHEMA = """
drop table if exists customers, invoices;
create schema if not exists sandbox;
create table if not exists sandbox.shown (world text not null, day integer not null);
delete from sandbox.shown;
create table customers (
    customer_id text primary key, name text, email text, phone text, mobile text, address text, city text,
    region text, postal_code text, country text, birth_date date, company_name text, merged_into_id text,
    created_at timestamptz not null, updated_at timestamptz not null
);
create table invoices (
    invoice_id text primary key, customer_id text not null, invoice_number text not null,
    currency text not null, amount numeric(18, 2) not null, status text not null,
    issued_on date not null, due_on date not null, paid_on date,
    created_at timestamptz not null, updated_at timestamptz not null
);
"""
_INDEXES = """
create index customers_updated_at on customers (updated_at, customer_id);
create index invoices_updated_at on invoices (updated_at, invoice_id);
create index invoices_customer_id on invoices (customer_id);
"""
_CUSTOMERS = (
    "customer_id", "name", "email", "phone", "mobile", "address", "city", "region", "postal_code", "country",
    "birth_date", "company_name", "merged_into_id", "created_at", "updated_at",
)  # fmt: skip
_INVOICES = (
    "invoice_id", "customer_id", "invoice_number", "currency", "amount", "status", "issued_on", "due_on",
    "paid_on", "created_at", "updated_at",
)  # fmt: skip


def show_world(dsn: str, world: World) -> None:
    """Make the tables at `dsn` show the world as it is: by what changed since, else from scratch."""
    identity = f"{world.seed}/{world.meta('people')}"
    with psycopg.connect(dsn) as connection:
        shown = _shown_day(connection, identity)
        if shown is None or shown > world.day:
            _load(connection, world)
        else:
            _apply_days(connection, world, shown)
        connection.execute("delete from sandbox.shown")
        connection.execute("insert into sandbox.shown values (%s, %s)", (identity, world.day))


def _shown_day(connection: psycopg.Connection, identity: str) -> int | None:
    if connection.execute("select to_regclass('sandbox.shown')").fetchone()[0] is None:
        return None
    row = connection.execute("select day from sandbox.shown where world = %s", (identity,)).fetchone()
    return row[0] if row else None


def _load(connection: psycopg.Connection, world: World) -> None:
    connection.execute(_SCHEMA)
    customers = world.connection.execute(
        "select * from records where system = 'erp' and state in ('live', 'merged') order by seq"
    )
    with connection.cursor().copy(f"copy customers ({', '.join(_CUSTOMERS)}) from stdin") as copy:
        for row in customers:
            copy.write_row(_customer(row))
    invoices = world.connection.execute("select * from invoices where not is_deleted order by invoice_id")
    with connection.cursor().copy(f"copy invoices ({', '.join(_INVOICES)}) from stdin") as copy:
        for row in invoices:
            copy.write_row(_invoice(row))
    connection.execute(_INDEXES)


def _apply_days(connection: psycopg.Connection, world: World, shown: int) -> None:
    """Write what changed after day `shown`: upserts and hard deletes."""
    changed = world.rows("select * from records where system = 'erp' and changed_day > ?", (shown,))
    kept = [_customer(row) for row in changed if row["state"] != "deleted"]
    gone = [(row["source_id"],) for row in changed if row["state"] == "deleted"]
    invoices = world.rows("select * from invoices where changed_day > ?", (shown,))
    with connection.cursor() as cursor:
        cursor.executemany(_upsert("customers", _CUSTOMERS), kept)
        cursor.executemany("delete from customers where customer_id = %s", gone)
        cursor.executemany(_upsert("invoices", _INVOICES), [_invoice(row) for row in invoices if not row["is_deleted"]])
        cursor.executemany(
            "delete from invoices where invoice_id = %s",
            [(row["invoice_id"],) for row in invoices if row["is_deleted"]],
        )


def _upsert(table: str, columns: tuple[str, ...]) -> str:
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
    return (
        f"insert into {table} ({', '.join(columns)}) values ({', '.join(['%s'] * len(columns))})"
        f" on conflict ({columns[0]}) do update set {changes}"
    )


def _customer(row) -> tuple:
    fields = json.loads(row["fields"])
    return (
        row["source_id"], fields["full_name"] or None, fields["email"] or None, fields["phone"] or None,
        fields["mobile"] or None, fields["address"] or None, fields["city"] or None, fields["region"] or None,
        fields["postal_code"] or None, fields["country"] or None, fields["birth_date"] or None,
        fields["company_name"] or None, row["merged_into"] or None, row["created_at"], row["updated_at"],
    )  # fmt: skip


def _invoice(row) -> tuple:
    return (
        row["invoice_id"], row["customer_id"], row["invoice_number"], row["currency"],
        f"{row['cents'] // 100}.{row['cents'] % 100:02d}", row["status"], row["issued_on"], row["due_on"],
        row["paid_on"] or None, row["created_at"], row["updated_at"],
    )  # fmt: skip
