"""`c360 run`: land, build, audit, publish, report, as one logged run under the warehouse lock.

Promotion is part of the build (a dbt hook): by the time of the audit it has happened or will not.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from operate import words
from operate.build import BuildResult, build, no_space
from operate.changes import Before, Changes
from operate.control import RunLog, Step
from operate.environment import Environment
from operate.errors import UserError, is_disk_full
from operate.lock import warehouse_lock
from operate.publish import Published, current_version, publish
from operate.published import open_published
from operate.report import Quality, write_report

Say = Callable[[str], None]


@dataclass
class RunOutcome:
    """What a run did. `problems` is empty when all went well; each is one line for the user."""

    run_id: str
    landing: Any = None
    build: BuildResult | None = None
    changes: Changes | None = None
    published: Published | None = None
    quality: Quality | None = None
    problems: list[str] = field(default_factory=list)


def run(
    environment: Environment,
    sources: list[str] | None = None,
    full_refresh: bool = False,
    say: Say = print,
) -> RunOutcome:
    """Carry out one run and tell of it by `say`; failed sources, models and tests are in `problems`.

    Raises UserError when nothing could be done at all: an unknown source, no space, dbt cannot start.
    """
    environment.activate()
    with warehouse_lock(environment, "c360 run"), RunLog(environment, "run") as log, ExitStack() as until_end:
        outcome = RunOutcome(log.run_id)
        say(f"run {log.run_id} of environment {environment.name}")
        with log.step("land") as step:
            _land(environment, sources, outcome, step, say)
        with log.step("build") as step:
            before = until_end.enter_context(Before(environment))
            _build(environment, full_refresh, outcome, step, say)
        if outcome.build.is_clean:
            with log.step("compare") as step:
                _compare(before, outcome, step, say)
        with log.step("publish") as step:
            _publish(environment, outcome, step, say)
        with log.step("report") as step:
            _report(environment, outcome, step, say)
        log.outcome = "failed" if outcome.problems else "ok"
        log.message = "; ".join(outcome.problems)
        say("times: " + ", ".join(f"{step.name} {step.seconds:.1f} s" for step in log.steps))
    return outcome


def _land(environment: Environment, sources: list[str] | None, outcome: RunOutcome, step: Step, say: Say) -> None:
    from ingest import run as ingest_run  # dlt is slow to import: not for every command

    say("land")
    with ingest_run.emulators(environment):
        landing = ingest_run.run(environment, sources, say=lambda line: say(f"  {line}"))
    outcome.landing = landing
    step.detail = f"{landing.landed:,} versions landed, {landing.rejected:,} rows rejected"
    say(f"  in all: {step.detail}")
    if landing.failures:
        step.outcome = "failed"
    outcome.problems += [f"source failed: {failure.line}" for failure in landing.failures]


def _build(environment: Environment, full_refresh: bool, outcome: RunOutcome, step: Step, say: Say) -> None:
    say("build, with every layer from its beginning" if full_refresh else "build")
    result = outcome.build = build(environment, full_refresh, say)
    step.detail = (
        f"{len(result.passed):,} tests passed, {len(result.warned):,} warned, "
        f"{sum(node.is_test for node in result.failed):,} failed"
    )
    say(f"  {step.detail}")
    for node in result.warned:
        say(f"  warning: {node.name}: {node.message}")
    if result.is_clean:
        return
    step.outcome = "failed"
    if any(is_disk_full(node.message) for node in result.failed):
        outcome.problems.append(str(no_space(environment)))
        return  # each of the failures would say the same
    for node in result.failed:
        what = {"test": "test", "unit_test": "unit test"}.get(node.kind, node.kind)
        outcome.problems.append(f"{what} {node.name}: {node.message or node.status}. Remedy: {node.remedy}")


def _compare(before: Before, outcome: RunOutcome, step: Step, say: Say) -> None:
    changes = outcome.changes = before.compare(outcome.build.invocation_id)
    say("changes")
    say(f"  dirty records: {changes.records.text}: their matching inputs changed, so they were compared again")
    say(f"  customers touched: {changes.customers.text}")
    if not changes.events:
        say("  ids changed: none")
    else:
        counts = ", ".join(f"{count:,} {event.replace('_', ' ')}" for event, count in changes.events.items())
        say(f"  ids changed, and why: {counts}")
    for example in changes.examples:
        say(f"    {example}")
    step.detail = f"dirty records {changes.records.text}, customers touched {changes.customers.text}"


def _publish(environment: Environment, outcome: RunOutcome, step: Step, say: Say) -> None:
    say("publish")
    if not outcome.build.is_clean:
        version = current_version(environment)
        step.outcome = "skipped"
        step.detail = "nothing was promoted or published" + (
            f"; version {version} stays, byte for byte" if version else ""
        )
        say(f"  {step.detail}")
        return
    try:
        published = outcome.published = publish(environment, outcome.run_id)
    except UserError as error:
        step.outcome, step.detail = "failed", str(error)
        outcome.problems.append(f"not published: {error}")
        return
    for line in describe_published(published):
        say(f"  {line}")
    step.detail = describe_published(published)[0]


def describe_published(published: Published) -> list[str]:
    """What is published now, for the terminal."""
    if not published.changed:
        return [f"version {published.version} stays: {published.reason}"]
    files = [
        f"{entry['file']}: {words.count(len(entry['tables']), 'table')}, "
        f"{sum(entry['tables'].values()):,} rows, {entry['bytes'] / 1e6:,.1f} MB"
        for entry in published.manifest["roles"].values()
    ]
    return [f"version {published.version}: {published.reason}", *files]


def _report(environment: Environment, outcome: RunOutcome, step: Step, say: Say) -> None:
    say("report")
    try:
        quality = outcome.quality = write_report(environment, outcome.build)
    except (UserError, OSError, duckdb.Error) as error:
        # What the run did is told all the same.
        step.outcome, step.detail = "failed", str(error)
        outcome.problems.append(f"the report could not be written: {error}")
        return
    breached = [
        f"{kpi['kpi'].replace('_', ' ')} is {kpi['measured_value']:g} {kpi['unit']}, "
        f"{'above' if kpi['direction'] == 'at_most' else 'below'} {kpi['threshold']:g}. {kpi['remedy']}"
        for kpi in quality.breached
    ]
    say(f"  quality indicators: {len(quality.kpis) - len(breached)} within their threshold, {len(breached)} breached")
    for line in breached:
        say(f"    breached: {line}")
    step.detail = str(environment.reports / "quality.html")
    say(f"  {step.detail}")


def command_name() -> str:
    """How the user reaches the `c360` command from here: by its name, else by the path it was started with."""
    own = Path(sys.argv[0])
    if shutil.which("c360") or own.name != "c360":
        return "c360"
    return os.path.relpath(own)


def suggestions(environment: Environment) -> list[str]:
    """Commands to try next, with names from what is published; none when nothing is."""
    c360, option = command_name(), f" --env {environment.name}"
    lines = []
    try:
        with open_published(environment) as connection:
            found = connection.execute(
                "select customer_id, min(record_key), max(record_key) from identity_resolved.idr_crosswalk "
                "group by customer_id having count(*) > 1 "
                "order by count(*) between 3 and 6 desc, count(distinct source_system) desc, customer_id limit 1"
            ).fetchall()
    except UserError:
        return []
    for customer_id, first, last in found:
        lines += [f"{c360} show {customer_id}{option}", f"{c360} why {first} {last}{option}"]
    lines.append(f"{c360} export customer_360.customer_360{option} --to customers.csv")
    return lines
