"""Make what the world shows to the outside agree with the world file: Postgres, the inbox, the clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from operate import clock
from operate.environment import Environment
from operate.errors import UserError
from sandbox.contract import read_contract, running
from sandbox.erp import show_world
from sandbox.erp_faults import begin_fault, end_faults
from sandbox.faults import set_fault, standing_faults
from sandbox.spreadsheets import SHEETS, write_spreadsheets
from sandbox.world import World, opened, write_atomically


def materialise(environment: Environment, after_tick: bool = False) -> None:
    """Bring Postgres (when it runs; else its next start does it), the inbox and the clock up to the world.

    The clock never goes back: one that was set ahead of the world stays ahead, and a tick moves it by a day.
    """
    with opened(environment) as world:
        if running(environment):
            skew = standing_faults(environment, "erp").get("clock_skew", 0.0)
            show_world(_dsn(environment), world, skew)
        show_inbox(environment, world)
        set_clock(environment, world.now, after_tick)


def show_fault(environment: Environment, source: str, kind: str, times: int = 1, seconds: float = 1.0) -> None:
    """Let `source` fail as `kind` and show it: `none` ends all its faults. Raises UserError as `set_fault` does,
    and for a fault of an ERP that does not run.
    """
    if source == "erp" and not running(environment):
        raise UserError("the sandbox does not run: a fault of its ERP needs it, start it with `c360 sandbox start`")
    set_fault(environment, source, kind, times, seconds)
    with opened(environment) as world:
        if source == "erp" and kind == "none":
            end_faults(_dsn(environment), world)
        elif source == "erp":
            begin_fault(_dsn(environment), kind, seconds)
        elif source == "spreadsheets":
            show_inbox(environment, world)


def _dsn(environment: Environment) -> str:
    return read_contract(environment)["sources"]["erp"]["dsn"]


def show_inbox(environment: Environment, world: World) -> None:
    """Write the spreadsheets unless the inbox shows this day already: an unchanged file is left alone."""
    note = environment.sandbox / "inbox.day"
    faults = sorted(standing_faults(environment, "spreadsheets"))
    state = "/".join((str(world.seed), world.meta("people"), str(world.day), *faults))
    complete = all((environment.inbox / sheet.file).exists() for sheet in SHEETS)
    if complete and note.exists() and note.read_text(encoding="utf-8") == state:
        return
    write_spreadsheets(environment, world, faults)
    write_atomically(note, state.encode())


def set_clock(environment: Environment, world_now: datetime, after_tick: bool = False) -> None:
    """Pin the clock to `world_now`; after a tick, one that was ahead of the world moves a day on."""
    if not environment.clock.exists():
        clock.set_now(environment, world_now)
        return
    shown = clock.now(environment)
    if shown < world_now:
        clock.set_now(environment, world_now)
    elif after_tick and shown > world_now:
        clock.advance(environment, timedelta(days=1))
