"""ERP: customers, what belongs to them and what they buy, in a PostgreSQL database, read by connectorx as Arrow.

Rows changed at or after the newest landed change minus the lag are read in the order of (updated_at, key). The
database deletes for real, so the full list of ids is compared with what is landed, at the beat of `reconcile`: ids
that left end; ids that are there but not landed (a transaction that stayed open longer than the lag), or whose last
version was rejected, are read after all. Columns that a table has beside those named here land in `custom_fields`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import quote, unquote, urlsplit

os.environ.setdefault("RUST_LOG", "off")  # connectorx repeats on stderr what its error says

import connectorx  # noqa: E402 (configured above)
import pyarrow as pa  # noqa: E402
import pyarrow.compute  # noqa: E402, F401

from ingest.drift import note_fields  # noqa: E402
from ingest.objects import CUSTOM_FIELDS, Column, Cursor, Object, texts  # noqa: E402
from ingest.task import ReadTask  # noqa: E402
from ingest.versions import Batch  # noqa: E402
from operate.errors import UserError  # noqa: E402

TIMES = (Column("created_at", "timestamp"), Column("updated_at", "timestamp"))


def _table(name: str, key: str, *fields: Column, merges: str | None = None) -> Object:
    return Object(
        source="erp",
        name=name,
        path=name,
        key=key,
        cursor=Cursor(field="updated_at", column="updated_at"),
        deletes="reconcile",
        merges=merges,
        fields=(*fields, *TIMES, CUSTOM_FIELDS),
    )


CUSTOMERS = _table(
    "customers",
    "customer_id",
    *texts("name", "email", "phone", "mobile", "address", "city", "region", "postal_code", "country"),
    Column("birth_date", "date"),
    *texts("company_name", "merged_into_id"),
    merges="merged_into_id",
)
CONTACTS = _table("contacts", "contact_id", *texts("customer_id", "name", "email", "phone", "role"))
ADDRESSES = _table(
    "addresses",
    "address_id",
    *texts("customer_id", "kind", "recipient", "street", "city", "region", "postal_code", "country"),
    Column("is_default", "bool"),
)
INVOICES = _table(
    "invoices",
    "invoice_id",
    *texts("customer_id", "invoice_number", "currency"),
    Column("amount", "decimal"),
    *texts("status"),
    Column("issued_on", "date"),
    Column("due_on", "date"),
    Column("paid_on", "date"),
)
PAYMENTS = _table(
    "payments",
    "payment_id",
    *texts("invoice_id", "customer_id", "method", "currency"),
    Column("amount", "decimal"),
    Column("received_on", "date"),
)
PRODUCTS = _table(
    "products",
    "product_id",
    *texts("name", "category"),
    Column("unit_price", "decimal"),
    *texts("currency"),
    Column("is_active", "bool"),
)
STOCK = _table(
    "stock",
    "stock_id",
    *texts("product_id", "warehouse"),
    Column("quantity", "bigint"),
    Column("reserved", "bigint"),
)
OBJECTS = (CUSTOMERS, CONTACTS, ADDRESSES, INVOICES, PAYMENTS, PRODUCTS, STOCK)
KEYS_PER_QUERY = 10_000
CONNECT_SECONDS = 5
# Then a time cast to text is ISO and in UTC, which takes a third of formatting it.
SESSION = "-c datestyle=ISO -c timezone=UTC"
ADVICE = "check that user and password in the address are right and may read the table"


def read(task: ReadTask) -> None:
    """Read all ERP objects and land each. Raises UserError."""
    database = Database(task.settings.resolve("address"))
    for described in filter(task.wants, OBJECTS):
        due = task.reconcile_is_due(described)
        with task.batch(described) as batch:
            table = _Table(described, task.settings.timezone)
            ids = _describe(database, table, with_ids=due and batch.read_from is not None)
            for line in note_fields(batch, table.types):
                task.say(line)
            changed = table.changed_sql(batch.read_from, task.read_until(batch))
            _add(batch, database.query(changed, described), described.path)
            if due and not batch.is_staged:  # a first reading has just served every id
                _list_ids(batch, ids)
                _read_by_id(database, batch, table)
            batch.judge()
            _note_merges(batch)
            if due and not batch.is_staged:
                batch.end_missing(f"not in the full id list of {described.path}", listed="listed")
            task.land(batch, partial(task.note_reconciled, described) if due else None)


class Database:
    """A PostgreSQL server; `query` answers in Arrow. Raises UserError naming cause and remedy."""

    def __init__(self, dsn: str) -> None:
        self.dsn = f"{dsn}{'&' if '?' in dsn else '?'}options={quote(SESSION)}"
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
            text = " ".join(str(error).replace(self.dsn, "the address").split())
            raise self.error(described, text) from error

    def error(self, described: Object, cause: str, remedy: str = "") -> UserError:
        """One line that names the object, the cause, the place and what to do."""
        if not remedy:
            remedy = ADVICE
            if "does not exist" in cause:
                remedy = f"{described.path} must have {', '.join(_source_columns(described))}; correct the address"
        return UserError(f"erp {described.name}: {cause}, at {self.place}/{self.database}; {remedy}")


@dataclass
class _Table:
    """A table as it is now. `types`: its columns and their PostgreSQL types; `timezone` of times without a zone."""

    described: Object
    timezone: str | None
    types: dict[str, str]

    def __init__(self, described: Object, timezone: str | None) -> None:
        self.described, self.timezone, self.types = described, timezone, {}

    def changed_sql(self, start: datetime | None, end: datetime | None) -> str:
        """Rows changed from `start` up to before `end`, naive UTC; None is no bound."""
        field = _quoted(self.described.cursor.field)
        moment = self._moment(self.described.cursor.field)
        bounds = [f"{moment} >= timestamptz '{start}+00'"] if start else []
        bounds += [f"{moment} < timestamptz '{end}+00'"] if end else []
        # A row without a time of change is served each time, to be rejected, never skipped in silence.
        where = f"where ({' and '.join(bounds)}) or {field} is null" if bounds else ""
        # The first reading takes everything, whatever the order: sorting a whole table would cost more than reading it.
        order = f"order by {field}, {_quoted(self.described.key)}" if bounds else ""
        return f"{self._select()} {where} {order}"

    def by_id_sql(self, keys: list[str]) -> str:
        """Rows of these keys."""
        quoted = ", ".join("'" + key.replace("'", "''") + "'" for key in keys)
        return f"{self._select()} where {_quoted(self.described.key)}::text in ({quoted})"

    def _select(self) -> str:
        """Every column as text, times in UTC: what a value is gets decided in one place, versions.py."""
        described = self.described
        chosen = [f"{_quoted(described.key)}::text as source_id"]
        named = {column.name for column in described.fields}
        for column in described.fields:
            if column is CUSTOM_FIELDS:
                value = self._custom([*named, described.key])
            else:
                value = self._text(column.name) if column.name in self.types else "null::text"
            chosen.append(f"{value} as {_quoted(column.name)}")
        return f"select {', '.join(chosen)} from {_quoted(described.path)} as landing_row"

    def _custom(self, known: list[str]) -> str:
        """What the row has besides the known columns, as JSON."""
        if not set(self.types) - set(known):
            return "null::text"
        names = ", ".join(f"'{name}'" for name in known)
        return f"nullif(jsonb_strip_nulls(to_jsonb(landing_row) - array[{names}])::text, '{{}}')"

    def _text(self, name: str) -> str:
        """The column as text; SESSION makes dates and times ISO, a time with its offset."""
        if self.types.get(name, "").startswith("timestamp"):
            return f"{self._moment(name)}::text"
        return f"{_quoted(name)}::text"

    def _moment(self, name: str) -> str:
        """The column as an instant: a time without a zone is one of the source's zone, by default UTC."""
        if self.types.get(name) == "timestamp without time zone":
            zone = (self.timezone or "UTC").replace("'", "''")
            return f"({_quoted(name)} at time zone '{zone}')"
        return f"{_quoted(name)}::timestamptz"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _source_columns(described: Object) -> list[str]:
    return [described.key, *(column.name for column in described.fields if column is not CUSTOM_FIELDS)]


def _describe(database: Database, table: _Table, with_ids: bool) -> pa.Table | None:
    """Learn the table's columns and, in the same statement, all its ids. Raises UserError when it cannot be read."""
    described = table.described
    sql = f"""
        select attname::text as name, format_type(atttypid, null) as kind from pg_attribute
        where attrelid = to_regclass('{_quoted(described.path)}') and attnum > 0 and not attisdropped
    """
    if with_ids:
        sql += f" union all select {_quoted(described.key)}::text, null from {_quoted(described.path)}"
    found = database.query(sql, described)
    kinds = found.filter(pa.compute.is_valid(found["kind"]))
    table.types = dict(zip(kinds["name"].to_pylist(), kinds["kind"].to_pylist(), strict=True))
    if not table.types:
        raise database.error(described, f"table {described.path} does not exist")
    for name in (described.key, described.cursor.field):
        if name not in table.types:
            raise database.error(described, f"column {name} does not exist")
    return found.filter(pa.compute.is_null(found["kind"])).select(["name"]) if with_ids else None


def _add(batch: Batch, rows: pa.Table, place: str) -> None:
    batch.connection.register("erp_rows", rows)
    ended = f"{batch.object.merges} is not null" if batch.object.merges else "false"
    chosen = f"*, {batch.object.cursor.column} as updated, {ended} as is_deleted"
    batch.add_whole(chosen, "erp_rows", f"'{place} row ' || row_number() over ()")
    batch.connection.unregister("erp_rows")


def _list_ids(batch: Batch, ids: pa.Table | None) -> None:
    """Table `listed`: every id there is. A whole reading has just served them all."""
    if ids is None:
        batch.connection.execute("create table listed as select source_id from incoming where source_id is not null")
        return
    batch.connection.register("id_list", ids)
    batch.connection.execute("create table listed as select name as source_id from id_list where name is not null")
    batch.connection.unregister("id_list")


def _read_by_id(database: Database, batch: Batch, table: _Table) -> None:
    """Read the rows that are listed but neither landed nor just read, and those last seen as a reject."""
    unknown = batch.connection.execute(
        f"""
        select source_id from listed
        where source_id not in (select source_id from incoming where source_id is not null)
            and (
                source_id not in (select source_id from latest where content_hash <> {batch.tombstone_hash_sql()})
                or source_id in (select source_id from rejected)
            )
        order by source_id
        """
    ).fetchall()
    for keys in _chunks([key for (key,) in unknown]):
        _add(batch, database.query(table.by_id_sql(keys), table.described), f"{table.described.path} by id")


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
