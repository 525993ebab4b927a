"""What every pipeline test shares: an environment of its own, and the choice of slow areas.

A test marked `slow("area")` runs only under `make test-slow AREA=area`; all others only under `make test`.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import support
from xdist.scheduler.loadfile import LoadFileScheduling

from operate.build import target_path
from operate.environment import Environment, get_environment

# Two workers on two cores: dbt's further threads would only wait for one another. test_days has them.
os.environ.setdefault("C360_THREADS", "1")
ID_KEY = "a key for tests, so that the same histories mint the same ids"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--area", default=None, help="run the slow proofs of this area and nothing else")


# Tests of one module share what it sets up; these modules also share a town that was built once, or the compiled
# project: each group stays on one worker.
TOGETHER = {
    **dict.fromkeys(("test_explain", "test_operate", "test_publish", "test_faults"), "town"),
    **dict.fromkeys(("test_project", "test_mapping"), "project"),
}


class ByFile(LoadFileScheduling):
    """A file's tests on one worker, and files that share what they set up on the same one."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER.get(Path(nodeid.partition("::")[0]).stem, super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    area = config.getoption("--area")
    kept, dropped = [], []
    for item in items:
        marker = item.get_closest_marker("slow")
        wanted = marker.args[0] == area if marker else area is None
        (kept if wanted else dropped).append(item)
    config.hook.pytest_deselected(items=dropped)
    items[:] = kept


@pytest.fixture(scope="session")
def var_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One `var/` for the whole session."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture
def environment(var_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An empty environment called `trial`, with a fixed id key."""
    return _empty_environment("trial", var_folder, monkeypatch)


@pytest.fixture
def other_environment(var_folder: Path, environment: Environment) -> Environment:
    """A second empty environment, beside `environment`, to compare with."""
    return _emptied(get_environment("whole"))


@pytest.fixture(scope="module")
def module_environment(var_folder: Path):
    """Like `environment`, one for all tests of a module."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield _empty_environment("town", var_folder, monkeypatch)


@dataclass(frozen=True)
class CompiledProject:
    """dbt's manifest with every model compiled, and the columns of each table and view that they stand on."""

    manifest: dict
    columns: dict[str, dict[str, str]]  # schema.name -> column -> type

    @property
    def models(self) -> dict[str, dict]:
        """Every model's node by its name."""
        return {node["name"]: node for node in self.manifest["nodes"].values() if node["resource_type"] == "model"}


@pytest.fixture(scope="session")
def compiled_project(var_folder: Path) -> CompiledProject:
    """The whole project, built on nothing landed and compiled; once per process."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        environment = _empty_environment("town", var_folder, monkeypatch)
        support.begin(environment)
        assert support.dbt(environment, "compile", "--select", "resource_type:model").success
        manifest = json.loads((target_path(environment) / "manifest.json").read_text(encoding="utf-8"))
        columns: dict[str, dict[str, str]] = {}
        for table, column, its_type in support.query(
            environment,
            "select concat(table_schema, '.', table_name), column_name, data_type from information_schema.columns "
            "order by table_schema, table_name, ordinal_position",
        ):
            columns.setdefault(table, {})[column] = its_type
    return CompiledProject(manifest, columns)


def _empty_environment(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv("C360_VAR", str(folder))
    monkeypatch.setenv("C360_ENV", name)
    monkeypatch.setenv("C360_ID_KEY", ID_KEY)
    return _emptied(get_environment(name))


def _emptied(environment: Environment) -> Environment:
    """Delete all state but what dbt parsed, which belongs to the project and not to the data."""
    if environment.folder.exists():
        for path in environment.folder.iterdir():
            if path == environment.logs:
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return environment.create()
