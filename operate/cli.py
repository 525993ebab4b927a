"""The `c360` command: options in, one module per concern at work, messages and exit codes out."""

from __future__ import annotations

import importlib
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import click

from operate.environment import Environment, get_environment, var_root
from operate.errors import UserError, is_disk_full

env_option = click.option("--env", "env_name", default=None, help="Environment; else C360_ENV, else sandbox.")


class LazyGroup(click.Group):
    """A group of commands whose module is imported only when one of them is asked for."""

    def __init__(self, name: str, module: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help, help=short_help)
        self.module = module

    def _group(self) -> click.Group:
        try:
            return getattr(importlib.import_module(self.module), self.name or "")
        except ImportError as error:
            if self.name != "sandbox":
                raise
            from operate.demo import sandbox_missing

            raise sandbox_missing(error) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._group().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._group().get_command(ctx, cmd_name)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def c360() -> None:
    """One trustworthy customer view from scattered customer records."""


c360.add_command(LazyGroup("ingest", "ingest.cli", "Land source records into the warehouse."))
c360.add_command(LazyGroup("sandbox", "sandbox.cli", "The outside world, pretended, on loopback."))


def _environment(name: str | None) -> Environment:
    return get_environment(name).activate()


def _say(line: str) -> None:
    click.echo(line)


def _end(problems: list[str]) -> None:
    """Exit non-zero, naming each problem, when there are any."""
    for problem in problems:
        click.echo(f"failed: {problem}", err=True)
    if problems:
        sys.exit(1)


@c360.command("run")
@click.option("--sources", help="Only these, separated by commas: hubspot, erp, spreadsheets.")
@click.option("--full-refresh", is_flag=True, help="Rebuild every table but the ledger and the histories.")
@env_option
def run_command(sources: str | None, full_refresh: bool, env_name: str | None) -> None:
    """Land, build, audit, publish and report; exits non-zero when anything failed."""
    from operate.run import run, suggestions

    environment = _environment(env_name)
    names = [name.strip() for name in sources.split(",") if name.strip()] if sources else None
    outcome = run(environment, names, full_refresh, _say)
    if outcome.published is not None:
        _say("next things to try")
        for line in suggestions(environment):
            _say(f"  {line}")
    _end(outcome.problems)


@c360.command("demo")
@click.option("--people", type=click.IntRange(min=10), default=None, help="Size of a new world, by default 2000.")
@env_option
def demo_command(people: int | None, env_name: str | None) -> None:
    """Run on the pretended world and judge the result by its truth."""
    from operate.demo import demo

    _end(demo(_environment(env_name), people, _say).problems)


@c360.command("publish")
@click.option("--force", is_flag=True, help="Make a new version even when nothing changed.")
@env_option
def publish_command(force: bool, env_name: str | None) -> None:
    """Publish the last clean build: one file per role, swapped in whole."""
    from operate.publish import publish, require_publishable
    from operate.run import describe_published

    environment = _environment(env_name)
    require_publishable(environment)
    for line in describe_published(publish(environment, force=force)):
        _say(line)


@c360.command("rollback")
@env_option
def rollback_command(env_name: str | None) -> None:
    """Put back the version published before; the warehouse and its ledger are not touched."""
    from operate.publish import rollback

    outcome = rollback(_environment(env_name))
    _say(f"version {outcome.version} is published again ({outcome.reason}); the ledger stays as it is")


@c360.command("report")
@env_option
def report_command(env_name: str | None) -> None:
    """Write quality.html, junit.xml and quality.json from the last build and landing."""
    from operate.report import write_report

    environment = _environment(env_name)
    quality = write_report(environment)
    tests = sum(layer["tests"] for layer in quality.layers)
    failed = sum(layer["failed"] + layer["models_failed"] for layer in quality.layers)
    _say(f"build {quality.run_id}: {tests:,} tests, {failed:,} failed, {len(quality.breached)} indicators breached")
    for name in ("quality.html", "junit.xml", "quality.json"):
        _say(f"  {environment.reports / name}")


@c360.command("show")
@click.argument("customer_id")
@env_option
def show_command(customer_id: str, env_name: str | None) -> None:
    """Print a customer: every value with the record and rule it comes from. Old ids are followed."""
    from operate.show import show

    _say(show(get_environment(env_name), customer_id))


@c360.command("why")
@click.argument("first")
@click.argument("second")
@env_option
def why_command(first: str, second: str, env_name: str | None) -> None:
    """Say in words why two records (or customers) are one customer, or why they are not."""
    from operate.why import why

    _say(why(get_environment(env_name), first, second))


@c360.command("export")
@click.argument("table", metavar="SCHEMA.TABLE")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="A .csv or .parquet file.")
@env_option
def export_command(table: str, target: Path, env_name: str | None) -> None:
    """Write a published table to a file.

    In a csv, text that begins like a formula (= + - @, phones too) gets an apostrophe in front, so that no
    spreadsheet program runs it; numbers stay as they are. Parquet keeps every value unchanged.
    """
    from operate.export import export

    count = export(get_environment(env_name), table, target)
    _say(f"{target}: {count:,} rows of {table}")


def main(arguments: list[str] | None = None) -> None:
    """The console script. Exit codes: 0 well, 1 failed, 2 wrong use, 130 and 143 interrupted."""
    # As orderly an end as Ctrl-C: what was started is stopped, what was half-made is removed.
    signal.signal(signal.SIGTERM, _terminated)
    try:
        outcome: Any = c360.main(args=arguments, standalone_mode=False)
    except UserError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted: nothing is half-done; run again to go on", err=True)
        sys.exit(130)
    except Exception as error:
        # SQLite calls a full disk an I/O error, so the disk itself is asked too.
        if not is_disk_full(error) and not _disk_is_full():
            raise
        click.echo(f"error: no space left on the disk of {var_root()}: free some and run again ({error})", err=True)
        sys.exit(1)
    sys.exit(outcome if isinstance(outcome, int) else 0)


def _disk_is_full() -> bool:
    return var_root().exists() and shutil.disk_usage(var_root()).free < 2**20


def _terminated(*_: object) -> None:
    raise SystemExit(143)


if __name__ == "__main__":
    main()
