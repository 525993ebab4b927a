"""`docs/quality_rules.md`, written from `seeds/governance/quality_rules.csv`: `python -m operate.quality_rules_page`.

The seed is the truth; a test fails when page and seed differ.
"""

from __future__ import annotations

from collections.abc import Iterator

from operate.environment import PROJECT_ROOT
from operate.pages import read_seed

PAGE = PROJECT_ROOT / "docs" / "quality_rules.md"
DIMENSIONS = ("format", "range", "cross_field", "completeness", "uniqueness", "referential")

INTRODUCTION = """# Quality rules

What every cleaned record is asked, why, and what to do about a finding. **No record is removed for breaking a rule**:
it stays, with its raw values, and `cleaned.cln_quality_issues` holds a row for each rule that it breaks (`issues` in
the cleaned models has the same, a line each). What landing refuses, because it cannot be stored as a record at all,
is in `raw_ingest.rejects` with its reason; rows served = landed + rejected, and live landed = cleaned, each by a test.

An **error** counts in the indicator `record_error_rate` of the quality report; a **warning** is a finding for the
owner of the source. Tests hold what must be true of every clean value, whatever was written: phones are valid E.164,
countries are assigned ISO 3166 codes, no clean value stands without its raw one, and none is lost without a reason.

To change a rule's severity, reason or remedy: edit `seeds/governance/quality_rules.csv`, run
`.venv/bin/python -m operate.quality_rules_page`. To add one: a row there, and its expression in
`macros/cleaning/record_issues.sql` or, when it compares records, in `cln_quality_issues`.
"""


def render() -> str:
    """The whole page as Markdown."""
    return "\n".join([INTRODUCTION, *_rules()])


def main() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")
    print(f"written: {PAGE.relative_to(PROJECT_ROOT)}")


def _rules() -> Iterator[str]:
    rules = read_seed("governance/quality_rules")
    for dimension in DIMENSIONS:
        yield f"## {dimension.replace('_', ' ').capitalize()}\n"
        for rule in rules:
            if rule["dimension"] == dimension:
                yield (
                    f"### {rule['rule']}\n\n"
                    f"- severity: {rule['severity']}\n- applies to: {rule['applies_to']}\n"
                    f"- example: {rule['example']}\n- reason: {rule['reason']}\n- remedy: {rule['remedy']}\n"
                )


if __name__ == "__main__":
    main()
