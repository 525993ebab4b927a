"""`c360 report`: how the last build and landing went, as one HTML page, JUnit XML and JSON.

`quality.html` is one file that asks nothing of the network; `junit.xml` has one suite per layer;
`quality.json` holds all of it for programs. All three are replaced in one step each.
"""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from operate import clock
from operate.build import LAYERS, BuildResult, NodeResult, layer_of, target_path
from operate.environment import PROJECT_ROOT, Environment
from operate.errors import UserError
from operate.published import rows
from operate.report_html import render_html
from operate.warehouse import open_warehouse, table_exists

LANDING_SQL = """
select source_system, source_object, outcome, rows_served, rows_landed, rows_unchanged, rows_rejected, rows_deleted,
    ended_at, newest_source_at, error
from monitoring.mon_landing_runs
qualify row_number() over (partition by source_system, source_object order by load_id desc, started_at desc, run_id) = 1
order by source_system, source_object
"""
SOURCES_SQL = """
select source_system, source_object, owner, last_landed_at, latency_minutes, latency_expectation_minutes,
    data_age_hours, max_data_age_hours, is_enabled, is_never_landed, is_late, is_stale
from monitoring.mon_source_freshness
order by is_never_landed, source_system, source_object
"""
DRIFT_SQL = """
select source_system, source_object, field_name, field_type, standing, last_change, note, changed_at
from monitoring.mon_source_fields where is_drift
order by last_change = 'first', changed_at desc, source_system, source_object, field_name
"""
RECORD_QUALITY_SQL = """
select model, records, records_in_error, records_flagged
from monitoring.mon_record_quality where records > 0
order by 1.0 * records_in_error / records desc, model
"""
PARSING_SQL = """
select dictionary, count(*) as parsed_values, count(changed_at) as changed_values, max(changed_at) as last_changed_at,
    max_by(parsed_by, changed_at) as parsed_by, max_by(parsed_by_before, changed_at) as parsed_by_before
from monitoring.mon_dictionary_changes group by dictionary order by dictionary
"""
CUSTOMERS_SQL = """
select count(*) as customers, sum(record_count) as records, max(record_count) as largest_customer_records,
    count(*) filter (source_count > 1) as customers_in_several_systems,
    round(avg(quality_score), 1) as mean_completeness
from customer_360.customer_360
"""
EVENTS_SQL = "select event, count(*) as events from identity_resolved.idr_match_events where run_id = ? group by all"


@dataclass
class Quality:
    """What the report says. `outcome` is ok or failed; `nodes` are asdict(NodeResult)."""

    environment: str
    created_at: str
    run_id: str
    outcome: str
    nodes: list[dict[str, Any]] = field(default_factory=list)
    layers: list[dict[str, Any]] = field(default_factory=list)
    landing: list[dict[str, Any]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    drift: list[dict[str, Any]] = field(default_factory=list)
    kpis: list[dict[str, Any]] = field(default_factory=list)
    record_quality: list[dict[str, Any]] = field(default_factory=list)
    parsing: list[dict[str, Any]] = field(default_factory=list)
    customers: dict[str, Any] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    published: dict[str, Any] = field(default_factory=dict)

    @property
    def breached(self) -> list[dict[str, Any]]:
        return [kpi for kpi in self.kpis if kpi["is_breached"]]


def write_report(environment: Environment, build: BuildResult | None = None) -> Quality:
    """Write the three files into `reports/` and return what they say.

    The results are those of `build`, else of the newest run in mon_dbt_results. Raises UserError when
    there is neither.
    """
    quality = collect(environment, build)
    environment.reports.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(quality), indent=2, default=str, sort_keys=False)
    _replace(environment.reports / "quality.json", text + "\n")
    _replace(environment.reports / "junit.xml", junit_xml(quality))
    _replace(environment.reports / "quality.html", render_html(quality))
    return quality


def collect(environment: Environment, build: BuildResult | None = None) -> Quality:
    """Gather the report's facts. A build that failed early leaves tables out: then their part stays empty."""
    with open_warehouse(environment) as warehouse:
        if build is None:
            build = _last_build(environment, warehouse)
        quality = Quality(
            environment=environment.name,
            created_at=clock.now(environment).isoformat(timespec="seconds"),
            run_id=build.invocation_id,
            outcome="ok" if build.is_clean else "failed",
            nodes=[asdict(node) for node in build.nodes],
            layers=list(_by_layer(build)),
        )
        quality.landing = _ask(warehouse, "monitoring.mon_landing_runs", LANDING_SQL)
        quality.sources = _ask(warehouse, "monitoring.mon_source_freshness", SOURCES_SQL)
        quality.drift = _ask(warehouse, "monitoring.mon_source_fields", DRIFT_SQL)
        quality.kpis = _ask(
            warehouse, "monitoring.rpt_quality_kpis", "select * from monitoring.rpt_quality_kpis order by kpi"
        )
        quality.record_quality = _ask(warehouse, "monitoring.mon_record_quality", RECORD_QUALITY_SQL)
        quality.parsing = _ask(warehouse, "monitoring.mon_dictionary_changes", PARSING_SQL)
        quality.customers = next(iter(_ask(warehouse, "customer_360.customer_360", CUSTOMERS_SQL)), {})
        events = _ask(warehouse, "identity_resolved.idr_match_events", EVENTS_SQL, [build.invocation_id])
        quality.events = {row["event"]: row["events"] for row in events}
    manifest = environment.published / "manifest.json"
    if manifest.exists():
        known = json.loads(manifest.read_text(encoding="utf-8"))
        quality.published = {key: known[key] for key in ("version", "run_id", "created_at")}
    return quality


def _ask(warehouse: duckdb.DuckDBPyConnection, table: str, sql: str, parameters: Any = None) -> list[dict[str, Any]]:
    """The rows of a query, none when its table or something below it does not stand (yet)."""
    if not table_exists(warehouse, *table.split(".")):
        return []
    try:
        return rows(warehouse, sql, parameters)
    except (duckdb.CatalogException, duckdb.BinderException):
        return []  # a view over a table that the failed build did not make


def _last_build(environment: Environment, warehouse: duckdb.DuckDBPyConnection) -> BuildResult:
    if not table_exists(warehouse, "monitoring", "mon_dbt_results"):
        raise UserError(f"nothing was built in environment {environment.name!r} yet: run `c360 run` first")
    found = rows(
        warehouse,
        "select * from monitoring.mon_dbt_results where run_id = "
        "(select max_by(run_id, rowid) from monitoring.mon_dbt_results) order by node_id",
    )
    if not found:
        raise UserError(f"no build of environment {environment.name!r} has results yet: run `c360 run` first")
    known = _known_nodes(environment)
    nodes = [_node_result(row, known.get(row["node_id"], {})) for row in found]
    return BuildResult(found[0]["run_id"], [node for node in nodes if node.counts])


def _known_nodes(environment: Environment) -> dict[str, dict[str, Any]]:
    """dbt's own description of each node, from the newest manifest there is."""
    candidates = [target_path(environment) / "manifest.json", PROJECT_ROOT / "target" / "manifest.json"]
    present = [path for path in candidates if path.exists()]
    if not present:
        return {}
    manifest = json.loads(max(present, key=lambda path: path.stat().st_mtime).read_text(encoding="utf-8"))
    return manifest["nodes"] | manifest.get("unit_tests", {})


def _node_result(row: dict[str, Any], known: dict[str, Any]) -> NodeResult:
    return NodeResult(
        node_id=row["node_id"],
        name=row["node_name"],
        kind=row["resource_type"],
        layer=layer_of(known.get("original_file_path", "")),
        status=row["status"],
        message=" ".join((row["message"] or "").split()),
        failures=row["failures"],
        seconds=round(row["seconds"] or 0.0, 3),
        description=" ".join((known.get("description") or "").split()),
        remedy=(known.get("config", {}).get("meta") or {}).get("remedy", ""),
    )


def _by_layer(build: BuildResult) -> Iterator[dict[str, Any]]:
    for layer in (*LAYERS, "other"):
        nodes = [node for node in build.nodes if node.layer == layer]
        if not nodes:
            continue
        tests = [node for node in nodes if node.is_test]
        yield {
            "layer": layer,
            "models": sum(node.kind in ("model", "seed") for node in nodes),
            "models_failed": sum(node.is_bad for node in nodes if not node.is_test),
            "tests": len(tests),
            "passed": sum(node.status in ("pass", "success") for node in tests),
            "warned": sum(node.status == "warn" for node in tests),
            "failed": sum(node.is_bad for node in tests),
            "skipped": sum(node.status == "skipped" for node in nodes),
            "seconds": round(sum(node.seconds for node in nodes), 1),
        }


def junit_xml(quality: Quality) -> str:
    """One suite per layer with every test, and every other node that failed or was skipped."""
    root = ElementTree.Element("testsuites", name=f"customer_360 {quality.environment}")
    for layer in quality.layers:
        nodes = [
            node
            for node in quality.nodes
            if node["layer"] == layer["layer"]
            and (node["kind"] in ("test", "unit_test") or node["status"] not in ("success", "pass", "no-op"))
        ]
        suite = ElementTree.SubElement(root, "testsuite", name=layer["layer"], timestamp=quality.created_at)
        counts = {"failure": 0, "error": 0, "skipped": 0}
        for node in nodes:
            outcome = _junit_case(suite, node)
            counts[outcome] = counts.get(outcome, 0) + 1
        suite.set("tests", str(len(nodes)))
        suite.set("failures", str(counts["failure"]))
        suite.set("errors", str(counts["error"]))
        suite.set("skipped", str(counts["skipped"]))
        suite.set("time", f"{sum(node['seconds'] for node in nodes):.3f}")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _junit_case(suite: ElementTree.Element, node: dict[str, Any]) -> str:
    case = ElementTree.SubElement(
        suite, "testcase", name=_printable(node["name"]), classname=f"{node['layer']}.{node['kind']}",
        time=f"{node['seconds']:.3f}",
    )  # fmt: skip
    status, message = node["status"], _printable(node["message"])
    if status == "skipped":
        ElementTree.SubElement(case, "skipped", message=message or "something before it failed")
        return "skipped"
    if status in ("pass", "success", "warn", "no-op"):
        if status == "warn":
            ElementTree.SubElement(case, "system-out").text = f"warning: {message}"
        return "ok"
    outcome = "failure" if status == "fail" else "error"
    told = ElementTree.SubElement(case, outcome, message=message or status)
    told.text = _printable("\n".join(filter(None, (node["description"], node["remedy"]))))
    return outcome


def _printable(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(character for character in text if character >= " " or character in "\n\t")


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
