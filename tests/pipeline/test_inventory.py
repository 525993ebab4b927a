"""The inventory: its seeds against the code that lands, the settings, the freshness in dbt, the page and the report."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from typing import Any

import pytest
import support
import yaml

from ingest.run import SOURCE_OBJECTS
from ingest.settings import load_sources
from operate import clock
from operate.cli import c360
from operate.environment import PROJECT_ROOT, Environment
from operate.inventory_page import PAGE, render
from operate.pages import read_seed
from operate.published import rows
from operate.report import SOURCES_SQL, Quality
from operate.report_html import render_html

OBJECTS = {(row["source_system"], row["source_object"]): row for row in read_seed("inventory/source_objects")}
SYSTEMS = {row["source_system"]: row for row in read_seed("inventory/source_systems")}
STRICTNESS = ("none", "indirect", "direct", "sensitive")
NOW = support.START.replace(tzinfo=None)


def door_of(system: str) -> str:
    """The source of ingest/ that lands `system`: its own, or the spreadsheet inbox."""
    return system if system in SOURCE_OBJECTS else "spreadsheets"


def models() -> dict[str, str]:
    """Each model's name and the text of its SQL and property file."""
    found = {path.stem: path for path in (PROJECT_ROOT / "models").rglob("*.sql")}
    return {
        name: path.read_text(encoding="utf-8") + path.with_suffix(".yml").read_text(encoding="utf-8")
        for name, path in found.items()
    }


# ---------- seeds against code and settings
def test_the_inventory_has_exactly_what_is_landed_and_says_how_it_is_told():
    landed = {(source, one.name): one for source, found in SOURCE_OBJECTS.items() for one in found}
    assert {key for key in OBJECTS if key[0] in SOURCE_OBJECTS} == set(landed)
    for (system, name), row in OBJECTS.items():
        code = landed[door_of(system), name]
        told = (row["primary_key"], row["change_cursor"], row["deletion_signal"], row["merge_signal"])
        cursor = code.cursor.field if code.cursor else ""
        assert told == (code.key, cursor, code.deletes, code.merges or ""), f"{system} {name}"


def test_cadences_are_those_of_production():
    sources = load_sources(Environment("prod", PROJECT_ROOT / "var" / "prod")).by_name
    for key, row in [*OBJECTS.items(), *SYSTEMS.items()]:
        cadence = sources[door_of(row["source_system"])].cadence
        if cadence is not None:
            assert timedelta(minutes=int(row["cadence_minutes"])) == cadence, key
        expectation = row["latency_expectation_minutes"]
        assert not expectation or int(expectation) >= int(row["cadence_minutes"]), f"{key} is late by design"


def test_every_object_is_staged_by_the_model_it_names():
    for (system, name), row in OBJECTS.items():
        assert row["staging_model"] == f"stg_{door_of(system)}__{name}"
        assert row["staging_model"] in models(), row["staging_model"]


def test_a_system_is_the_sum_of_its_objects_and_as_urgent_as_its_most_urgent():
    for system, row in SYSTEMS.items():
        mine = [one for one in OBJECTS.values() if one["source_system"] == system]
        assert sum(int(one["expected_records"] or 0) for one in mine) == int(row["expected_records"] or 0), system
        for column in ("latency_expectation_minutes", "max_data_age_hours"):
            assert min(int(one[column]) for one in mine if one[column]) == int(row[column]), (system, column)
        classes = {one["pii_class"] for one in mine} - {"none"}
        assert classes <= set(row["pii_classes"].split()) <= set(STRICTNESS[1:]), system
        assert row["holds_pii"] == ("true" if row["pii_classes"] else "false"), system


def test_no_mapped_field_is_stricter_than_its_object():
    with open(PROJECT_ROOT / "seeds/mapping/field_mappings.csv", newline="", encoding="utf-8") as handle:
        mapped = list(csv.DictReader(handle))
    for field in mapped:
        row = OBJECTS[field["source_system"], field["source_object"]]
        assert STRICTNESS.index(field["pii_class"]) <= STRICTNESS.index(row["pii_class"]), field["source_field"]


def test_stakeholders_need_what_exists_and_no_sooner_than_it_is_promised():
    known = models()
    for row in read_seed("inventory/stakeholders"):
        who = f"{row['stakeholder']}: {row['needs']}"
        assert row["source_object"] or row["model"], f"{who} comes from nowhere"
        assert not row["model"] or row["model"] in known, who
        if row["source_object"]:
            expectation = OBJECTS[row["source_system"], row["source_object"]]["latency_expectation_minutes"]
            assert int(row["needed_within_minutes"]) >= int(expectation or 0), who


def test_every_success_metric_is_measured_where_it_says():
    known = models()
    with open(PROJECT_ROOT / "seeds/governance/quality_kpis.csv", newline="", encoding="utf-8") as handle:
        kpis = {row["kpi"]: row for row in csv.DictReader(handle)}
    for row in read_seed("inventory/success_metrics"):
        place = row["measured_by"]
        if place.startswith("c360 "):
            assert place.split()[1] in c360.commands, place
        elif "." in place:
            model, column = place.split(".")
            assert f"- name: {column}\n" in known[model] or f" {column}," in known[model], place
        else:
            assert place == "survey", place
        if row["kpi"]:
            assert row["direction"] == kpis[row["kpi"]]["direction"], row["metric"]
    for kpi in kpis:
        assert f"'{kpi}'" in known["rpt_quality_kpis"], f"nothing measures {kpi}"


# ---------- dbt's sources and the page
def test_owners_and_freshness_of_dbt_sources_are_those_of_the_inventory():
    for source, found in SOURCE_OBJECTS.items():
        text = (PROJECT_ROOT / f"models/staging/raw_{source}.yml").read_text(encoding="utf-8")
        declared = yaml.safe_load(text)["sources"][0]
        assert declared["config"]["meta"]["owner"] == SYSTEMS[source]["owner"]
        assert declared["config"]["loaded_at_query"] == "{{ last_good_landing(this) }}"
        tables = {table["name"]: table for table in declared["tables"]}
        for one in found:
            row = OBJECTS[source, one.name]
            expected = {}
            if row["latency_expectation_minutes"]:
                expected["warn_after"] = {"count": int(row["latency_expectation_minutes"]), "period": "minute"}
            if row["max_data_age_hours"]:
                expected["error_after"] = {"count": int(row["max_data_age_hours"]), "period": "hour"}
            assert tables[one.name].get("config", {}).get("freshness", {}) == expected, f"{source}.{one.name}"


def test_the_freshness_of_runs_is_that_of_the_least_urgent_door():
    text = (PROJECT_ROOT / "models/staging/raw_ingest.yml").read_text(encoding="utf-8")
    declared = yaml.safe_load(text)["sources"][0]
    assert declared["config"]["loaded_at_query"] == "{{ last_good_run() }}"
    runs = next(table for table in declared["tables"] if table["name"] == "runs")["config"]["freshness"]
    door = OBJECTS["spreadsheets", "people"]
    assert runs["warn_after"] == {"count": int(door["latency_expectation_minutes"]), "period": "minute"}
    assert runs["error_after"] == {"count": int(door["max_data_age_hours"]), "period": "hour"}


def test_page_and_seeds_are_equal():
    assert PAGE.read_text(encoding="utf-8") == render(), "run `python -m operate.inventory_page`"


# ---------- measured in a warehouse
RUNS = [  # source_system, source_object, minutes ago, outcome, hours since the newest change
    ("hubspot", "contacts", 15, "ok", 1),  # just in time
    ("hubspot", "deals", 16, "ok", 1),  # a minute too late
    ("hubspot", "companies", 25 * 60 * 24 * 5, "ok", None),  # beyond everything
    ("erp", "invoices", 10, "failed", None),  # never landed, only tried
    ("erp", "products", 60, "ok", 31 * 24),  # landed in time, out of date
    ("desk", "people", 30, "ok", None),  # a spreadsheet without a row
    ("fax", "letters", 5, "ok", 1),  # nobody knows it
]


@pytest.fixture(scope="module")
def measured(module_environment):
    """The environment with RUNS landed and monitoring built; dbt's results of a first freshness check, when there
    was no warehouse yet, and of the tests of monitoring."""
    environment = module_environment
    clock.set_now(environment, support.START)
    empty = freshness_of(environment)
    with support.open_warehouse(environment) as connection:
        for number, (system, name, minutes, outcome, age) in enumerate(RUNS):
            newest = None if age is None else NOW - timedelta(hours=age)
            connection.execute(
                "insert into raw_ingest.runs (run_id, source_system, source_object, started_at, ended_at, rows_served, "
                "rows_landed, rows_unchanged, rows_rejected, rows_deleted, newest_source_at, outcome, _dlt_load_id) "
                "values (?, ?, ?, ?, ?, 1, 1, 0, 0, 0, ?, ?, '1.0')",
                [f"r{number}", system, name, *[NOW - timedelta(minutes=minutes)] * 2, newest, outcome],
            )
        connection.execute("insert into raw_ingest._dlt_loads (load_id, schema_name, status) values ('1.0', 't', 0)")
    selected = ["source_systems", "source_objects", "mon_landing_runs", "mon_source_freshness", "path:tests/monitoring"]
    arguments = ["--indirect-selection", "cautious", "--exclude-resource-type", "unit_test"]
    outcome = support.dbt(environment, "build", "--select", *selected, *arguments)
    assert outcome.success, outcome.exception
    return environment, empty, {result.node.name: result for result in outcome.result.results}


def freshness_of(environment: Environment) -> dict[tuple[str, str], Any]:
    """dbt's own freshness results, per source and table."""
    found = support.dbt(environment, "source", "freshness").result.results
    return {(one.node.source_name, one.node.name): one for one in found if one.node.resource_type == "source"}


def freshness_rows(environment: Environment) -> dict[tuple[str, str], dict]:
    """mon_source_freshness as the report reads it."""
    with support.open_warehouse(environment) as connection:
        found = rows(connection, SOURCES_SQL)
    return {(row["source_system"], row["source_object"]): row for row in found}


def test_every_object_is_measured_by_its_own_expectation(measured):
    found = freshness_rows(measured[0])
    assert set(found) == set(OBJECTS) | {("desk", "people"), ("fax", "letters")}
    late = {key for key, row in found.items() if row["is_late"]}
    stale = {key for key, row in found.items() if row["is_stale"]}
    assert late == {("hubspot", "deals"), ("hubspot", "companies")}
    assert stale == {("hubspot", "companies"), ("erp", "products")}
    assert {key for key, row in found.items() if not row["is_never_landed"]} == {
        *[(system, name) for system, name, _, outcome, _ in RUNS if outcome == "ok"], ("spreadsheets", "people"),
    }  # fmt: skip
    assert found["erp", "invoices"]["is_enabled"] and not found["erp", "stock"]["is_enabled"]
    assert found["desk", "people"]["owner"] == "data-team" and found["desk", "people"]["latency_minutes"] == 30


@pytest.mark.parametrize(
    ("test", "count"),
    [
        ("assert_every_source_is_landed_in_time", 2),
        ("assert_every_source_still_changes", 2),
        ("assert_every_landed_object_is_in_the_inventory", 1),
    ],
)
def test_what_is_beyond_its_expectation_warns_with_a_remedy(measured, test, count):
    environment, _, results = measured
    assert (str(results[test].status), results[test].failures) == ("warn", count)
    assert results[test].node.config.meta["remedy"]
    for row in support.query(environment, f"select owner, remedy from ({support.compiled_sql(environment, test)})"):
        assert row[1] and (row[0] or test.endswith("inventory"))


def test_dbt_source_freshness_agrees_and_passes_where_nothing_was_ever_tried(measured):
    environment, empty, _ = measured
    found = freshness_of(environment)
    assert set(found) == set(empty) == {
        *[(f"raw_{source}", one.name) for source, objects in SOURCE_OBJECTS.items() for one in objects],
        ("raw_ingest", "runs"),
    }  # fmt: skip
    assert {str(one.status) for one in empty.values()} == {"pass"}, "nothing was ever tried"
    assert {key: str(one.status) for key, one in found.items() if str(one.status) != "pass"} == {
        ("raw_hubspot", "deals"): "warn",
        ("raw_hubspot", "companies"): "error",  # not landed for as long as data may be old at all
        ("raw_erp", "invoices"): "error",  # tried in vain only
    }
    assert found["raw_hubspot", "contacts"].age == 15 * 60
    assert found["raw_hubspot", "contacts"].snapshotted_at.replace(tzinfo=None) == NOW, "the project's clock"


def test_the_report_shows_each_source_with_owner_and_verdict(measured):
    found = list(freshness_rows(measured[0]).values())
    page = render_html(Quality("town", datetime.isoformat(NOW), "r", "ok", sources=found))
    table = page[page.index("Each source object against what the inventory expects") :].partition("</table>")[0]
    lines = {line.partition("</td>")[0].rpartition(">")[2]: line for line in table.splitlines() if "<td" in line}
    assert len(lines) == len(found)
    assert "! late and stale" in lines["hubspot companies"] and "crm-operations" in lines["hubspot companies"]
    assert "16 min" in lines["hubspot deals"] and "15 min" in lines["hubspot deals"]
    assert "✓ as expected" in lines["hubspot contacts"] and "✗ never landed" in lines["erp invoices"]
    assert "– never tried" in lines["stripe charges"] and "not in the inventory" in lines["fax letters"]
