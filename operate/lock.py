"""The warehouse lock: one writer at a time, the next one waits and says for whom.

DuckDB refuses a second opener at once and without a retry, so every process that opens
`warehouse.duckdb` (ours, or a plain `dbt build` through the dbt plugin) takes this lock first.
The kernel drops it when its holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from operate.environment import Environment

HELD_BY = "C360_WAREHOUSE_LOCK"  # set while held, so that child code of the holder passes freely
POLL_SECONDS = 0.2
REPEAT_SECONDS = 15


def describe_holder(environment: Environment) -> str:
    """Who holds the lock, as it wrote it down: process, command and since when."""
    try:
        holder = json.loads(environment.warehouse_lock.read_text(encoding="utf-8"))
        return f"process {holder['pid']} ({holder['command']}), since {holder['since']}"
    except (OSError, ValueError, KeyError):
        return "another process"


@contextmanager
def warehouse_lock(
    environment: Environment,
    command: str | None = None,
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
) -> Iterator[None]:
    """Hold the warehouse of `environment`; waits for as long as another process holds it.

    Re-entrant within the holding process. `say` receives one line when the wait begins and one
    every 15 seconds while it lasts.
    """
    token = f"{os.getpid()}:{environment.warehouse_lock}"
    if os.environ.get(HELD_BY) == token:
        yield
        return
    environment.create()
    with open(environment.warehouse_lock, "a+", encoding="utf-8") as handle:
        _wait_for(handle, environment, say)
        handle.seek(0)
        handle.truncate()
        json.dump(
            {
                "pid": os.getpid(),
                "command": command or " ".join(sys.argv[:4]),
                # The machine's time on purpose: a pinned sandbox clock would tell the waiter nothing.
                "since": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ"),
            },
            handle,
        )
        handle.flush()
        os.environ[HELD_BY] = token
        try:
            yield
        finally:
            os.environ.pop(HELD_BY, None)
            fcntl.flock(handle, fcntl.LOCK_UN)


def _wait_for(handle, environment: Environment, say: Callable[[str], None]) -> None:
    next_line = 0.0
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= next_line:
                say(f"waiting for the warehouse: held by {describe_holder(environment)}")
                next_line = time.monotonic() + REPEAT_SECONDS
            time.sleep(POLL_SECONDS)
