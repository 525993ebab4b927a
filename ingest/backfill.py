"""Backfill: a window of the past is read again, piece by piece, at hours when the source has little to do.

Which pieces are done is kept in `dlt/backfill/<source>.json`, so that an interrupted backfill goes on where it
stopped. A piece lands only what differs from what is landed; deletions are the work of reconcile.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from ingest.run import LandingResult, run
from ingest.settings import load_sources
from ingest.task import Window
from operate import clock
from operate.environment import Environment
from operate.errors import UserError

DEFAULT_PIECE = timedelta(days=7)
HOURS = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")


@dataclass(frozen=True)
class Backfill:
    """What is to be read again: `start` up to before `end` (naive UTC), in pieces of `piece`.

    only      names of objects; empty is all of the source
    at_once   also outside the source's off-peak hours
    """

    source: str
    start: datetime
    end: datetime
    piece: timedelta = DEFAULT_PIECE
    only: tuple[str, ...] = ()
    at_once: bool = False

    def pieces(self) -> Iterator[Window]:
        """The window in pieces, oldest first."""
        start = self.start
        while start < self.end:
            end = min(start + self.piece, self.end)
            yield Window(start, end)
            start = end

    @property
    def key(self) -> str:
        """The same for the same order, so that it is resumed and not begun again."""
        return "/".join((self.start.isoformat(), self.end.isoformat(), str(self.piece), *sorted(self.only)))


@dataclass
class BackfillResult:
    """Pieces done now and left over; `failed` is the landing that stopped it, `waits_for` the off-peak hours."""

    done: int = 0
    left: int = 0
    landed: int = 0
    failed: LandingResult | None = None
    waits_for: str | None = None


def backfill(environment: Environment, order: Backfill, say: Callable[[str], None]) -> BackfillResult:
    """Read the window of `order`, piece by piece, until it is done, a piece fails or the off-peak hours end.

    Raises UserError for a source that is unknown, off, or has no time of change, and for an empty window.
    """
    [settings] = load_sources(environment).enabled([order.source])
    if order.source == "spreadsheets":
        raise UserError("spreadsheets cannot be backfilled: every file is a full snapshot; run `c360 ingest run`")
    if order.start >= order.end or order.piece <= timedelta(0):
        raise UserError(f"nothing lies between {order.start} and {order.end}: give --since before --until")
    hours = parse_hours(settings.off_peak, order.source) if settings.off_peak and not order.at_once else None
    note = environment.dlt / "backfill" / f"{order.source}.json"
    until = _done_until(note, order)
    left = [window for window in order.pieces() if until is None or window.end > until]
    result = BackfillResult(left=len(left))
    for window in left:
        if hours and not _within(clock.now(environment).time(), hours):
            result.waits_for = settings.off_peak
            return result
        say(f"{order.source}: {window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC")
        landing = run(environment, [order.source], say, window=window, only=order.only)
        result.landed += landing.landed
        if landing.failures:
            result.failed = landing
            return result
        result.done, result.left = result.done + 1, result.left - 1
        _note(note, order, window.end)
    note.unlink(missing_ok=True)
    return result


def parse_hours(text: str, source: str) -> tuple[time, time]:
    """`22:00-06:00` (UTC) as two times. Raises UserError naming the setting."""
    found = HOURS.fullmatch(text.strip())
    try:
        return time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    except (TypeError, ValueError) as error:
        raise UserError(f"{source}: off_peak {text!r} is not understood; write hours in UTC, as 22:00-06:00") from error


def _within(now: time, hours: tuple[time, time]) -> bool:
    first, last = hours
    return first <= now < last if first <= last else now >= first or now < last


def _done_until(note: Path, order: Backfill) -> datetime | None:
    try:
        kept = json.loads(note.read_text(encoding="utf-8"))
        return datetime.fromisoformat(kept["until"]) if kept["order"] == order.key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(note: Path, order: Backfill, until: datetime) -> None:
    note.parent.mkdir(parents=True, exist_ok=True)
    partial = note.with_suffix(".partial")
    partial.write_text(json.dumps({"order": order.key, "until": until.isoformat()}), encoding="utf-8")
    os.replace(partial, note)
