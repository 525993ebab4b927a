"""Faults on demand: what an emulator answers instead, and how often. The file is read on every request."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from operate.environment import Environment
from operate.errors import UserError
from sandbox.world import world_exists, write_atomically

KINDS = ("401", "429", "500", "invalid_json", "slow", "none")
SOURCES = ("hubspot",)


def set_fault(environment: Environment, source: str, kind: str, times: int = 1, seconds: float = 1.0) -> None:
    """Let the next `times` requests to `source` fail as `kind` (one of KINDS; `none` ends the fault).

    `seconds` is the Retry-After of a 429 and the delay of `slow`. Raises UserError for a source or kind that
    cannot be, or when there is no sandbox.
    """
    if source not in SOURCES:
        raise UserError(f"source {source!r} has no faults to set: take one of {', '.join(SOURCES)}")
    if kind not in KINDS:
        raise UserError(f"fault {kind!r} is unknown: take one of {', '.join(KINDS)}")
    if times < 1:
        raise UserError(f"--times {times} makes no fault: take 1 or more, or the kind `none`")
    if not world_exists(environment):
        raise UserError(f"environment {environment.name!r} has no sandbox yet: run `c360 sandbox start`")
    with _faults(environment) as faults:
        faults.pop(source, None)
        if kind != "none":
            status = int(kind) if kind.isdigit() else 200
            faults[source] = {"kind": kind, "status": status, "times": times, "seconds": seconds}


def take_fault(environment: Environment, source: str) -> dict | None:
    """The fault of this request to `source`, counted down; None when it is to be answered as usual."""
    if not _path(environment).exists():  # the usual case costs one stat
        return None
    with _faults(environment) as faults:
        fault = faults.get(source)
        if fault is None:
            return None
        fault["times"] -= 1
        if fault["times"] < 1:
            del faults[source]
        return dict(fault)


def _path(environment: Environment):
    return environment.sandbox / "faults.json"


@contextmanager
def _faults(environment: Environment) -> Iterator[dict]:
    """The faults, to be changed in place, under a lock: server and command line both write them."""
    path = _path(environment)
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            faults = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            faults = {}
        yield faults
        if faults:
            write_atomically(path, json.dumps(faults).encode())
        else:
            path.unlink(missing_ok=True)
    finally:
        os.close(lock)
