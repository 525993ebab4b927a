"""What the tests of landing share: a served world for the module, environments that read it, what to ask of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from ingest import facts, rest
from ingest.run import SOURCE_OBJECTS, LandingResult, run
from ingest.versions import Counts
from operate import clock
from operate.environment import Environment, get_environment
from sandbox.world import World, iso, opened

OBJECTS = tuple(described for objects in SOURCE_OBJECTS.values() for described in objects)


@pytest.fixture(scope="module", name="world")
def world_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The environment whose sandbox serves every source to all tests of this module."""
    with _served(tmp_path_factory.mktemp("world")) as environment:
        yield environment


@pytest.fixture(scope="module", name="world")
def older_world_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The same, three days old: there were changes, deletions and merges."""
    from sandbox.tick import tick as move

    with _served(tmp_path_factory.mktemp("world")) as environment:
        move(environment, 3)
        yield environment


@contextmanager
def _served(folder: Path) -> Iterator[Environment]:
    from sandbox.server import ensure_running

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("C360_VAR", str(folder))
        environment = get_environment("sandbox").create()
        with ensure_running(environment, people=120, seed=7):
            yield environment


@pytest.fixture(name="environment")
def environment_fixture(world: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment that has landed nothing yet and reads the module's emulators."""
    monkeypatch.setenv("C360_VAR", str(tmp_path))
    monkeypatch.setattr(rest, "BACKOFF_SECONDS", 0.01)
    made = get_environment("sandbox").create()
    follow(world, made)
    return made


def follow(world: Environment, environment: Environment) -> None:
    """Take over the world's clock and the addresses of its emulators."""
    shutil.copy(world.sandbox_contract, environment.sandbox_contract)
    shutil.copy(world.clock, environment.clock)


def copy_inbox(world: Environment, environment: Environment) -> None:
    """The world's spreadsheets as they are now."""
    shutil.copytree(world.inbox, environment.inbox, dirs_exist_ok=True)


def tick(world: Environment, environment: Environment) -> dict:
    """A day passes in the world; returns its counts."""
    from sandbox.tick import tick as move

    [day] = move(world)
    follow(world, environment)
    return day.counts


def land(environment: Environment, *sources: str) -> LandingResult:
    """A landing run of `sources`, of all when none are named."""
    said: list[str] = []
    return run(environment, list(sources) or None, said.append)


def good(environment: Environment, *sources: str) -> LandingResult:
    """A landing run that must not fail."""
    result = land(environment, *sources)
    assert not result.failures, [item.error for item in result.failures]
    return result


def read(
    source: str, environment: Environment, *names: str, said: list[str] | None = None, **order: object
) -> LandingResult:
    """A landing run of the objects `names` of one source, of all when none are named; `said` gets its remarks."""
    lines: list[str] = []
    result = run(environment, [source], (lines if said is None else said).append, only=names, **order)
    # Objects that were not asked for are no result of a run that fails either.
    result.objects = [item for item in result.objects if not names or item.source_object in names]
    return result


def read_well(source: str, environment: Environment, *names: str, **order: object) -> LandingResult:
    """`read` that must not fail."""
    result = read(source, environment, *names, **order)
    assert not result.failures, [item.error for item in result.failures]
    return result


def counts(result: LandingResult, name: str) -> Counts:
    """The rows of one object of a run."""
    return next(item.counts for item in result.objects if item.source_object == name)


@contextmanager
def changing(
    world: Environment, environment: Environment | None = None, minutes: float = 10.0
) -> Iterator[tuple[World, str]]:
    """The world opened to be changed, a while later, and the moment of the change."""
    clock.advance(world, timedelta(minutes=minutes))
    with opened(world) as content, content.transaction():
        yield content, iso(clock.now(world) - timedelta(seconds=30))
    if environment:
        follow(world, environment)


def query(environment: Environment, sql: str) -> list[tuple]:
    """All rows of one query on the warehouse."""
    with duckdb.connect(str(environment.warehouse)) as connection:
        return connection.execute(sql).fetchall()


def books_balance(environment: Environment) -> None:
    """served + tombstones = landed + unchanged + rejected, and the tables hold exactly what the runs say."""
    for row in query(
        environment,
        "select source_system, rows_served + rows_deleted, rows_landed + rows_unchanged + rows_rejected "
        "from raw_ingest.runs",
    ):
        assert row[1] == row[2], row
    landed = query(environment, "select coalesce(sum(rows_landed), 0) from raw_ingest.runs")[0][0]
    tables = query(
        environment,
        "select schema_name || '.' || table_name from duckdb_tables() where starts_with(schema_name, 'raw_') "
        "and schema_name <> 'raw_ingest' and not starts_with(table_name, '_dlt')",
    )
    assert landed == sum(query(environment, f"select count(*) from {table}")[0][0] for (table,) in tables)
    if query(environment, "from duckdb_tables() where table_name = 'rejects'"):
        rejected = query(environment, "select sum(rows_rejected) from raw_ingest.runs")[0][0]
        assert rejected == query(environment, "select count(*) from raw_ingest.rejects")[0][0]


def final_state(environment: Environment) -> dict[str, list[tuple]]:
    """What landing leaves: table -> rows in order, without load ids and without landing's own log."""
    state = {}
    with duckdb.connect(str(environment.warehouse)) as connection:
        there = {
            f"{schema}.{table}"
            for schema, table in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        }
        tables = {f"{described.dataset}.{described.name}": described.columns for described in OBJECTS}
        named = ("record_merges", "record_deletions", "source_fields")
        tables |= {f"{facts.DATASET}.{name}": facts.FACTS[name] for name in named}
        for table, columns in tables.items():
            if table in there:
                names = ", ".join(column.name for column in columns if not column.name.startswith("_dlt"))
                state[table] = connection.execute(f"select {names} from {table} order by all").fetchall()
        if f"{facts.DATASET}.rejects" in there:  # a row that stays bad is refused, and told, in every run
            refused = "select distinct source_system, source_object, source_id, reason, payload"
            state["rejects"] = connection.execute(f"{refused} from {facts.DATASET}.rejects order by all").fetchall()
    return state
