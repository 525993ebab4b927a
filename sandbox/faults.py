"""Faults on demand: what a source does instead of answering well, and for how long.

A fault of requests (429, slow, ...) meets the next `times` requests; a fault of the source's state (clock_skew,
schema_new, ...) stands until it is ended with `none`. The file is read on every request.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from operate.environment import Environment
from operate.errors import UserError
from sandbox.world import world_exists, write_atomically

# kind: what happens
REQUEST_FAULTS = {
    "401": "the credentials are refused",
    "429": "too many requests, with Retry-After where the vendor sends it",
    "500": "an error of the server",
    "slow": "the answer comes late",
    "truncated": "the connection breaks in the middle of the body",
    "invalid_json": "the body ends in the middle, though the answer is complete",
    "expired_cursor": "the cursor of a page is not known any more",
    "duplicate_page": "a page comes a second time instead of the next",
}
STANDING_FAULTS = {
    "clock_skew": "times of change are ahead by --seconds",
    "out_of_order": "an older version of a record comes after the newer one",
    "schema_new": "records have a field that was not there",
    "schema_dropped": "a field is gone",
    "schema_retyped": "a field holds values of another type",
    "schema_renamed": "a field has another name",
}
KINDS = (*REQUEST_FAULTS, *STANDING_FAULTS, "none")
_OF_APIS = tuple(KINDS)
# The ERP is a database: it has no pages, cursors or rate limits. A spreadsheet is a file: it has no requests, and
# no types. Their faults all stand until they are ended.
FAULTS_OF: dict[str, tuple[str, ...]] = {
    "salesforce": _OF_APIS,
    "hubspot": _OF_APIS,
    "stripe": _OF_APIS,
    "erp": ("500", "slow", *(kind for kind in STANDING_FAULTS if kind != "out_of_order"), "none"),
    "spreadsheets": ("truncated", "schema_new", "schema_dropped", "schema_renamed", "none"),
}
SOURCES = tuple(FAULTS_OF)


def set_fault(environment: Environment, source: str, kind: str, times: int = 1, seconds: float = 1.0) -> None:
    """Note that `source` fails as `kind` (`none` ends all its faults): the next `times` requests, or until ended.

    What has to be done to the ERP or the inbox for it is done by `sandbox.materialise.show_fault`.

    `seconds` is the Retry-After of a 429, the delay of `slow` and the skew of `clock_skew`. Raises UserError for
    a source or kind that cannot be, or when there is no sandbox.
    """
    if source not in SOURCES:
        raise UserError(f"source {source!r} has no faults to set: take one of {', '.join(SOURCES)}")
    if kind not in FAULTS_OF[source]:
        raise UserError(f"fault {kind!r} is unknown for {source}: take one of {', '.join(FAULTS_OF[source])}")
    if times < 1:
        raise UserError(f"--times {times} makes no fault: take 1 or more, or the kind `none`")
    if not world_exists(environment):
        raise UserError(f"environment {environment.name!r} has no sandbox yet: run `c360 sandbox start`")
    with _faults(environment) as faults:
        if kind == "none":
            faults.pop(source, None)
            return
        mine = faults.setdefault(source, {"request": None, "standing": {}})
        if stands(source, kind):
            mine["standing"][kind] = seconds
        else:
            mine["request"] = {"kind": kind, "times": times, "seconds": seconds}


def stands(source: str, kind: str) -> bool:
    """Whether fault `kind` of `source` stands until it is ended, rather than meet a number of requests."""
    return kind in STANDING_FAULTS or "429" not in FAULTS_OF[source]


def take_fault(environment: Environment, source: str, kinds: tuple[str, ...] | None = None) -> dict | None:
    """The fault of this request to `source`, counted down; None when it is to be answered as usual.

    `kinds` are those that this request can show: a page without a cursor cannot have an expired one.
    """
    if not _path(environment).exists():  # the usual case costs one stat
        return None
    with _faults(environment) as faults:
        fault = (faults.get(source) or {}).get("request")
        if fault is None or (kinds is not None and fault["kind"] not in kinds):
            return None
        fault["times"] -= 1
        if fault["times"] < 1:
            faults[source]["request"] = None
        return dict(fault)


def standing_faults(environment: Environment, source: str) -> dict[str, float]:
    """The faults of the source's state that stand now: kind -> seconds."""
    try:
        faults = json.loads(_path(environment).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return (faults.get(source) or {}).get("standing", {})


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
        faults = {source: mine for source, mine in faults.items() if mine["request"] or mine["standing"]}
        if faults:
            write_atomically(path, json.dumps(faults).encode())
        else:
            path.unlink(missing_ok=True)
    finally:
        os.close(lock)
