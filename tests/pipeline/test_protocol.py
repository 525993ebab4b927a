"""The incremental protocol (docs/decisions/0002): incremental equals full refresh, whatever happened on the way."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
import support
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from udfs import duckdb_plugin, phone
from udfs.registry import FUNCTIONS

STATEFUL = {
    "idr_crosswalk_history", "idr_customer_ids", "idr_match_events", "customer_360_history", "mon_dbt_results",
    "mon_dictionary_changes",
}  # fmt: skip


def land_town(environment, people: int = 60, seed: int = 1, load: int = 1) -> list[support.Row]:
    chance = random.Random(f"town {seed}")
    rows = [support.random_person(chance, f"{number:04}") for number in range(people)]
    support.land_people(environment, rows, load)
    return rows


@pytest.fixture(scope="module")
def town(module_environment):
    """A built environment with 60 people and one day of changes on top."""
    support.begin(module_environment)
    rows = land_town(module_environment)
    support.build(module_environment)
    support.land_people(module_environment, [{**rows[3], "email": "moved@mail.test"}], load=2)
    support.land_people(module_environment, [{**rows[4], "is_deleted": True}], load=3)
    support.build(module_environment, tests=True)
    return module_environment


def test_the_same_run_twice_changes_no_row(town):
    before = support.contents(town)
    ledger = support.query(town, "select * from identity_resolved.idr_crosswalk_history order by all")
    outcome = support.build(town)
    assert not support.differences(before, support.contents(town))
    assert ledger == support.query(town, "select * from identity_resolved.idr_crosswalk_history order by all")
    assert outcome.result.results, "nothing was built"
    assert support.query(town, "select count(*) from identity_resolved.idr_pending_events") == [(0,)]


def test_full_refresh_gives_the_same_contents_and_the_same_ids(town):
    before = support.contents(town)
    support.build(town, "--full-refresh")
    assert not support.differences(before, support.contents(town))


def test_an_older_version_that_arrives_late_changes_nothing(environment):
    support.begin(environment)
    newer = {"source_id": "1", "source_updated_at": "2026-01-03", "firstname": "Anna", "email": "anna@mail.test"}
    older = {"source_id": "1", "source_updated_at": "2026-01-01", "firstname": "Ann", "email": "ann@mail.test"}
    support.land_contacts(environment, [newer], load=1)
    support.build(environment)
    before = support.contents(environment)
    support.land_contacts(environment, [older], load=2)
    support.build(environment)
    after = support.contents(environment)
    assert not support.differences(before, after)
    assert [
        row[1]
        for row in support.query(
            environment,
            "select record_key, given_name from customer_360.customer_360"
            " join identity_resolved.idr_crosswalk using (customer_id)",
        )
    ] == ["Anna"]


def test_a_record_that_loses_its_only_identifier_leaves_its_customer(environment):
    support.begin(environment)
    two = [{"source_id": number, "email": "one@mail.test"} for number in ("1", "2")]
    support.land_people(environment, two, load=1)
    support.build(environment)
    assert len(support.partition(environment)) == 1
    support.land_people(environment, [{"source_id": "2"}], load=2)
    support.build(environment)
    assert len(support.partition(environment)) == 2


def test_a_load_counts_only_when_it_is_complete(environment):
    """A row of an older, still pending load lands late: nothing may lose it (a watermark on the load id would)."""
    support.begin(environment)
    support.land_people(environment, [{"source_id": "late", "given_name": "Lou"}], load=1, complete=False)
    support.land_people(environment, [{"source_id": "early", "given_name": "Eve"}], load=2)
    support.build(environment)
    known = "select source_id from identity_resolved.idr_crosswalk order by 1"
    assert support.query(environment, known) == [("early",)]
    support.land_people(environment, [], load=1)
    support.build(environment)
    assert support.query(environment, known) == [("early",), ("late",)]


def test_a_failed_test_moves_no_id_and_repair_heals(environment, tmp_path):
    support.begin(environment)
    rows = land_town(environment, people=30)
    support.build(environment)
    ledger_tables = ("idr_crosswalk_history", "idr_customer_ids", "idr_match_events")
    ledger = {t: support.query(environment, f"select * from identity_resolved.{t} order by all") for t in ledger_tables}
    golden = support.query(environment, "select * from customer_360.customer_360_history order by all")

    # Change people, and plant a landing run whose rows do not add up: an error-severity test fails.
    support.land_people(environment, [{**row, "email": "same@mail.test"} for row in rows[:3]], load=2)
    plant = (
        "insert into raw_ingest.runs (run_id, source_system, source_object, outcome, rows_served, rows_landed, "
        "rows_unchanged, rows_rejected, rows_deleted, _dlt_load_id) "
        "values ('planted', 's', 'o', 'ok', 9, 1, 1, 1, 0, '1700000009.5')"
    )
    support.query(environment, "insert into raw_ingest._dlt_loads (load_id, status) values ('1700000009.5', 0)")
    support.query(environment, plant)
    outcome = support.dbt(environment, "build", "--exclude-resource-type", "unit_test", "seed")
    assert not outcome.success
    failed = [result.node.name for result in outcome.result.results if result.status == "fail"]
    assert failed == ["assert_every_served_row_is_accounted_for"]
    for table, before in ledger.items():
        assert support.query(environment, f"select * from identity_resolved.{table} order by all") == before, table
    assert support.query(environment, "select * from customer_360.customer_360_history order by all") == golden

    # A run of something else may not promote what the failed one computed.
    assert support.dbt(environment, "run", "--select", "stg_hubspot__contacts").success
    assert (
        support.query(environment, "select * from identity_resolved.idr_match_events order by all")
        == ledger["idr_match_events"]
    )

    support.query(environment, "delete from raw_ingest.runs")
    support.build(environment)
    healed = support.contents(environment)
    support.build(environment, "--full-refresh")
    assert not support.differences(healed, support.contents(environment))
    assert len(support.query(environment, "select * from identity_resolved.idr_match_events")) > len(
        ledger["idr_match_events"]
    )


def test_two_changing_runs_at_one_time_of_the_clock(environment):
    """A pinned clock stands still between runs; no stretch of time in the ledger may be empty or double."""
    support.begin(environment)
    rows = land_town(environment, people=20)
    support.build(environment)
    for load, mail in ((2, "first@mail.test"), (3, "second@mail.test"), (4, "first@mail.test")):
        support.land_people(environment, [{**row, "email": mail} for row in rows[:2]], load)
        support.build(environment)
    assert support.dbt(
        environment, "test", "--select", "path:tests/identity_resolved", "path:tests/customer_360"
    ).success
    for history in ("identity_resolved.idr_crosswalk_history", "customer_360.customer_360_history"):
        assert support.query(environment, f"select * from {history} where valid_to <= valid_from") == []
    assert (
        support.query(environment, "select count(distinct valid_from) from customer_360.customer_360_history")[0][0] > 2
    )


def test_a_changed_variable_and_a_changed_seed_reach_every_row_they_decide(environment):
    """Configuration is part of the hash: the next ordinary run ends where a full refresh would."""
    support.begin(environment)
    support.land_people(environment, [{"source_id": "1", "phone": "030 901820", "job_title": "Former CEO"}], load=1)
    support.build(environment)
    known = "select phone, country, outdated_rule from cleaned.cln_spreadsheets__people"
    assert support.query(environment, known) == [(None, "US", "left_company")]
    german = ("--vars", "{default_country: DE}")
    support.build(environment, *german)
    assert support.query(environment, known) == [("+4930901820", "DE", "left_company")]
    # As if the line had been taken out of the seed's file; the seed itself is not loaded again.
    support.query(environment, "delete from seeds.outdated_rules where rule = 'left_company'")
    support.build(environment, *german)
    assert support.query(environment, known) == [("+4930901820", "DE", None)]


def test_a_changed_survivorship_rule_reaches_every_customer_and_an_unknown_rule_stops_the_build(environment):
    """As if the mapping seed had been edited and loaded; no SQL is touched."""
    support.begin(environment)
    anna = {"source_id": "1", "given_name": "Anna", "middle_name": "Maria", "family_name": "Adler",
            "email": "a@mail.test", "updated_at": "2026-01-01"}  # fmt: skip
    anne = {"source_id": "2", "given_name": "Anne", "family_name": "Adler", "email": "a@mail.test",
            "updated_at": "2026-01-03"}  # fmt: skip
    support.land_people(environment, [anna, anne], load=1)
    support.build(environment)
    golden = "select given_name, middle_name from customer_360.customer_360"
    assert support.query(environment, golden) == [("Anna", "Maria")], "the most complete name"

    def edit(column: str, rule: str) -> None:
        support.query(
            environment,
            f"update seeds.field_mappings set {column} = '{rule}' "
            "where source_system = 'spreadsheets' and target_field = 'family_name'",
        )

    edit("survivorship_rule", "most_recent")
    support.build(environment)
    assert support.query(environment, golden) == [("Anne", None)]

    edit("survivorship_rule", "most_beautiful")
    outcome = support.dbt(environment, "run", "--select", "customer_field_lineage")
    assert not outcome.success
    assert "field_mappings.csv: nothing implements the survivorship_rule most_beautiful of spreadsheets.people" in str(
        [result.message for result in outcome.result.results]
    )
    edit("survivorship_rule", "most_recent")
    edit("cleaning_rule", "polish")
    outcome = support.dbt(environment, "test", "--select", "assert_every_cleaning_rule_is_known")
    assert not outcome.success
    assert "field_mappings.csv: nothing implements the cleaning_rule polish of spreadsheets.people.family_name" in str(
        [result.message for result in outcome.result.results]
    )


def test_an_upgrade_of_a_library_parses_anew_and_tells_what_changed(environment, monkeypatch):
    support.begin(environment)
    people = [{"source_id": number, "phone": f"030 90182{number}", "country": "DE"} for number in ("1", "2")]
    support.land_people(environment, people, load=1)
    chain = ("--select", "stg_spreadsheets__people+1", "+cln_spreadsheets__people,path:models/cleaned",
             "cln_parsed_values", "mon_dictionary_changes")  # fmt: skip
    support.build(environment, *chain)
    changed = (
        "select raw_value, parsed_before <> parsed_as from monitoring.mon_dictionary_changes "
        "where changed_at is not null"
    )
    assert support.query(environment, changed) == []

    def upgraded(raw: str, region: str) -> dict:
        return phone.parse_phone(raw, region) | ({"phone_type": "mobile"} if raw.endswith("2") else {})

    functions = [replace(udf, function=upgraded) if udf.name == "parse_phone" else udf for udf in FUNCTIONS]
    monkeypatch.setattr(duckdb_plugin, "FUNCTIONS", functions)
    monkeypatch.setattr(duckdb_plugin, "udf_version", lambda: "upgraded")
    support.build(environment, *chain)
    assert support.query(environment, changed) == [("030 901822", True)]
    types = "select phone_type from cleaned.cln_spreadsheets__people order by record_key"
    assert support.query(environment, types) == [("fixed",), ("mobile",)]


def listed(environment, *keys: str) -> list[dict]:
    """What dbt lists of every model, one dictionary each."""
    outcome = support.dbt(
        environment, "ls", "--resource-type", "model", "--output", "json", "--output-keys", " ".join(("name", *keys))
    )
    return [json.loads(line) for line in outcome.result]


@pytest.mark.slow("protocol")
def test_full_refresh_of_any_single_model_changes_nothing(town):
    """Of any model that stores rows; also of the stateful ones, which must refuse to be rebuilt."""
    before = support.contents(town)
    stored = {node["name"] for node in listed(town, "config") if node["config"]["materialized"] != "view"}
    assert stored > STATEFUL
    for model in sorted(stored):
        assert support.dbt(town, "run", "--full-refresh", "--select", model, "--no-write-json").success, model
    assert not support.differences(before, support.contents(town))


def test_exactly_the_histories_refuse_a_full_refresh(town):
    refusing = {node["name"] for node in listed(town, "config") if node["config"].get("full_refresh") is False}
    assert refusing == STATEFUL


history = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from(["change", "change", "change", "delete"]), st.integers(0, 9999)),
    min_size=2,
    max_size=14,
)


def check_history(steps, cuts, pieces, whole) -> None:
    """Land `steps` (record, action, seed) cut into batches; compare with one build from the start of the same."""
    support.begin(pieces)
    batches: list[list[support.Row]] = [[]]
    for number, (record, action, seed) in enumerate(steps):
        row = support.random_person(random.Random(seed), f"{record:04}")
        batches[-1].append({**row, "is_deleted": action == "delete"})
        if number in cuts:
            batches.append([])
    for load, batch in enumerate(batches, start=1):
        support.land_people(pieces, batch[-1:] and _last_word(batch), load)
        support.build(pieces)
    in_pieces = support.contents(pieces, ("staging", "cleaned", "customer_360"))
    groups = support.partition(pieces)

    support.build(pieces, "--full-refresh")
    assert not support.differences(in_pieces, support.contents(pieces, ("staging", "cleaned", "customer_360")))

    support.begin(whole)
    for load, batch in enumerate(batches, start=1):
        support.land_people(whole, _last_word(batch), load)
    support.build(whole)
    assert support.partition(whole) == groups


def _last_word(batch):
    """A snapshot holds each record once: the last thing that happened to it."""
    return list({row["source_id"]: row for row in batch}.values())


def test_a_history_in_pieces_equals_one_build(environment, other_environment):
    """One of them, with changes and deletions in each of three pieces; the slow area draws forty."""
    chance = random.Random("history")
    actions = ["change", "change", "change", "delete"]
    steps = [(chance.randrange(12), chance.choice(actions), chance.randrange(10_000)) for _ in range(14)]
    check_history(steps, {4, 9}, environment, other_environment)


@pytest.mark.slow("protocol")
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=history, cuts=st.sets(st.integers(0, 12), min_size=1, max_size=3))
def test_many_random_histories_in_pieces_equal_one_build(steps, cuts, environment, other_environment):
    check_history(steps, cuts, environment, other_environment)
