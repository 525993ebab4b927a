"""What a run changed, told from the state before and after: records, customers, ids. No model has to help."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType

import duckdb

from operate import words
from operate.environment import Environment
from operate.published import rows
from operate.warehouse import open_warehouse, table_exists

# Name of the compared state: table, its key, what tells that the row changed.
STATES = {
    "records": ("identity_resolved", "idr_clusters", "record_key", "match_hash"),
    "customers": ("customer_360", "customer_360", "customer_id", "record_hash"),
}
EXAMPLES = 3
EVENT_ORDER = ("merged", "split", "moved", "retired", "record_removed", "record_added", "created")


@dataclass(frozen=True)
class Difference:
    """Rows of one state by what happened to them."""

    new: int = 0
    changed: int = 0
    gone: int = 0

    @property
    def total(self) -> int:
        return self.new + self.changed + self.gone

    @property
    def text(self) -> str:
        return f"{self.total:,} ({self.new:,} new, {self.changed:,} changed, {self.gone:,} gone)"


@dataclass
class Changes:
    """`records`: those whose matching inputs changed; `customers`: those whose row in customer_360 did."""

    records: Difference = Difference()
    customers: Difference = Difference()
    events: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)


class Before:
    """The narrow state before a run, kept in memory: 16 bytes per record and customer.

    with Before(environment) as before: ... ; changes = before.compare(invocation_id)
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.memory = duckdb.connect(":memory:")

    def __enter__(self) -> Before:
        for state in STATES:
            self.memory.execute(f"create table {state} (key ubigint, content ubigint)")
        if self.environment.warehouse.exists():
            with open_warehouse(self.environment) as warehouse:
                for state in STATES:
                    self._copy(warehouse, state, state)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.memory.close()

    def compare(self, invocation_id: str) -> Changes:
        """The difference to the state now, and the events that the run `invocation_id` promoted."""
        changes = Changes()
        with open_warehouse(self.environment) as warehouse:
            for state in STATES:
                self.memory.execute(f"create or replace table {state}_now (key ubigint, content ubigint)")
                self._copy(warehouse, state, f"{state}_now")
                setattr(changes, state, self._difference(state))
            if table_exists(warehouse, "identity_resolved", "idr_match_events"):
                changes.events, changes.examples = _events(warehouse, invocation_id)
        return changes

    def _copy(self, warehouse: duckdb.DuckDBPyConnection, state: str, target: str) -> None:
        schema, table, key, content = STATES[state]
        if not table_exists(warehouse, schema, table):
            return
        found = warehouse.execute(
            f"select hash({key}) as key, hash({content}) as content from {schema}.{table}"
        ).to_arrow_table()
        self.memory.register("found", found)
        self.memory.execute(f"insert into {target} select key, content from found")
        self.memory.unregister("found")

    def _difference(self, state: str) -> Difference:
        counts = self.memory.execute(
            f"select count(*) filter (before.key is null), "
            f"count(*) filter (before.content <> after.content), count(*) filter (after.key is null) "
            f"from {state} as before full outer join {state}_now as after on before.key = after.key"
        ).fetchall()[0]
        return Difference(*counts)


def _events(warehouse: duckdb.DuckDBPyConnection, invocation_id: str) -> tuple[dict[str, int], list[str]]:
    counts = dict(
        warehouse.execute(
            "select event, count(*) from identity_resolved.idr_match_events where run_id = ? group by event",
            [invocation_id],
        ).fetchall()
    )
    ordered = {event: counts[event] for event in EVENT_ORDER if event in counts}
    ordered |= {event: counts[event] for event in sorted(counts) if event not in ordered}
    examples = []
    for event in ordered:
        examples += rows(
            warehouse,
            "select * from identity_resolved.idr_match_events where run_id = ? and event = ? "
            f"order by record_key, customer_id_after limit {EXAMPLES}",
            [invocation_id, event],
        )
    return ordered, [words.describe_event(example) for example in examples]
