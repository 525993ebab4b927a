"""`c360 sandbox`: start, move and look at the pretended outside world."""

from __future__ import annotations

import csv
import io
import signal
import sys
import time
from pathlib import Path

import click

from operate.environment import Environment, get_environment
from operate.errors import UserError
from sandbox import server
from sandbox.contract import read_contract
from sandbox.faults import KINDS, SOURCES, stands
from sandbox.materialise import show_fault
from sandbox.rates import SYSTEMS
from sandbox.tick import tick as tick_world
from sandbox.world import iso, opened, truth, world_exists, write_atomically

_env_option = click.option("--env", "env_name", default=None, help="Environment; else C360_ENV, else sandbox.")


def _environment(name: str | None) -> Environment:
    return get_environment(name).activate()


@click.group()
def sandbox() -> None:
    """The outside world, pretended: one seeded population behind real protocols on loopback."""


@sandbox.command()
@_env_option
@click.option("--detach", is_flag=True, help="Return when it serves; end it with `c360 sandbox stop`.")
@click.option("--people", type=int, default=None, help="Size of a new world, by default 2000.")
@click.option("--seed", type=int, default=None, help="Seed of a new world, by default 360.")
def start(env_name: str | None, detach: bool, people: int | None, seed: int | None) -> None:
    """Serve the sandbox: the vendors' APIs, the ERP's PostgreSQL, spreadsheets in the inbox."""
    environment = _environment(env_name)
    if detach:
        _print_addresses(environment, server.start_detached(environment, people, seed))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with server.ensure_running(environment, people, seed) as contract:
            _print_addresses(environment, contract)
            click.echo("serving until Ctrl-C")
            while True:
                # Not signal.pause(): a Ctrl-C that comes just before it would wait for the next one.
                time.sleep(0.5)
    except KeyboardInterrupt:
        click.echo("stopped")


def _print_addresses(environment: Environment, contract: dict) -> None:
    click.echo(f"sandbox of {environment.name}: {environment.sandbox_contract}")
    for name, source in contract["sources"].items():
        click.echo(f"  {name:14}{source.get('base_url') or source['dsn']}")
    click.echo(f"  {'spreadsheets':14}{environment.inbox}")


@sandbox.command()
@_env_option
@click.option("--days", type=click.IntRange(min=1), default=1, show_default=True)
def tick(env_name: str | None, days: int) -> None:
    """Move the world and the clock: new, changed, merged and deleted records in every system."""
    for day in tick_world(_environment(env_name), days):
        click.echo(f"day {day.number}, {iso(day.now)}")
        for system in SYSTEMS:
            counts = {what: day.counts[system, what] for what in ("new", "changed", "merged", "deleted")}
            click.echo(f"  {system:14}" + "".join(f"{count:6} {what}" for what, count in counts.items()))


@sandbox.command("truth")
@_env_option
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path), default=None, help="A csv file.")
def truth_command(env_name: str | None, target: Path | None) -> None:
    """Print or write who is who: source_system, source_object, source_id, entity_id of every live record."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("source_system", "source_object", "source_id", "entity_id"))
    rows = truth(_environment(env_name))
    writer.writerows(rows)
    if target is None:
        click.echo(text.getvalue(), nl=False)
        return
    if not target.parent.exists():
        raise UserError(f"the folder of {target} does not exist: make it first")
    write_atomically(target, text.getvalue().encode())
    click.echo(f"{target}: {len(rows)} records")


@sandbox.command()
@_env_option
@click.argument("source", type=click.Choice(SOURCES))
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--times", type=click.IntRange(min=1), default=1, show_default=True, help="Requests that fail.")
@click.option("--seconds", type=float, default=1.0, show_default=True, help="Retry-After, delay, or clock skew.")
def fault(env_name: str | None, source: str, kind: str, times: int, seconds: float) -> None:
    """Let the next requests to SOURCE fail as KIND, or its records change; `none` ends all its faults."""
    show_fault(_environment(env_name), source, kind, times, seconds)
    lasting = "until `none`" if kind != "none" and stands(source, kind) else f"for the next {times} requests"
    click.echo(f"{source}: no fault" if kind == "none" else f"{source}: {kind} {lasting}")


@sandbox.command()
@_env_option
def stop(env_name: str | None) -> None:
    """End a detached sandbox; its world stays."""
    click.echo("stopped" if server.stop(_environment(env_name)) else "not running")


@sandbox.command()
@_env_option
def reset(env_name: str | None) -> None:
    """Stop the sandbox and forget its world, inbox files and clock; nothing of the pipeline is touched."""
    environment = _environment(env_name)
    server.reset(environment)
    click.echo(f"the sandbox of {environment.name} is gone")


@sandbox.command()
@_env_option
def status(env_name: str | None) -> None:
    """Say whether the sandbox runs, which day it is there and what it holds."""
    environment = _environment(env_name)
    if not world_exists(environment):
        click.echo(f"sandbox of {environment.name}: none yet, make it with `c360 sandbox start`")
        return
    with opened(environment) as world:
        state = "serving" if server.running(environment) else "not running"
        click.echo(
            f"sandbox of {environment.name}: {state}, {world.meta('people')} people at the start, "
            f"seed {world.seed}, day {world.day}, {iso(world.now)}"
        )
        for system in SYSTEMS:
            click.echo(f"  {system:14}{world.live_count(system):8} records")
    if server.running(environment):
        _print_addresses(environment, read_contract(environment))


def main() -> None:
    """Run the group by itself; failures a user can act on are one line."""
    try:
        sandbox()
    except UserError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
