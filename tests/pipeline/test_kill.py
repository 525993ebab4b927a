"""kill -9 between every pair of models and at random instants of a whole run; a plain re-run must heal all of it."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import support

from operate.environment import Environment, get_environment

LEDGER = ("idr_crosswalk_history", "idr_customer_ids", "idr_match_events", "customer_360_history")
HOOKS = ("on-run-end.0", "on-run-end.1")  # promotion, then the record of results


def build_and_die(folder: str, environment_name: str, fatal_node: str) -> None:
    """In a process of its own: build, one node at a time, and die by SIGKILL once `fatal_node` is finished."""
    os.environ["C360_VAR"] = folder
    environment = get_environment(environment_name).activate()
    from dbt.cli.main import dbtRunner

    from operate.build import arguments_for

    def die(event) -> None:
        # A hook is no node to dbt's events: it tells of its end in a line of its own.
        is_node = event.info.name == "NodeFinished" and event.data.node_info.node_name == fatal_node
        is_hook = event.info.name == "LogHookEndLine" and fatal_node in event.data.statement
        if is_node or is_hook:
            os.kill(os.getpid(), signal.SIGKILL)

    dbtRunner(callbacks=[die]).invoke(
        ["build", "--threads", "1", "--exclude-resource-type", "unit_test", "test", *arguments_for(environment)]
    )


def state(environment: Environment) -> dict[str, list[tuple]]:
    """All contents, ids included; the ledger too, since its volatile columns are left out."""
    found = support.contents(environment)
    assert all(any(table.endswith(name) for table in found) for name in LEDGER)
    return found


def restore(environment: Environment, snapshot: Path) -> None:
    for name in ("warehouse.duckdb", "warehouse.duckdb.wal"):
        (environment.folder / name).unlink(missing_ok=True)
        if (snapshot / name).exists():
            shutil.copy2(snapshot / name, environment.folder / name)


@pytest.fixture(scope="module")
def changed_town(module_environment, tmp_path_factory):
    """A built town with a day of landed, not yet built changes; what an uninterrupted build makes of it."""
    environment = module_environment
    support.begin(environment)
    chance = random.Random("kill")
    rows = [support.random_person(chance, f"{number:04}") for number in range(50)]
    support.land_people(environment, rows, load=1)
    support.build(environment, whole=True)
    changes = [{**rows[number], **support.random_person(chance, rows[number]["source_id"])} for number in range(12)]
    changes += [{**rows[number], "is_deleted": True} for number in range(12, 16)]
    changes += [support.random_person(chance, f"{number:04}") for number in range(50, 56)]
    support.land_people(environment, changes, load=2)
    snapshot = tmp_path_factory.mktemp("snapshot")
    shutil.copy2(environment.warehouse, snapshot)
    support.build(environment, whole=True)
    return environment, snapshot, state(environment)


def nodes_of_a_build(environment: Environment) -> list[str]:
    models = support.dbt(environment, "ls", "--resource-type", "model", "--output", "name").result
    return [*models, *HOOKS]


def kill_after(node: str, changed_town) -> None:
    environment, snapshot, uninterrupted = changed_town
    restore(environment, snapshot)
    child = multiprocessing.get_context("forkserver").Process(
        target=build_and_die, args=(str(environment.folder.parent), environment.name, node)
    )
    child.start()
    child.join(300)
    assert child.exitcode == -signal.SIGKILL, f"the build was not killed after {node}: {child.exitcode}"
    support.build(environment, whole=True)
    assert not support.differences(uninterrupted, state(environment)), f"killed after {node}"


@pytest.mark.parametrize("node", ["on-run-end.0"])
def test_kill_after_a_model_then_a_plain_rerun(changed_town, node):
    kill_after(node, changed_town)


@pytest.mark.slow("protocol")
def test_kill_between_every_pair_of_models_then_a_plain_rerun(changed_town):
    nodes = nodes_of_a_build(changed_town[0])
    assert len(nodes) > 45
    for node in nodes:
        kill_after(node, changed_town)


# ---- a whole run, landing from the emulators to publishing


def c360(folder: Path, *arguments: str, wait: bool = True) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-m", "operate.cli", *arguments],
        env={**os.environ, "C360_VAR": str(folder), "C360_ENV": "sandbox"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    if wait:
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0, output
    return process


@pytest.mark.slow("protocol")
def test_kill_at_twenty_random_instants_of_a_run_then_a_plain_rerun(tmp_path, monkeypatch):
    monkeypatch.setenv("C360_ID_KEY", "the same ids, however the run ends")
    monkeypatch.setenv("C360_VAR", str(tmp_path / "var"))
    c360(tmp_path / "var", "sandbox", "start", "--detach", "--people", "150", "--seed", "7")
    c360(tmp_path / "var", "sandbox", "stop")
    c360(tmp_path / "var", "run")
    c360(tmp_path / "var", "sandbox", "tick")
    c360(tmp_path / "var", "sandbox", "stop")
    environment = get_environment("sandbox")
    shutil.copytree(tmp_path / "var", tmp_path / "snapshot", symlinks=True)

    begun = time.monotonic()
    c360(tmp_path / "var", "run")
    whole_run = time.monotonic() - begun
    uninterrupted = state(environment)

    chance = random.Random("instants")
    killed = 0
    for instant in range(20):
        shutil.rmtree(tmp_path / "var")
        shutil.copytree(tmp_path / "snapshot", tmp_path / "var", symlinks=True)
        process = c360(tmp_path / "var", "run", wait=False)
        # Start-up is the same at every instant; what matters happens after it.
        time.sleep(whole_run * chance.uniform(0.15, 0.98))
        process.kill()
        process.communicate(timeout=60)
        killed += process.returncode == -signal.SIGKILL
        c360(tmp_path / "var", "run")
        assert not support.differences(uninterrupted, state(environment)), f"instant {instant}"
        published = get_environment("sandbox").published
        assert (published / "steward.duckdb").exists() and not list(published.rglob("*.partial"))
    assert killed >= 15, "too many runs ended before they were killed"
