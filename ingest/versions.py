"""What is true of every source: served rows become versions, or are unchanged, or are rejected.

A `Batch` is one reading of one object in a scratch database. Rows arrive as text; here they are
checked, typed, hashed and compared with the latest landed version of their record, all in SQL, so a
million rows cost seconds. Nothing reaches the warehouse before the whole reading has succeeded.

Always, per run of an object:  served + tombstones = landed + unchanged + rejected
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from ingest.landing import ROWS_PER_BATCH, newest_load_id, reading, table_exists
from ingest.objects import Column, Object
from operate.environment import Environment

LONGEST_PAYLOAD = 1_000_000  # characters of a rejected row that are kept
NOT_TEXT = {"date": "a date", "timestamp": "a time", "decimal": "an amount with at most 2 decimals",
            "bigint": "a whole number", "bool": "true or false"}  # fmt: skip
FACTS_OF_A_BATCH = """
create table record_merges (
    source_system varchar, source_object varchar, loser_id varchar, winner_id varchar,
    merged_at timestamp, evidence varchar
);
create table record_deletions (
    source_system varchar, source_object varchar, source_id varchar, deleted_at timestamp, evidence varchar
);
create table rejects (
    source_system varchar, source_object varchar, source_id varchar, reason varchar, payload varchar,
    location varchar, rejected_at timestamp
);
"""


@dataclass
class Counts:
    """Rows of one run of one object. `deleted` are tombstones for records that left; part of `landed`."""

    served: int = 0
    landed: int = 0
    unchanged: int = 0
    rejected: int = 0
    deleted: int = 0
    newest_source_at: datetime | None = None


class Batch:
    """One reading of one object. Fill it with `add` and `reject`, then `judge`, then `tombstone`.

    connection       scratch DuckDB in UTC: incoming (rows as served), latest (landed state per record), the
                     facts, and once judged: accepted (good rows with their time) and versions (what is new)
    read_from        naive UTC time the read starts at: newest landed change minus lag; None reads all
    now              naive UTC
    newest_load_id   newest complete load of the dataset, empty when there is none
    """

    def __init__(
        self,
        environment: Environment,
        source_object: Object,
        now: datetime,
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        self.environment = environment
        self.object = source_object
        self.now = now
        self.connection = connection
        self.read_from: datetime | None = None
        self.newest_load_id = ""
        self._served: dict[str, int] = {}
        self._create_tables()

    # ---------------------------------------------------------------- filling

    def add(self, rows: pa.Table) -> None:
        """Served rows: `source_id`, `updated` (text), `is_deleted`, `location` and the fields as text."""
        self.connection.register("served_rows", rows)
        self.connection.execute("insert into incoming by name select * from served_rows")
        self.connection.unregister("served_rows")
        self.count_served(rows.num_rows)

    def count_served(self, rows: int, source_system: str | None = None) -> None:
        """Count rows the source gave; the books of the run are closed against this number."""
        system = source_system or self.object.source
        self._served[system] = self._served.get(system, 0) + rows

    def reject(self, source_id: str | None, reason: str, payload: Any, location: str) -> None:
        """Refuse one served row that could not even become text. `payload` is the row as received."""
        self.count_served(1)
        text = json.dumps(payload, default=repr)  # ASCII: whatever came, this can be stored
        self.connection.execute(
            "insert into rejects values (?, ?, ?, ?, ?, ?, ?)",
            [
                self.object.source, self.object.name, source_id, reason, text[:LONGEST_PAYLOAD],
                location, self.now,
            ],
        )  # fmt: skip

    # ---------------------------------------------------------------- judging

    def judge(self) -> None:
        """Sort the served rows into new versions, unchanged re-reads and rejects."""
        self.connection.execute(f"create table judged as {self._judged_sql()}")
        self.connection.execute(self._rejects_sql())
        self.connection.execute("delete from judged where reason is not null")
        self.connection.execute(f"create table versions as {self._versions_sql()}")
        fields = ", ".join(f"incoming.{column.name}" for column in self.object.fields)
        self.connection.execute(
            f"create view accepted as select judged.*, {fields} "
            "from judged inner join incoming on incoming.rowid = judged.seq"
        )

    def tombstone(self, gone: str, is_deletion: bool) -> int:
        """End the records that `gone` names and that are not ended yet; returns how many.

        `gone` is a query of the identity columns, deleted_at (naive UTC) and evidence. The tombstone
        carries no content and sorts behind every version of its record. A deletion is also a fact of
        its own; of a merge the caller notes the fact.
        """
        keys = ", ".join(self.object.identity)
        same = " and ".join(f"current.{key} is not distinct from gone.{key}" for key in self.object.identity)
        updated = (
            "greatest(gone.deleted_at, current.source_updated_at + interval 1 microsecond)"
            if self.object.cursor
            else "null::timestamp"
        )
        self.connection.execute(
            f"""
            create or replace temp table ended as
            with gone as (select distinct on ({keys}) * from ({gone}) order by {keys}, deleted_at),
            current as ({self._current_sql()})
            select gone.*, {updated} as source_updated_at
            from gone left join current on {same}
            where not coalesce(current.is_deleted, false)
            """
        )
        self.connection.execute(
            f"""
            insert into versions by name
            select {keys}, source_updated_at, true as is_deleted, {self.tombstone_hash_sql()} as content_hash,
                null as seq, true as is_tombstone
            from ended order by {keys}
            """
        )
        if is_deletion:
            self.connection.execute(
                f"""
                insert into record_deletions
                select {self.system_sql()}, '{self.object.name}', source_id, deleted_at, evidence
                from ended order by source_id
                """
            )
        return self.connection.execute("select count(*) from ended").fetchall()[0][0]

    # ---------------------------------------------------------------- results

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The versions to land, columns as in the raw contract (`_dlt_load_id` empty: dlt fills it)."""
        typed = {column.name: _typed(column) for column in self.object.fields}
        own = [column.name for column in self.object.columns if not column.name.startswith("_dlt")]
        lineage = "null::varchar as _dlt_load_id, replace(uuid()::varchar, '-', '') as _dlt_id"
        given = ", ".join(f"{typed[name]} as {name}" if name in typed else f"versions.{name}" for name in own)
        types = {column.name: column.warehouse_type for column in self.object.fields}
        empty = ", ".join(f"null::{types[name]} as {name}" if name in types else name for name in own)
        result = self.connection.execute(
            f"""
            select {given}, {lineage} from incoming inner join versions on versions.seq = incoming.rowid
            union all
            select {empty}, {lineage} from versions where is_tombstone
            """
        )
        yield from result.to_arrow_reader(ROWS_PER_BATCH)

    def counts(self) -> dict[str, Counts]:
        """Rows per source system. Raises RuntimeError when the books do not balance (a defect here)."""
        system = self.system_sql()
        books = {name: Counts(served=rows) for name, rows in self._served.items()}
        for name, landed, deleted in self.connection.execute(
            f"select {system}, count(*), count(*) filter (is_tombstone) from versions group by 1"
        ).fetchall():
            books.setdefault(name, Counts()).landed, books[name].deleted = landed, deleted
        for name, rejected in self.connection.execute(
            "select source_system, count(*) from rejects group by 1"
        ).fetchall():
            books.setdefault(name, Counts()).rejected = rejected
        for name, accepted, newest in self.connection.execute(
            f"select {system}, count(*), max(source_updated_at) from judged group by 1"
        ).fetchall():
            counts = books.setdefault(name, Counts())
            counts.unchanged = accepted - (counts.landed - counts.deleted)
            counts.newest_source_at = newest
        for name, counts in books.items():
            if counts.served + counts.deleted != counts.landed + counts.unchanged + counts.rejected:
                raise RuntimeError(f"rows of {name} {self.object.name} do not add up: {counts}")
        return books

    def has_versions(self) -> bool:
        """Whether there is anything to land."""
        return bool(self.connection.execute("select 1 from versions limit 1").fetchall())

    def system_sql(self) -> str:
        """The source system of a row, as SQL."""
        return "source_system" if "source_system" in self.object.identity else f"'{self.object.source}'"

    def tombstone_hash_sql(self) -> str:
        """The content hash of every tombstone of this object, as SQL."""
        return _hash_sql(self.object.content, deleted="true", value=lambda column: "null")

    # ---------------------------------------------------------------- SQL

    def _create_tables(self) -> None:
        leading = [name for name in self.object.identity if name != "source_id"]
        texts = [
            *leading,
            "source_id",
            "updated",
            *(column.name for column in self.object.fields),
            "location",
        ]
        self.connection.execute(
            f"create table incoming ({', '.join(f'{name} varchar' for name in texts)}, is_deleted boolean)"
        )
        self.connection.execute(FACTS_OF_A_BATCH)

    def _judged_sql(self) -> str:
        """Per served row its place `seq`, keys, times, content hash, and the reason when it is refused."""
        names = [column.name for column in self.object.fields]
        typed = ", ".join(f"{_typed(column)} as {column.name}" for column in self.object.fields)
        lead = "".join(f"{key}, " for key in self.object.identity if key != "source_id")
        tests = [("nullif(trim(source_id), '') is null", "'the key is missing or blank'")]
        everything = ", ".join(["source_id", *names])
        which = " ".join(f"when contains({name}, chr(0)) then '{name}'" for name in ["source_id", *names])
        tests.append((f"contains(concat_ws('', {everything}), chr(0))", f"'a NUL character in ' || case {which} end"))
        if self.object.cursor:
            named = self.object.cursor.field
            unreadable = f"'the time of change ({named}) cannot be read: ' || coalesce(updated, 'empty')"
            tests.append((f"not coalesce(isfinite({parse_time('updated')}), false)", unreadable))
        for column in self.object.fields:
            if column.kind != "text":
                wrong = f"{column.name} is not null and {_typed(column)} is null"
                tests.append((wrong, f"'{column.name} is not {NOT_TEXT[column.kind]}: ' || {column.name}"))
        reason = " ".join(f"when {test} then {text}" for test, text in tests)
        return f"""
            with typed as (
                select rowid as seq, {lead}source_id, coalesce(is_deleted, false) as is_deleted,
                    {parse_time("updated")} as source_updated_at, {typed}, case {reason} end as reason
                from incoming
            )
            select seq, {lead}source_id, source_updated_at, is_deleted, reason,
                {_hash_sql(self.object.content, "is_deleted", lambda column: column.name)} as content_hash
            from typed
            """

    def _rejects_sql(self) -> str:
        system = self.system_sql().replace("source_system", "incoming.source_system")
        payload = ", ".join(f"'{column.name}': incoming.{column.name}" for column in self.object.fields)
        row = f"{{'source_id': incoming.source_id, 'updated': incoming.updated, {payload}}}"
        return f"""
            insert into rejects
            select {system}, '{self.object.name}', replace(incoming.source_id, chr(0), '\\0'),
                replace(judged.reason, chr(0), '\\0'),
                left(to_json({row})::varchar, {LONGEST_PAYLOAD}), incoming.location, timestamp '{self.now}'
            from judged inner join incoming on incoming.rowid = judged.seq
            where judged.reason is not null
            order by judged.seq
            """

    def _versions_sql(self) -> str:
        keys = ", ".join(self.object.identity)
        same = " and ".join(f"latest.{key} = ordered.{key}" for key in self.object.identity)
        updated = "ordered.source_updated_at"
        if self.object.deletes == "reconcile":
            # Found missing, and served again with its old time: it is back, so it sorts behind its tombstone.
            updated = f"""case when latest.is_deleted and not ordered.is_deleted
                and ordered.source_updated_at <= latest.source_updated_at
                then latest.source_updated_at + interval 1 microsecond else {updated} end"""
        return f"""
            with ordered as (
                select *, lag(content_hash) over (
                    partition by {keys} order by source_updated_at nulls first, seq
                ) as hash_before
                from judged
            )
            select ordered.* exclude (hash_before, reason) replace ({updated} as source_updated_at),
                false as is_tombstone
            from ordered left join latest on {same}
            where ordered.content_hash is distinct from coalesce(ordered.hash_before, latest.content_hash)
            """

    def _current_sql(self) -> str:
        """The latest state of each record, this batch included."""
        keys = ", ".join(self.object.identity)
        return f"""
            select distinct on ({keys}) {keys}, source_updated_at, is_deleted
            from (
                select {keys}, source_updated_at, is_deleted, 0 as generation, 0 as seq from latest
                union all
                select {keys}, source_updated_at, is_deleted, 1 as generation, seq from versions
            )
            order by {keys}, source_updated_at desc nulls last, generation desc, seq desc
            """


@contextmanager
def open_batch(
    environment: Environment, source_object: Object, now: datetime, lag: timedelta | None = None
) -> Iterator[Batch]:
    """A Batch that knows what is landed. `now` is timezone-aware UTC; `lag` replaces the cursor's own."""
    scratch = environment.dlt / "scratch"
    connection = duckdb.connect(":memory:", config={"temp_directory": str(scratch)})
    try:
        connection.execute("set TimeZone = 'UTC'")
        batch = Batch(environment, source_object, now.replace(tzinfo=None), connection)
        _load_state(batch, lag)
        yield batch
    finally:
        connection.close()


def _load_state(batch: Batch, lag: timedelta | None) -> None:
    described = batch.object
    keys = ", ".join(described.identity)
    with reading(batch.environment) as warehouse:
        warehouse.execute("set TimeZone = 'UTC'")
        batch.newest_load_id = newest_load_id(warehouse, described.dataset)
        known = batch.newest_load_id and table_exists(warehouse, described.dataset, described.name)
        complete = f"""
            {described.dataset}.{described.name}
            where _dlt_load_id in (select load_id from {described.dataset}._dlt_loads where status = 0)
            """
        newest_first = "source_updated_at desc nulls last," if described.cursor else ""
        latest = (
            warehouse.execute(
                f"""
                select {keys}, source_updated_at, is_deleted, content_hash from {complete}
                qualify row_number() over (partition by {keys}
                    order by {newest_first} _dlt_load_id desc, content_hash desc) = 1
                """
            ).to_arrow_table()
            if known
            else None
        )
        if known and described.cursor:
            column = next(field for field in described.fields if field.name == described.cursor.column)
            time = column.name if column.kind == "timestamp" else parse_time(column.name)
            # A time in the future is a mistake of the source; it must not hide the changes before it.
            newest = f"select max({time}) from {complete} and not is_deleted and {time} <= ?"
            found = warehouse.execute(newest, [batch.now]).fetchall()[0][0]
            batch.read_from = found - (described.cursor.lag if lag is None else lag) if found else None
    _store_latest(batch, latest)


def _store_latest(batch: Batch, latest: pa.Table | None) -> None:
    keys = ", ".join(f"{key} varchar" for key in batch.object.identity)
    batch.connection.execute(
        f"create table latest ({keys}, source_updated_at timestamp, is_deleted boolean, content_hash varchar)"
    )
    if latest is not None:
        batch.connection.register("landed_rows", latest)
        batch.connection.execute("insert into latest by name select * from landed_rows")
        batch.connection.unregister("landed_rows")


def parse_time(expression: str) -> str:
    """SQL: text with or without an offset as a naive UTC timestamp; null when it is no time."""
    return f"(try_cast({expression} as timestamptz) at time zone 'UTC')"


def _typed(column: Column) -> str:
    if column.kind == "text":
        return column.name
    if column.kind == "timestamp":
        return parse_time(column.name)
    typed = f"try_cast({column.name} as {column.warehouse_type})"
    if column.kind == "decimal":  # a cast would round: an amount of half a cent is a mistake to see
        return f"case when try_cast({column.name} as decimal(38, 10)) = {typed} then {typed} end"
    return typed


def _hash_sql(content: tuple[Column, ...], deleted: str, value: Callable[[Column], str]) -> str:
    """SQL: sha256 in hex of the content and is_deleted as canonical JSON (keys in order, nulls kept)."""
    pairs = [f"'{column.name}': {value(column)}" for column in sorted(content, key=lambda column: column.name)]
    return f"sha256(to_json({{{', '.join(pairs)}, 'is_deleted': {deleted}}})::varchar)"
