"""`docs/inventory.md`, written from the seeds in `seeds/inventory/`: `python -m operate.inventory_page`.

The seeds are the truth; a test fails when page and seeds differ.
"""

from __future__ import annotations

from collections.abc import Iterator

from operate.environment import PROJECT_ROOT
from operate.pages import Row, read_seed, table

PAGE = PROJECT_ROOT / "docs" / "inventory.md"

INTRODUCTION = """# The inventory

Every system that touches customer data, who answers for it, what it holds and how current it must be; who needs which
data, and when; and by what we will know that it was worth it. All of it is data in `seeds/inventory/`, agreed with the
owners, and read by the build:

- `mon_source_freshness` measures every source object against its own expectation: how late, how old, whose.
- `rpt_quality_kpis` takes the threshold of `sync_latency_minutes` from the object that is furthest beyond its
  expectation, and counts objects beyond their data age. Three tests in `tests/monitoring/` warn, each row with the
  object, its owner and what to do.
- `dbt source freshness` has the same numbers: it warns beyond the latency, and fails when nothing was landed for as
  long as data may be old at all.
- `c360 report` shows it under "Sources".

**Latency** is the time since the last landing that ended well, whether or not it brought anything. **Data age** is the
time since the newest change the source told of; where it tells no times, since the last landing that brought a change.
An empty expectation is never exceeded. A spreadsheet without a row of its own is measured as the inbox is, and the
inbox itself (`spreadsheets people`) by whichever spreadsheet was landed last.

**Which clock.** dbt's own freshness check compares with the machine's time. The sandbox's clock is pinned, so its
landings would look months old; the ids of loads, which are the machine's time, would not move with the sandbox's days.
So `macros/monitoring/collect_freshness.sql` asks the project's clock and `raw_ingest.runs`, as the models do. A source
whose landing was never tried counts as switched off and passes; one that was only tried in vain fails. Tables that
another loader fills are measured once it writes `raw_ingest.runs` too.

To change it: edit the seed, run `.venv/bin/python -m operate.inventory_page`, and correct the `freshness` of the table
in `models/staging/raw_<source>.yml`. Tests hold seeds, page, freshness, `ingest/sources.yml` and the code that lands
equal. Record counts and volumes are those of the sandbox's default world; baselines and targets are examples: replace
all of them by yours.
"""


def render() -> str:
    """The whole page as Markdown."""
    parts = [INTRODUCTION, *_sources(), *_stakeholders(), *_metrics()]
    return "\n".join(parts)


def main() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")
    print(f"written: {PAGE.relative_to(PROJECT_ROOT)}")


def _sources() -> Iterator[str]:
    objects = read_seed("inventory/source_objects")
    for system in read_seed("inventory/source_systems"):
        yield f"## {system['title']}\n"
        yield _system(system)
        mine = [row for row in objects if row["source_system"] == system["source_system"]]
        yield table(
            ("object", "one record is", "people", "PII", "key", "change cursor", "deletion shows as", "merge shows in",
             "records", "latency", "data age", "known quality issues", "staging model"),
            (
                (
                    f"`{row['source_object']}`", row["grain"], "yes" if row["holds_people"] == "true" else "",
                    row["pii_class"], row["primary_key"], row["change_cursor"] or "none", row["deletion_signal"],
                    row["merge_signal"], _count(row["expected_records"]),
                    _duration(row["latency_expectation_minutes"]), _hours(row["max_data_age_hours"]),
                    row["known_quality_issues"], f"`{row['staging_model']}`",
                )
                for row in mine
            ),
        )  # fmt: skip


def _system(system: Row) -> str:
    personal = system["pii_classes"].replace(" ", ", ") if system["holds_pii"] == "true" else "none"
    cadence = _duration(system["cadence_minutes"]).removeprefix("1 ")
    frequency = f"{system['change_frequency']}, landed every {cadence}"
    facts = {
        "source system": f"`{system['source_system']}` ({system['category']})",
        "owner, steward": f"{system['owner']}, {system['steward']}",
        "personal data": personal,
        "volume": f"{_count(system['expected_records']) or 'unknown'} records, "
        f"{_count(system['volume_per_day']) or 'unknown'} changed a day",
        "frequency": frequency,
        "latency expected": _duration(system["latency_expectation_minutes"]),
        "data at most": f"{_hours(system['max_data_age_hours'])} old, for its most urgent object",
        "interface": f"{system['interface']}; {system['authentication']}",
        "quality issues": system["known_quality_issues"],
        "decided by": system["decided_by"],
    }
    return "".join(f"- {name}: {value}\n" for name, value in facts.items())


def _stakeholders() -> Iterator[str]:
    yield "## Stakeholders\n\nWho needs which data, when, for what, and by which right.\n"
    yield table(
        ("stakeholder", "team", "source", "model", "needs", "purpose", "when", "within", "legal basis", "decision"),
        (
            (
                row["stakeholder"], row["team"], " ".join(filter(None, (row["source_system"], row["source_object"]))),
                f"`{row['model']}`" if row["model"] else "", row["needs"], row["purpose"], row["frequency"],
                _duration(row["needed_within_minutes"]), row["legal_basis"].replace("_", " "), row["decision_right"],
            )
            for row in read_seed("inventory/stakeholders")
        ),
    )  # fmt: skip


def _metrics() -> Iterator[str]:
    yield "## Success metrics\n\nWhere an indicator is named, every build measures it and `c360 report` shows it.\n"
    yield table(
        ("metric", "what it is", "baseline", "target", "indicator", "measured by", "owner", "reviewed"),
        (
            (
                row["metric"].replace("_", " "), row["description"], f"{row['baseline']} {row['unit']}".strip()
                if row["baseline"] else "not measured",
                f"{row['direction'].replace('_', ' ')} {row['target']} {row['unit']}",
                f"`{row['kpi']}`" if row["kpi"] else "", f"`{row['measured_by']}`", row["owner"],
                row["review_frequency"],
            )
            for row in read_seed("inventory/success_metrics")
        ),
    )  # fmt: skip


def _count(text: str) -> str:
    return f"{int(text):,}" if text else ""


def _hours(text: str) -> str:
    return _duration(str(int(text) * 60)) if text else "any age"


def _duration(text: str) -> str:
    """Minutes in the largest unit that divides them."""
    if not text:
        return "no expectation"
    minutes = int(text)
    for unit, length in (("days", 1440), ("hours", 60)):
        if minutes % length == 0:
            number = minutes // length
            return f"{number} {unit if number > 1 else unit[:-1]}"
    return f"{minutes} minutes"


if __name__ == "__main__":
    main()
