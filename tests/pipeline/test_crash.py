"""kill -9 at any instant of a landing run, then a plain run: the warehouse ends as if nothing had happened.

A run of one source is killed after each of the steps that change something on the disk, and at instants in between,
spread over its reading (extract), dlt's extract, normalize and load, and what settles the facts. Then it is run again,
and again:

    the second run ends like a run that was never killed: 0 differences in tables, merges, deletions, fields, rejects
    the third run lands nothing, so no note beside the warehouse ran ahead of it or was lost
    the books of all runs balance, and nothing waits in the spool

Started as a program, this file is the process that kills; each source is a test of its own, so that a long proof that
was stopped goes on with `-k`. Each kill is made on a copy of one environment.
"""

from __future__ import annotations

import json
import mmap
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fixtures_landing import (
    books_balance,
    copy_inbox,
    environment_fixture,  # noqa: F401 (a fixture)
    final_state,
    good,
    query,
    tick,
    world_fixture,  # noqa: F401 (a fixture)
)

from ingest import facts, reconcile, rest, stripe
from ingest import run as landing_run
from operate.environment import Environment, get_environment

CORES = 2
PHASES = ("begin", "read", "extract", "normalize", "load", "settle")


# -------------------------------------------------------------------- the tests


@pytest.mark.parametrize(
    ("source", "every", "instants"),
    [
        ("hubspot", 6, 4),
        *(
            pytest.param(source, 1, 30, marks=[pytest.mark.slow("landing"), pytest.mark.timeout(3000)])
            for source in ("salesforce", "hubspot", "stripe", "erp", "spreadsheets")
        ),
    ],
)
def test_a_run_killed_at_any_instant_and_run_again_ends_like_one_that_was_not(
    world, environment, tmp_path, source, every, instants
):
    """The killed run lands changes, merges, deletions and rejects; in the long proof also the first run of all."""
    is_quick = every > 1
    copy_inbox(world, environment)
    if not is_quick:
        check(kill(environment, tmp_path / "first", source, every=4, instants=10), 10)
    good(environment, source)
    tick(world, environment)
    copy_inbox(world, environment)
    with open(environment.inbox / "event_signups.csv", "a", encoding="utf-8") as handle:
        handle.write(",nobody" + "," * 9 + "\n")  # a reject
    killed = kill(environment, tmp_path / "changes", source, every, instants)
    phases = check(killed, instants // 2)
    steps = {what["kill"].partition(" ")[2] for what in killed if what["kill"].startswith("after")}
    assert "DuckDbCopyJob.run" in steps, "killed between the insert of a job and its mark"
    if not is_quick:
        hit = phases["read"] + phases["extract"], phases["normalize"], phases["load"]
        assert all(hit) and sum(hit) >= 20, phases


def kill(environment: Environment, copies: Path, source: str, every: int, instants: int) -> list[dict[str, Any]]:
    """Run the program on all cores; returns what it says of each kill."""
    program = [sys.executable, __file__, "kill", str(environment.folder), str(copies), source, str(every)]
    children = [
        subprocess.Popen([*program, str(instants), str(core)], stdout=subprocess.PIPE, text=True)
        for core in range(CORES)
    ]
    said = [child.communicate(timeout=2400)[0] for child in children]
    assert [child.returncode for child in children] == [0] * CORES
    return [json.loads(line) for text in said for line in text.splitlines()]


def check(killed: list[dict[str, Any]], least: int) -> Counter:
    """Every kill left nothing behind; returns how many fell into each phase."""
    assert len(killed) >= least
    for what in killed:
        assert what["problems"] == [], what
    phases = Counter(what["phase"] for what in killed)
    print(f"{len(killed)} kills: {dict(phases)}")
    return phases


def test_no_space_for_the_warehouse_is_said_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setenv("C360_VAR", str(tmp_path))
    environment = get_environment("trial").create()
    rows = "".join(f"{number},Name {number},{'x' * 200}{number}\n" for number in range(20_000))
    (environment.inbox / "big.csv").write_text(f"No,Name,Mail\n{rows}", encoding="utf-8")
    text = "{source_system: big, key: No, columns: {Name: full_name, Mail: email}}"
    (environment.inbox / "big.yml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, __file__, "no-space", "2000000"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert f"no space for the warehouse at {environment.warehouse}" in done.stdout
    good(environment)
    assert query(environment, "select count(*), count(distinct source_id) from raw_spreadsheets.people") == [
        (20_000, 20_000)
    ]
    books_balance(environment)


# -------------------------------------------------------------------- the process that kills


class Progress:
    """What a run tells the process that will kill it: how many phases it began, and which one it is in."""

    def __init__(self) -> None:
        self.shared = mmap.mmap(-1, 8)  # both sides of a fork see it, and it outlives a kill
        self.timeline: list[tuple[float, int]] = []
        self.steps: list[str] = []

    @property
    def count(self) -> int:
        return self.shared[0]

    @property
    def phase(self) -> str:
        return PHASES[self.shared[1]]

    def enter(self, phase: str) -> None:
        number = PHASES.index(phase)
        self.timeline.append((time.perf_counter(), number))
        self.shared[0:2] = bytes((self.count + 1, number))

    def watch(self, source: str, die_after: int = 0) -> None:
        """Tell of every phase of the run that follows in this process; kill it after its `die_after`-th step."""
        from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob
        from dlt.pipeline.pipeline import Pipeline

        def wrap(owner: Any, name: str, phase: str | None, is_step: bool) -> None:
            original = getattr(owner, name)

            def wrapped(*arguments: Any, **named: Any) -> Any:
                if phase:
                    self.enter(phase)
                result = original(*arguments, **named)
                if is_step:
                    self.step(f"{owner.__name__}.{name}", die_after)
                if phase:
                    self.enter("settle")
                return result

            setattr(owner, name, wrapped)

        wrap(landing_run.READERS[source], "read", "read", is_step=False)
        for name in ("extract", "normalize", "load"):
            wrap(Pipeline, name, name, is_step=True)
        wrap(DuckDbCopyJob, "run", None, is_step=True)  # inserted, but not marked as inserted
        for name in ("write", "commit", "flush"):
            wrap(facts.Spool, name, None, is_step=True)
        wrap(reconcile.Reconciled, "note", None, is_step=True)
        wrap(stripe.Note, "write", None, is_step=True)
        remove = shutil.rmtree

        def half_removed(path: Any, *arguments: Any, **named: Any) -> None:
            for state in list(Path(path).glob("*.json"))[:1]:
                state.unlink()
                self.step("rmtree, half done", die_after)
            remove(path, *arguments, **named)

        shutil.rmtree = half_removed

    def step(self, name: str, die_after: int) -> None:
        """Something on the disk has changed: end here, if this is the step to end after."""
        self.steps.append(name)
        if len(self.steps) == die_after:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Kill:
    """When a run is killed: after its n-th step, or `seconds` into the n-th phase."""

    name: str
    step: int = 0
    phase: int = 0
    seconds: float = 0.0


def in_fork(act: Callable[[], Any]) -> Any:
    """What `act` gives in a process of its own. Nothing is open here: a fork is a fresh process, at once."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with os.fdopen(writer, "wb") as pipe:
                pickle.dump(act(), pipe)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError("the run in a fork failed")
    return pickle.loads(answer)


def plain_run(environment: Environment, source: str) -> landing_run.LandingResult:
    return landing_run.run(environment, [source], lambda line: None)


def measured_run(environment: Environment, source: str) -> tuple[list[str], list[tuple[float, int]], dict]:
    """An unkilled run: its steps, its phases as (seconds it took, phase), and the state it leaves."""
    progress = Progress()
    progress.watch(source)
    progress.enter("begin")
    assert not plain_run(environment, source).failures
    ends = [moment for moment, _ in progress.timeline[1:]] + [time.perf_counter()]
    phases = [(end - moment, number) for end, (moment, number) in zip(ends, progress.timeline, strict=True)]
    return progress.steps, phases, final_state(environment)


def killed_run(environment: Environment, source: str, kill: Kill) -> tuple[bool, str]:
    """Run and kill; whether it was killed before its end, and the phase it was in."""
    progress = Progress()
    child = os.fork()
    if child == 0:
        progress.watch(source, kill.step)
        progress.enter("begin")
        plain_run(environment, source)
        os._exit(0)
    if not kill.step:
        while progress.count < kill.phase and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            time.sleep(0.0002)
        time.sleep(kill.seconds)
        os.kill(child, signal.SIGKILL)  # not reaped yet: the id is still ours
    status = os.waitpid(child, 0)[1]
    return os.WIFSIGNALED(status), progress.phase


def problems_after(environment: Environment, source: str, expected: dict[str, list]) -> list[str]:
    """Run twice more, and say what differs from an environment that was never killed."""
    problems = [f"the second run failed: {item.error}" for item in plain_run(environment, source).failures]
    state = final_state(environment)
    for name in sorted(expected.keys() | state.keys()):
        there, wanted = Counter(state.get(name, [])), Counter(expected.get(name, []))
        if there != wanted:
            problems.append(f"{name}: {list((there - wanted).items())[:2]}, not {list((wanted - there).items())[:2]}")
    again = plain_run(environment, source)
    if again.landed or again.failures:
        problems.append(f"the third run landed {again.landed} rows, {len(again.failures)} objects failed")
    try:
        books_balance(environment)
    except AssertionError as error:
        problems.append(f"the books do not balance: {error}")
    waiting = [path.name for path in (environment.dlt / "spool").iterdir()]
    return [*problems, *(f"{name} waits in the spool" for name in waiting)]


def kills_of(source: str, steps: list[str], phases: list[tuple[float, int]], every: int, instants: int) -> list[Kill]:
    """After every `every`-th step, and between the insert of a job and its mark; and at instants, half of them anywhere
    in the run, half in each phase in turn."""
    inserted = steps.index("DuckDbCopyJob.run") + 1
    chosen = [
        Kill(f"after {name}", step=number)
        for number, name in enumerate(steps, 1)
        if number % every == 0 or number == inserted
    ]
    chance = random.Random(f"{source} {instants}")
    whole = sum(seconds for seconds, _ in phases)
    # Settling before the first phase and behind the last is as long as it is; the phases are what is worth a turn.
    turns = [place for place, (_, number) in enumerate(phases) if PHASES[number] not in ("begin", "settle")]
    for number in range(instants):
        if number % 2:
            place = turns[number // 2 % len(turns)]
            within = chance.random() * phases[place][0]
        else:
            within, place = chance.random() * whole, 0
            while within > phases[place][0] and place + 1 < len(phases):
                within -= phases[place][0]
                place += 1
        chosen.append(Kill(f"instant {number}: {within:.4f} s into phase {place}", phase=place + 1, seconds=within))
    return chosen


def kill_all(original: Path, copies: Path, source: str, every: int, instants: int, core: int) -> None:
    """Every kill of this core, each on a copy of its own; one JSON line each."""
    rest.BACKOFF_SECONDS = 0.01

    def copied(name: str) -> Environment:
        folder = copies / f"{core}-{name}"
        shutil.copytree(original, folder / "sandbox")
        return Environment("sandbox", folder / "sandbox")

    never_killed = copied("whole")
    steps, phases, expected = in_fork(lambda: measured_run(never_killed, source))
    for number, kill in enumerate(kills_of(source, steps, phases, every, instants)):
        if number % CORES != core:
            continue
        environment = copied(f"{number:03d}")
        was_killed, phase = killed_run(environment, source, kill)
        problems = in_fork(lambda copy=environment: problems_after(copy, source, expected))
        told = {"kill": kill.name, "phase": phase if was_killed else "ended", "problems": problems}
        print(json.dumps(told, default=str), flush=True)
        if not problems:
            shutil.rmtree(environment.folder.parent)


def with_no_space(limit: int) -> int:
    """A run that may write no file beyond `limit` bytes."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return 1 if landing_run.run(get_environment("trial")).failures else 0


if __name__ == "__main__":
    task, *rest_of_line = sys.argv[1:]
    if task == "no-space":
        sys.exit(with_no_space(int(rest_of_line[0])))
    original, copies, source, *numbers = rest_of_line
    kill_all(Path(original), Path(copies), source, *map(int, numbers))
