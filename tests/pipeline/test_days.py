"""Days in the life of the sandbox: run, the world moves, run again. What changed is worked on, what did not stays."""

from __future__ import annotations

import os
from collections import defaultdict

import pytest
import support

from operate.environment import get_environment
from operate.evaluation import evaluate
from operate.run import run

PEOPLE = 250


@pytest.fixture(scope="module")
def world(var_folder):
    """The sandbox environment with its emulators up, and one run done."""
    from sandbox.server import ensure_running

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("C360_VAR", str(var_folder))
        monkeypatch.setenv("C360_ENV", "sandbox")
        monkeypatch.setenv("C360_THREADS", "4")
        environment = get_environment("sandbox").create()
        with ensure_running(environment, people=PEOPLE, seed=361):
            outcome = run(environment, say=lambda line: None)
            assert not outcome.problems, outcome.problems
            yield environment


def customers(environment) -> dict[str, str]:
    return dict(support.query(environment, "select record_key, customer_id from identity_resolved.idr_crosswalk"))


def members(owners: dict[str, str]) -> dict[str, frozenset[str]]:
    groups = defaultdict(set)
    for record, customer in owners.items():
        groups[customer].add(record)
    return {customer: frozenset(records) for customer, records in groups.items()}


def truth_of(environment) -> list[tuple[str, str, str, str]]:
    from sandbox.world import truth

    return truth(environment)


def live_truth(environment) -> dict[str, str]:
    return {":".join(row[:3]): row[3] for row in truth_of(environment)}


def test_matching_is_judged_against_the_truth(world):
    truth = live_truth(world)
    owners = customers(world)
    assert set(owners) == set(truth), "live records and the world's records differ"
    customers_of = {tuple(key.split(":")): customer for key, customer in owners.items()}
    judged = evaluate(customers_of, truth_of(world))
    assert judged.precision >= 0.95 and judged.f1 >= 0.75, judged


@pytest.mark.parametrize(("runs", "days_between"), [(1, 2), pytest.param(4, 1, marks=pytest.mark.slow("protocol"))])
def test_days_of_changes(world, runs, days_between):
    from sandbox.tick import tick

    ever = set(customers(world).values())
    for _ in range(runs):
        before = customers(world)
        for _ in range(days_between):
            tick(world)
        outcome = run(world, say=lambda line: None)
        assert not outcome.problems, outcome.problems
        after = customers(world)

        # Deleted and merged records have left or moved: exactly the world's live records are there.
        assert set(after) == set(live_truth(world))
        # Only what changed was worked on.
        assert 0 < outcome.changes.records.total < len(after) / 3
        # A customer whose members did not change keeps its id.
        groups_before, groups_after = members(before), members(after)
        by_members = {records: customer for customer, records in groups_after.items()}
        for customer, records in groups_before.items():
            if records in by_members:
                assert by_members[records] == customer
        # Every id ever published resolves, in one step, to a live customer or to nothing.
        ever |= set(after.values())
        redirects = dict(
            support.query(world, "select customer_id, current_customer_id from customer_360.customer_id_redirects")
        )
        assert set(redirects) == ever
        assert {current for current in redirects.values() if current} == set(after.values())
    events = dict(support.query(world, "select event, count(*) from identity_resolved.idr_match_events group by event"))
    assert events["record_removed"] and events["record_added"] and events["created"]


def test_full_refresh_gives_the_same_contents_and_ids(world):
    before = support.contents(world)
    support.build(world, "--full-refresh", whole=True)
    assert not support.differences(before, support.contents(world))


def test_dbt_build_alone_is_green_and_changes_nothing(world):
    """As a user runs it from the root: no lock held, no c360 around it, unit tests included."""
    before = support.contents(world)
    ledger = support.query(world, "select * from identity_resolved.idr_crosswalk_history order by all")
    assert os.environ["C360_ENV"] == "sandbox"
    outcome = support.dbt(world, "build")
    assert outcome.success, [
        (r.node.name, r.message) for r in outcome.result.results if r.status not in ("success", "pass")
    ]
    assert any(result.node.resource_type == "unit_test" for result in outcome.result.results)
    assert not support.differences(before, support.contents(world))
    assert ledger == support.query(world, "select * from identity_resolved.idr_crosswalk_history order by all")


def test_the_docs_can_be_generated(world):
    assert support.dbt(world, "docs", "generate").success
