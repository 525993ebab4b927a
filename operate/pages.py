"""What the rendered pages of docs/ share: a table in Markdown, and the rows of a seed."""

from __future__ import annotations

import csv
from collections.abc import Iterable

from operate.environment import PROJECT_ROOT

Row = dict[str, str]


def read_seed(name: str) -> list[Row]:
    """The rows of `seeds/<name>.csv` (folder and name), all values text, empty for nothing."""
    with open(PROJECT_ROOT / "seeds" / f"{name}.csv", newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Rows of cells as a table in Markdown."""
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
