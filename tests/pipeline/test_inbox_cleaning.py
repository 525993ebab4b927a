"""Cleaning as a user meets it: files in the inbox, one run, and what is in cleaned.cln_spreadsheets__people then.

Garbage in one row of a hundred ends in rejects or flagged with a reason, the build stays green and no row is lost; and
the hard cases of tests/cases/ come out of the warehouse as they come out of the functions.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import support
from cases import read_cases

from operate import clock
from operate.environment import Environment
from operate.run import run

# Per file of hard cases: its given columns, and its expected ones, by the columns of the cleaned model.
NAME_PARTS = ("person_kind", "given_name", "middle_name", "family_name", "name_suffix")
PLACE_PARTS = ("house_number", "street", "unit", "city", "region", "postal_code")
SHEETS = {
    "phones": (
        {"raw": "phone", "region": "country"},
        {"e164": "phone", "extension": "phone_extension", "phone_type": "phone_type"}, 0.98,
    ),
    "emails": ({"raw": "email"}, {"email": "email", "match_key": "email_match_key"}, 0.98),
    "countries": ({"raw": "country"}, {"country": "country"}, 0.98),
    "person_names": ({"raw": "full_name"}, {part: part for part in NAME_PARTS}, 0.92),
    "companies": ({"raw": "company_name"}, {"company_key": "company_key"}, 0.92),
    "us_addresses": ({"raw": "address", "country": "country"}, {part: part for part in PLACE_PARTS}, 0.97),
    "world_addresses": ({"raw": "address", "country": "country"}, {part: part for part in PLACE_PARTS}, 0.85),
}  # fmt: skip

ROWS = 2_000
HEADERS = ["id", "name'); drop table people; --", "mail", "tel", "street", "zip", "town", "born", "since", "firm"]
FIELDS = (
    "full_name",
    "email",
    "phone",
    "address",
    "postal_code",
    "city",
    "date_of_birth",
    "created_at",
    "company_name",
)
DEEP = json.dumps(json.loads("[" * 400 + "]" * 400))

# What each row of garbage holds: the column, and what is put there.
GARBAGE = [
    (1, "Nadia\x00Null"),
    (2, "nul\x00l@mail.test"),
    (9, "x" * 10_000_000),
    (1, b"J\xf6rg M\xfcller"),
    (9, b"\xff\xfe\xfd"),
    (2, "smile\U0001f600@mail.test"),
    (1, "Emma \U0001f4a9 Moji"),
    (1, "\u202eadnaM\u202c Mirror"),
    (9, "Acme\u200f Ltd\u202e"),
    (2, DEEP),
    (3, DEEP),
    (3, "NaN"),
    (7, "NaN"),
    (7, "9999-12-31"),
    (8, "9999-99-99"),
    (8, "NaN"),
    (2, "'; drop table cleaned.cln_spreadsheets__people; --"),
    (3, "1; delete from raw_ingest.runs"),
    (1, "Robert'); DROP TABLE customers;--"),
    (1, "{\"$ne\": null}"),
]  # fmt: skip


def good_row(number: int) -> list[str]:
    given = ("Anna", "Bert", "Carla", "Emil")[number % 4]
    family = ("Adler", "Brandt", "Castell", "Dorn", "Ebert")[number % 5]
    return [
        f"{number:05}", f"{given} {family}", f"{given}.{number}@mail.test", f"+49 30 90{number:05}",
        f"Hauptstr. {number}", "10115", "Berlin", f"19{50 + number % 50}-03-{1 + number % 28:02}",
        "2026-01-02T03:04:05Z", f"Firma {number}",
    ]  # fmt: skip


def write_cases(folder: Path) -> None:
    for name, (given, _, _) in SHEETS.items():
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as handle:
            sheet = csv.writer(handle)
            sheet.writerow(["line", *given.values()])
            for case in read_cases(name):
                sheet.writerow([case.line, *(case.given[column] or "" for column in given)])
        settings = {"source_system": name, "key": "line", "columns": {field: field for field in given.values()}}
        (folder / f"{name}.yml").write_text(json.dumps(settings), encoding="utf-8")


def write_garbage(folder: Path) -> None:
    step = ROWS // len(GARBAGE)
    lines = [",".join(HEADERS).encode()]
    for number in range(ROWS):
        cells: list[str | bytes] = list(good_row(number))
        if number % step == 7:
            column, value = GARBAGE[number // step]
            cells[column] = value
        lines.append(b",".join(_quoted(cell) for cell in cells))
    (folder / "desk.csv").write_bytes(b"\n".join(lines) + b"\n")
    columns = {header: field for header, field in zip(HEADERS[1:], FIELDS, strict=True)}
    (folder / "desk.yml").write_text(
        json.dumps({"source_system": "desk", "key": "id", "default_country": "DE", "columns": columns}),
        encoding="utf-8",
    )


def _quoted(cell: str | bytes) -> bytes:
    if isinstance(cell, bytes):
        return b'"' + cell + b'"'
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([cell])
    return line.getvalue().encode()


@pytest.fixture(scope="module")
def inbox(module_environment: Environment) -> Environment:
    clock.set_now(module_environment, support.START)
    write_garbage(module_environment.inbox)
    write_cases(module_environment.inbox)
    outcome = run(module_environment, say=lambda line: None)
    assert not outcome.problems, outcome.problems
    return module_environment


# ---------- garbage
def test_every_row_is_landed_or_rejected_and_every_landed_one_is_cleaned(inbox):
    counts = "select source_system, count(*) from {} where source_system = 'desk' group by 1"
    [(_, landed)] = support.query(inbox, counts.format("raw_spreadsheets.people"))
    [(_, cleaned)] = support.query(inbox, counts.format("cleaned.cln_spreadsheets__people"))
    [(_, rejected)] = support.query(inbox, counts.format("raw_ingest.rejects"))
    assert landed + rejected == ROWS and cleaned == landed and rejected >= 4
    for reason, location in support.query(inbox, "select reason, location from raw_ingest.rejects"):
        assert reason and " row " in location


def test_what_is_measured_is_what_was_put_in(inbox):
    """Rows in error, rejected or flagged, are exactly the rows of garbage."""
    in_error = support.query(
        inbox,
        "select source_id from raw_ingest.rejects where source_system = 'desk' union "
        "select split_part(record_key, ':', 3) from cleaned.cln_record_issues "
        "where severity = 'error' and source_system = 'desk'",
    )
    step = ROWS // len(GARBAGE)
    assert {source_id for (source_id,) in in_error} == {f"{number * step + 7:05}" for number in range(len(GARBAGE))}
    [(rate,)] = support.query(
        inbox, "select measured_value from monitoring.rpt_quality_kpis where kpi = 'record_error_rate'"
    )
    [(flagged, cleaned)] = support.query(
        inbox,
        "select (select count(distinct record_key) from cleaned.cln_record_issues where severity = 'error'), "
        "(select count(*) from cleaned.cln_spreadsheets__people)",
    )
    assert rate == pytest.approx(100 * flagged / cleaned, abs=0.001)


def test_the_tables_that_garbage_asked_to_drop_are_there(inbox):
    for table in ("raw_ingest.runs", "cleaned.cln_spreadsheets__people"):
        assert support.query(inbox, f"select count(*) > 0 from {table}") == [(True,)]


# ---------- hard cases
@pytest.mark.parametrize("name", SHEETS)
def test_hard_cases_come_out_of_the_warehouse_as_they_should(inbox, name):
    _, expected, bar = SHEETS[name]
    found = {
        source_id: dict(zip(expected, values, strict=True))
        for source_id, *values in support.query(
            inbox,
            f"select source_id, {', '.join(expected.values())} from cleaned.cln_spreadsheets__people "
            f"where source_system = '{name}'",
        )
    }
    cases = read_cases(name)
    wrong = [
        (case.given, found.get(str(case.line)), case.expected)
        for case in cases
        if any(found.get(str(case.line), {}).get(field) != case.expected[field] for field in expected)
    ]
    assert len(wrong) <= (1 - bar) * len(cases), wrong
