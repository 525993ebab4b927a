"""`c360 demo`: a run on the pretended world, judged by the truth that only the sandbox knows."""

from __future__ import annotations

from collections.abc import Callable

from operate.environment import Environment
from operate.errors import UserError
from operate.evaluation import Evaluation, evaluate
from operate.published import open_published
from operate.run import RunOutcome, command_name, run, suggestions

# Matching is tuned on the sandbox's default seed (360), so it is judged on another one.
JUDGED_SEED = 361


def demo(environment: Environment, people: int | None = None, say: Callable[[str], None] = print) -> RunOutcome:
    """Start the sandbox for the duration, run, and print figures and what to try next.

    A world that exists already is taken as it is. Raises UserError when the extra is not installed, or
    when `people` is given and the existing world has another size.
    """
    try:
        from sandbox.server import ensure_running
        from sandbox.world import truth, world_exists
    except ImportError as error:
        raise sandbox_missing(error) from error
    environment.activate()
    seed = None if world_exists(environment) else JUDGED_SEED
    with ensure_running(environment, people=people, seed=seed):
        outcome = run(environment, say=say)
        if outcome.published is None:
            return outcome
        customers = _customers(environment)
        judged = evaluate(customers, truth(environment))
    for line in _summary(environment, outcome, judged):
        say(line)
    return outcome


def sandbox_missing(error: ImportError) -> UserError:
    """The message for an installation without the sandbox's libraries."""
    return UserError(
        f"the sandbox needs {error.name}, which is not installed: install the extra with "
        "`pip install '.[sandbox]'` in the project's folder, or run `make setup`"
    )


def _customers(environment: Environment) -> dict[tuple[str, str, str], str]:
    with open_published(environment) as connection:
        found = connection.execute(
            "select source_system, source_object, source_id, customer_id from identity_resolved.idr_crosswalk"
        ).fetchall()
    return {(system, source_object, source_id): customer for system, source_object, source_id, customer in found}


def _summary(environment: Environment, outcome: RunOutcome, judged: Evaluation) -> list[str]:
    build, quality, c360 = outcome.build, outcome.quality, command_name()
    landed = [
        f"  {item.source_system} {item.source_object}: {item.counts.landed:,} rows landed, "
        f"{item.counts.rejected:,} rejected"
        for item in outcome.landing.objects
    ]
    failed = sum(node.is_test for node in build.failed)
    return [
        "",
        "the demo, in figures",
        *landed,
        f"  rejects: {outcome.landing.rejected:,}",
        f"  customers: {quality.customers['customers']:,} from {judged.records:,} records, "
        f"the largest has {judged.largest_customer}",
        f"  against the sandbox's truth: precision {judged.precision:.3f}, recall {judged.recall:.3f}, "
        f"F1 {judged.f1:.3f}",
        *([f"  {judged.missing:,} records of the truth have no customer"] if judged.missing else []),
        f"  tests: {len(build.passed):,} passed, {failed:,} failed",
        "",
        "next things to try",
        *(f"  {line}" for line in suggestions(environment)),
        f"  {c360} sandbox tick --env {environment.name} && {c360} run --env {environment.name}",
        f"  the report:         {environment.reports / 'quality.html'}",
        f"  the analyst's file: {environment.published / 'analyst.duckdb'}",
    ]
