"""Facts that look alike for every source: merges, deletions, rejects, fields and runs, in `raw_ingest`.

They must be exactly as complete as the versions they belong to, however a run ends. So they are
written and synced to a spool before dlt commits the versions, and landed afterwards: at the end of
the run, or at the start of the next one. A spooled entry whose versions were never committed is
dropped, because the cursor did not move and the next read meets the same rows again.

    spool/<run id>-<number>-<source>-<object>/run.json
                                              record_merges.jsonl, record_deletions.jsonl, rejects.jsonl,
                                              source_fields.jsonl
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from ingest import landing
from ingest.objects import LINEAGE, Column, texts
from ingest.versions import Batch, Counts
from operate.environment import Environment
from operate.files import sync, write_synced

DATASET = "raw_ingest"
FACTS: dict[str, tuple[Column, ...]] = {
    "record_merges": (
        *texts("source_system", "source_object", "loser_id", "winner_id"),
        Column("merged_at", "timestamp"),
        *texts("evidence"),
        *LINEAGE,
    ),
    "record_deletions": (
        *texts("source_system", "source_object", "source_id"),
        Column("deleted_at", "timestamp"),
        *texts("evidence"),
        *LINEAGE,
    ),
    "rejects": (
        *texts("source_system", "source_object", "source_id", "reason", "payload", "location"),
        Column("rejected_at", "timestamp"),
        *LINEAGE,
    ),
    "source_fields": (
        *texts("source_system", "source_object", "field_name", "field_type", "standing", "change", "note"),
        Column("observed_at", "timestamp"),
        *LINEAGE,
    ),
    "runs": (
        *texts("run_id", "source_system", "source_object"),
        Column("started_at", "timestamp"),
        Column("ended_at", "timestamp"),
        Column("rows_served", "bigint"),
        Column("rows_landed", "bigint"),
        Column("rows_unchanged", "bigint"),
        Column("rows_rejected", "bigint"),
        Column("rows_deleted", "bigint"),
        Column("newest_source_at", "timestamp"),
        *texts("outcome", "error"),
        *LINEAGE,
    ),
}
# What makes two observations the same fact: it is landed once. A reject is always a fact of its own.
IDENTITY = {
    "record_merges": ("source_system", "source_object", "loser_id", "winner_id"),
    "record_deletions": ("source_system", "source_object", "source_id", "deleted_at"),
    "rejects": (),
    "source_fields": ("source_system", "source_object", "field_name", "field_type", "change", "observed_at"),
    "runs": ("run_id", "source_system", "source_object"),
}
INTERRUPTED = "interrupted before its rows were committed; the next run reads them again"


@dataclass(frozen=True)
class Run:
    """One landing run of one object: a row of `raw_ingest.runs`. Times are naive UTC."""

    run_id: str
    source_system: str
    source_object: str
    started_at: datetime
    ended_at: datetime
    counts: Counts
    outcome: str = "ok"
    error: str | None = None

    def row(self) -> dict[str, object]:
        """The row as JSON can hold it."""
        counts = asdict(self.counts)
        newest = counts.pop("newest_source_at")
        row = {key: value for key, value in asdict(self).items() if key != "counts"}
        row |= {f"rows_{key}": value for key, value in counts.items()}
        row |= {"newest_source_at": newest}
        return {key: str(value) if isinstance(value, datetime) else value for key, value in row.items()}


class Spool:
    """The spool of one environment; entries are folders that appear and disappear whole."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.folder = environment.dlt / "spool"
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, dataset: str, runs: list[Run], batch: Batch | None, committed: bool) -> Path:
        """Spool the facts of one reading durably and return its entry.

        committed   no versions follow, so the facts count at once
        """
        partial = self.folder / f".partial-{name}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        if batch is not None:
            for table in FACTS.keys() - {"runs"}:
                _spool_table(batch.connection, table, partial / f"{table}.jsonl")
        state = {
            "dataset": dataset,
            "load_after": batch.newest_load_id if batch else "",
            "committed": committed,
            "runs": [run.row() for run in runs],
        }
        write_synced(partial / "run.json", json.dumps(state))
        for file in partial.iterdir():
            sync(file)
        sync(partial)
        entry = self.folder / name
        os.replace(partial, entry)
        sync(self.folder)
        return entry

    def commit(self, entry: Path, runs: list[Run]) -> None:
        """The versions of `entry` are in the warehouse: its facts count. `runs` replaces its rows."""
        state = json.loads((entry / "run.json").read_text(encoding="utf-8"))
        _replace_state(entry, state | {"committed": True, "runs": [run.row() for run in runs]})

    def note_error(self, entry: Path, error: str) -> None:
        """Why the versions of `entry` did not reach the warehouse; what becomes of it is settled later."""
        state = json.loads((entry / "run.json").read_text(encoding="utf-8"))
        _replace_state(entry, state | {"runs": [row | {"error": error} for row in state["runs"]]})

    def flush(self) -> None:
        """Land all settled entries as one package, then remove them.

        An entry whose package dlt still holds stays for later. The caller has drained the pipelines.
        """
        landing.drain(self.environment, DATASET)
        for partial in self.folder.glob(".partial-*"):
            shutil.rmtree(partial) if partial.is_dir() else partial.unlink()
        entries = [entry for entry in sorted(self.folder.iterdir()) if self._settle(entry)]
        if not entries:
            return
        connection = duckdb.connect(":memory:")
        try:
            for table in FACTS:
                _gather(connection, table, entries)
            load_id = landing.next_load_id(self._forget_known(connection), DATASET)
            tables = {}
            for table, columns in FACTS.items():
                path = self.folder / f".partial-{table}.parquet"
                rows = _write(connection, table, columns, path, load_id)
                if rows:
                    tables[table] = landing.TableFiles(columns, (path,), rows)
            if tables:
                landing.land(self.environment, DATASET, tables, load_id)
        finally:
            connection.close()
            for path in self.folder.glob(".partial-*.parquet"):
                path.unlink()
        for entry in entries:  # it disappears whole: half an entry could be neither read nor settled
            landed = entry.with_name(f".partial-{entry.name}")
            os.replace(entry, landed)
            shutil.rmtree(landed)

    def _settle(self, entry: Path) -> bool:
        """Decide whether an entry counts, and rewrite it when it does not; False leaves it for later."""
        state = json.loads((entry / "run.json").read_text(encoding="utf-8"))
        if state["committed"]:
            return True
        if landing.has_pending(self.environment, state["dataset"]):
            return False
        with landing.reading(self.environment) as connection:
            loaded = landing.newest_load_id(connection, state["dataset"]) > state["load_after"]
        if not loaded:
            for table in FACTS.keys() - {"runs"}:
                (entry / f"{table}.jsonl").unlink(missing_ok=True)
        rows = [row | {"error": None} if loaded else _failed_row(row) for row in state["runs"]]
        _replace_state(entry, state | {"committed": True, "runs": rows})
        return True

    def _forget_known(self, connection: duckdb.DuckDBPyConnection) -> str:
        """Drop facts that are landed already; returns the newest load id of the dataset."""
        with landing.reading(self.environment) as warehouse:
            newest = landing.newest_load_id(warehouse, DATASET)
            for table in FACTS:
                if not newest or not landing.table_exists(warehouse, DATASET, table):
                    continue
                warehouse.register("spooled", connection.execute(f"select _dlt_id from {table}").to_arrow_table())
                known = warehouse.execute(
                    f"select _dlt_id from {DATASET}.{table} where _dlt_id in (select _dlt_id from spooled) "
                    f"and _dlt_load_id in (select load_id from {DATASET}._dlt_loads where status = 0)"
                ).to_arrow_table()
                warehouse.unregister("spooled")
                connection.register("known", known)
                connection.execute(f"delete from {table} where _dlt_id in (select _dlt_id from known)")
                connection.unregister("known")
        return newest


def _failed_row(row: dict[str, object]) -> dict[str, object]:
    none = dict.fromkeys((key for key in row if key.startswith("rows_")), 0)
    return row | none | {"newest_source_at": None, "outcome": "failed", "error": row["error"] or INTERRUPTED}


def failed_run(run: Run, error: str) -> Run:
    """The same run as a failure: no row of it counts."""
    return replace(run, counts=Counts(), outcome="failed", error=error)


def _spool_table(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    if not connection.execute(f"select 1 from {table} limit 1").fetchall():
        return
    target = str(path).replace("'", "''")
    connection.execute(f"copy (select *, {_id_sql(table)} as _dlt_id from {table}) to '{target}' (format json)")


def _id_sql(table: str) -> str:
    """A row id that is the same for the same fact."""
    identity = IDENTITY[table]
    if not identity:
        return "replace(uuid()::varchar, '-', '')"
    return f"md5(to_json([{', '.join(f'{name}::varchar' for name in identity)}])::varchar)"


def _gather(connection: duckdb.DuckDBPyConnection, table: str, entries: list[Path]) -> None:
    columns = [column for column in FACTS[table] if column.name != "_dlt_load_id"]
    connection.execute(
        f"create table {table} ({', '.join(f'{column.name} {column.warehouse_type}' for column in columns)})"
    )
    if table == "runs":
        rows = [row for entry in entries for row in json.loads((entry / "run.json").read_text())["runs"]]
        names = [column.name for column in columns if column.name != "_dlt_id"]
        connection.executemany(
            f"insert into runs ({', '.join(names)}) values ({', '.join('?' * len(names))})",
            [[row[name] for name in names] for row in rows],
        )
        connection.execute(f"update runs set _dlt_id = {_id_sql('runs')}")
        return
    files = [str(entry / f"{table}.jsonl") for entry in entries if (entry / f"{table}.jsonl").exists()]
    if files:
        types = ", ".join(f"'{column.name}': '{column.warehouse_type}'" for column in columns)
        connection.execute(
            f"insert into {table} by name select distinct on (_dlt_id) * "
            f"from read_json(?, format = 'newline_delimited', columns = {{{types}}})",
            [files],
        )


def _write(
    connection: duckdb.DuckDBPyConnection, table: str, columns: tuple[Column, ...], path: Path, load_id: str
) -> int:
    """Write the facts of `table` as Parquet; returns how many."""
    names = ", ".join(f"'{load_id}' as _dlt_load_id" if c.name == "_dlt_load_id" else c.name for c in columns)
    order = ", ".join(IDENTITY[table]) or "source_system, source_object, location"
    target = str(path).replace("'", "''")
    query = f"copy (select {names} from {table} order by {order}) to '{target}' (format parquet)"
    return connection.execute(query).fetchall()[0][0]


def _replace_state(entry: Path, state: dict[str, object]) -> None:
    write_synced(entry / "run.partial", json.dumps(state))
    os.replace(entry / "run.partial", entry / "run.json")
    sync(entry)
