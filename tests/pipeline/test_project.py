"""The project's own conventions, read from its manifest and its files: what a reader relies on, checked."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import sqlglot

from operate.environment import PROJECT_ROOT

LAYERS = ("staging", "cleaned", "identity_resolved", "customer_360", "monitoring")
CLOCK_READERS = {"operate/clock.py", "operate/lock.py"}


@pytest.fixture(scope="module")
def manifest(compiled_project) -> dict:
    return compiled_project.manifest


@pytest.fixture(scope="module")
def models(compiled_project) -> dict[str, dict]:
    assert len(compiled_project.models) > 90
    return compiled_project.models


@pytest.fixture(scope="module")
def key_tests(manifest) -> set[str]:
    """Models that have a uniqueness test of some kind."""
    unique = set()
    for node in manifest["nodes"].values():
        kind = (node.get("test_metadata") or {}).get("name")
        if kind in ("primary_key", "unique_combination"):
            unique.add(node["attached_node"].split(".")[-1])
    return unique


@pytest.mark.parametrize("dialect", ["duckdb", "spark"])
def test_every_compiled_model_parses(models, dialect):
    for name, node in models.items():
        assert node["compiled_code"], name
        statements = sqlglot.parse(node["compiled_code"], dialect=dialect)
        assert len(statements) == 1, name
        assert not list(statements[0].find_all(sqlglot.exp.Command)), f"{name} is opaque to {dialect}"


def test_no_line_of_sql_is_longer_than_a_screen():
    for folder in ("models", "macros", "tests"):
        for path in (PROJECT_ROOT / folder).rglob("*.sql"):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                assert len(line) <= 120, f"{path.relative_to(PROJECT_ROOT)}, line {number}: {len(line)} characters"


def test_no_model_uses_what_spark_cannot_parse(models):
    for name, node in models.items():
        text = re.sub(r"--.*", "", node["compiled_code"]).lower()
        assert not re.search(r"\bqualify\b|\bgroup by all\b|\bexclude\b|::", text), name


def test_every_model_states_grain_description_owner_and_key_test(models, key_tests):
    for name, node in models.items():
        meta = node["config"]["meta"]
        assert meta.get("grain"), f"{name} has no grain"
        assert meta.get("owner"), f"{name} has no owner"
        assert "Grain: one row per" in node["description"], f"{name} does not describe its grain"
        assert name in key_tests, f"{name} has no test of its key"


def test_every_customer_360_column_is_contracted_and_described(models):
    for name, node in models.items():
        if node["schema"] == "customer_360":
            assert node["contract"]["enforced"], name
            for column in node["columns"].values():
                assert column["description"], f"{name}.{column['name']} is not described"


def test_every_model_lies_in_a_layer_with_its_property_file(models):
    for name, node in models.items():
        path = PROJECT_ROOT / node["original_file_path"]
        assert path.parent.name in LAYERS and path.parent.name == node["schema"], name
        assert path.with_suffix(".yml").exists(), f"{name} has no property file beside it"


def test_no_file_is_too_long(models):
    for name, node in models.items():
        lines = len((PROJECT_ROOT / node["original_file_path"]).read_text(encoding="utf-8").splitlines())
        assert lines <= 200, f"{name} has {lines} lines"


def test_no_model_looks_at_the_warehouse_while_compiling(models):
    for name, node in models.items():
        assert not re.search(r"run_query|get_columns_in_relation|load_result", node["raw_code"]), name


@pytest.mark.parametrize("page", ["README.md", "models/README.md"])
def test_the_list_of_models_is_complete_and_in_flow_order(manifest, models, page):
    listed = re.findall(r"^\| `(\w+)` \|", (PROJECT_ROOT / page).read_text(encoding="utf-8"), re.M)
    listed = [name for name in listed if name in models]
    repeated = sorted({name for name in listed if listed.count(name) > 1})
    assert sorted(listed) == sorted(models), f"{page} lacks {sorted(set(models) - set(listed))}, repeats {repeated}"
    place = {name: number for number, name in enumerate(listed)}
    for name, node in models.items():
        for parent in node["depends_on"]["nodes"]:
            parent_name = parent.split(".")[-1]
            if parent_name in place:
                assert place[parent_name] < place[name], f"{page} lists {name} before {parent_name}, which it reads"


def python_files() -> list[Path]:
    folders = ("ingest", "operate", "sandbox", "udfs")
    found = [path for folder in folders for path in sorted((PROJECT_ROOT / folder).rglob("*.py"))]
    assert len(found) > 30
    return found


def test_nothing_but_the_clock_reads_the_clock():
    reading = re.compile(r"datetime\.(?:now|utcnow|today)\(|date\.today\(|time\.time\(")
    for path in python_files():
        name = path.relative_to(PROJECT_ROOT).as_posix()
        if name not in CLOCK_READERS:
            assert not reading.search(path.read_text(encoding="utf-8")), f"{name} asks the machine for the time"
    for folder in ("models", "macros", "tests"):
        for path in (PROJECT_ROOT / folder).rglob("*.sql"):
            text = path.read_text(encoding="utf-8").lower()
            assert not re.search(r"\bnow\(\)|current_timestamp|current_date|modules\.datetime", text), path.name


def test_no_code_branches_on_the_name_of_an_environment():
    branching = re.compile(r"""(?:environment|env)(?:\.name|_name)?\s*(?:==|!=|\bin\b)\s*[\[({]?\s*["']""")
    for path in python_files():
        found = branching.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path.name} branches on an environment's name: {found and found.group()}"
    for folder in ("models", "macros"):
        for path in (PROJECT_ROOT / folder).rglob("*.sql"):
            assert "C360_ENV" not in path.read_text(encoding="utf-8"), path.name


def test_every_rule_in_the_mapping_seed_is_implemented():
    lineage = (PROJECT_ROOT / "models/customer_360/customer_field_lineage.sql").read_text(encoding="utf-8")
    macros = "".join(path.read_text(encoding="utf-8") for path in (PROJECT_ROOT / "macros").rglob("*.sql"))
    with open(PROJECT_ROOT / "seeds/mapping/field_mappings.csv", newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows:
        rule = row["survivorship_rule"]
        assert not rule or rule == "most_recent" or f"'{rule}'" in lineage, f"nothing implements {rule}"
        cleaning = row["cleaning_rule"]
        assert cleaning == "none" or f"{cleaning}(" in macros + "".join(
            path.read_text(encoding="utf-8") for path in (PROJECT_ROOT / "udfs").glob("*.py")
        ), f"nothing implements {cleaning}"


def test_the_lock_holds_hashes_and_no_addresses():
    lock = (PROJECT_ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "--hash=sha256:" in lock
    assert not re.search(r"https?://|--index|--find-links|file:", lock)


def test_every_dependency_is_explained():
    explained = (PROJECT_ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    text = (PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name in re.findall(r'^    "([A-Za-z0-9_-]+)(?:\[[a-z]+\])?[<>=]', text, re.M):
        assert f"| {name} |" in explained, f"docs/dependencies.md does not say why {name} is here"
