"""The one clock. Nothing else in the project asks the machine for the time.

An environment whose `clock.json` exists lives at the time written there (the sandbox sets and
advances it, tests inject it); every other environment lives at the machine's time.
All times are UTC and timezone-aware.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

from operate.environment import Environment


def now(environment: Environment) -> datetime:
    """The current time of `environment`, UTC, timezone-aware, whole microseconds."""
    try:
        text = json.loads(environment.clock.read_text(encoding="utf-8"))["now"]
    except FileNotFoundError:
        return datetime.now(UTC)
    return datetime.fromisoformat(text).astimezone(UTC)


def set_now(environment: Environment, moment: datetime) -> None:
    """Pin the clock of `environment` to `moment` (timezone-aware); the file is replaced atomically."""
    environment.folder.mkdir(parents=True, exist_ok=True)
    partial = environment.clock.with_suffix(".partial")
    partial.write_text(json.dumps({"now": moment.astimezone(UTC).isoformat()}), encoding="utf-8")
    os.replace(partial, environment.clock)


def advance(environment: Environment, step: timedelta) -> datetime:
    """Move a pinned clock by `step` and return the new time."""
    moment = now(environment) + step
    set_now(environment, moment)
    return moment
