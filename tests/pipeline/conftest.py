"""What every pipeline test shares: an environment of its own, and the choice of slow areas.

A test marked `slow("area")` runs only under `make test-slow AREA=area`; all others only under `make test`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from operate.environment import Environment, get_environment

ID_KEY = "a key for tests, so that the same histories mint the same ids"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--area", default=None, help="run the slow proofs of this area and nothing else")


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
    """One `var/` for the whole session: dbt parses the project once per environment name, not per test."""
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
