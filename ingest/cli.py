"""`c360 ingest`: land the sources of an environment, and say how current each one is."""

from __future__ import annotations

import sys

import click

from ingest.facts import DATASET
from ingest.landing import newest_load_id, reading, table_exists
from ingest.run import emulators, run
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


@click.group()
def ingest() -> None:
    """Land source records into the warehouse."""


@ingest.command("run")
@click.option("--sources", help="Only these, separated by commas: hubspot, erp, spreadsheets.")
@click.option("--env", "env_name", default=None, help="Environment; else C360_ENV, else sandbox.")
def run_command(sources: str | None, env_name: str | None) -> None:
    """Land every enabled source, or those named; exits non-zero when one failed."""
    environment = get_environment(env_name).activate()
    names = [name.strip() for name in sources.split(",") if name.strip()] if sources else None
    with interrupts_kept(), emulators(environment):
        result = run(environment, names, say=click.echo)
    click.echo(f"landed {result.landed:,} versions, rejected {result.rejected:,} rows")
    if result.failures:
        failed = ", ".join(sorted({f"{item.source_system} {item.source_object}" for item in result.failures}))
        click.echo(f"failed: {failed}", err=True)
        sys.exit(1)


@ingest.command("status")
@click.option("--env", "env_name", default=None, help="Environment; else C360_ENV, else sandbox.")
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
