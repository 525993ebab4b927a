"""`docs/mapping.md`, written from `seeds/mapping/`: `python -m operate.mapping_page`.

The seeds are the truth; a test fails when page and seeds differ, and another when seeds and SQL do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from operate.environment import PROJECT_ROOT
from operate.pages import Row, read_seed, table

PAGE = PROJECT_ROOT / "docs" / "mapping.md"

INTRODUCTION = """# The mapping

Which field of which source becomes what, by which rule, how personal it is, and who decided so. The page is written
from `seeds/mapping/field_mappings.csv`; `tests/pipeline/test_mapping.py` reads the lineage of every column out of the
SQL and fails when the seed says otherwise: a swapped field, a dropped row, a field that nobody has decided about.

The seed is not only read by people. Changing a **survivorship rule** or a priority there changes the golden records,
changing a **PII class** changes what the roles see masked: both without touching SQL. An unknown rule stops the build
and is named.

To change it: edit the seed, run `.venv/bin/python -m operate.mapping_page`, and `make test`.
"""
DOCUMENTED = re.compile(r"{% docs (\w+) %}\n(.*?)\n{% enddocs %}", re.S)


def render() -> str:
    """The whole page as Markdown."""
    return "\n".join([INTRODUCTION, *_rules(), *_sources()])


def main() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")
    print(f"written: {PAGE.relative_to(PROJECT_ROOT)}")


def _rules() -> Iterator[str]:
    yield "## Cleaning rules\n"
    yield table(
        ("rule", "what it does", "example", "done by"),
        (
            (f"`{row['rule']}`", row["what_it_does"], row["example"], f"`{row['done_by']}`" if row["done_by"] else "")
            for row in read_seed("mapping/cleaning_rules")
        ),
    )


def _sources() -> Iterator[str]:
    meanings = _meanings()
    for (system, name), rows in groupby(
        read_seed("mapping/field_mappings"), key=lambda row: (row["source_system"], row["source_object"])
    ):
        kept = list(rows)
        yield f"## {system} {name}\n"
        yield table(
            ("field", "becomes", "meaning", "rule", "identifier", "PII", "survivorship", "decided by", "note"),
            (_line(row, meanings) for row in kept if row["target_entity"] != "ignored"),
        )
        if ignored := [row for row in kept if row["target_entity"] == "ignored"]:
            yield "Ignored, with the reason:\n"
            by_reason: dict[str, list[str]] = {}
            for row in ignored:
                by_reason.setdefault(row["note"], []).append(f"`{row['source_field']}`")
            yield "".join(f"- {', '.join(fields)}: {reason}\n" for reason, fields in by_reason.items())


def _line(row: Row, meanings: dict[str, str]) -> tuple[str, ...]:
    rule = row["survivorship_rule"].replace("_", " ")
    priority = f", priority {row['source_priority']}" if row["source_priority"] else ""
    return (
        f"`{row['source_field']}`", f"{row['target_entity']} `{row['target_field']}`",
        meanings.get(row["target_field"], ""), f"`{row['cleaning_rule']}`", row["identifier_type"], row["pii_class"],
        f"{rule}{priority}" if rule else "", row["decided_by"], row["note"],
    )  # fmt: skip


def _meanings() -> dict[str, str]:
    """What each canonical column means, from its doc block."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((PROJECT_ROOT / "models/docs").glob("*.md")))
    return {name: " ".join(said.split()) for name, said in DOCUMENTED.findall(text)}


if __name__ == "__main__":
    main()
