"""ERP: customers and invoices of a PostgreSQL database, read by connectorx as Arrow.

Rows changed at or after the newest landed change minus the lag are read in the order of (updated_at, key).
The database deletes for real, so the full list of ids is compared with what is landed, at the beat of
`reconcile`: ids that left end; ids that are there but not landed (a transaction that stayed open longer
than the lag) are read after all.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from urllib.parse import unquote, urlsplit

os.environ.setdefault("RUST_LOG", "off")  # connectorx repeats on stderr what its error says

import connectorx  # noqa: E402 (configured above)
import pyarrow as pa  # noqa: E402

from ingest.objects import Column, Cursor, Object, texts  # noqa: E402
from ingest.reconcile import Reconciled  # noqa: E402
from ingest.settings import SourceSettings  # noqa: E402
from ingest.versions import Batch, open_batch  # noqa: E402
from operate.errors import UserError  # noqa: E402

TIMES = (Column("created_at", "timestamp"), Column("updated_at", "timestamp"))
CUSTOMERS = Object(
    source="erp",
    name="customers",
    path="customers",
    key="customer_id",
    cursor=Cursor(field="updated_at", column="updated_at"),
    deletes="reconcile",
    merges="merged_into_id",
    fields=(
        *texts("name", "email", "phone", "mobile", "address", "city", "region", "postal_code", "country"),
        Column("birth_date", "date"),
        *texts("company_name", "merged_into_id"),
        *TIMES,
    ),
)
INVOICES = Object(
    source="erp",
    name="invoices",
    path="invoices",
    key="invoice_id",
    cursor=Cursor(field="updated_at", column="updated_at"),
    deletes="reconcile",
    fields=(
        *texts("customer_id", "invoice_number", "currency"),
        Column("amount", "decimal"),
        *texts("status"),
        Column("issued_on", "date"),
        Column("due_on", "date"),
        Column("paid_on", "date"),
        *TIMES,
    ),
)
OBJECTS = (CUSTOMERS, INVOICES)
KEYS_PER_QUERY = 10_000
CONNECT_SECONDS = 5


def read(settings: SourceSettings, now: datetime, land: Callable[[Batch], None]) -> None:
    """Read all ERP objects and hand each finished batch to `land`. Raises UserError."""
    database = Database(settings.resolve("address"))
    for described in OBJECTS:
        reconciled = Reconciled(settings.environment, described)
        with open_batch(settings.environment, described, now, settings.lag) as batch:
            _add(batch, database.query(_changed_sql(described, batch.read_from), described), described.path)
            due = reconciled.is_due(now, settings.reconcile)
            if due:
                _list_ids(database, batch)
            batch.judge()
            _note_merges(batch)
            if due:
                _end_missing(batch)
            land(batch)
        if due:
            reconciled.note(now)


class Database:
    """A PostgreSQL server; `query` answers in Arrow. Raises UserError naming cause and remedy."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        parts = urlsplit(dsn)
        if parts.scheme not in ("postgresql", "postgres") or not parts.hostname:
            raise UserError("erp: address is no postgresql://user:password@host:port/database; correct sources.yml")
        self.place = f"{unquote(parts.hostname)}:{parts.port or 5432}"
        self.database = parts.path.lstrip("/")
        try:  # the driver itself would keep trying for half a minute
            socket.create_connection((parts.hostname, parts.port or 5432), CONNECT_SECONDS).close()
        except OSError as error:
            raise UserError(
                f"erp: no connection to {self.place} ({error}); "
                "start the database, or correct the address in sources.yml"
            ) from error

    def query(self, sql: str, described: Object) -> pa.Table:
        """The whole answer of one statement, read in one transaction."""
        try:
            return connectorx.read_sql(self.dsn, sql, return_type="arrow")
        except Exception as error:
            text = str(error).replace(self.dsn, "the address")
            remedy = "check that user and password in the address are right and may read the table"
            if "does not exist" in text:
                remedy = f"{described.path} must have {', '.join(_source_columns(described))}; correct the address"
            raise UserError(
                f"erp {described.name}: {text.strip()}, at {self.place}/{self.database}; {remedy}"
            ) from error


def _source_columns(described: Object) -> list[str]:
    return [described.key, *(column.name for column in described.fields)]


def _select(described: Object) -> str:
    """Every column as text, times in UTC: what a value is gets decided in one place, versions.py."""
    chosen = [f"{described.key}::text as source_id", f"{_utc(described.cursor.field)} as updated"]
    for column in described.fields:
        written = {"timestamp": _utc(column.name), "date": f"to_char({column.name}, 'YYYY-MM-DD')"}
        chosen.append(f"{written.get(column.kind, f'{column.name}::text')} as {column.name}")
    return f"select {', '.join(chosen)} from {described.path}"


def _utc(name: str) -> str:
    return f"to_char({name}::timestamptz at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"


def _changed_sql(described: Object, start: datetime | None) -> str:
    field, key = described.cursor.field, described.key
    # A row without a time of change is served each time, to be rejected, never skipped in silence.
    since = f"where {field} >= timestamptz '{start}+00' or {field} is null" if start else ""
    return f"{_select(described)} {since} order by {field}, {key}"


def _add(batch: Batch, rows: pa.Table, place: str) -> None:
    batch.connection.register("erp_rows", rows)
    ended = f"{batch.object.merges} is not null" if batch.object.merges else "false"
    table = batch.connection.execute(
        f"select *, {ended} as is_deleted, '{place} row ' || row_number() over () as location from erp_rows"
    ).to_arrow_table()
    batch.connection.unregister("erp_rows")
    batch.add(table)


def _list_ids(database: Database, batch: Batch) -> None:
    """Read the full id list, and the rows that are listed but neither landed nor just read."""
    described = batch.object
    ids = database.query(f"select {described.key}::text as source_id from {described.path}", described)
    batch.connection.register("id_list", ids)
    batch.connection.execute("create table listed as select source_id from id_list where source_id is not null")
    batch.connection.unregister("id_list")
    unknown = batch.connection.execute(
        f"""
        select source_id from listed
        where source_id not in (select source_id from incoming where source_id is not null)
            and source_id not in (
                select source_id from latest where content_hash <> {batch.tombstone_hash_sql()}
            )
        order by source_id
        """
    ).fetchall()
    for keys in _chunks([key for (key,) in unknown]):
        quoted = ", ".join("'" + key.replace("'", "''") + "'" for key in keys)
        sql = f"{_select(described)} where {described.key}::text in ({quoted})"
        _add(batch, database.query(sql, described), f"{described.path} by id")


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), KEYS_PER_QUERY):
        yield keys[start : start + KEYS_PER_QUERY]


def _note_merges(batch: Batch) -> None:
    """A merged row stays in the ERP's table and names the row it went into; its version is an end."""
    if batch.object.merges:
        batch.connection.execute(
            f"""
            insert into record_merges
            select '{batch.object.source}', '{batch.object.name}', source_id, {batch.object.merges},
                source_updated_at, '{batch.object.path}.{batch.object.merges}'
            from accepted where {batch.object.merges} is not null
            """
        )


def _end_missing(batch: Batch) -> None:
    batch.tombstone(
        f"""
        select source_id, timestamp '{batch.now}' as deleted_at,
            'not in the full id list of {batch.object.path}' as evidence
        from latest
        where source_id not in (select source_id from listed)
        """,
        is_deletion=True,
    )
