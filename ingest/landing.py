"""The dlt side of landing: one pipeline per dataset, Parquet files in, complete loads out.

What dlt does by itself decides the shape of this file: new data given to a pipeline with a pending
package is ignored, so packages are drained first; a job killed between its insert and its mark is
inserted again, so a drained load is freed of its doubles; load ids are the machine's time as text and
order the versions, so a load id never goes back. DuckDB writes the files with the load id already in
them, and dlt takes them as they are: each row is written once and read once.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")
os.environ["NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID"] = "false"  # the files have it
os.environ["NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_ID"] = "false"  # versions.py gives each row its id
os.environ["LOAD__DELETE_COMPLETED_JOBS"] = "true"  # no copies of people's data stay behind
os.environ["LOAD__WORKERS"] = "1"  # DuckDB has one writer

import dlt  # noqa: E402 (configured above)
import duckdb  # noqa: E402
from dlt.common.storages.load_package import create_load_id  # noqa: E402
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials  # noqa: E402
from dlt.extract import storage as extract_storage  # noqa: E402
from dlt.extract.extractors import with_file_import  # noqa: E402

from ingest.objects import Column  # noqa: E402
from operate.environment import Environment  # noqa: E402
from operate.errors import UserError  # noqa: E402

CLOCK_PATIENCE_SECONDS = 5.0
DISK_FULL_SIGNS = ("no space left on device", "disk quota exceeded", "file too large", "out of disk space")


def pipeline_for(environment: Environment, dataset: str) -> dlt.Pipeline:
    """The dlt pipeline that lands into `dataset` (`raw_hubspot`, `raw_ingest`, ...)."""
    credentials = DuckDbCredentials(str(environment.warehouse))
    return dlt.pipeline(
        pipeline_name=dataset.removeprefix("raw_"),
        destination=dlt.destinations.duckdb(credentials),
        dataset_name=dataset,
        pipelines_dir=str(environment.dlt / "pipelines"),
    )


@contextmanager
def reading(environment: Environment) -> Iterator[duckdb.DuckDBPyConnection]:
    """A short-lived connection to the warehouse; nothing may hold it open while dlt or dbt works."""
    with translated(environment):
        connection = duckdb.connect(str(environment.warehouse))
    try:
        yield connection
    finally:
        connection.close()


def table_exists(connection: duckdb.DuckDBPyConnection, dataset: str, table: str) -> bool:
    """Whether `dataset.table` is in the warehouse."""
    found = connection.execute(
        "select 1 from duckdb_tables() where schema_name = ? and table_name = ?", [dataset, table]
    )
    return bool(found.fetchall())


def newest_load_id(connection: duckdb.DuckDBPyConnection, dataset: str) -> str:
    """The newest complete load of `dataset`, as text; empty when there is none."""
    if not table_exists(connection, dataset, "_dlt_loads"):
        return ""
    newest = f"select max(load_id) from {dataset}._dlt_loads where status = 0"
    return connection.execute(newest).fetchall()[0][0] or ""


def drain(environment: Environment, dataset: str) -> bool:
    """Finish whatever an interrupted run left in the pipeline of `dataset`; True when there was something."""
    if not has_pending(environment, dataset):
        return False
    _remove_finished(environment, dataset)
    pipeline = pipeline_for(environment, dataset)
    if not pipeline.default_schema_name:
        # Killed in its very first extract, before dlt kept the schema: it would never load this. It is read again.
        for package in _waiting_places(environment, dataset)[0].glob("*"):
            shutil.rmtree(package)
    pending = _pending(pipeline)
    with translated(environment):
        while before := _pending(pipeline):
            pipeline.normalize()
            pipeline.load()
            if _pending(pipeline) == before:
                raise RuntimeError(f"dlt gets no further with {', '.join(before)}")
    _remove_doubles(environment, dataset, pending)
    _tidy(pipeline)
    return True


def _pending(pipeline: dlt.Pipeline) -> list[str]:
    """The load ids of packages that are not loaded yet."""
    return pipeline.list_extracted_load_packages() + pipeline.list_normalized_load_packages()


def has_pending(environment: Environment, dataset: str) -> bool:
    """Whether a package of `dataset` still waits to be loaded."""
    # Making a pipeline only to ask costs 50 ms; `land` makes one anyway, and asks it again.
    return any(path.is_dir() for place in _waiting_places(environment, dataset) for path in place.glob("*"))


def _waiting_places(environment: Environment, dataset: str) -> tuple[Path, Path]:
    """Where dlt keeps packages that are extracted, and those that are normalized."""
    folder = environment.dlt / "pipelines" / dataset.removeprefix("raw_")
    return folder / "normalize" / "extracted", folder / "load" / "normalized"


def _remove_finished(environment: Environment, dataset: str) -> None:
    """Remove packages that dlt was done with when it was killed: it removes them file by file, and reads no half one.

    An extracted package is done with when it is normalized, a normalized one when its load is complete.
    """
    extracted, normalized = _waiting_places(environment, dataset)
    loaded: set[str] = set()
    with reading(environment) as connection:
        if table_exists(connection, dataset, "_dlt_loads"):
            found = connection.execute(f"select load_id from {dataset}._dlt_loads where status = 0").fetchall()
            loaded = {load_id for (load_id,) in found}
    for package in (*extracted.glob("*"), *normalized.glob("*")):
        if package.is_file():  # a state that dlt was about to put in its place
            package.unlink()
            continue
        is_normalized = package.parent == extracted and (normalized / package.name).is_dir()
        if is_normalized or package.name in loaded:
            shutil.rmtree(package)


@dataclass(frozen=True)
class TableFiles:
    """What is landed into one table: Parquet files with all its columns, lineage included, and their rows in all."""

    columns: tuple[Column, ...]
    paths: tuple[Path, ...]
    rows: int


def next_load_id(newest: str, dataset: str) -> str:
    """A load id that sorts behind `newest`, the newest of `dataset`. Raises UserError when the clock went back."""
    deadline = time.monotonic() + CLOCK_PATIENCE_SECONDS
    while (made := create_load_id()) <= newest:
        if time.monotonic() > deadline:
            raise UserError(
                f"the machine's clock is behind the newest load of {dataset} ({newest}, seconds since 1970): "
                "set the clock, or the new versions would look older than the landed ones"
            )
        time.sleep(0.05)
    return made


def land(environment: Environment, dataset: str, tables: dict[str, TableFiles], load_id: str) -> None:
    """Append the files of `tables` to `dataset` as one package with the id `load_id`, which the rows carry.

    The caller has drained the pipeline. Raises UserError when the disk is full.
    """
    pipeline = pipeline_for(environment, dataset)
    if pipeline.has_pending_data:
        raise RuntimeError(f"the pipeline of {dataset} was not drained: dlt would ignore the new rows")
    _create_missing(environment, dataset, {name: table.columns for name, table in tables.items()})
    resources = [
        dlt.resource(
            [with_file_import(str(path), "parquet", table.rows if path is table.paths[0] else 0)
             for path in table.paths],
            name=name,
            columns=[column.dlt_hints for column in table.columns],
            write_disposition="append",
            max_table_nesting=0,
        )
        for name, table in tables.items()
    ]  # fmt: skip
    with translated(environment):
        with patch.object(extract_storage, "create_load_id", lambda: load_id):
            [extracted] = pipeline.extract(resources, loader_file_format="parquet").loads_ids
        if extracted != load_id:
            raise RuntimeError(f"dlt gave the package the id {extracted}, its rows say {load_id}")
        pipeline.normalize()
        pipeline.load()
    _tidy(pipeline)


@contextmanager
def translated(environment: Environment) -> Iterator[None]:
    """Turn what a full disk or a foreign opener of the warehouse raises into one clear message."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        text = _whole_text(error)
        if any(sign in text.lower() for sign in DISK_FULL_SIGNS):
            raise UserError(
                f"no space for the warehouse at {environment.warehouse}: free some disk space and run again; "
                "nothing is lost, landing goes on where it stopped"
            ) from error
        if "could not set lock on file" in text.lower():
            raise UserError(
                f"the warehouse {environment.warehouse} is open in a program that does not take the lock: "
                "close it and run again (analysts read var/<env>/published/)"
            ) from error
        raise


def _whole_text(error: BaseException) -> str:
    """The messages of an error and of all that caused it."""
    texts: list[str] = []
    current: BaseException | None = error
    while current is not None:
        texts.append(str(current))
        current = current.__cause__ or current.__context__
    return "\n".join(texts)


def _tidy(pipeline: dlt.Pipeline) -> None:
    """Remove what dlt leaves of finished and of interrupted packages: copies of people's data, and folders.

    The log of landing is `_dlt_loads` and `raw_ingest.runs`. Called when nothing is pending.
    """
    folder = Path(pipeline.working_dir)
    interrupted = [path for path in (folder / "normalize").glob("*") if path.name != "extracted"]
    for package in [
        *(folder / "load" / "loaded").glob("*"),
        *(folder / "load" / "new").glob("*"),
        *interrupted,
    ]:
        if package.is_dir():
            shutil.rmtree(package, ignore_errors=True)


def _create_missing(environment: Environment, dataset: str, tables: dict[str, tuple[Column, ...]]) -> None:
    """Create tables that are not there, exactly as the raw contract has them.

    dlt creates a table only with a schema version it has not met; it would not notice a dropped one.
    """
    with translated(environment), reading(environment) as connection:
        connection.execute(f"create schema if not exists {dataset}")
        for name, columns in tables.items():
            typed = ", ".join(f"{column.name} {column.warehouse_type}" for column in columns)
            connection.execute(f"create table if not exists {dataset}.{name} ({typed})")
            found = connection.execute(f"describe {dataset}.{name}").fetchall()
            there = {column_name for (column_name, *_) in found}
            for column in columns:
                if column.name not in there:  # a table that an earlier version of the project made
                    added = f"{column.name} {column.warehouse_type}"
                    connection.execute(f"alter table {dataset}.{name} add column {added}")


def _remove_doubles(environment: Environment, dataset: str, load_ids: list[str]) -> None:
    """Undo the second insert of a job that was killed between its insert and its mark."""
    with reading(environment) as connection:
        tables = connection.execute(
            "select table_name from duckdb_columns() where schema_name = ? and column_name = '_dlt_id' "
            "and not starts_with(table_name, '_dlt')",
            [dataset],
        ).fetchall()
        for (table,) in tables:
            connection.execute(
                f'delete from {dataset}."{table}" where _dlt_load_id in (select unnest(?)) and rowid not in ('
                f'select min(rowid) from {dataset}."{table}" '
                "where _dlt_load_id in (select unnest(?)) group by _dlt_load_id, _dlt_id)",
                [load_ids, load_ids],
            )
