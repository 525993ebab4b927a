"""Every fault of every source: the source ends right or is named in one line, nothing is lost, the others land.

For all tests one environment has landed the first day of the world, and one has read the second day fresh. Each test
takes a copy of the former, lands the second day while a fault stands, ends the fault and lands again: what is live
then, and its values, are those of the fresh environment.
"""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from fixtures_landing import OBJECTS, books_balance, copy_inbox, follow, good, land, query, tick, world_fixture  # noqa: F401
from fixtures_operate import DAY_TWO, built_town_fixture, put_people, town_fixture  # noqa: F401

from ingest import hubspot, rest, salesforce, stripe
from ingest.objects import Object
from ingest.run import SOURCE_OBJECTS, LandingResult
from operate.cli import main
from operate.environment import Environment
from sandbox.faults import FAULTS_OF, STANDING_FAULTS, stands
from sandbox.materialise import show_fault
from sandbox.spreadsheets import SHEETS
from sandbox.world import opened

ONCE, LASTING = 1, 12  # requests that a fault of requests meets
PAIRS = [
    (source, kind, times)
    for source, kinds in FAULTS_OF.items()
    for kind in kinds
    if kind != "none"
    for times in ((ONCE,) if stands(source, kind) else (ONCE, LASTING))
]
# The others have quick ones of their own: test_salesforce, test_stripe, test_hubspot, test_spreadsheets.
QUICK = [("erp", "schema_dropped", ONCE)]
MUST_FAIL = {("spreadsheets", kind) for kind in ("truncated", "schema_dropped", "schema_renamed")} | {("erp", "500")}
TIMES_OF_CHANGE = re.compile("modif|modstamp|updated_at|event_at")


@dataclass(frozen=True)
class Days:
    """The world on its second day, the folder of an environment that landed the first, and the second day's truth."""

    world: Environment
    first: Path
    truth: dict[str, dict[str, dict]]


@pytest.fixture(scope="module")
def days(world: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    folders = [tmp_path_factory.mktemp(name) / "sandbox" for name in ("first", "fresh")]
    first, fresh = (Environment("sandbox", folder).create() for folder in folders)
    follow(world, first)
    copy_inbox(world, first)
    good(first)
    tick(world, fresh)
    copy_inbox(world, fresh)
    good(fresh)
    truth = newest(fresh)
    assert_as_the_world(world, truth)
    yield Days(world, folders[0], truth)


def assert_as_the_world(world: Environment, truth: dict[str, dict[tuple, dict]]) -> None:
    """The fresh environment has the records that are live in the world, and no others."""
    with opened(world) as content:
        found = content.rows("select system, object, source_id from records where state = 'live'")
    live: dict[str, set[tuple]] = {}
    for system, name, source_id in found:
        if name in ("associations", "events"):  # landed under ids of their own; not landed as such
            continue
        if system in SOURCE_OBJECTS:
            live.setdefault(f"{system}.{name}", set()).add((source_id,))
        else:
            live.setdefault("spreadsheets.people", set()).add((system, source_id))
    for table, keys in live.items():
        assert truth[table].keys() == keys, table


@pytest.fixture
def follower(days: Days, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Environment]:
    """An environment that landed the first day; its world is on the second. All faults end with the test."""
    monkeypatch.setattr(rest, "BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(salesforce, "QUOTA_WAITS", (0.01, 0.01, 0.01))
    for module, name in ((hubspot, "LIST_LIMIT"), (hubspot, "SEARCH_LIMIT"), (stripe, "LIST_LIMIT")):
        monkeypatch.setattr(module, name, 50)  # several pages, so that there are cursors
    shutil.copytree(days.first, tmp_path / "sandbox")
    environment = Environment("sandbox", tmp_path / "sandbox")
    follow(days.world, environment)
    yield environment
    for source in FAULTS_OF:
        show_fault(days.world, source, "none")


# -------------------------------------------------------------------- what is looked at


def newest(environment: Environment, leave_out: re.Pattern | None = None) -> dict[str, dict[tuple, dict]]:
    """Per table, identity -> values of each live record: its newest version, without what tells when it was landed."""
    found = {}
    with duckdb.connect(str(environment.warehouse)) as connection:
        for described in OBJECTS:
            rows = connection.execute(_newest_sql(described, leave_out))
            names = [column[0] for column in rows.description]
            keys = [names.index(name) for name in described.identity]
            found[f"{described.source}.{described.name}"] = {
                tuple(row[place] for place in keys): dict(zip(names, row, strict=True)) for row in rows.fetchall()
            }
    return found


def _newest_sql(described: Object, leave_out: re.Pattern | None) -> str:
    kept = [
        column.name
        for column in described.content
        if not (leave_out and leave_out.search(column.name))
    ]  # fmt: skip
    keys = ", ".join(described.identity)
    time = "source_updated_at desc nulls last, " if described.cursor else ""
    return f"""
        select {keys}, {", ".join(kept)}
        from (
            from {described.dataset}.{described.name}
            qualify row_number() over (partition by {keys} order by {time}_dlt_load_id desc, content_hash desc) = 1
        ) where not is_deleted
        """


def row_ids(environment: Environment) -> set[str]:
    """Every version in the warehouse."""
    return {
        f"{described.name} {key}"
        for described in OBJECTS
        for (key,) in query(environment, f"select _dlt_id from {described.dataset}.{described.name}")
    }


def told_well(source: str, result: LandingResult) -> None:
    """A failure is one line with source, object, cause and remedy; of spreadsheets one line for each file."""
    for failure in (failure for failure in result.failures if failure.source == source):
        if source == "spreadsheets":
            lines = failure.error.splitlines()[1:]
            assert {line.strip().partition(":")[0] for line in lines} == {sheet.file for sheet in SHEETS}, failure.error
        else:
            assert "\n" not in failure.error
            assert re.match(rf"{source} \w+: .+; \w+", failure.error), failure.error


def fault_and_heal(days: Days, follower: Environment, source: str, kind: str, times: int) -> None:
    before = row_ids(follower)
    seconds = 1.0 if source == "erp" or kind == "clock_skew" else 0.01
    show_fault(days.world, source, kind, times=times, seconds=3600.0 if kind == "clock_skew" else seconds)
    copy_inbox(days.world, follower)
    result = land(follower)
    told_well(source, result)
    failed = {failure.source for failure in result.failures}
    assert failed <= {source}, [failure.error for failure in result.failures]
    if (source, kind) in MUST_FAIL:
        assert failed == {source}
    landed = {item.source for item in result.objects if item.counts.landed}
    assert landed >= set(FAULTS_OF) - {source}, "the second day of the others landed"
    assert before <= row_ids(follower)
    if kind in STANDING_FAULTS and source != "spreadsheets":
        assert not failed

    show_fault(days.world, source, "none")
    copy_inbox(days.world, follower)
    good(follower)
    left_out = TIMES_OF_CHANGE if kind == "clock_skew" else None
    healed = newest(follower, left_out)
    for table, truth in days.truth.items():
        assert healed[table].keys() == truth.keys(), table
        for key, values in truth.items():
            expected = {name: value for name, value in values.items() if name in healed[table][key]}
            assert healed[table][key] == expected, (table, key)
    books_balance(follower)


# -------------------------------------------------------------------- the tests


@pytest.mark.parametrize(("source", "kind", "times"), QUICK)
def test_a_fault_is_told_loses_nothing_and_heals(days, follower, source, kind, times):
    fault_and_heal(days, follower, source, kind, times)


@pytest.mark.slow("faults")
@pytest.mark.parametrize(("source", "kind", "times"), PAIRS)
def test_every_fault_is_told_loses_nothing_and_heals(days, follower, source, kind, times):
    fault_and_heal(days, follower, source, kind, times)


def test_the_quick_faults_are_some_of_all():
    assert set(QUICK) <= set(PAIRS)


def test_a_failed_source_is_in_the_report_and_what_landed_is_published(town, tmp_path, monkeypatch, capsys):
    sources = tmp_path / "sources.yml"
    sources.write_text(
        textwrap.dedent(
            """
            trial:
                stripe: {enabled: true, address: "${STRIPE_OF_NOBODY}", credentials: {api_key: x}}
                spreadsheets: {enabled: true}
            """
        )
    )
    monkeypatch.setenv("C360_SOURCES", str(sources))
    zoe = DAY_TWO[0] | {"id": "98", "given": "Zora", "family": "Zander", "email": "zora@mail.test"}
    put_people(town.environment, [*DAY_TWO, zoe])
    with pytest.raises(SystemExit) as ended:
        main(["run", "--env", "trial"])
    assert ended.value.code == 1
    assert "STRIPE_OF_NOBODY" in capsys.readouterr().err
    assert ("Zora Zander",) in town.published("select full_name from customer_360.customer_360")

    quality = json.loads((town.environment.reports / "quality.json").read_text())
    failed = {row["source_object"]: row for row in quality["landing"] if row["source_system"] == "stripe"}
    assert failed.keys() == {described.name for described in SOURCE_OBJECTS["stripe"]}
    for row in failed.values():
        assert row["outcome"] == "failed" and "needs the environment variable STRIPE_OF_NOBODY" in row["error"]
    page = (town.environment.reports / "quality.html").read_text()
    assert "stripe" in page and "needs the environment variable STRIPE_OF_NOBODY" in page
