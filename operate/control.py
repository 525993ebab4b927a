"""The run log and the heartbeats, in `control.sqlite`: writable while a build holds the warehouse."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from operate import clock
from operate.environment import Environment
from operate.interrupt import interrupts_kept

BEAT_SECONDS = 5
BUSY_SECONDS = 30

SCHEMA = """
create table if not exists runs (
    run_id text primary key,
    command text not null,
    process integer not null,
    started_at text not null,
    ended_at text,
    seconds real,
    outcome text,
    message text
);
create table if not exists run_steps (
    run_id text not null references runs (run_id),
    position integer not null,
    step text not null,
    started_at text not null,
    seconds real,
    outcome text,
    detail text,
    primary key (run_id, position)
);
create table if not exists heartbeats (
    process integer primary key,
    run_id text not null,
    doing text,
    beats integer not null,
    beaten_at text not null
);
"""


@contextmanager
def open_control(environment: Environment) -> Iterator[sqlite3.Connection]:
    """A connection to the control store; commits at the end, rolls back on an error."""
    environment.create()
    connection = sqlite3.connect(environment.control, timeout=BUSY_SECONDS)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        connection.executescript(SCHEMA)
        with connection:
            yield connection
    finally:
        connection.close()


@contextmanager
def _forgiven() -> Iterator[None]:
    """For entries about work: when the store cannot take one (disk full, locked), the work goes on without it.

    What stays open that way is closed as interrupted by the next run.
    """
    with contextlib.suppress(sqlite3.OperationalError):
        yield


class Step:
    """One step of a run; set `detail` (what came of it) and, when it went wrong, `outcome`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.detail = ""
        self.outcome = "ok"
        self.seconds = 0.0


class RunLog:
    """One run, from its first moment: `with RunLog(environment, "run") as log`, then `with log.step("land")`.

    Times are the environment's clock, seconds are measured. The row of a run that died is closed as
    `interrupted` by the next one, which holds the same lock and so knows that nobody else is at work.
    """

    def __init__(self, environment: Environment, command: str) -> None:
        self.environment = environment
        self.command = command
        self.run_id = f"{clock.now(environment):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
        self.steps: list[Step] = []
        self.outcome = "ok"
        self.message = ""
        self._begun = time.monotonic()
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)

    def __enter__(self) -> RunLog:
        with open_control(self.environment) as control:
            control.execute(
                "update runs set outcome = 'interrupted', ended_at = ?, message = 'its process ended before it did' "
                "where outcome is null",
                [self._now()],
            )
            control.execute("delete from heartbeats")
            control.execute(
                "insert into runs (run_id, command, process, started_at) values (?, ?, ?, ?)",
                [self.run_id, self.command, os.getpid(), self._now()],
            )
        self._heart.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._ended.set()
        self._heart.join(BEAT_SECONDS)
        if kind is not None:
            interrupted = issubclass(kind, KeyboardInterrupt | SystemExit)
            self.outcome = "interrupted" if interrupted else "failed"
            self.message = str(error) or kind.__name__
        with _forgiven(), open_control(self.environment) as control:
            control.execute(
                "update runs set ended_at = ?, seconds = ?, outcome = ?, message = ? where run_id = ?",
                [self._now(), round(time.monotonic() - self._begun, 3), self.outcome, self.message, self.run_id],
            )
            control.execute("delete from heartbeats where process = ?", [os.getpid()])

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time and log one step; an exception marks it failed and goes on, a Ctrl-C inside is never lost."""
        step = Step(name)
        self.steps.append(step)
        position, begun = len(self.steps), time.monotonic()
        with _forgiven(), open_control(self.environment) as control:
            control.execute(
                "insert into run_steps (run_id, position, step, started_at) values (?, ?, ?, ?)",
                [self.run_id, position, name, self._now()],
            )
        self._beat()
        try:
            with interrupts_kept():
                yield step
        except BaseException as error:
            step.outcome, step.detail = "failed", str(error) or type(error).__name__
            raise
        finally:
            step.seconds = time.monotonic() - begun
            with _forgiven(), open_control(self.environment) as control:
                control.execute(
                    "update run_steps set seconds = ?, outcome = ?, detail = ? where run_id = ? and position = ?",
                    [round(step.seconds, 3), step.outcome, step.detail, self.run_id, position],
                )

    def _now(self) -> str:
        return clock.now(self.environment).isoformat(timespec="seconds")

    def _beat_on(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            self._beat()

    def _beat(self) -> None:
        doing = self.steps[-1].name if self.steps else ""
        with _forgiven(), open_control(self.environment) as control:
            control.execute(
                "insert into heartbeats (process, run_id, doing, beats, beaten_at) values (?, ?, ?, 1, ?) "
                "on conflict (process) do update set run_id = excluded.run_id, doing = excluded.doing, "
                "beats = beats + 1, beaten_at = excluded.beaten_at",
                [os.getpid(), self.run_id, doing, self._now()],
            )


def last_build_outcome(environment: Environment) -> tuple[str, str | None] | None:
    """(run_id, outcome) of the newest logged build step; outcome is None when its process died in it."""
    if not environment.control.exists():
        return None
    with open_control(environment) as control:
        row = control.execute(
            "select run_id, outcome from run_steps where step = 'build' order by rowid desc limit 1"
        ).fetchone()
    return tuple(row) if row else None
