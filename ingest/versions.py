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
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ingest import landing
from ingest.landing import newest_load_id, reading, table_exists
from ingest.objects import Column, Object
from operate.environment import Environment

ROWS_AT_ONCE = 5_000  # of the pages of an API
# A row group a little smaller than DuckDB's own (122,880): a larger one makes the load write its rows twice.
PARQUET = "(format parquet, row_group_size 116000)"
LONGEST_PAYLOAD = 1_000_000  # characters of a rejected row that are kept
FOUND_MISSING = ("reconcile", "archived", "parent", "events")  # deletions that the record's own row never tells
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
create table source_fields (
    source_system varchar, source_object varchar, field_name varchar, field_type varchar, standing varchar,
    change varchar, note varchar, observed_at timestamp
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
                     rejected (ids whose last word is a reject)
    read_from        naive UTC time the read starts at: newest landed change minus lag; None reads all
    now              naive UTC
    newest_load_id   newest complete load of the dataset, empty when there is none
    known_fields     the source's fields as last observed: name -> type, empty for one that is gone
    fields_changed   whether this reading met a field that is new, gone or of another type
    """

    def __init__(
        self,
        environment: Environment,
        source_object: Object,
        now: datetime,
        connection: duckdb.DuckDBPyConnection,
        load_id: str,
    ) -> None:
        self.environment = environment
        self.load_id = load_id
        self.object = source_object
        self.now = now
        self._connection = connection
        self._waiting: list[pa.Table] = []  # added, not inserted yet
        self.read_from: datetime | None = None
        self.known_fields: dict[str, str] = {}
        self.fields_changed = False
        self.newest_load_id = ""
        self._served: dict[str, int] = {}
        self._staged: dict[Path, int] = {}  # files written straight from a first reading: their rows
        self._create_tables()

    # ---------------------------------------------------------------- filling

    def add(self, rows: pa.Table) -> None:
        """Served rows: `source_id`, `updated` (text), `is_deleted`, `location` and the fields as text."""
        self._waiting.append(rows)
        self.count_served(rows.num_rows)
        if sum(table.num_rows for table in self._waiting) >= ROWS_AT_ONCE:
            self._insert_waiting()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The scratch database, with every row that was added in it."""
        if self._waiting:
            self._insert_waiting()
        return self._connection

    def _insert_waiting(self) -> None:
        """Insert the rows that wait: one insert for many pages, which alone would cost as much as reading them."""
        tables, self._waiting = self._waiting, []
        self._connection.register("served_rows", pa.concat_tables(tables))
        self._connection.execute("insert into incoming by name select * from served_rows")
        self._connection.unregister("served_rows")

    def add_whole(
        self, chosen: str, source: str, location: str, source_system: str | None = None, numbered: str | None = None
    ) -> int:
        """Add a relation at once, as `select {chosen} from {source}` gives it; returns the number of its rows.

        chosen     source_id, updated, is_deleted and fields, as far as they are there, as text
        location   SQL that tells where a row stands; worked out only when rows have to be looked at one by one
        numbered   the relation with what `location` needs, where `source` has it not

        Where nothing is landed yet and every row is good, the rows go straight into the file that is landed, and
        `incoming` stays empty.
        """
        count = self._stage(f"select {chosen} from {source}", source_system) if self._is_new(source_system) else None
        if count is None:
            [(count,)] = self.connection.execute(
                f"insert into incoming by name select {chosen}, {location} as location from {numbered or source}"
            ).fetchall()
        self.count_served(count, source_system)
        return count

    @property
    def is_staged(self) -> bool:
        """Whether rows went straight into the file that is landed: then all of them are new and good."""
        return bool(self._staged)

    def _staged_files(self) -> str:
        return f"read_parquet([{', '.join(_literal(str(path)) for path in self._staged)}])"

    def count_served(self, rows: int, source_system: str | None = None) -> None:
        """Count rows the source gave; the books of the run are closed against this number."""
        system = source_system or self.object.source
        self._served[system] = self._served.get(system, 0) + rows

    def reject(
        self, source_id: str | None, reason: str, payload: Any, location: str, source_system: str | None = None
    ) -> None:
        """Refuse one served row that could not even become text. `payload` is the row as received."""
        self.count_served(1, source_system)
        text = json.dumps(payload, default=repr)  # ASCII: whatever came, this can be stored
        self.connection.execute(
            "insert into rejects values (?, ?, ?, ?, ?, ?, ?)",
            [
                source_system or self.object.source, self.object.name, source_id, reason, text[:LONGEST_PAYLOAD],
                location, self.now,
            ],
        )  # fmt: skip

    def _is_new(self, source_system: str | None) -> bool:
        """Whether nothing of the object (of the system, where a table holds several) is known yet."""
        mine = f"where source_system = '{source_system}'" if "source_system" in self.object.identity else ""
        return not self.connection.execute(
            f"select 1 from latest {mine} union all select 1 from incoming {mine} limit 1"
        ).fetchall()

    def _stage(self, rows: str, source_system: str | None) -> int | None:
        """Write the rows of a first reading straight to a file; None, and nothing, when one is not good.

        A key that repeats counts as not good: which of its rows is the newest is for `judge` to say.
        """
        self.connection.execute(f"create or replace temp view served as {rows}")
        there = {name for (name, *_) in self.connection.execute("describe served").fetchall()}
        absent = [name for name in ("updated", *(c.name for c in self.object.fields)) if name not in there]
        ended = "coalesce(is_deleted, false)" if "is_deleted" in there else "false"
        filled = "".join(f", null::varchar as {name}" for name in absent)
        path = self._file(f"staged-{len(self._staged)}")
        keys = ", ".join(self.object.identity)
        own = ", ".join(column.name for column in self.object.columns if not column.name.startswith("_dlt"))
        served = f"(select *{filled} from served)"
        typed = ", ".join(f"{_typed(column)} as {column.name}" for column in self.object.fields)
        key_text = f"concat_ws(':', {keys})"
        [(count,)] = self.connection.execute(
            f"""
            copy (
                with typed as (
                    select {keys}, {self._time_sql()} as source_updated_at, {ended} as is_deleted, {typed} from {served}
                )
                select {own.replace("content_hash", f"{self._row_hash_sql()} as content_hash")},
                    {self._lineage(key_text)}
                from typed
            ) to {_literal(str(path))} {PARQUET}
            """
        ).fetchall()
        if self._is_bad(path, served, key_text, count):
            path.unlink()
            return None
        if count:
            self._staged[path] = count
        return count

    def _is_bad(self, path: Path, served: str, key_text: str, count: int) -> bool:
        """Whether a row of a staged file would be refused, or a key repeats.

        A value that could not be typed is told by counting: the source has more of the column than the file.
        """
        typed = [column.name for column in self.object.fields if column.kind != "text"]
        times = ["source_updated_at"] if self.object.cursor else []
        texts = ", ".join(["source_id", *(column.name for column in self.object.fields if column.kind == "text")])
        refused = f"nullif(trim(source_id), '') is null or contains(concat_ws('', {texts}), chr(0))"
        refused += "".join(f" or not coalesce(isfinite({time}), false)" for time in times)
        counted = "".join(f", count({name})" for name in typed)
        file = f"read_parquet({_literal(str(path))})"
        [(bad, distinct, *in_file)] = self.connection.execute(
            f"select count(*) filter ({refused}), count(distinct {key_text}){counted} from {file}"
        ).fetchall()
        in_source = self.connection.execute(f"select 0{counted} from {served}").fetchall()[0][1:] if typed else []
        return bool(bad or distinct != count or in_file != list(in_source))

    def _file(self, name: str) -> Path:
        folder = self.environment.dlt / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self.load_id}-{self.object.source}-{self.object.name}-{name}.parquet"

    def _lineage(self, row: str) -> str:
        return f"'{self.load_id}' as _dlt_load_id, concat('{self.load_id}.', {row}) as _dlt_id"

    # ---------------------------------------------------------------- judging

    def judge(self) -> None:
        """Sort the served rows into new versions, unchanged re-reads and rejects."""
        self.connection.execute(f"create table judged as {self._judged_sql()}")
        self.connection.execute(self._rejects_sql())
        self.connection.execute("delete from judged where refused_because is not null")
        self.connection.execute(f"create table versions as {self._versions_sql()}")
        fields = ", ".join(f"incoming.{column.name}" for column in self.object.fields)
        judged = ", ".join((*self.object.identity, "source_updated_at", "is_deleted", "content_hash"))
        staged = ", ".join(f"{column.name}::varchar as {column.name}" for column in self.object.fields)
        more = f" union all by name select {judged}, {staged} from {self._staged_files()}" if self._staged else ""
        self.connection.execute(
            f"create view accepted as select judged.*, {fields} "
            f"from judged inner join incoming on incoming.rowid = judged.seq{more}"
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
            current as ({self.current_sql()})
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

    def end_missing(self, evidence: str, listed: str | None = None, among: str = "true") -> int:
        """After a whole reading: what the source has no more was deleted; returns how many records.

        listed   table of the ids that the source has, where they were read apart. A record that was served is there
                 whatever the list says, and so is one whose row was refused.
        among    SQL: which landed records the reading was about
        """
        keys = ", ".join(self.object.identity)
        system = "latest.source_system" if "source_system" in self.object.identity else f"'{self.object.source}'"
        unlisted = f"source_id not in (select source_id from {listed})" if listed else "true"
        there = " and ".join(f"there.{key} = latest.{key}" for key in self.object.identity)
        return self.tombstone(
            f"""
            select {keys}, timestamp '{self.now}' as deleted_at, '{evidence}' as evidence
            from latest
            where {among} and {unlisted}
                and not exists (select 1 from incoming as there where {there})
                and not exists (
                    select 1 from rejects
                    where rejects.source_id = latest.source_id and rejects.source_system = {system}
                )
            """,
            is_deletion=True,
        )

    def note_deleted_rows(self, evidence: str, merged: str = "false") -> None:
        """Rows that say themselves that their record ended are deletions, once per ending.

        `merged` is SQL over the landed columns: a merge ended the record, which is no deletion.
        """
        keys = ", ".join(f"versions.{key}" for key in self.object.identity)
        same = " and ".join(f"latest.{key} is not distinct from versions.{key}" for key in self.object.identity)
        self.connection.execute(
            f"""
            insert into record_deletions
            with states as (
                select versions.*, coalesce(
                    lag(versions.is_deleted) over (
                        partition by {keys} order by versions.source_updated_at nulls first, versions.seq
                    ),
                    latest.is_deleted, false
                ) as was_deleted
                from versions left join latest on {same}
                where not versions.is_tombstone
            )
            select {self.system_sql()}, '{self.object.name}', incoming.source_id,
                coalesce(states.source_updated_at, timestamp '{self.now}'), '{evidence}'
            from states inner join incoming on incoming.rowid = states.seq
            where states.is_deleted and not states.was_deleted and not coalesce({merged}, false)
            order by incoming.source_id
            """
        )

    # ---------------------------------------------------------------- results

    def write(self) -> landing.TableFiles:
        """Write what is new as Parquet files, columns as in the raw contract, and return them."""
        path = self._file("versions")
        typed = {column.name: _typed(column) for column in self.object.fields}
        own = [column.name for column in self.object.columns if not column.name.startswith("_dlt")]
        given = ", ".join(f"{typed[name]} as {name}" if name in typed else f"versions.{name}" for name in own)
        types = {column.name: column.warehouse_type for column in self.object.fields}
        empty = ", ".join(f"null::{types[name]} as {name}" if name in types else name for name in own)
        rows = self.connection.execute(
            f"""
            copy (
                select {given}, {self._lineage("versions.seq::varchar")}
                from incoming inner join versions on versions.seq = incoming.rowid
                union all
                select {empty}, {self._lineage("concat('t', row_number() over ())")} from versions where is_tombstone
            ) to {_literal(str(path))} {PARQUET}
            """
        ).fetchall()[0][0]
        paths = [*self._staged, *([path] if rows else [])]
        return landing.TableFiles(self.object.columns, tuple(paths), rows + sum(self._staged.values()))

    def counts(self) -> dict[str, Counts]:
        """Rows per source system. Raises RuntimeError when the books do not balance (a defect here)."""
        system = self.system_sql()
        books = {name: Counts(served=rows) for name, rows in self._served.items()}
        for name, landed, deleted in self.connection.execute(
            f"select {system}, count(*), count(*) filter (is_tombstone) from versions group by 1"
        ).fetchall():
            books.setdefault(name, Counts()).landed, books[name].deleted = landed, deleted
        staged: dict[str, int] = {}
        for name, rows, newest in self._staged_counts():
            staged[name] = rows
            counts = books.setdefault(name, Counts())
            counts.landed, counts.newest_source_at = counts.landed + rows, newest
        for name, rejected in self.connection.execute(
            "select source_system, count(*) from rejects group by 1"
        ).fetchall():
            books.setdefault(name, Counts()).rejected = rejected
        for name, accepted, newest in self.connection.execute(
            f"select {system}, count(*), max(source_updated_at) from judged group by 1"
        ).fetchall():
            counts = books.setdefault(name, Counts())
            counts.unchanged = accepted - (counts.landed - counts.deleted - staged.get(name, 0))
            counts.newest_source_at = max(filter(None, (counts.newest_source_at, newest)), default=None)
        for name, counts in books.items():
            if counts.served + counts.deleted != counts.landed + counts.unchanged + counts.rejected:
                raise RuntimeError(f"rows of {name} {self.object.name} do not add up: {counts}")
        return books

    def _staged_counts(self) -> list[tuple]:
        if not self._staged:
            return []
        return self.connection.execute(
            f"select {self.system_sql()}, count(*), max(source_updated_at) from {self._staged_files()} group by 1"
        ).fetchall()

    def has_versions(self) -> bool:
        """Whether there is anything to land."""
        return bool(self._staged or self.connection.execute("select 1 from versions limit 1").fetchall())

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
        typed = ", ".join(f"{_typed(column)} as {column.name}" for column in self.object.fields)
        lead = "".join(f"{key}, " for key in self.object.identity if key != "source_id")
        return f"""
            with typed as (
                select rowid as seq, {lead}source_id, coalesce(is_deleted, false) as is_deleted,
                    {self._time_sql()} as source_updated_at,
                    {typed}, case {self._reason_sql()} end as refused_because
                from incoming
            )
            select seq, {lead}source_id, source_updated_at, is_deleted, refused_because,
                {self._row_hash_sql()} as content_hash
            from typed
            """

    def _time_sql(self) -> str:
        """When a row changed. A time ahead of our clock is a mistake: it must not outlast later changes."""
        return f"case when updated is not null then least({parse_time('updated')}, timestamp '{self.now}') end"

    def _row_hash_sql(self) -> str:
        return _hash_sql(self.object.content, "is_deleted", lambda column: column.name)

    def _reason_sql(self) -> str:
        """The arms of a `case`: why a row is refused."""
        names = [column.name for column in self.object.fields]
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
        return " ".join(f"when {test} then {text}" for test, text in tests)

    def _rejects_sql(self) -> str:
        system = self.system_sql().replace("source_system", "incoming.source_system")
        payload = ", ".join(f"'{column.name}': incoming.{column.name}" for column in self.object.fields)
        row = f"{{'source_id': incoming.source_id, 'updated': incoming.updated, {payload}}}"
        return f"""
            insert into rejects
            select {system}, '{self.object.name}', replace(incoming.source_id, chr(0), '\\0'),
                replace(judged.refused_because, chr(0), '\\0'),
                left(to_json({row})::varchar, {LONGEST_PAYLOAD}), incoming.location, timestamp '{self.now}'
            from judged inner join incoming on incoming.rowid = judged.seq
            where judged.refused_because is not null
            order by judged.seq
            """

    def _versions_sql(self) -> str:
        """What is new: per record, in order of time, each state that differs from the one before it.

        Of states with one time the last served counts. A state older than the landed one came late and tells
        nothing new, except from a table, which shows no past. A record that was found missing and is served again is
        back, whatever its time says: it sorts behind its tombstone.
        """
        keys = ", ".join(self.object.identity)
        same = " and ".join(f"latest.{key} = judged.{key}" for key in self.object.identity)
        time = "judged.source_updated_at" if self.object.cursor else "null::timestamp"
        is_back, late = "false", f"{time} < latest.source_updated_at"
        if self.object.deletes in FOUND_MISSING and self.object.cursor:
            came_back = f"latest.is_deleted and not judged.is_deleted and {time} <= latest.source_updated_at"
            if self.object.deletes == "reconcile":  # a table shows each row as it is now, whatever time it bears
                came_back = f"{came_back} or {time} < latest.source_updated_at"
            is_back = f"""({came_back})
                and row_number() over (partition by {keys_of("judged", self.object)}
                    order by judged.source_updated_at desc, judged.seq desc) = 1"""
        return f"""
            with placed as (
                select judged.* exclude (refused_because), latest.content_hash as landed_hash,
                    coalesce({is_back}, false) as is_back, coalesce({late}, false) as is_late,
                    {time} as ordering_time, latest.source_updated_at as landed_at
                from judged left join latest on {same}
            ),
            known as (
                select * from placed where is_back or not is_late
                qualify row_number() over (partition by {keys}, ordering_time, is_back
                    order by seq desc) = 1 or ordering_time is null
            ),
            ordered as (
                select *, lag(content_hash) over (
                    partition by {keys} order by ordering_time nulls first, seq
                ) as hash_before
                from known
            )
            select ordered.* exclude (hash_before, landed_hash, is_back, is_late, ordering_time, landed_at)
                replace (case when is_back then landed_at + interval 1 microsecond
                    else source_updated_at end as source_updated_at),
                false as is_tombstone
            from ordered
            where content_hash is distinct from coalesce(hash_before, landed_hash)
            """

    def current_sql(self) -> str:
        """The latest state of each record, this batch included."""
        keys = ", ".join(self.object.identity)
        time = "source_updated_at desc nulls last, " if self.object.cursor else ""
        return f"""
            select distinct on ({keys}) {keys}, source_updated_at, is_deleted
            from (
                select {keys}, source_updated_at, is_deleted, 0 as generation, 0 as seq from latest
                union all
                select {keys}, source_updated_at, is_deleted, 1 as generation, seq from versions
            )
            order by {keys}, {time}generation desc, seq desc nulls first
            """


@contextmanager
def open_batch(
    environment: Environment, source_object: Object, now: datetime, load_id: str, lag: timedelta | None = None
) -> Iterator[Batch]:
    """A Batch that knows what is landed. `now` is timezone-aware UTC; `lag` replaces the cursor's own.

    load_id   of the load that its rows will be; newer than every load of the dataset
    """
    scratch = environment.dlt / "scratch"
    connection = duckdb.connect(":memory:", config={"temp_directory": str(scratch)})
    try:
        connection.execute("set TimeZone = 'UTC'")
        batch = Batch(environment, source_object, now.replace(tzinfo=None), connection, load_id)
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
        batch.known_fields = _known_fields(warehouse, described)
        rejected = _rejected_ids(warehouse, described, complete if known else None)
    _store_latest(batch, latest)
    batch.connection.execute("create table rejected (source_id varchar)")
    batch.connection.executemany("insert into rejected values (?)", [[key] for key in rejected] or [[None]])


def _rejected_ids(warehouse: duckdb.DuckDBPyConnection, described: Object, complete: str | None) -> list[str]:
    """Ids whose last word is a reject: nothing of them was landed since."""
    if not table_exists(warehouse, "raw_ingest", "rejects"):
        return []
    landed = f"select source_id, max(_dlt_load_id) as load_id from {complete} group by 1" if complete else (
        "select null as source_id, null as load_id where false"
    )  # fmt: skip
    found = warehouse.execute(
        f"""
        select rejects.source_id from raw_ingest.rejects left join ({landed}) as landed using (source_id)
        where source_system = ? and source_object = ? and rejects.source_id is not null
        group by rejects.source_id, landed.load_id
        having landed.load_id is null or max(rejects._dlt_load_id) > landed.load_id
        order by 1
        """,
        [described.source, described.name],
    ).fetchall()
    return [key for (key,) in found]


def _known_fields(warehouse: duckdb.DuckDBPyConnection, described: Object) -> dict[str, str]:
    if not table_exists(warehouse, "raw_ingest", "source_fields"):
        return {}
    found = warehouse.execute(
        """
        select field_name, field_type from raw_ingest.source_fields
        where source_system = ? and source_object = ?
            and _dlt_load_id in (select load_id from raw_ingest._dlt_loads where status = 0)
        qualify row_number() over (
            partition by field_name order by observed_at desc, _dlt_load_id desc, change = 'dropped'
        ) = 1
        """,
        [described.source, described.name],
    ).fetchall()
    return {name: kind or "" for name, kind in found}


def _store_latest(batch: Batch, latest: pa.Table | None) -> None:
    keys = ", ".join(f"{key} varchar" for key in batch.object.identity)
    batch.connection.execute(
        f"create table latest ({keys}, source_updated_at timestamp, is_deleted boolean, content_hash varchar)"
    )
    if latest is not None:
        batch.connection.register("landed_rows", latest)
        batch.connection.execute("insert into latest by name select * from landed_rows")
        batch.connection.unregister("landed_rows")


def keys_of(alias: str, described: Object) -> str:
    """SQL: the identity columns of `described` in `alias`."""
    return ", ".join(f"{alias}.{key}" for key in described.identity)


def parse_time(expression: str) -> str:
    """SQL: text with or without an offset as a naive UTC timestamp; null when it is no time."""
    is_utc = f"suffix({expression}, 'Z') or suffix({expression}, '+00')"  # what most sources write: four times as fast
    return f"""(case when {is_utc} then try_cast({expression} as timestamp)
        else try_cast({expression} as timestamptz) at time zone 'UTC' end)"""


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _typed(column: Column) -> str:
    if column.kind == "text":
        return column.name
    if column.kind == "timestamp":
        return parse_time(column.name)
    typed = f"try_cast({column.name} as {column.warehouse_type})"
    if column.kind == "decimal":  # a cast would round: an amount of half a cent is a mistake to see
        name = column.name
        # Comparing as decimal(38, 10) takes twenty times as long, and hardly an amount needs it.
        plain = f"not contains(lower({name}), 'e') and length({name}) - instr({name} || '.', '.') <= 2"
        return f"""case when {plain} then {typed}
            when try_cast({name} as decimal(38, 10)) = {typed} then {typed} end"""
    return typed


def _hash_sql(content: tuple[Column, ...], deleted: str, value: Callable[[Column], str]) -> str:
    """SQL: MD5 in hex of is_deleted and the content: which values are null, then each value behind a NUL character.

    No landed value holds a NUL, so different contents never give the same text.
    """
    ordered = sorted(content, key=lambda column: column.name)
    nulls = " + ".join(
        f"({value(column)} is null)::bigint * {2 ** (place % 60)}" for place, column in enumerate(ordered)
    )
    parts = [part for column in ordered for part in ("chr(0)", value(column))]
    if len(ordered) > 60:  # more than one number can hold
        nulls = f"concat({', '.join(f'({value(column)} is null)::integer' for column in ordered)})"
    return f"md5(concat({deleted}, chr(0), {nulls}, {', '.join(parts)}))"
