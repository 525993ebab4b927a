"""The lists that UDFs look things up in: seeds, which users edit and SQL may read, and the parsers' own words."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

SEEDS = Path(__file__).resolve().parents[1] / "seeds" / "reference"
WORDS = Path(__file__).resolve().parent / "words"
READ_BY_SQL_ALONE = {"exchange_rates"}


def read_seed(name: str) -> list[dict[str, str]]:
    """The rows of seeds/reference/<name>.csv."""
    return _read(SEEDS / f"{name}.csv")


def read_words(name: str) -> list[dict[str, str]]:
    """The rows of udfs/words/<name>.csv."""
    return _read(WORDS / f"{name}.csv")


def files() -> list[Path]:
    """Every list that decides what a UDF answers, in a fixed order."""
    seeds = [path for path in sorted(SEEDS.glob("*.csv")) if path.stem not in READ_BY_SQL_ALONE]
    return [*seeds, *sorted(WORDS.glob("*.csv"))]


@functools.cache
def _read(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))
