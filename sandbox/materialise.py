"""Make what the world shows to the outside agree with the world file: Postgres, the inbox, the clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from operate import clock
from operate.environment import Environment
from sandbox.contract import read_contract, running
from sandbox.erp import show_world
from sandbox.spreadsheets import SHEETS, write_spreadsheets
from sandbox.world import World, opened, write_atomically


def materialise(environment: Environment, after_tick: bool = False) -> None:
    """Bring Postgres (when it runs; else its next start does it), the inbox and the clock up to the world.

    The clock never goes back: one that was set ahead of the world stays ahead, and a tick moves it by a day.
    """
    with opened(environment) as world:
        if running(environment):
            show_world(read_contract(environment)["sources"]["erp"]["dsn"], world)
        show_inbox(environment, world)
        set_clock(environment, world.now, after_tick)


def show_inbox(environment: Environment, world: World) -> None:
    """Write the spreadsheets unless the inbox shows this day already: an unchanged file is left alone."""
    note = environment.sandbox / "inbox.day"
    state = f"{world.seed}/{world.meta('people')}/{world.day}"
    complete = all((environment.inbox / sheet.file).exists() for sheet in SHEETS)
    if complete and note.exists() and note.read_text(encoding="utf-8") == state:
        return
    write_spreadsheets(environment, world)
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
