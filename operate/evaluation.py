"""Quality of the partition against known truth: pairwise precision, recall and F1 over the live records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Record = tuple[str, str, str]  # source_system, source_object, source_id


@dataclass(frozen=True)
class Evaluation:
    """Counts of record pairs. A pair is predicted when one customer holds both, true when one person does."""

    records: int
    missing: int
    unknown: int
    pairs_true: int
    pairs_predicted: int
    pairs_correct: int
    largest_customer: int

    @property
    def precision(self) -> float:
        return self.pairs_correct / self.pairs_predicted if self.pairs_predicted else 1.0

    @property
    def recall(self) -> float:
        return self.pairs_correct / self.pairs_true if self.pairs_true else 1.0

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def evaluate(customers: Mapping[Record, str], truth: Iterable[tuple[str, str, str, str]]) -> Evaluation:
    """Judge `customers` (record -> customer_id) by `truth` (system, object, id, entity_id).

    A record of the truth without a customer counts as a customer of its own (`missing`); a record that the
    truth does not know is left out (`unknown`).
    """
    cells: Counter[tuple[object, str]] = Counter()
    by_customer: Counter[object] = Counter()
    by_entity: Counter[str] = Counter()
    known, missing = 0, 0
    for system, source_object, source_id, entity in truth:
        record = (system, source_object, source_id)
        known += 1
        customer: object = customers.get(record)
        if customer is None:
            missing += 1
            customer = record
        cells[customer, entity] += 1
        by_customer[customer] += 1
        by_entity[entity] += 1
    return Evaluation(
        records=known,
        missing=missing,
        unknown=len(customers) - (known - missing),
        pairs_true=_pairs(by_entity),
        pairs_predicted=_pairs(by_customer),
        pairs_correct=_pairs(cells),
        largest_customer=max(by_customer.values(), default=0),
    )


def _pairs(counts: Counter) -> int:
    return sum(count * (count - 1) // 2 for count in counts.values())
