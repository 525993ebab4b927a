"""Publishing: one file per role, built aside, then swapped in; the versions before stay for a rollback.

    published/<role>.duckdb        what a role reads: a hard link to the file of the current version
    published/manifest.json        the current version: run, time, SHA-256 and row counts
    published/versions/<n>/        the last versions, whole; `ledger/` in each is that moment's promoted ledger
    published/ledger               the newest ledger, whatever version is current: a rollback never rewinds it

A version is complete when its manifest.json is there, which is written last. A switch between versions is one
`os.replace` per file, so a reader has the old file or the new one, never a part. A switch that was cut off is
finished by the next publish or rollback (`published/.switching` says to what).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from operate import clock
from operate.access_matrix import MAPPING, MATRIX, PublishedTable, plan, quoted, read_matrix, read_pii_classes
from operate.control import last_build_outcome
from operate.environment import Environment
from operate.errors import UserError, is_disk_full
from operate.files import sync, write_synced
from operate.lock import warehouse_lock
from operate.masks import set_mask_key
from operate.warehouse import open_warehouse, table_exists

KEEP_VERSIONS = 5
LEDGER = ("idr_crosswalk_history", "idr_customer_ids", "idr_match_events")
# Facts of landing that published views read; all else published is a function of the layers.
LANDED_FACTS = ("raw_ingest.record_merges", "raw_ingest.record_deletions")
# A change in these alone is no reason to publish: they change with every run.
NO_REASON = ("monitoring", "staging")
CODE = ("publish.py", "masks.py", "access_matrix.py")


@dataclass(frozen=True)
class Published:
    """The outcome: `version` is current now; `changed` is False when there was nothing new to publish."""

    version: int
    changed: bool
    reason: str
    manifest: dict[str, Any]


# ---------- publish
def publish(
    environment: Environment, run_id: str | None = None, matrix: Path = MATRIX, force: bool = False
) -> Published:
    """Publish the state of the warehouse as a new version, unless nothing changed since the newest one.

    The caller has seen to it that the state was audited and promoted (`require_publishable`).
    Raises UserError for a matrix that cannot be carried out and for a full disk; nothing is half-done then.
    """
    with warehouse_lock(environment), open_warehouse(environment) as connection:
        tables = plan(connection, read_matrix(matrix), read_pii_classes())
        fingerprint = _fingerprint(connection, tables, matrix)
        _finish_switch(environment)
        newest, current = newest_version(environment), current_version(environment)
        if newest and not force and _manifest_of(environment, newest)["fingerprint"] == fingerprint:
            return _nothing_new(environment, newest, current)
        version = (newest or 0) + 1
        _build_version(environment, connection, tables, version, fingerprint, current, run_id)
    _switch_to(environment, version)
    _replace_ledger(environment, version)
    _prune(environment)
    return Published(version, True, "the published tables changed", _manifest_of(environment, version))


def _nothing_new(environment: Environment, newest: int, current: int | None) -> Published:
    if current is None:
        _switch_to(environment, newest)
        current = newest
    reason = f"nothing changed since version {newest}"
    if current != newest:
        reason += f"; version {current} stays, to which it was rolled back (`c360 publish --force` undoes that)"
    return Published(current, False, reason, _manifest_of(environment, current))


def _build_version(
    environment: Environment,
    connection: duckdb.DuckDBPyConnection,
    tables: list[PublishedTable],
    version: int,
    fingerprint: str,
    replaces: int | None,
    run_id: str | None,
) -> None:
    """Make `versions/<version>` whole, or leave no trace of it."""
    partial = _versions(environment) / f".partial-{version}"
    try:
        for leftover in _versions(environment).glob(".partial-*"):
            shutil.rmtree(leftover)
        partial.mkdir(parents=True)
        set_mask_key(connection, environment)
        roles = {
            role: _write_role(connection, partial / f"{role}.duckdb", [t for t in tables if t.role == role])
            for role in dict.fromkeys(table.role for table in tables)
        }
        ledger = _write_ledger(environment, connection, partial / "ledger")
        manifest = {
            "schema": 1,
            "version": version,
            "replaces": replaces,
            "run_id": run_id,
            "created_at": clock.now(environment).isoformat(timespec="seconds"),
            "fingerprint": fingerprint,
            "roles": roles,
            "ledger": ledger,
        }
        write_synced(partial / "manifest.json", json.dumps(manifest, indent=2) + "\n")
        os.rename(partial, _versions(environment) / str(version))
        sync(_versions(environment))
    except BaseException as error:
        for ending in ("rollback", "detach database if exists publishing"):
            with suppress(duckdb.Error):
                connection.execute(ending)
        shutil.rmtree(partial, ignore_errors=True)
        if not isinstance(error, OSError | duckdb.Error) or not is_disk_full(error):
            raise
        raise UserError(
            f"no space for a new version in {_versions(environment)}: free some disk space and run "
            "`c360 publish`; what is published stays as it is"
        ) from error


def _write_role(connection: duckdb.DuckDBPyConnection, path: Path, tables: list[PublishedTable]) -> dict[str, Any]:
    """One role's file; returns its manifest entry: sha256, bytes, rows per table."""
    # A name no schema or warehouse has; the file's own name decides what its reader sees.
    connection.execute(f"attach '{_sql_text(path)}' as publishing")
    connection.execute("begin transaction")  # one write-ahead log entry instead of one per table
    rows = {}
    for table in tables:
        target = f"publishing.{quoted(table.schema)}.{quoted(table.name)}"
        connection.execute(f"create schema if not exists publishing.{quoted(table.schema)}")
        rows[table.full_name] = connection.execute(f"create table {target} as {table.select}").fetchall()[0][0]
    connection.execute("commit")
    connection.execute("checkpoint publishing")  # by name: a detach would swallow its failure
    connection.execute("detach publishing")
    sync(path)
    os.chmod(path, 0o444)  # who opens it to write gets an error instead of a second truth
    return {"file": path.name, "sha256": file_hash(path), "bytes": path.stat().st_size, "tables": rows}


def _write_ledger(environment: Environment, connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, Any]:
    """The promoted ledger as Parquet, importable into another warehouse, with the key that ids are minted by."""
    folder.mkdir(mode=0o700)
    entries = {}
    for table in LEDGER:
        if not table_exists(connection, "identity_resolved", table):
            continue
        path = folder / f"{table}.parquet"
        connection.execute(f"copy (select * from identity_resolved.{table}) to '{_sql_text(path)}' (format parquet)")
        sync(path)
        entries[table] = {"file": path.name, "sha256": file_hash(path)}
    # A key that came by C360_ID_KEY is kept where it came from, not written down here.
    if environment.id_key.exists() and not os.environ.get("C360_ID_KEY"):
        shutil.copyfile(environment.id_key, folder / "id_key")
        os.chmod(folder / "id_key", 0o600)
    return entries


def _fingerprint(connection: duckdb.DuckDBPyConnection, tables: list[PublishedTable], matrix: Path) -> str:
    """A text that differs when anything published may differ: base tables, views, the matrix, our code."""
    from udfs.registry import udf_version

    parts = [duckdb.__version__, udf_version(), *(table.select for table in tables)]
    parts += [hashlib.sha256(path.read_bytes()).hexdigest() for path in (matrix, MAPPING)]
    parts += [hashlib.sha256(Path(__file__).with_name(name).read_bytes()).hexdigest() for name in CODE]
    base_tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = current_database() and not temporary order by all"
    ).fetchall()
    for schema, table in base_tables:
        if f"{schema}.{table}" in LANDED_FACTS or not (schema in NO_REASON or schema.startswith("raw_")):
            source = f"{quoted(schema)}.{quoted(table)}"
            # The sum tells apart what the exclusive or cannot: rows that occur twice.
            state = f"select count(*), bit_xor(hash(content)), sum(hash(content)) from {source} as content"
            parts.append(f"{schema}.{table} {connection.execute(state).fetchall()[0]}")
    views = connection.execute(
        "select schema_name, view_name, sql from duckdb_views() "
        "where database_name = current_database() and not internal order by all"
    ).fetchall()
    parts += [" ".join(view) for view in views]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def require_publishable(environment: Environment) -> None:
    """Refuse a state that no clean build stands behind. Raises UserError with the reason and the remedy."""
    remedy = "repair the cause and run `c360 run`; what is published stays as it is"
    with open_warehouse(environment) as connection:
        if not table_exists(connection, "identity_resolved", "idr_crosswalk"):
            raise UserError(f"nothing is built in environment {environment.name!r} yet: run `c360 run` first")
        failed = connection.execute(
            "select node_name from monitoring.mon_dbt_results where status in "
            "('error', 'fail', 'runtime error', 'partial success', 'skipped') and run_id = "
            "(select max_by(run_id, rowid) from monitoring.mon_dbt_results) order by status = 'skipped', node_name"
        ).fetchall()
        if failed:
            # Those that failed themselves come first; what was skipped after them is not the news.
            names = ", ".join(name for (name,) in failed[:3]) + (" and more" if len(failed) > 3 else "")
            raise UserError(f"the last build failed ({names}), so nothing is published: {remedy}")
        pending = connection.execute(
            "select (select count(*) from identity_resolved.idr_pending_events) + (select count(*) from "
            "customer_360.customer_360 as golden where not exists (select 1 from "
            "customer_360.customer_360_history as kept where kept.valid_to is null "
            "and kept.customer_id = golden.customer_id and kept.golden_hash = golden.golden_hash))"
        ).fetchall()[0][0]
        if pending:
            raise UserError(
                f"the last build was not promoted ({pending:,} changes wait), so nothing is published: {remedy}"
            )
    build = last_build_outcome(environment)
    if build and build[1] is None:
        raise UserError(f"the build of run {build[0]} was interrupted, so nothing is published: run `c360 run` first")


# ---------- versions
def rollback(environment: Environment) -> Published:
    """Put back the version that was current before; neither the warehouse nor its ledger is touched.

    Raises UserError when nothing is published or the version before is no longer kept.
    """
    _finish_switch(environment)
    current = current_version(environment)
    if current is None:
        raise UserError(f"nothing is published in environment {environment.name!r}: there is nothing to roll back")
    previous = _manifest_of(environment, current)["replaces"]
    if previous is None or not (_versions(environment) / str(previous) / "manifest.json").exists():
        kept = ", ".join(map(str, _complete_versions(environment)))
        raise UserError(f"there is no version before version {current} to roll back to (kept: {kept})")
    _switch_to(environment, previous)
    return Published(previous, True, f"rolled back from version {current}", _manifest_of(environment, previous))


def current_version(environment: Environment) -> int | None:
    """The version that readers get; None when nothing is published."""
    try:
        return json.loads((environment.published / "manifest.json").read_text(encoding="utf-8"))["version"]
    except FileNotFoundError:
        return None


def newest_version(environment: Environment) -> int | None:
    """The last version made, current or not."""
    return max(_complete_versions(environment), default=None)


def _complete_versions(environment: Environment) -> list[int]:
    folder = _versions(environment)
    found = folder.glob("*/manifest.json") if folder.exists() else ()
    return sorted(int(path.parent.name) for path in found if path.parent.name.isdigit())


def _versions(environment: Environment) -> Path:
    return environment.published / "versions"


def _manifest_of(environment: Environment, version: int) -> dict[str, Any]:
    path = _versions(environment) / str(version) / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def _switching(environment: Environment) -> Iterator[None]:
    """One switch at a time; apart from the warehouse lock, so that a rollback never waits for a build."""
    with open(environment.published / ".lock", "a", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _switch_to(environment: Environment, version: int) -> None:
    with _switching(environment):
        intention = environment.published / ".switching"
        write_synced(intention, str(version))
        folder = _versions(environment) / str(version)
        manifest = _manifest_of(environment, version)
        files = [entry["file"] for entry in manifest["roles"].values()]
        for name in files:
            _put(folder / name, environment.published / name)
        for gone in set(environment.published.glob("*.duckdb")) - {environment.published / name for name in files}:
            gone.unlink()  # a role that this version does not have may read nothing
        _put(folder / "manifest.json", environment.published / "manifest.json")
        sync(environment.published)
        intention.unlink()


def _finish_switch(environment: Environment) -> None:
    """Carry out a switch that its process did not live to finish."""
    with suppress(FileNotFoundError):
        text = (environment.published / ".switching").read_text(encoding="utf-8")
        complete = _complete_versions(environment)
        if text.isdigit() and int(text) in complete:
            _switch_to(environment, int(text))


def _put(source: Path, target: Path) -> None:
    """Replace `target` by `source` in one step: by a hard link, by a copy where there are none."""
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        os.link(source, partial)
    except OSError:
        shutil.copyfile(source, partial)
        sync(partial)
    os.replace(partial, target)


def _replace_ledger(environment: Environment, version: int) -> None:
    """`published/ledger` leads to the newest version's ledger; replaced in one step."""
    partial = environment.published / ".ledger.partial"
    partial.unlink(missing_ok=True)
    partial.symlink_to(Path("versions") / str(version) / "ledger", target_is_directory=True)
    os.replace(partial, environment.published / "ledger")


def _prune(environment: Environment) -> None:
    """Keep the newest versions, the current one, and what a rollback would put back."""
    complete = _complete_versions(environment)
    current = current_version(environment)
    kept = {*complete[-KEEP_VERSIONS:], current}
    if current is not None:
        kept.add(_manifest_of(environment, current)["replaces"])
    for version in complete:
        if version not in kept:
            # The manifest goes first: a folder that lost a part of itself must not count as a version.
            (_versions(environment) / str(version) / "manifest.json").unlink()
            shutil.rmtree(_versions(environment) / str(version))


# ---------- files
def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _sql_text(path: Path) -> str:
    return str(path).replace("'", "''")
