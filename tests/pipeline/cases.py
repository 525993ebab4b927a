"""Hard cases of cleaning: files of given values, right answers and where each answer comes from (tests/cases/).

A file's header names its given columns plainly, its answers `expect_<field>`, and last `source`: the authority
for the answer, never the library that the code uses. An empty expected cell means that the field must be empty.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).resolve().parents[1] / "cases"


@dataclass(frozen=True)
class Case:
    """One row of a case file; `line` is its line in the file, from 2."""

    line: int
    given: dict[str, str | None]
    expected: dict[str, str | None]
    source: str


@dataclass(frozen=True)
class Verdict:
    """How a function did on a file: the share of cases with every field right, and a line for each that was not."""

    cases: int
    right: int
    misses: list[str]
    wrong_values: list[str]  # misses in which a field that is not empty differs from the answer: worse than empty

    @property
    def share(self) -> float:
        return self.right / self.cases


def read_cases(name: str) -> list[Case]:
    """The cases of tests/cases/<name>.csv; a row without a source is refused."""
    path = CASES / f"{name}.csv"
    with open(path, newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    cases = []
    for line, row in enumerate(rows, start=2):
        assert row["source"], f"{path.name}, row {line}: no source for the answer; name the authority it comes from"
        assert None not in row and None not in row.values(), f"{path.name}, row {line}: not as many cells as headers"
        given = {key: value or None for key, value in row.items() if not key.startswith("expect_") and key != "source"}
        expected = {key[7:]: value or None for key, value in row.items() if key.startswith("expect_")}
        cases.append(Case(line, given, expected, row["source"]))
    return cases


def judge(name: str, clean: Callable[..., dict[str, str | None]]) -> Verdict:
    """Run `clean` on every case of a file: given columns by name in, at least the expected fields out."""
    misses, wrong_values = [], []
    cases = read_cases(name)
    for case in cases:
        answer = clean(**case.given)
        differing = {field: answer[field] for field, value in case.expected.items() if answer[field] != value}
        if differing:
            wanted = {field: case.expected[field] for field in differing}
            miss = f"{name}.csv, row {case.line}: {case.given} gives {differing}, not {wanted} ({case.source})"
            misses.append(miss)
            if any(value is not None for value in differing.values()):
                wrong_values.append(miss)
    return Verdict(len(cases), len(cases) - len(misses), misses, wrong_values)
