"""Publishing: masks and filters as the matrix says, versions swapped in whole, rollback, readers undisturbed."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import duckdb
import pytest
import support
from fixtures_operate import Town, built_town_fixture, town_fixture  # noqa: F401

from operate import publish as publishing
from operate.access_matrix import MAPPING, MATRIX, plan, read_matrix, read_pii_classes
from operate.environment import PROJECT_ROOT, Environment, get_environment
from operate.errors import UserError
from operate.publish import KEEP_VERSIONS, current_version, file_hash, publish, rollback

ROLES = ("steward", "analyst", "marketing")
HEADER = "role,schema_name,table_name,columns,masks,row_filter,why\n"


def hashes(environment: Environment) -> dict[str, str]:
    """SHA-256 of everything a reader can open."""
    files = [*environment.published.glob("*.duckdb"), environment.published / "manifest.json"]
    return {path.name: file_hash(path) for path in files}


def tables_of(town: Town, role: str) -> dict[str, list[str]]:
    """Table -> columns of what a role reads."""
    found: dict[str, list[str]] = {}
    for schema, table, column in town.published(
        "select schema_name, table_name, column_name from duckdb_columns() where not internal order by all", role=role
    ):
        found.setdefault(f"{schema}.{table}", []).append(column)
    return found


# ---------- what each role reads
def test_the_steward_reads_every_layer_as_plain_tables(built_town):
    tables = tables_of(built_town, "steward")
    assert {name.partition(".")[0] for name in tables} == {
        "cleaned", "customer_360", "identity_resolved", "monitoring",
    }  # fmt: skip
    assert built_town.published("select count(*) from duckdb_views() where not internal") == [(0,)]
    assert {"identity_resolved.idr_edges", "customer_360.customer_id_redirects"} <= set(tables)
    manifest = json.loads((built_town.environment.published / "manifest.json").read_text())
    for role in ROLES:
        entry = manifest["roles"][role]
        assert entry["sha256"] == file_hash(built_town.environment.published / entry["file"])
        for table, count in entry["tables"].items():
            assert built_town.published(f"select count(*) from {table}", role=role) == [(count,)], table


def test_the_analyst_reads_no_direct_identifier(built_town):
    classes = read_pii_classes()
    direct = {name for name, pii_class in classes.items() if pii_class in ("direct", "sensitive")}
    secrets = set()
    for field in sorted(direct & set(tables_of(built_town, "steward")["customer_360.customer_360"])):
        values = built_town.published(f"select distinct cast({field} as varchar) from customer_360.customer_360")
        secrets |= {value for (value,) in values if value and len(value) > 3}
    secrets |= {
        value for (value,) in built_town.published("select contact_value from customer_360.customer_contact_points")
    }
    assert {"anna.adler@mail.test", "+4930901820", "Adler", "1980-03-01"} <= secrets

    tables = tables_of(built_town, "analyst")
    assert not any(name.startswith(("identity_resolved", "cleaned")) or "lineage" in name for name in tables)
    for table in tables:
        for row in built_town.published(f"from {table}", role="analyst"):
            assert not secrets & {str(cell) for cell in row}, (table, row)


def test_a_stricter_pii_class_in_the_mapping_masks_its_column(built_town, tmp_path):
    edited = tmp_path / "field_mappings.csv"
    edited.write_text(MAPPING.read_text(encoding="utf-8").replace("clean_company,,indirect", "clean_company,,direct"))

    def companies(mapping: Path) -> list[tuple]:
        with support.open_warehouse(built_town.environment) as connection:
            (table,) = [
                table
                for table in plan(connection, read_matrix(MATRIX), read_pii_classes(mapping))
                if (table.role, table.full_name) == ("analyst", "customer_360.customer_360")
            ]
            return connection.execute(
                f"select distinct company_name from ({table.select}) where company_name is not null"
            ).fetchall()

    assert companies(MAPPING) != []
    assert companies(edited) == []


def test_masks_do_what_they_are_called(built_town):
    rows = _side_by_side(built_town)
    anna = next(row for row in rows if row["clear_full_name"] == "Anna Adler")
    assert anna["full_name"] == "A. A."
    assert anna["email"] == "mail.test"
    assert (anna["clear_date_of_birth"], anna["date_of_birth"]) == (date(1980, 3, 1), date(1980, 1, 1))
    assert anna["given_name"] is None
    assert re.fullmatch("[0-9a-f]{32}", anna["phone"])
    tokens = {row["clear_phone"]: row["phone"] for row in rows if row["clear_phone"]}
    assert len(set(tokens.values())) == len(tokens)
    assert {row["phone"] for row in rows if not row["clear_phone"]} == {None}
    # The token is keyed: who knows a phone cannot look its token up without the environment's key.
    plain = duckdb.sql(f"select sha256('{anna['clear_phone']}')").fetchall()[0][0]
    assert anna["phone"] not in plain
    points = built_town.published("select contact_value from customer_360.customer_contact_points", role="analyst")
    assert (anna["phone"],) in points


def _side_by_side(town: Town) -> list[dict]:
    columns = ("full_name", "email", "date_of_birth", "phone", "given_name")
    select = f"select customer_id, {', '.join(columns)} from customer_360.customer_360 order by customer_id"
    clear, masked = town.published(select), town.published(select, role="analyst")
    assert [row[0] for row in clear] == [row[0] for row in masked]
    return [
        {f"clear_{name}": left[at] for at, name in enumerate(columns, 1)}
        | {name: right[at] for at, name in enumerate(columns, 1)}
        for left, right in zip(clear, masked, strict=True)
    ]


def test_marketing_reads_people_who_can_be_reached_and_did_not_opt_out(built_town):
    tables = tables_of(built_town, "marketing")
    assert not any("invoice" in name for name in [*tables, *sum(tables.values(), [])])
    assert not any("birth" in column for column in sum(tables.values(), []))
    names = {
        name for (name,) in built_town.published("select full_name from customer_360.customer_360", role="marketing")
    }
    assert "Pia Paul" in names and "Greta Grau" in names
    assert "Olga Otto" not in names, "she opted out"
    assert (True,) in built_town.published(
        "select is_email_opted_out from customer_360.customer_360 where full_name = 'Olga Otto'"
    )
    points = built_town.published("select contact_value from customer_360.customer_contact_points", role="marketing")
    assert ("pia@mail.test",) in points and ("olga@mail.test",) not in points


# ---------- the matrix is carried out or refused by name
@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "analyst,customer_360,customer_360,*,email=rot13,,",
            r"line 2, role 'analyst'.*'rot13' of 'email' is not one",
        ),
        ("analyst,customer_360,customer_360,*,full_name=year_only,,", "'full_name'.*'year_only' needs a date"),
        ("analyst,customer_360,customer_360,*,nickname=null,,", "column 'nickname', which is not among"),
        ("analyst,customer_360,customer_360,customer_id shoe_size,,,", "columns: there is no 'shoe_size'"),
        ("analyst,customer_360,customers,*,,,", "schema 'customer_360': there is no 'customers'"),
        ("analyst,customer_360,* except nobody,*,,,", "there is no 'nobody'"),
        ("analyst,customer_360,customer_360,*,,shoe_size > 40,", "customer_360.customer_360: row_filter.*shoe_size"),
        ("analyst,customer_360,customer_360,*,@secret=null,,", "'@secret' is not a pii_class"),
        ("an/alyst,customer_360,customer_360,*,,,", "a role is a word"),
        ("a,customer_360,customer_360,*,,,\na,customer_360,customer_360,*,,,", "granted twice"),
        ("", "has no rows"),
    ],
)
def test_a_matrix_that_cannot_be_carried_out_publishes_nothing(row, message, built_town, tmp_path):
    matrix = tmp_path / "matrix.csv"
    matrix.write_text(HEADER + row + "\n" if row else HEADER, encoding="utf-8")
    before = hashes(built_town.environment)
    with pytest.raises(UserError, match=message):
        publish(built_town.environment, matrix=matrix)
    assert hashes(built_town.environment) == before
    assert not list((built_town.environment.published / "versions").glob(".partial*"))


# ---------- versions
def test_nothing_changed_means_nothing_published(town):
    before = hashes(town.environment)
    outcome = publish(town.environment)
    assert (outcome.changed, outcome.version) == (False, 2)
    assert outcome.reason == "nothing changed since version 2"
    assert hashes(town.environment) == before


def test_a_changed_matrix_is_a_reason_to_publish(town, tmp_path):
    matrix = tmp_path / "matrix.csv"
    rows = MATRIX.read_text(encoding="utf-8").splitlines(keepends=True)
    matrix.write_text("".join(row for row in rows if not row.startswith("marketing")), encoding="utf-8")
    assert publish(town.environment, matrix=matrix).version == 3
    assert not (town.environment.published / "marketing.duckdb").exists(), "a role that is gone may read nothing"
    assert publish(town.environment).version == 4
    assert (town.environment.published / "marketing.duckdb").exists()


def test_rollback_is_quick_and_never_touches_the_ledger(town):
    environment = town.environment
    warehouse = file_hash(environment.warehouse)
    ledger = file_hash(environment.published / "ledger" / "idr_match_events.parquet")
    newest = hashes(environment)
    begun = time.monotonic()
    outcome = rollback(environment)
    assert time.monotonic() - begun < 1
    assert outcome.version == current_version(environment) == 1
    first = json.loads((environment.published / "versions" / "1" / "manifest.json").read_text())
    assert {name: entry["sha256"] for name, entry in first["roles"].items()} == {
        role: file_hash(environment.published / f"{role}.duckdb") for role in ROLES
    }
    assert file_hash(environment.warehouse) == warehouse
    assert file_hash(environment.published / "ledger" / "idr_match_events.parquet") == ledger

    held = publish(environment)
    assert (held.changed, held.version) == (False, 1), "a rollback holds until something changes"
    assert "rolled back" in held.reason
    assert publish(environment, force=True).version == 3
    assert hashes(environment).keys() == newest.keys()
    assert rollback(environment).version == 1, "what was current before version 3 was version 1, not 2"
    with pytest.raises(UserError, match="no version before version 1"):
        rollback(environment)


def test_the_ledger_is_exported_with_its_key_and_equals_the_warehouse(built_town):
    folder = built_town.environment.published / "ledger"
    assert {path.name for path in folder.iterdir()} == {
        "id_key", "idr_crosswalk_history.parquet", "idr_customer_ids.parquet", "idr_match_events.parquet",
    }  # fmt: skip
    assert (folder / "id_key").read_text() == built_town.environment.id_key.read_text()
    assert folder.stat().st_mode & 0o077 == 0, "for stewards only"
    for table in ("idr_crosswalk_history", "idr_customer_ids", "idr_match_events"):
        exported = duckdb.sql(f"from '{folder / table}.parquet' order by all").fetchall()
        assert exported
        assert exported == built_town.published(f"from identity_resolved.{table} order by all")


def test_a_switch_that_was_cut_off_is_finished_later(town, monkeypatch):
    environment = town.environment
    real, calls = os.replace, []

    def dies_after_the_first_file(source, target):
        calls.append(target)
        if len(calls) > 1:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", dies_after_the_first_file)
    with pytest.raises(KeyboardInterrupt):
        rollback(environment)
    monkeypatch.undo()
    mixed = {path.stat().st_ino for path in environment.published.glob("*.duckdb")}
    assert len(mixed) == 3 and current_version(environment) == 2

    assert publish(environment).version == 1, "it was on its way to version 1"
    manifest = json.loads((environment.published / "manifest.json").read_text())
    for role in ROLES:
        assert file_hash(environment.published / f"{role}.duckdb") == manifest["roles"][role]["sha256"]


def test_publishing_without_space_leaves_everything_as_it_was(town):
    before = hashes(town.environment)
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "from operate.cli import main; main(['publish', '--force', '--env', 'trial'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 1
    assert "no space for a new version" in ended.stderr and "stays as it is" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    assert hashes(town.environment) == before
    assert {path.name for path in (town.environment.published / "versions").iterdir()} == {"1", "2"}
    assert publish(town.environment, force=True).version == 3


# ---------- readers
def small_warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Environment, Path]:
    """Two tables that say in every row which version they are of, and a matrix that publishes both."""
    monkeypatch.setenv("C360_VAR", str(tmp_path))
    environment = get_environment("small").create()
    fill(environment, 0)
    matrix = tmp_path / "matrix.csv"
    matrix.write_text(HEADER + "steward,s,*,*,,,\n", encoding="utf-8")
    return environment, matrix


ROWS = 10_000
STATE = (
    f"select min(version), max(version), count(*) = {ROWS} and bool_and(text = md5(concat(version, '/', id))) from s."
)


def fill(environment: Environment, version: int) -> None:
    """The build's part: it opens the warehouse to write, which no reader ever has open."""
    with duckdb.connect(str(environment.warehouse)) as connection:
        connection.execute("create schema if not exists s")
        for table in ("one", "other"):
            connection.execute(
                f"create or replace table s.{table} as select {version} as version, range as id, "
                f"md5(concat({version}, '/', range)) as text from range({ROWS})"
            )


def read_until(stop, path: str, results) -> None:
    """A reader in a process of its own: opens, asks both tables in two queries, closes, again and again."""
    reads, torn, errors, seen = 0, 0, [], set()
    while not stop.is_set():
        try:
            for _ in range(3000):
                os.stat(path)  # a moment without a file is too short to be met by opening alone
            with duckdb.connect(path, read_only=True) as connection:
                one = connection.execute(f"{STATE}one").fetchall()[0]
                other = connection.execute(f"{STATE}other").fetchall()[0]
            torn += one != other or one[0] != one[1] or not one[2]
            seen.add(one[0])
            reads += 1
        except Exception as error:  # any error at all is what this test is after
            errors.append(repr(error))
    results.put((reads, torn, errors, sorted(seen)))


def test_a_reader_sees_thirty_publishes_without_an_error_or_a_torn_state(tmp_path, monkeypatch):
    environment, matrix = small_warehouse(tmp_path, monkeypatch)
    publish(environment, matrix=matrix)
    context = multiprocessing.get_context("spawn")
    stop, results = context.Event(), context.Queue()
    steward = str(environment.published / "steward.duckdb")
    reader = context.Process(target=read_until, args=(stop, steward, results))
    held = duckdb.connect(steward, read_only=True)  # and one that stays open all the while
    reader.start()
    try:
        for version in range(1, 31):
            fill(environment, version)
            outcome = publish(environment, matrix=matrix)
            assert (outcome.changed, outcome.version) == (True, version + 1)
        assert held.execute(f"{STATE}one").fetchall() == [(0, 0, True)], "an open reader keeps its state"
    finally:
        stop.set()
        reads, torn, errors, seen = results.get(timeout=30)
        reader.join(30)
        held.close()
    assert errors == [] and torn == 0
    assert reads >= 30 and len(seen) > 5, (reads, seen)
    kept = sorted(int(path.name) for path in (environment.published / "versions").iterdir())
    assert kept == list(range(32 - KEEP_VERSIONS, 32))


def test_where_there_are_no_hard_links_files_are_copied(tmp_path, monkeypatch):
    environment, matrix = small_warehouse(tmp_path, monkeypatch)
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError("no links here")))
    publish(environment, matrix=matrix)
    with duckdb.connect(str(environment.published / "steward.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from s.one").fetchall() == [(ROWS,)]
    assert (environment.published / "steward.duckdb").stat().st_nlink == 1


def test_a_failure_in_the_middle_of_a_version_leaves_no_trace(tmp_path, monkeypatch):
    environment, matrix = small_warehouse(tmp_path, monkeypatch)
    publish(environment, matrix=matrix)
    before = hashes(environment)
    monkeypatch.setattr(publishing, "_write_ledger", lambda *_: (_ for _ in ()).throw(RuntimeError("cut off")))
    with pytest.raises(RuntimeError, match="cut off"):
        publish(environment, matrix=matrix, force=True)
    assert hashes(environment) == before
    assert [path.name for path in (environment.published / "versions").iterdir()] == ["1"]
    shutil.rmtree(environment.folder)
