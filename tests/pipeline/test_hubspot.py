"""HubSpot alone: what the pipeline lands is what the vendor's SDK reads, after every kind of change and every fault.

The sandbox runs once for the module, and most tests land into one environment, one after another. What a test changes
in the world stays, so every expectation is taken from the API as it answers then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import hubspot
import pytest
from fixtures_landing import (
    changing,
    follow,
    older_world_fixture,  # noqa: F401 (a fixture)
    query,
    read_well,
)
from fixtures_landing import (
    read as read_source,
)
from hubspot.crm.associations.v4.models import (
    BatchInputPublicFetchAssociationsBatchRequest,
    PublicFetchAssociationsBatchRequest,
)

from ingest import hubspot as source
from ingest import rest
from ingest.run import LandingResult
from operate import clock
from operate.environment import Environment, get_environment
from sandbox.deals import associate
from sandbox.faults import FAULTS_OF, STANDING_FAULTS, set_fault
from sandbox.hubspot_objects import DROPPED, RENAMED, RETYPED
from sandbox.records import change_record, end_record, merge_records, restore_record
from sandbox.world import World, iso

NAMES = ("contacts", "companies", "deals")
ASSOCIATED = (("contacts", "companies"), ("deals", "contacts"), ("deals", "companies"))
NOT_LANDED = ("hs_object_id", "hs_calculated_merged_vids")


# -------------------------------------------------------------------- fixtures and helpers

land = partial(read_source, "hubspot")
good = partial(read_well, "hubspot")


@pytest.fixture(scope="module")
def environment(world: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment that lands from the module's emulator, test after test."""
    return follower(world, tmp_path_factory.mktemp("landing"))


@pytest.fixture
def fresh(world: Environment, tmp_path: Path) -> Environment:
    """An environment that has landed nothing yet."""
    return follower(world, tmp_path)


@pytest.fixture(autouse=True)
def no_fault_stays(world: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Retries come at once, and a fault ends with its test."""
    monkeypatch.setattr(rest, "BACKOFF_SECONDS", 0.01)
    yield
    set_fault(world, "hubspot", "none")


def follower(world: Environment, folder: Path) -> Environment:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("C360_VAR", str(folder))
        made = get_environment("sandbox").create()
    follow(world, made)
    return made


@pytest.fixture(scope="module")
def official(world: Environment) -> hubspot.HubSpot:
    """The vendor's SDK over the sandbox."""
    contract = json.loads(world.sandbox_contract.read_text(encoding="utf-8"))
    about = contract["sources"]["hubspot"]
    client = hubspot.HubSpot(access_token=about["credentials"]["access_token"])
    client.config |= {"host": about["base_url"], "ssl_ca_cert": contract["ca_file"]}
    return client


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """(object, path) of every request, as the pipeline sends it."""
    requests: list[tuple[str, str]] = []
    send = rest.Api._send

    def noted(self: rest.Api, method: str, path: str, **request: Any):
        requests.append((self.name, path))
        return send(self, method, path, **request)

    monkeypatch.setattr(rest.Api, "_send", noted)
    return requests


def newest(environment: Environment, name: str) -> dict[str, dict[str, Any]]:
    """id -> newest landed version."""
    by_time = "" if name == "associations" else "source_updated_at desc, "
    with duckdb.connect(str(environment.warehouse)) as connection:
        found = connection.execute(
            f"from raw_hubspot.{name} qualify row_number() over"
            f" (partition by source_id order by {by_time}_dlt_load_id desc, content_hash desc) = 1"
        )
        columns = [column[0] for column in found.description]
        rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    return {row["source_id"]: row for row in rows}


def live(environment: Environment, name: str) -> dict[str, dict[str, Any]]:
    return {key: row for key, row in newest(environment, name).items() if not row["is_deleted"]}


def read(official: hubspot.HubSpot, name: str) -> dict[str, dict[str, str | None]]:
    """id -> all properties, by the SDK."""
    names = [one.name for one in official.crm.properties.core_api.get_all(name, archived=False).results]
    return {row.id: row.properties for row in getattr(official.crm, name).get_all(properties=names)}


def links(official: hubspot.HubSpot, kind: str, to: str) -> dict[str, list[dict]]:
    """Source id of the landed association -> its types, by the SDK."""
    ids = [PublicFetchAssociationsBatchRequest(id=row.id) for row in getattr(official.crm, kind).get_all()]
    wanted = BatchInputPublicFetchAssociationsBatchRequest(inputs=ids)
    return {
        f"{kind}:{row._from.id}:{to}:{one.to_object_id}": [
            {"category": about.category, "label": about.label, "typeId": about.type_id}
            for about in one.association_types
        ]
        for row in official.crm.associations.v4.batch_api.get_page(kind, to, wanted).results
        for one in row.to
    }


def assert_landed_is_read(official: hubspot.HubSpot, environment: Environment, without: tuple[str, ...] = ()) -> None:
    """Landed live records, their properties and associations are those that the SDK reads, but `without`."""
    for name in NAMES:
        truth, found = read(official, name), live(environment, name)
        assert set(found) == set(truth), name
        for key, properties in truth.items():
            custom = json.loads(found[key]["custom_fields"] or "{}")
            for field, value in properties.items():
                if field in (*NOT_LANDED, *without):
                    continue
                assert (found[key][field] if field in found[key] else custom.get(field)) == value, (key, field)
    truth = {key: types for pair in ASSOCIATED for key, types in links(official, *pair).items()}
    assert {
        key: json.loads(row["association_types"]) for key, row in live(environment, "associations").items()
    } == truth
    assert query(environment, "select count(*) from raw_ingest.runs where rows_served + rows_deleted <> "
                 "rows_landed + rows_unchanged + rows_rejected") == [(0,)]  # fmt: skip


def rows_of(content: World, name: str, state: str = "live") -> list:
    return content.rows(
        "select * from records where system = 'hubspot' and object = ? and state = ? order by seq", (name, state)
    )


def change_all(world: Environment, environment: Environment, word: str) -> dict[str, str]:
    """Change one live record of each object; returns the ids."""
    fields = {"contacts": "city", "companies": "city", "deals": "deal_name"}
    with changing(world, environment) as (content, moment):
        chosen = {name: rows_of(content, name)[1] for name in NAMES}
        for name, row in chosen.items():
            change_record(content, row, json.loads(row["fields"]) | {fields[name]: word}, moment, content.day + 1)
    return {name: row["source_id"] for name, row in chosen.items()}


# -------------------------------------------------------------------- what lands


def test_the_sdk_reads_what_the_pipeline_lands(official, environment):
    good(environment)
    assert_landed_is_read(official, environment)
    assert len(live(environment, "associations")) > 5
    for name in NAMES:
        archived = {row.id for row in getattr(official.crm, name).get_all(archived=True)}
        assert not archived & set(live(environment, name))


def test_a_run_with_nothing_new_asks_twice_per_object_at_most(environment, asked):
    good(environment)
    asked.clear()
    assert good(environment).landed == 0
    for name in source.OBJECTS:
        assert sum(one == name.name for one, _ in asked) <= 2, asked


def test_ticked_days_land_whole(world, official, environment):
    from sandbox.tick import tick

    good(environment)
    for _ in range(2):
        tick(world, 1)
        follow(world, environment)
        good(environment)
        assert_landed_is_read(official, environment)


def test_another_employer_ends_one_association_and_lands_the_other(world, official, environment):
    good(environment)
    with changing(world, environment) as (content, moment):
        employed = [row for row in rows_of(content, "associations") if json.loads(row["fields"])["deal_id"] == ""]
        mine = json.loads(employed[0]["fields"])
        other = next(row for row in rows_of(content, "companies") if row["source_id"] != mine["company_id"])
        end_record(content, employed[0], "deleted", "", moment, content.day + 1)
        associate(content, mine["contact_id"], other["source_id"], "", True, moment, content.day + 1)
    good(environment)
    assert_landed_is_read(official, environment)
    landed = newest(environment, "associations")
    before, now = (f"contacts:{mine['contact_id']}:companies:{one}" for one in (mine["company_id"], other["source_id"]))
    assert landed[before]["is_deleted"] and not landed[now]["is_deleted"]
    assert [one["label"] for one in json.loads(landed[now]["association_types"])] == ["Primary", None]
    assert live(environment, "contacts")[mine["contact_id"]]["associatedcompanyid"] == other["source_id"]


def test_archived_companies_and_merged_contacts_take_their_associations_along(world, official, environment):
    good(environment)
    with changing(world, environment) as (content, moment):
        employed = [json.loads(row["fields"]) for row in rows_of(content, "associations")]
        employed = [one for one in employed if one["contact_id"] and one["company_id"]]
        gone = employed[0]["company_id"]
        staff = [one for one in employed if one["company_id"] != gone]
        end_record(content, content.record("hubspot", "companies", gone), "archived", "", moment, content.day + 1)
        one = content.record("hubspot", "contacts", staff[0]["contact_id"])
        other = next(row for row in rows_of(content, "contacts") if row["source_id"] != one["source_id"])
        later = iso(clock.now(world) - timedelta(seconds=20))
        winner = merge_records(content, one, other, later, content.day + 1)
    good(environment)
    assert_landed_is_read(official, environment)
    landed = newest(environment, "associations")
    assert not any(row["to_id"] == gone and not row["is_deleted"] for row in landed.values())
    assert not landed[f"contacts:{winner}:companies:{staff[0]['company_id']}"]["is_deleted"]
    assert landed[f"contacts:{one['source_id']}:companies:{staff[0]['company_id']}"]["is_deleted"]
    assert query(environment, "select source_id, evidence from raw_ingest.record_deletions where source_object ="
                 f" 'companies' and source_id = '{gone}'") == [(gone, "in the list of archived companies")]  # fmt: skip


def test_merges_of_three_hops_lead_to_the_last_record(world, official, environment):
    good(environment)
    merged: dict[str, list[str]] = {}
    with changing(world, environment) as (content, _):
        for name in NAMES:
            rows = rows_of(content, name)[:4]
            merged[name] = [row["source_id"] for row in rows]
            winner = rows[0]["source_id"]
            for number, other in enumerate(rows[1:]):
                moment = iso(clock.now(world) - timedelta(seconds=30 - number))
                pair = (content.record("hubspot", name, one) for one in (winner, other["source_id"]))
                winner = merge_records(content, *pair, moment, content.day + 1)
                merged[name].append(winner)
    good(environment)
    assert_landed_is_read(official, environment)
    for name, (*old, winner) in merged.items():
        facts = query(
            environment,
            "select distinct loser_id from raw_ingest.record_merges"
            f" where source_object = '{name}' and winner_id = '{winner}'",
        )
        assert {loser for (loser,) in facts} >= set(old)
        landed = newest(environment, name)
        assert all(landed[key]["is_deleted"] for key in old if key in landed)
        assert getattr(official.crm, name).basic_api.get_by_id(old[0]).id == winner


def test_a_restored_record_lives_again(world, official, environment):
    with changing(world, environment) as (content, moment):
        rows = {name: rows_of(content, name)[-1] for name in NAMES}
        for row in rows.values():
            end_record(content, row, "archived", "", moment, content.day + 1)
    good(environment)
    assert all(row["source_id"] not in live(environment, name) for name, row in rows.items())
    with changing(world, environment) as (content, moment):
        for name, row in rows.items():
            archived = content.record("hubspot", name, row["source_id"])
            restore_record(content, archived, moment, content.day + 1)
    good(environment)
    assert all(row["source_id"] in live(environment, name) for name, row in rows.items())
    assert_landed_is_read(official, environment)


def test_custom_properties_land_and_are_listed(official, environment):
    good(environment)
    for name in NAMES:
        definitions = official.crm.properties.core_api.get_all(name, archived=False).results
        custom = [one.name for one in definitions if not one.hubspot_defined]
        assert custom
        known = dict(
            query(
                environment,
                "select field_name, standing from raw_ingest.source_fields where source_system = 'hubspot'"
                f" and source_object = '{name}'",
            )
        )
        assert {known[field] for field in custom} == {"custom"}
        assert set(known) >= {one.name for one in definitions}
        assert {known[field] for field in NOT_LANDED if field in known} == {"ignored"}
        landed = live(environment, name)
        for key, properties in read(official, name).items():
            held = json.loads(landed[key]["custom_fields"] or "{}")
            assert held == {field: properties[field] for field in custom if properties[field] is not None}


# -------------------------------------------------------------------- faults

REQUEST_FAULTS = [kind for kind in FAULTS_OF["hubspot"] if kind not in STANDING_FAULTS and kind != "none"]
SCHEMA_FAULTS = [kind for kind in FAULTS_OF["hubspot"] if kind.startswith("schema_")]


PASSING = ("429", "500", "slow", "truncated", "expired_cursor", "duplicate_page")  # when they come once


def fails_in_one_line(result: LandingResult, environment: Environment) -> None:
    """Each failure names source, object, cause and remedy, and nothing of its object is landed."""
    assert result.failures
    for item in result.failures:
        assert "\n" not in item.error and item.error.startswith("hubspot "), item.error
        assert item.error.partition(":")[0].split()[1] in (*NAMES, "associations"), item.error
        assert "; " in item.error and len(item.error) < 700, item.error  # the remedy comes behind the cause
        assert not query(environment, "from duckdb_tables() where schema_name = 'raw_hubspot'"
                         f" and table_name = '{item.source_object}'")  # fmt: skip


def test_faults_that_pass_are_got_over(world, official, environment, monkeypatch):
    monkeypatch.setattr(source, "LIST_LIMIT", 20)
    good(environment)
    for kind in PASSING:
        set_fault(world, "hubspot", kind, seconds=0.1)
        change_all(world, environment, f"While {kind}")
        good(environment, reconcile=True)
        assert not (world.sandbox / "faults.json").exists(), kind
        assert_landed_is_read(official, environment)


def test_faults_that_last_fail_in_one_line_and_the_next_run_heals(world, official, fresh, monkeypatch):
    monkeypatch.setattr(source, "LIST_LIMIT", 20)
    monkeypatch.setattr(rest, "LONGEST_RATE_LIMIT_WAIT_SECONDS", 0.5)
    for kind in REQUEST_FAULTS:
        if kind != "slow":
            set_fault(world, "hubspot", kind, times=1000)
            fails_in_one_line(land(fresh), fresh)
    set_fault(world, "hubspot", "none")
    good(fresh)
    assert_landed_is_read(official, fresh)


@pytest.mark.slow("conformance")
@pytest.mark.parametrize("skipped", [0, 1, 2, 5, 9])
@pytest.mark.parametrize("kind", [kind for kind in REQUEST_FAULTS if kind != "slow"])
def test_a_fault_in_the_middle_of_a_run_lands_all_or_nothing(world, official, fresh, monkeypatch, kind, skipped):
    """The fault begins after `skipped` requests and lasts."""
    monkeypatch.setattr(source, "LIST_LIMIT", 20)
    monkeypatch.setattr(rest, "LONGEST_RATE_LIMIT_WAIT_SECONDS", 0.5)
    send, sent = rest.Api._send, []

    def counted(self: rest.Api, method: str, path: str, **request: Any):
        sent.append(path)
        if len(sent) == skipped + 1:
            set_fault(world, "hubspot", kind, times=1000)
        return send(self, method, path, **request)

    monkeypatch.setattr(rest.Api, "_send", counted)
    result = land(fresh)
    if result.failures or kind not in ("expired_cursor", "duplicate_page"):  # those two may find no page to spoil
        fails_in_one_line(result, fresh)
    set_fault(world, "hubspot", "none")
    good(fresh)
    assert_landed_is_read(official, fresh)


@pytest.mark.parametrize("kind", ["clock_skew", "out_of_order"])
def test_faults_of_times_lose_nothing(world, official, fresh, kind):
    times = ("createdate", "lastmodifieddate", "hs_lastmodifieddate")
    good(fresh)
    set_fault(world, "hubspot", kind, seconds=3600)
    change_all(world, fresh, f"During {kind}")
    good(fresh)
    if kind == "out_of_order":
        assert_landed_is_not_older(official, fresh)
    set_fault(world, "hubspot", "none")
    ids = change_all(world, fresh, f"After {kind}")
    good(fresh)
    assert {live(fresh, "contacts")[ids["contacts"]]["city"]} == {f"After {kind}"}
    assert_landed_is_read(official, fresh, without=times if kind == "clock_skew" else ())


def assert_landed_is_not_older(official: hubspot.HubSpot, environment: Environment) -> None:
    """What is landed is the newest of the versions that a list serves."""
    for name in NAMES:
        field = "lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"
        best: dict[str, str] = {}
        for row in getattr(official.crm, name).get_all(properties=[field]):
            best[row.id] = max(best.get(row.id, ""), row.properties[field])
        assert {key: row[field] for key, row in live(environment, name).items()} == best


@pytest.mark.parametrize("kind", SCHEMA_FAULTS)
def test_changes_of_the_schema_are_landed_told_and_listed(world, official, environment, kind):
    good(environment)
    clock.advance(world, timedelta(minutes=1))
    follow(world, environment)
    set_fault(world, "hubspot", kind)
    said: list[str] = []
    good(environment, said=said)
    for name in NAMES:
        field = {"schema_new": "new_property", "schema_dropped": DROPPED[name], "schema_retyped": RETYPED[name],
                 "schema_renamed": f"{RENAMED[name]}_renamed"}[kind]  # fmt: skip
        changes = query(environment, "select change from raw_ingest.source_fields where source_system = 'hubspot'"
                        f" and source_object = '{name}' and field_name = '{field}' and change <> 'first'")  # fmt: skip
        assert changes == [(kind.removeprefix("schema_"),)], (name, field)
        assert any(line.startswith(f"hubspot {name}: ") and field in line for line in said)
        rows = live(environment, name).values()
        if kind == "schema_new":
            assert all(json.loads(row["custom_fields"])["new_property"] == row["source_id"] for row in rows)
        if kind == "schema_retyped":
            assert {row[field] for row in rows} == {"7"}
    set_fault(world, "hubspot", "none")
    clock.advance(world, timedelta(minutes=1))
    follow(world, environment)
    good(environment, reconcile=True)
    assert_landed_is_read(official, environment)
