"""Exactness: whatever happens to a source, and whenever it is read, staging ends as the source is.

A history is a list of events in the emulated vendors (create, update, delete, merge, restore, merge again,
associate), of landings between them, some with events while pages are being read, with other page sizes and with
faults. At its end one more landing is made, and then:

    every live record of the world is staged and live, no other is; ended ones are flagged, merged ones name their heir
    staging equals, value by value, the staging of a warehouse that read everything at once, at the end
    landing again lands nothing
    the books of every landing balance: served + tombstones = landed + unchanged + rejected

The ERP and the spreadsheets have histories of their own (history_of_erp.py, history_of_spreadsheets.py), made straight
in the database and in the inbox. There staging is compared with the rows of the tables and of the files, and what was
read before is read once more, which must change nothing.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
import support
from history_of_erp import EVENTS as ERP_EVENTS
from history_of_erp import ErpHistory, comparable
from history_of_spreadsheets import EVENTS as SPREADSHEET_EVENTS
from history_of_spreadsheets import SpreadsheetHistory
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingest import erp, hubspot, rest, salesforce, stripe
from ingest.run import run
from operate import clock
from operate.environment import Environment, get_environment
from sandbox.faults import set_fault
from sandbox.records import (
    NewRecord,
    change_record,
    end_record,
    insert_records,
    merge_records,
    restore_record,
)
from sandbox.world import World, iso, opened

OBJECTS = {
    "salesforce": ("contacts", "leads", "accounts", "opportunities", "campaigns", "campaign_members"),
    "hubspot": ("contacts", "companies", "deals"),
    "stripe": ("customers", "charges", "invoices", "subscriptions", "refunds"),
}
MERGED = {("salesforce", "contacts"), ("salesforce", "leads"), ("salesforce", "accounts"),
          ("hubspot", "contacts"), ("hubspot", "companies"), ("hubspot", "deals")}  # fmt: skip
DELETED = MERGED | {
    ("salesforce", "opportunities"),
    ("salesforce", "campaign_members"),
    ("stripe", "customers"),
}
CREATED = MERGED | {("stripe", "customers")}
PASSING_FAULTS = ("429", "500", "truncated", "duplicate_page", "slow", "expired_cursor", "invalid_json")
VOLATILE = ("load_id", "first_landed_at", "record_hash", "source_updated_at")


# -------------------------------------------------------------------- the world and its copies


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """A small served world; `base.sqlite` beside it is how it began."""
    from sandbox.server import ensure_running

    patched = pytest.MonkeyPatch()
    patched.setenv("C360_VAR", str(tmp_path_factory.mktemp("outside")))
    patched.setattr(rest, "BACKOFF_SECONDS", 0.01)
    environment = get_environment("sandbox").create()
    with ensure_running(environment, people=60, seed=11):
        with opened(environment) as world, sqlite3.connect(environment.folder / "base.sqlite") as base:
            world.connection.backup(base)
        yield environment
    patched.undo()


@pytest.fixture(scope="module")
def staging_sql(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The compiled SQL of every staging model, as a full build runs it."""
    patched = pytest.MonkeyPatch()
    patched.setenv("C360_VAR", str(tmp_path_factory.mktemp("compiled")))
    environment = get_environment("sandbox").create()
    assert support.dbt(environment, "compile", "--select", "path:models/staging").success
    found = {
        path.stem: path.read_text(encoding="utf-8")
        for path in (support.dbt_build.target_path(environment) / "compiled").rglob("stg_*.sql")
    }
    patched.undo()
    assert len(found) > 20
    return found


class History:
    """One history in the making: the world, the clock, and a warehouse that follows it."""

    def __init__(self, outside: Environment, folder: Path, source: str, chance: random.Random) -> None:
        self.outside, self.source, self.chance = outside, source, chance
        self.told: list[str] = []
        with sqlite3.connect(outside.folder / "base.sqlite") as base, opened(outside) as world:
            base.backup(world.connection)
            self.moment = world.now
        self.environment = self.fresh(folder)

    def fresh(self, folder: Path) -> Environment:
        """An environment that has landed nothing, with the addresses of the world."""
        shutil.rmtree(folder, ignore_errors=True)
        environment = Environment("sandbox", folder / "sandbox").create()
        shutil.copy(self.outside.sandbox_contract, environment.sandbox_contract)
        clock.set_now(environment, self.moment)
        return environment

    # ---------------------------------------------------------------- events
    def event(self, kind: str) -> None:
        """One thing happens to a record of the source, a minute after the last thing."""
        self.moment += timedelta(minutes=1)
        with opened(self.outside) as world, world.transaction():
            getattr(self, kind)(world, iso(self.moment))
        clock.set_now(self.outside, self.moment)

    def _rows(self, world: World, name: str, state: str = "live") -> list[sqlite3.Row]:
        return world.rows(
            "select * from records where system = ? and object = ? and state = ? order by seq",
            (self.source, name, state),
        )

    def _one(self, world: World, allowed: set[tuple[str, str]] | None, count: int = 1, state: str = "live") -> list:
        names = [name for name in OBJECTS[self.source] if allowed is None or (self.source, name) in allowed]
        self.chance.shuffle(names)
        for name in names:
            rows = self._rows(world, name, state)
            if len(rows) >= count:
                return self.chance.sample(rows, count)
        return []

    def create(self, world: World, moment: str) -> None:
        for row in self._one(world, CREATED):
            source_id, number = world.new_id(self.source, row["object"])
            fields = json.loads(row["fields"])
            fields |= {name: f"new{number}@mail.test" for name in ("email",) if name in fields}
            made = NewRecord(
                self.source, row["object"], source_id, number, row["entity_id"], fields, moment, moment, world.day + 1
            )
            insert_records(world, [made])
            self.told.append(f"create {row['object']} {source_id}")

    def update(self, world: World, moment: str) -> None:
        for row in self._one(world, None):
            fields = json.loads(row["fields"])
            name = next(
                (name for name in ("phone", "description", "deal_name", "name", "status") if name in fields), ""
            )
            if name and (self.source != "stripe" or name in ("phone", "description")):
                fields[name] = f"{self.chance.randrange(10**6)}"
            change_record(world, row, fields, moment, world.day + 1)
            self.told.append(f"update {row['object']} {row['source_id']}")

    def delete(self, world: World, moment: str) -> None:
        for row in self._one(world, DELETED):
            state = "archived" if self.source == "hubspot" else "deleted"
            end_record(world, row, state, "", moment, world.day + 1)
            self.told.append(f"delete {row['object']} {row['source_id']}")

    def merge(self, world: World, moment: str) -> None:
        pair = self._one(world, MERGED, 2)
        if pair:
            winner = merge_records(world, *pair, moment, world.day + 1)
            self.told.append(f"merge {pair[0]['object']} {[row['source_id'] for row in pair]} into {winner}")

    def merge_again(self, world: World, moment: str) -> None:
        """The winner of an earlier merge is merged once more."""
        for name in OBJECTS[self.source]:
            heirs = {row["merged_into"] for row in self._rows(world, name, "merged")}
            winners = [row for row in self._rows(world, name) if row["source_id"] in heirs]
            others = [row for row in self._rows(world, name) if row["source_id"] not in heirs]
            if winners and others:
                pair = [self.chance.choice(winners), self.chance.choice(others)]
                self.chance.shuffle(pair)
                merge_records(world, *pair, moment, world.day + 1)
                self.told.append(f"merge again {name} {[row['source_id'] for row in pair]}")
                return

    def restore(self, world: World, moment: str) -> None:
        if self.source == "stripe":
            return
        for row in self._one(world, None, state="archived" if self.source == "hubspot" else "deleted"):
            restore_record(world, row, moment, world.day + 1)
            self.told.append(f"restore {row['object']} {row['source_id']}")

    def associate(self, world: World, moment: str) -> None:
        if self.source != "hubspot":
            return
        from sandbox import deals

        links = self._rows(world, "associations")
        if links and self.chance.random() < 0.5:
            end_record(world, self.chance.choice(links), "deleted", "", moment, world.day + 1)
            self.told.append("dissociate")
        else:
            contact, company = (self.chance.choice(self._rows(world, name)) for name in ("contacts", "companies"))
            deals.associate(world, contact["source_id"], company["source_id"], "", False, moment, world.day + 1)
            self.told.append(f"associate {contact['source_id']} {company['source_id']}")

    # ---------------------------------------------------------------- landings
    def land(self, meanwhile: list[str], fault: str | None, pages: int) -> None:
        """A landing, with events after its first requests, a fault and pages of another size."""
        self.told.append(f"land, meanwhile {meanwhile}, fault {fault}, pages of {pages}")
        clock.set_now(self.environment, self.moment)
        waiting = list(meanwhile)
        original = rest.Api._send

        def send(api: rest.Api, *arguments, **more):
            answer = original(api, *arguments, **more)
            if waiting:
                self.event(waiting.pop(0))
            return answer

        if fault:
            set_fault(self.outside, self.source, fault, times=self.chance.randint(1, 2), seconds=0.01)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(rest.Api, "_send", send)
            small_pages(patched, pages)
            run(self.environment, [self.source], lambda line: None)
        set_fault(self.outside, self.source, "none")
        while waiting:
            self.event(waiting.pop(0))


def small_pages(patched: pytest.MonkeyPatch, pages: int) -> None:
    """Pages of `pages` records in every API."""
    patched.setattr(hubspot, "LIST_LIMIT", pages)
    patched.setattr(hubspot, "SEARCH_LIMIT", pages)
    patched.setattr(stripe, "LIST_LIMIT", pages)
    patched.setattr(salesforce, "BATCH_SIZE", max(200, pages))
    patched.setattr(salesforce, "QUOTA_WAITS", (0.01, 0.01, 0.01))


# -------------------------------------------------------------------- what must be true at the end


def staged(environment: Environment, sql: dict[str, str]) -> dict[str, dict[str, tuple]]:
    """Per staging model of the warehouse, record_key -> (is_deleted, merged_into_id, the other columns)."""
    found: dict[str, dict[str, tuple]] = {}
    with duckdb.connect(str(environment.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("create schema if not exists staging")
        merges = sql["stg_ingest__record_merges"]
        connection.execute(f"create or replace view staging.stg_ingest__record_merges as {merges}")
        landed = {name for (name,) in connection.execute("select distinct schema_name from duckdb_tables()").fetchall()}
        for model, text in sql.items():
            if f"raw_{model.removeprefix('stg_').partition('__')[0]}" not in landed or "__record_" in model:
                continue
            relation = connection.execute(text)
            names = [column[0] for column in relation.description]
            kept = [place for place, name in enumerate(names) if name not in VOLATILE]
            key, ended = names.index("record_key"), names.index("is_deleted")
            heir = names.index("merged_into_id") if "merged_into_id" in names else None
            found[model] = {
                row[key]: (row[ended], row[heir] if heir is not None else None, tuple(row[place] for place in kept))
                for row in relation.fetchall()
            }
    return found


def check(history: History, sql: dict[str, str], folder: Path) -> None:
    """All four claims, for every object of the source."""
    story = "\n".join(history.told)
    create_missing(history.environment)
    mine = {m: rows for m, rows in staged(history.environment, sql).items() if m.startswith(f"stg_{history.source}__")}
    whole = history.fresh(folder)
    assert not run(whole, [history.source], lambda line: None).failures
    create_missing(whole)
    at_once = staged(whole, sql)
    with opened(history.outside) as world:
        for model, rows in mine.items():
            name = model.partition("__")[2]
            live = {key for key, (ended, _, _) in rows.items() if not ended}
            if name != "associations":
                truth = world.rows(
                    "select source_id, state, merged_into from records where system = ? and object = ?",
                    (history.source, name),
                )
                keys = {f"{history.source}:{name}:{row['source_id']}": row for row in truth}
                assert live == {key for key, row in keys.items() if row["state"] == "live"}, f"{model}\n{story}"
                for key, (ended, heir, _) in rows.items():
                    state = keys[key]["state"] if key in keys else "gone"
                    assert ended == (state != "live"), f"{key} is {state}\n{story}"
                    if state == "merged":
                        assert heir in heirs_of(keys, key), f"{key} is said to be merged into {heir}\n{story}"
            expected = {key: values for key, (ended, _, values) in at_once[model].items() if not ended}
            shown = {key: values for key, (ended, _, values) in rows.items() if not ended}
            assert shown == expected, f"{model}: {differing(shown, expected)}\n{story}"
    clock.set_now(history.environment, history.moment)
    again = run(history.environment, [history.source], lambda line: None)
    assert (again.landed, again.failures) == (0, []), f"{[item.line for item in again.objects]}\n{story}"
    books_balance(history.environment)


def heirs_of(keys: dict[str, sqlite3.Row], key: str) -> set[str]:
    """Every id that the record leads to, over however many merges."""
    found = set()
    prefix = key.rpartition(":")[0]
    while keys[key]["state"] == "merged":
        found.add(keys[key]["merged_into"])
        key = f"{prefix}:{keys[key]['merged_into']}"
    return found


def differing(left: dict[str, tuple], right: dict[str, tuple]) -> list:
    return [(key, left.get(key), right.get(key)) for key in {**left, **right} if left.get(key) != right.get(key)][:3]


def books_balance(environment: Environment) -> None:
    with duckdb.connect(str(environment.warehouse)) as connection:
        rows = connection.execute(
            "select source_object, rows_served + rows_deleted, rows_landed + rows_unchanged + rows_rejected "
            "from raw_ingest.runs"
        ).fetchall()
        assert rows and all(given == taken for _, given, taken in rows), rows


def create_missing(environment: Environment) -> None:
    """The raw tables that nothing was landed into, empty, as dbt's on-run-start hook makes them."""
    from ingest.facts import DATASET, FACTS
    from ingest.landing import _create_missing
    from ingest.run import SOURCE_OBJECTS

    for name, described in SOURCE_OBJECTS.items():
        _create_missing(environment, f"raw_{name}", {one.name: one.columns for one in described})
    _create_missing(environment, DATASET, FACTS)
    with duckdb.connect(str(environment.warehouse)) as connection:
        for name in (*(f"raw_{source}" for source in SOURCE_OBJECTS), DATASET):
            connection.execute(f"create table if not exists {name}._dlt_loads (load_id varchar, status bigint)")


# -------------------------------------------------------------------- histories

KINDS = st.sampled_from(("create", "update", "update", "delete", "merge", "merge_again", "restore", "associate"))
STEPS = st.one_of(
    KINDS.map(lambda kind: ("event", kind)),
    KINDS.map(lambda kind: ("event", kind)),
    st.tuples(
        st.lists(KINDS, max_size=3), st.sampled_from((None, None, *PASSING_FAULTS)), st.sampled_from((2, 5, 100))
    ).map(lambda landing: ("land", landing)),
)
HISTORIES = st.tuples(st.integers(0, 2**32), st.lists(STEPS, min_size=2, max_size=9))


def live_through(
    outside: Environment, sql: dict[str, str], folder: Path, source: str, history: tuple[int, list]
) -> None:
    seed, steps = history
    life = History(outside, folder / "follows", source, random.Random(seed))
    for what, how in steps:
        life.event(how) if what == "event" else life.land(*how)
    life.land([], None, 50)
    life.land([], None, 50)  # what happened while the last pages were read is seen by the next landing
    check(life, sql, folder / "at_once")


def proof(examples: int) -> Callable:
    """Hypothesis with `examples` histories; every one is a run of real requests: no deadline, and no shrinking, which
    takes longer than to read the story that a failure tells."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
    )


@pytest.mark.parametrize("source", sorted(OBJECTS))
def test_a_few_histories_end_as_the_source_is(outside, staging_sql, tmp_path, source):
    proof(2)(given(history=HISTORIES)(
        lambda history: live_through(outside, staging_sql, tmp_path, source, history)
    ))()  # fmt: skip


def slow(sources: list[str]) -> list:
    """Each source is an area of its own: `make test-slow AREA=exactness-hubspot` stays within its hour."""
    return [pytest.param(source, marks=pytest.mark.slow(f"exactness-{source}")) for source in sources]


def asked(default: int = 200) -> int:
    """How many histories a long proof takes: the environment variable EXAMPLES."""
    return int(os.environ.get("EXAMPLES", default))


@pytest.mark.timeout(3500)
@pytest.mark.parametrize("source", slow(sorted(OBJECTS)))
def test_histories_end_as_the_source_is(outside, staging_sql, tmp_path, source):
    proof(asked())(given(history=HISTORIES)(
        lambda history: live_through(outside, staging_sql, tmp_path, source, history)
    ))()  # fmt: skip


# -------------------------------------------------------------------- the ERP and the spreadsheets

Rows = dict[str, tuple[bool, str | None, dict[str, object]]]
ERP_KINDS = st.sampled_from(ERP_EVENTS)
ERP_STEPS = st.one_of(
    ERP_KINDS.map(lambda kind: ("event", kind)),
    ERP_KINDS.map(lambda kind: ("event", kind)),
    st.tuples(st.lists(ERP_KINDS, max_size=4), st.sampled_from((0, 0, 0, -3, 5))).map(lambda how: ("land", how)),
)
SPREADSHEET_STEPS = st.one_of(
    st.sampled_from(SPREADSHEET_EVENTS).map(lambda kind: ("event", kind)),
    st.sampled_from(SPREADSHEET_EVENTS).map(lambda kind: ("event", kind)),
    st.just(("land", ())),
)


def histories(steps: st.SearchStrategy) -> st.SearchStrategy:
    """(seed of the choices, what happens in which order)"""
    return st.tuples(st.integers(0, 2**32), st.lists(steps, min_size=9, max_size=16))


def staged_rows(environment: Environment, model: str, sql: str) -> Rows:
    """record_key -> (is_deleted, merged_into_id, values by column) of a staging model."""
    with duckdb.connect(str(environment.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        relation = connection.execute(sql)
        names = [column[0] for column in relation.description]
        rows = [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
    return {row["record_key"]: (row["is_deleted"], row.get("merged_into_id"), row) for row in rows}


def check_truth(history: ErpHistory | SpreadsheetHistory, sql: dict[str, str]) -> None:
    """Staging is what the source holds, for every object; and it stays so when it is read again."""
    story = "\n".join(history.told)
    for model, truth in history.truth().items():
        staged = staged_rows(history.environment, model, sql[model])
        live = {key for key, (ended, _, _) in truth.items() if not ended}
        assert {key for key, (ended, _, _) in staged.items() if not ended} == live, f"{model}\n{story}"
        for key, (ended, heir, values) in truth.items():
            if ended and key not in staged:
                continue  # a customer that was never seen but merged is in the table, and ended, all the same
            shown = staged[key]
            assert (shown[0], shown[1]) == (ended, heir), f"{key} {shown}\n{story}"
            got = {name: comparable(name, shown[2][name]) for name in values}
            assert got == values, f"{key}: {differing(got, values)}\n{story}"


def live_truly(history: ErpHistory | SpreadsheetHistory, sql: dict[str, str], steps: list) -> None:
    """A history that begins with a landing, so that whatever happens next happens to something landed."""
    history.land()
    for what, how in steps:
        history.event(how) if what == "event" else history.land(*how)
    history.settle()
    check_truth(history, sql)
    for again in history.replay():
        assert again.landed == 0, "\n".join([*history.told, *(item.line for item in again.objects)])
    check_truth(history, sql)
    books_balance(history.environment)


def prove_erp(outside: Environment, sql: dict[str, str], folder: Path, examples: int) -> None:
    def live(told: tuple[int, list]) -> None:
        history = ErpHistory(outside, folder / "follows", random.Random(told[0]))
        try:
            live_truly(history, sql, told[1])
        finally:
            history.close()

    proof(examples)(given(told=histories(ERP_STEPS))(live))()


def prove_spreadsheets(sql: dict[str, str], folder: Path, examples: int) -> None:
    def live(told: tuple[int, list]) -> None:
        live_truly(SpreadsheetHistory(folder / "follows", random.Random(told[0])), sql, told[1])

    proof(examples)(given(told=histories(SPREADSHEET_STEPS))(live))()


def test_a_few_histories_of_the_erp_end_as_its_tables_are(outside, staging_sql, tmp_path):
    prove_erp(outside, staging_sql, tmp_path, 2)


@pytest.mark.parametrize("clock_hours", [0, 5])
def test_a_row_that_came_back_is_followed_though_its_end_was_dated_later(outside, staging_sql, tmp_path, clock_hours):
    """The ERP's clock is behind ours: it changes the row before the time at which we found it missing."""
    history = ErpHistory(outside, tmp_path / "follows", random.Random(1))
    try:
        key = history._insert(history.database, erp.CUSTOMERS, history.moment - timedelta(minutes=9))
        history.land([], 0)
        history.database.execute("delete from customers where customer_id = %s", [key])
        history.land([], clock_hours)
        history._put(history.database, "customers", json.dumps({
            "customer_id": key, "name": "Back", "created_at": "2026-01-01",
            "updated_at": (history.moment - timedelta(minutes=9)).isoformat(),
        }))  # fmt: skip
        history.land([], 0)
        values = {"name": "Changed", "updated_at": history.moment - timedelta(minutes=3)}
        history._set(erp.CUSTOMERS, key, values)
        history.land([], 0)
        check_truth(history, staging_sql)
        assert history.land([], 0).landed == 0
    finally:
        history.close()


def test_a_few_histories_of_spreadsheets_end_as_the_files_are(staging_sql, tmp_path):
    prove_spreadsheets(staging_sql, tmp_path, 2)


@pytest.mark.slow("exactness-erp")
@pytest.mark.timeout(3500)
def test_histories_of_the_erp_end_as_its_tables_are(outside, staging_sql, tmp_path):
    prove_erp(outside, staging_sql, tmp_path, asked())


@pytest.mark.slow("exactness-spreadsheets")
@pytest.mark.timeout(3500)
def test_histories_of_spreadsheets_end_as_the_files_are(staging_sql, tmp_path):
    prove_spreadsheets(staging_sql, tmp_path, asked())
