"""`c360 ingest`: land the sources of an environment, now, again or for the past, and say how current each one is."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from ingest.backfill import Backfill, backfill
from ingest.facts import DATASET
from ingest.landing import newest_load_id, reading, table_exists
from ingest.run import LandingResult, emulators, run
from ingest.settings import SOURCE_NAMES, parse_duration
from operate import clock
from operate.environment import Environment, get_environment
from operate.interrupt import interrupts_kept
from operate.lock import warehouse_lock

STATUS = f"""
select source_system, source_object, outcome, ended_at, rows_served, rows_landed, rows_rejected,
    max(newest_source_at) over (partition by source_system, source_object) as newest_source_at, error
from {DATASET}.runs
where _dlt_load_id in (select load_id from {DATASET}._dlt_loads where status = 0)
qualify row_number() over (
    partition by source_system, source_object order by _dlt_load_id desc, ended_at desc
) = 1
order by source_system, source_object
"""
HEADINGS = (
    "source",
    "object",
    "outcome",
    "ended (UTC)",
    "served",
    "landed",
    "rejected",
    "newest source time",
)


_env_option = click.option("--env", "env_name", default=None, help="Environment; else C360_ENV, else sandbox.")
_sources_option = click.option("--sources", help=f"Only these, separated by commas: {', '.join(SOURCE_NAMES)}.")


@click.group()
def ingest() -> None:
    """Land source records into the warehouse."""


@ingest.command("run")
@_sources_option
@_env_option
def run_command(sources: str | None, env_name: str | None) -> None:
    """Land every enabled source, or those named; exits non-zero when one failed."""
    environment = get_environment(env_name).activate()
    with interrupts_kept(), emulators(environment):
        result = run(environment, _names(sources), say=click.echo)
    _conclude(result)


@ingest.command("reconcile")
@_sources_option
@_env_option
def reconcile_command(sources: str | None, env_name: str | None) -> None:
    """Land, and compare the full list of every object's ids with what is landed, whether or not it is due."""
    environment = get_environment(env_name).activate()
    with interrupts_kept(), emulators(environment):
        result = run(environment, _names(sources), say=click.echo, reconcile=True)
    _conclude(result)


@ingest.command("backfill")
@click.argument("source")
@click.option("--since", type=click.DateTime(), required=True, help="First time of change to read again, UTC.")
@click.option("--until", type=click.DateTime(), default=None, help="Up to before this time, UTC; by default now.")
@click.option("--objects", help="Only these, separated by commas: contacts, companies.")
@click.option("--piece", default="7d", show_default=True, help="How much of the window is read at a time.")
@click.option("--at-once", is_flag=True, help="Also outside the off-peak hours of sources.yml.")
@_env_option
def backfill_command(
    source: str,
    since: datetime,
    until: datetime | None,
    objects: str | None,
    piece: str,
    at_once: bool,
    env_name: str | None,
) -> None:
    """Read a window of the past of SOURCE again, in pieces, at off-peak hours; goes on where it was interrupted."""
    environment = get_environment(env_name).activate()
    end = until or clock.now(environment).astimezone(UTC).replace(tzinfo=None)
    step = parse_duration(piece, "--piece")
    order = Backfill(source, since, end, step, tuple(_names(objects) or ()), at_once)
    with interrupts_kept(), emulators(environment):
        result = backfill(environment, order, click.echo)
    click.echo(f"{result.done} pieces done, {result.landed:,} versions landed, {result.left} pieces left")
    if result.waits_for:
        click.echo(f"it is not between {result.waits_for} UTC: run the same command again then, or add --at-once")
    if result.failed:
        _conclude(result.failed)


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def _conclude(result: LandingResult) -> None:
    """Say what came of a landing run; exits non-zero when a source failed."""
    click.echo(f"landed {result.landed:,} versions, rejected {result.rejected:,} rows")
    if result.failures:
        failed = ", ".join(sorted({f"{item.source_system} {item.source_object}" for item in result.failures}))
        click.echo(f"failed: {failed}", err=True)
        sys.exit(1)


@ingest.command("status")
@_env_option
def status_command(env_name: str | None) -> None:
    """The last landing run of each object, and the newest time of change it has seen."""
    rows = _last_runs(get_environment(env_name).activate())
    if not rows:
        click.echo("nothing landed yet: run `c360 ingest run`")
        return
    texts = [HEADINGS, *([_shown(value) for value in row[:-1]] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(HEADINGS))]
    for row in texts:
        click.echo("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())
    for row in rows:
        if row[-1]:
            click.echo(f"{row[0]} {row[1]}: {row[-1]}")


def _last_runs(environment: Environment) -> list[tuple]:
    if not environment.warehouse.exists():
        return []
    with warehouse_lock(environment), reading(environment) as connection:
        if not newest_load_id(connection, DATASET) or not table_exists(connection, DATASET, "runs"):
            return []
        return connection.execute(STATUS).fetchall()  # columns as HEADINGS, then the error


def _shown(value: object) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)[:19]
