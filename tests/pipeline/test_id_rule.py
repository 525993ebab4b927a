"""The id rule, by random histories: the project's own SQL on small ledgers, against a plain statement of the rule.

The compiled SQL of the crosswalk, the pending views and the promotion runs on an in-memory database whose
inputs (clusters, records, source merges) a random history makes up, so that thousands of histories take minutes.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from datetime import datetime, timedelta

import duckdb
import pytest
import support

from udfs.customer_id import mint_customer_id
from udfs.duckdb_plugin import register

KEY = b"a key of the id rule's tests"
BORN = datetime(2026, 1, 1)
TABLES = """
create schema identity_resolved; create schema customer_360;
create table identity_resolved.idr_clusters (record_key varchar, cluster_id varchar);
create table identity_resolved.idr_records (
    record_key varchar, source_system varchar, source_object varchar, source_id varchar, first_landed_at timestamp);
create table identity_resolved.idr_record_successors (record_key varchar, successor_key varchar);
create table identity_resolved.idr_edges (record_key_a varchar, record_key_b varchar, rule varchar);
"""


class Ledger:
    """One customer base in memory: `step` replaces the live records and their groups, and promotes."""

    def __init__(self, sql: dict[str, str]) -> None:
        self.sql = sql
        self.day = 0
        self.connection = duckdb.connect(config={"threads": 1})
        register(self.connection, None)
        self.connection.create_function("mint_customer_id", lambda key, ordinal: mint_customer_id(KEY, key, ordinal),
                                        ["VARCHAR", "BIGINT"], "VARCHAR")  # fmt: skip
        self.connection.create_function("clock_now", lambda: BORN + timedelta(days=self.day), [], "TIMESTAMP",
                                        side_effects=True)  # fmt: skip
        self.connection.execute(TABLES)
        for name in ("idr_crosswalk_history", "idr_customer_ids", "idr_match_events"):
            self.connection.execute(f"create table identity_resolved.{name} as {sql[name]}")
        self.connection.execute(f"create table customer_360.customer_360_history as {sql['customer_360_history']}")
        self.connection.execute(
            "create table identity_resolved.idr_crosswalk (record_key varchar, source_system varchar, "
            "source_object varchar, source_id varchar, customer_id varchar, cluster_id varchar, record_hash varchar)"
        )
        for name in ("idr_pending_ids", "idr_pending_events"):
            self.connection.execute(f"create view identity_resolved.{name} as {sql[name]}")
        self.connection.execute(f"create view customer_360.customer_id_redirects as {sql['customer_id_redirects']}")

    def rows(self, query: str) -> list[tuple]:
        return self.connection.execute(query).fetchall()

    def step(self, groups: list[list[str]], landed: dict[str, int], merged: dict[str, str]) -> None:
        self.day += 1
        run = self.connection.execute
        for table in ("idr_clusters", "idr_records", "idr_record_successors", "idr_crosswalk"):
            run(f"delete from identity_resolved.{table}")
        for group in groups:
            for record in group:
                run("insert into identity_resolved.idr_clusters values (?, ?)", [record, min(group)])
                run("insert into identity_resolved.idr_records values (?, 's', 'o', ?, ?)",
                    [record, record, BORN + timedelta(seconds=landed[record])])  # fmt: skip
        for loser, winner in merged.items():
            run("insert into identity_resolved.idr_record_successors values (?, ?)", [loser, winner])
        run(f"insert into identity_resolved.idr_crosswalk by name {self.sql['idr_crosswalk']}")
        run("begin transaction")
        for statement in self.sql["promotion"].replace("@run", f"run {self.day}").split(";"):
            if statement.strip():
                run(statement)
        run("commit")


@pytest.fixture(scope="module")
def sql(module_environment) -> dict[str, str]:
    """The project's compiled SQL, cut loose from the warehouse's catalogue name."""
    environment = module_environment
    support.begin(environment)
    models = ("idr_crosswalk", "idr_crosswalk_history", "idr_customer_ids", "idr_match_events", "idr_pending_ids",
              "idr_pending_events", "customer_id_redirects", "customer_360_history")  # fmt: skip
    # Compiled as for a full build: the state difference against `this` is the protocol's matter, not the rule's.
    assert support.dbt(environment, "compile", "--full-refresh", "--select", *models).success
    texts = {name: support.compiled_sql(environment, name) for name in models}
    inline = support.dbt(environment, "compile", "--inline", "{{ promotion_sql() }}")
    promotion = inline.result.results[0].node.compiled_code
    promotion = promotion[: promotion.index('update "warehouse"."customer_360"')]  # golden history: not the rule
    texts["promotion"] = re.sub(r"'[0-9a-f-]{36}'", "'@run'", promotion)
    return {name: text.replace('"warehouse".', "") for name, text in texts.items()}


class Reference:
    """The id rule in plain Python, from its wording: who keeps which id. Mints are compared as mints."""

    def __init__(self) -> None:
        self.owner: dict[str, str] = {}
        self.birth: dict[str, int] = {}
        self.minted: Counter[str] = Counter()

    def step(self, groups: list[list[str]], landed: dict[str, int], merged: dict[str, str]) -> dict[str, str]:
        home = {record: number for number, group in enumerate(groups) for record in group}
        votes: dict[str, list[str]] = defaultdict(list)
        for record, customer in self.owner.items():
            present = merged.get(record, record)
            if present in home:
                votes[customer].append(present)
        heirs: dict[int, list[str]] = defaultdict(list)
        for customer, members in votes.items():
            per_home = Counter(home[member] for member in members)
            oldest = {place: min((landed[m], m) for m in members if home[m] == place) for place in per_home}
            heirs[min(per_home, key=lambda place: (-per_home[place], oldest[place]))].append(customer)
        owner = {}
        order = len(self.birth)
        newborn = []
        for number, group in enumerate(groups):
            if heirs[number]:
                customer = min(heirs[number], key=lambda c: self.birth[c])
            else:
                anchor = min(group, key=lambda record: (landed[record], record))
                customer = mint_customer_id(KEY, anchor, self.minted[anchor])
                newborn.append(((landed[anchor], anchor), anchor, customer))
            owner.update(dict.fromkeys(group, customer))
        for place, (_, anchor, customer) in enumerate(sorted(newborn)):
            self.minted[anchor] += 1
            self.birth[customer] = order + place
        self.owner = owner
        return owner


def random_history(seed: int):
    """Days of a small customer base: each yields the groups, when records landed, and the source's merges."""
    chance = random.Random(seed)
    landed: dict[str, int] = {}
    merged: dict[str, str] = {}
    groups: list[list[str]] = []
    for _ in range(chance.randint(3, 6)):
        groups = [list(group) for group in groups]
        for _ in range(chance.randint(1, 4)):
            action = chance.choice(["new", "new", "join", "move", "split", "delete", "restore", "merge in source"])
            live = [record for group in groups for record in group]
            gone = sorted(set(landed) - set(live) - set(merged))
            if action == "new" or not live:
                record = f"s:o:{chance.randint(0, 30):02}"
                if record not in landed:
                    landed[record] = chance.randint(0, 5)
                    groups.append([record])
            elif action == "restore" and gone:
                groups.append([chance.choice(gone)])
            elif action == "join" and len(groups) > 1:
                groups.append(groups.pop(chance.randrange(len(groups))) + groups.pop(chance.randrange(len(groups))))
            elif action == "split":
                group = groups.pop(chance.randrange(len(groups)))
                cut = chance.randint(0, len(group))
                groups += [group[:cut], group[cut:]]
            else:
                record = chance.choice(live)
                group = next(group for group in groups if record in group)
                group.remove(record)
                if action == "move":
                    chance.choice(groups).append(record)
                elif action == "merge in source" and len(live) > 1:
                    merged[record] = chance.choice([other for other in live if other != record])
            groups = [group for group in groups if group]
        chance.shuffle(groups)
        yield groups, dict(landed), {loser: _end(loser, merged) for loser in merged}


def _end(record: str, merged: dict[str, str]) -> str:
    while record in merged:
        record = merged[record]
    return record


def check_history(sql: dict[str, str], seed: int) -> None:
    ledger, reference = Ledger(sql), Reference()
    ever: set[str] = set()
    retired: set[str] = set()
    owner: dict[str, str] = {}
    for groups, landed, merged in random_history(seed):
        ledger.step(groups, landed, merged)
        now = dict(ledger.rows("select record_key, customer_id from identity_resolved.idr_crosswalk"))
        assert now == reference.step(groups, landed, merged), f"seed {seed}: not by the rule"
        live = [frozenset(group) for group in groups]
        assert len({now[min(group)] for group in live}) == len(live), f"seed {seed}: two live customers share an id"
        assert not set(now.values()) & retired, f"seed {seed}: a retired id returned"
        check_events(ledger, owner, now, seed)
        ever |= set(now.values())
        retired = ever - set(now.values())
        redirects = dict(ledger.rows("select customer_id, current_customer_id from customer_360.customer_id_redirects"))
        assert set(redirects) == ever, f"seed {seed}: an id does not resolve"
        assert {current for current in redirects.values() if current} == set(now.values()), f"seed {seed}"
        assert ledger.rows("select count(*) from identity_resolved.idr_pending_events") == [(0,)]
        owner = now


def check_events(ledger: Ledger, before: dict[str, str], after: dict[str, str], seed: int) -> None:
    """Every change of a record's customer, and every birth and end of an id, has exactly one event."""
    events = ledger.rows("select event, customer_id_before, customer_id_after, record_key "
                         f"from identity_resolved.idr_match_events where run_id = 'run {ledger.day}'")  # fmt: skip
    explained = Counter()
    for record in set(before) | set(after):
        was, is_now = before.get(record), after.get(record)
        matching = [
            event for event, old, new, key in events
            if (event in ("moved", "record_added", "record_removed") and (key, old, new) == (record, was, is_now))
            or (event in ("merged", "split") and was and (old, new) == (was, is_now))
            or (event == "created" and was is None and new == is_now)
        ]  # fmt: skip
        explained[record] = len(matching)
        assert len(matching) == (0 if was == is_now else 1), f"seed {seed}: {record} {was} -> {is_now}: {matching}"
    born = set(after.values()) - set(before.values())
    assert born == {new for event, _, new, _ in events if event in ("created", "split")}, f"seed {seed}: births"
    ended = set(before.values()) - set(after.values())
    ends = [old for event, old, _, _ in events if event in ("retired", "merged")]
    assert sorted(ends) == sorted(ended), f"seed {seed}: ends"


@pytest.mark.parametrize("block", range(4))
def test_random_histories_obey_the_id_rule(sql, block):
    for seed in range(block * 10, block * 10 + 10):
        check_history(sql, seed)


@pytest.mark.slow("identity")
@pytest.mark.parametrize("block", range(20))
def test_two_thousand_random_histories_obey_the_id_rule(sql, block):
    for seed in range(1_000 + block * 100, 1_000 + block * 100 + 100):
        check_history(sql, seed)


def test_the_check_can_fail(sql):
    """Minting without the ordinal revives retired ids: the check must see it."""
    broken = dict(
        sql, idr_crosswalk=sql["idr_crosswalk"].replace("count(ids.customer_id)", "0 * count(ids.customer_id)")
    )
    assert broken != sql
    with pytest.raises(AssertionError):
        for seed in range(200):
            check_history(broken, seed)
