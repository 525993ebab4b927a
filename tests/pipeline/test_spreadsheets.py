"""The no-code door: what a file in the inbox becomes, and what is said about one that is not accepted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml

from ingest.run import LandingResult, run
from operate import clock
from operate.environment import Environment, get_environment

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEADERS = ("No", "Name", "Mail", "Born")
COLUMNS = {"Name": "full_name", "Mail": "email", "Born": "date_of_birth"}
ROWS = [
    ("019119", "Ada Byron", "ada@example.org", "1955-12-10"),
    ("019120", "Grace Hopper", "grace@example.org", "1906-12-09"),
    ("7", "Alan Turing", "", "1912-06-23"),
]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv("C360_VAR", str(tmp_path))
    made = get_environment("trial").create()
    clock.set_now(made, DAY)
    return made


def settings(**changes: object) -> dict[str, object]:
    kept = {"source_system": "club", "key": "No", "columns": COLUMNS} | changes
    return {key: value for key, value in kept.items() if value is not None}


def put(environment: Environment, rows=ROWS, name: str = "club", headers=HEADERS, **changes: object) -> Path:
    """A csv and its yml in the inbox."""
    text = "\n".join(",".join(row) for row in [headers, *rows]) + "\n"
    path = environment.inbox / f"{name}.csv"
    path.write_text(text, encoding="utf-8")
    path.with_suffix(".yml").write_text(yaml.safe_dump(settings(**changes)), encoding="utf-8")
    return path


def land(environment: Environment) -> LandingResult:
    said: list[str] = []
    return run(environment, ["spreadsheets"], said.append)


def refusal(environment: Environment) -> str:
    """The one error of a run that must refuse; nothing may have been landed by it."""
    before = count(environment, "raw_spreadsheets.people")
    result = land(environment)
    assert len(result.failures) == 1
    assert count(environment, "raw_spreadsheets.people") == before
    outcomes = query(environment, f"select distinct outcome from raw_ingest.runs where run_id = '{result.run_id}'")
    assert outcomes == [("failed",)]
    return result.failures[0].error


def query(environment: Environment, sql: str) -> list[tuple]:
    with duckdb.connect(str(environment.warehouse)) as connection:
        return connection.execute(sql).fetchall()


def count(environment: Environment, table: str) -> int:
    if not environment.warehouse.exists():
        return 0
    found = query(environment, f"from duckdb_tables() where schema_name || '.' || table_name = '{table}'")
    return query(environment, f"select count(*) from {table}")[0][0] if found else 0


def versions(environment: Environment) -> list[tuple]:
    return query(
        environment,
        "select source_id, full_name, email, is_deleted from raw_spreadsheets.people order by _dlt_load_id, source_id",
    )


# -------------------------------------------------------------------- what is landed


def test_cells_stay_text_blank_is_null_and_the_yml_travels_along(environment):
    put(environment, default_country="us", date_format="%d/%m/%Y", timezone="Europe/Berlin")
    result = land(environment)

    assert [(r.source_system, r.source_object, r.counts.served, r.counts.landed) for r in result.objects] == [
        ("club", "people", 3, 3)
    ]
    assert versions(environment) == [
        ("019119", "Ada Byron", "ada@example.org", False),
        ("019120", "Grace Hopper", "grace@example.org", False),
        ("7", "Alan Turing", None, False),
    ]
    assert query(
        environment,
        "select distinct source_system, source_updated_at, file_name, default_country, date_format, timezone, "
        "given_name from raw_spreadsheets.people",
    ) == [("club", None, "club.csv", "US", "%d/%m/%Y", "Europe/Berlin", None)]


def test_csv_xlsx_and_parquet_of_the_same_content_have_equal_hashes(environment):
    born = {row[0]: date.fromisoformat(row[3]) for row in ROWS}
    put(environment, source_system="a_csv", name="a")
    workbook = openpyxl.Workbook()
    workbook.active.append(HEADERS)
    for number, row in enumerate(ROWS, start=2):
        workbook.active.append([row[0], row[1], row[2] or None, born[row[0]]])
        if row[0] == "7":
            workbook.active.cell(number, 1).value = 7  # a number cell, no text
    workbook.save(environment.inbox / "b.xlsx")
    pyarrow.parquet.write_table(
        pa.table(
            {
                "No": [row[0] for row in ROWS],
                "Name": [row[1] for row in ROWS],
                "Mail": [row[2] or None for row in ROWS],
                "Born": pa.array([born[row[0]] for row in ROWS], pa.date32()),
            }
        ),
        environment.inbox / "c.parquet",
    )
    for name, system in (("b", "b_xlsx"), ("c", "c_parquet")):
        text = yaml.safe_dump(settings(source_system=system))
        (environment.inbox / f"{name}.yml").write_text(text, encoding="utf-8")

    assert not land(environment).failures
    hashes = query(
        environment,
        "select source_system, list((source_id, content_hash) order by source_id) from raw_spreadsheets.people "
        "group by 1 order by 1",
    )
    assert [system for system, _ in hashes] == ["a_csv", "b_xlsx", "c_parquet"]
    assert len(hashes[0][1]) == 3
    assert hashes[0][1] == hashes[1][1] == hashes[2][1]


def test_a_file_read_again_lands_nothing(environment):
    put(environment)
    land(environment)
    counts = land(environment).objects[0].counts
    assert (counts.served, counts.landed, counts.unchanged) == (3, 0, 3)
    assert count(environment, "raw_spreadsheets.people") == 3


def test_a_value_that_goes_and_comes_back_keeps_three_versions(environment):
    changed = [ROWS[0], ("019120", "Grace B. Hopper", *ROWS[1][2:]), ROWS[2]]
    for rows in (ROWS, changed, ROWS):
        put(environment, rows)
        land(environment)
    names = [row[1] for row in versions(environment) if row[0] == "019120"]
    assert names == ["Grace Hopper", "Grace B. Hopper", "Grace Hopper"]
    assert count(environment, "raw_spreadsheets.people") == 5


def test_a_changed_date_format_is_a_change_of_every_row(environment):
    put(environment)
    land(environment)
    put(environment, date_format="%Y-%m-%d")
    assert land(environment).objects[0].counts.landed == 3


def test_a_row_that_leaves_is_deleted_once_and_may_come_back(environment):
    put(environment)
    land(environment)
    put(environment, ROWS[:2])
    clock.advance(environment, timedelta(days=1))
    counts = land(environment).objects[0].counts
    assert (counts.served, counts.landed, counts.deleted, counts.unchanged) == (2, 1, 1, 2)
    assert land(environment).objects[0].counts.landed == 0

    deletion = query(
        environment,
        "select source_system, source_object, source_id, deleted_at, evidence from raw_ingest.record_deletions",
    )
    moment = (DAY + timedelta(days=1)).replace(tzinfo=None)
    assert deletion == [("club", "people", "7", moment, "not in the file any more")]
    put(environment)
    land(environment)
    assert [row[3] for row in versions(environment) if row[0] == "7"] == [False, True, False]


def test_a_file_that_is_gone_keeps_its_records_and_is_mentioned(environment):
    path = put(environment)
    land(environment)
    path.unlink()
    result = land(environment)
    assert not result.failures
    assert count(environment, "raw_spreadsheets.people") == 3
    assert any("no file delivers club any more; its 3 records are kept" in line for line in result.messages)
    assert any("club.yml has no data file beside it" in line for line in result.messages)


def test_a_blank_key_is_a_reject_with_its_row_and_everything_adds_up(environment):
    rows = [
        ROWS[0],
        ("  ", "Nobody", "nobody@example.org", ""),
        ("", "", "", ""),
        ROWS[1],
        ("9", "B\0ad", "", ""),
    ]
    put(environment, rows)
    counts = land(environment).objects[0].counts
    assert (counts.served, counts.landed, counts.unchanged, counts.rejected) == (
        4,
        2,
        0,
        2,
    )  # an empty row is none
    rejects = query(
        environment,
        "select source_system, source_object, source_id, reason, location, payload::json ->> 'full_name' "
        "from raw_ingest.rejects order by location",
    )
    assert rejects[0] == ("club", "people", None, "the key is missing or blank", "club.csv row 3", "Nobody")
    assert rejects[1][:5] == ("club", "people", "9", "a NUL character in full_name", "club.csv row 6")
    assert query(
        environment,
        "select rows_served, rows_landed, rows_unchanged, rows_rejected, rows_deleted, outcome from raw_ingest.runs",
    ) == [(4, 2, 0, 2, 0, "ok")]


def test_a_rejected_row_is_not_taken_for_one_that_left(environment):
    put(environment)
    land(environment)
    put(environment, [*ROWS[:2], ("7", "A\0lan", "", "")])
    counts = land(environment).objects[0].counts
    assert (counts.rejected, counts.deleted) == (1, 0)


def test_a_system_may_be_called_like_a_built_in_source(environment):
    put(environment, source_system="hubspot")
    assert not land(environment).failures
    assert query(environment, "select distinct source_system from raw_spreadsheets.people") == [("hubspot",)]


@pytest.mark.parametrize("text", ["No;Name;Mail\n1;A, B;\n", "No\tName\tMail\r\n1\tA, B\t\r\n"])
def test_the_delimiter_is_the_one_that_gives_the_mapped_headers(environment, text):
    put(environment, columns={"Name": "full_name", "Mail": "email"}).write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert not land(environment).failures
    assert versions(environment) == [("1", "A, B", None, False)]


def test_xlsx_cells_read_as_a_person_typed_them(environment):
    workbook = openpyxl.Workbook()
    workbook.active.append([])
    workbook.active.append(["No", "Name", "Mail"])
    workbook.active.append([19119.0, datetime(2024, 1, 2, 3, 4, 5), 0.5])
    workbook.active.append([None, None, None])
    workbook.active.append(["00042", True, 12345678901234])
    workbook.save(environment.inbox / "club.xlsx")
    text = yaml.safe_dump(settings(columns={"Name": "full_name", "Mail": "email"}))
    (environment.inbox / "club.yml").write_text(text, encoding="utf-8")
    assert not land(environment).failures
    assert versions(environment) == [
        ("00042", "true", "12345678901234", False),
        ("19119", "2024-01-02 03:04:05", "0.5", False),
    ]


# -------------------------------------------------------------------- what is refused


def test_a_key_that_repeats_names_the_key_and_the_rows(environment):
    put(environment, [*ROWS, ("7 ", "Alan T.", "", "")])
    message = refusal(environment)
    assert "club.csv: the key 'No' repeats: '7' in rows 4, 5" in message


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        (
            {"columns": {"Nmae": "full_name"}},
            ["mapped header 'Nmae' is not in the file", "did you mean 'Name'?"],
        ),
        (
            {"key": "Id"},
            ["key column 'Id' is not in the file", "its headers are 'No', 'Name', 'Mail', 'Born'"],
        ),
        ({"key": None}, ["club.yml names no key"]),
        (
            {"columns": {"Name": "fullname"}},
            ["unknown canonical field 'fullname' for header 'Name'", "did you mean full_name?"],
        ),
        (
            {"columns": {"Name": "full_name", "Mail": "full_name"}},
            ["headers 'Mail' and 'Name' are both mapped to full_name"],
        ),
        ({"columns": None}, ["club.yml maps no columns"]),
        ({"colums": {}}, ["unknown setting 'colums' in club.yml", "known are source_system, key, columns"]),
        ({"source_system": "Club"}, ["source_system 'Club' in club.yml is not usable", "lower-case"]),
        ({"source_system": None}, ["source_system None in club.yml is not usable"]),
        (
            {"default_country": "USA"},
            ["default_country 'USA' in club.yml is no country code", "US, GB or DE"],
        ),
        (
            {"date_format": "DD/MM/YYYY"},
            ["date_format 'DD/MM/YYYY' in club.yml is not understood", "%d/%m/%Y"],
        ),
        ({"timezone": "Berlin"}, ["timezone 'Berlin' in club.yml is not known", "Europe/Berlin"]),
    ],
)
def test_settings_that_do_not_fit_are_refused_with_a_remedy(environment, changes, parts):
    put(environment, **changes)
    message = refusal(environment)
    for part in ["club.csv: ", *parts]:
        assert part in message


def test_a_file_without_yml_is_refused_with_a_yml_to_start_from(environment):
    put(environment).with_suffix(".yml").unlink()
    message = refusal(environment)
    assert "club.yml is missing" in message
    template = yaml.safe_load(message[message.index("      source_system") :])
    assert template["source_system"] == "club"
    assert template["key"] == "No"
    assert template["columns"]["Mail"] == "email"


def test_headers_that_yaml_would_take_for_something_else_are_text(environment):
    path = put(environment, headers=("No", "2024", "null", "Born"))
    path.with_suffix(".yml").write_text(
        "source_system: club\nkey: No\ndefault_country: NO\ncolumns:\n  2024: full_name\n", encoding="utf-8"
    )
    assert not land(environment).failures
    assert versions(environment)[0] == ("019119", "Ada Byron", None, False)
    assert query(environment, "select distinct default_country from raw_spreadsheets.people") == [("NO",)]


@pytest.mark.parametrize("text", ["columns: [", "", "just words"])
def test_a_yml_that_holds_no_settings_is_refused(environment, text):
    put(environment).with_suffix(".yml").write_text(text, encoding="utf-8")
    assert "club.yml" in refusal(environment)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"No,Name,Mail,Born\n1,a,b\n", "line: 2: expected number of columns: 4 found: 3"),
        (b"No,Name,Mail,Born\n1,Zo\xeb,,\n", "line: 2 is not UTF-8 text; save the file as 'CSV UTF-8'"),
        (b'No,Name,Mail,Born\n1,"a,b,c\n', "a quote is opened and never closed"),
        ("No,Name\n1,a\n".encode("utf-16"), "the file is UTF-16; save it as 'CSV UTF-8'"),
        (b"", "the file is empty; it needs a header row"),
        (b"No,Name,Mail,Born,Name\n1,a,b,c,d\n", "mapped header 'Name' stands in the header row 2 times"),
    ],
)
def test_a_csv_that_cannot_be_read_is_refused_with_its_line(environment, content, part):
    put(environment).write_bytes(content)
    assert part in refusal(environment)


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet"])
def test_an_unreadable_file_is_refused(environment, suffix):
    put(environment).unlink()
    (environment.inbox / f"club{suffix}").write_bytes(b"this is neither")
    message = refusal(environment)
    assert f"club{suffix}: the " in message
    assert "cannot be read" in message


def test_two_files_cannot_claim_one_system(environment):
    put(environment)
    put(environment, name="other")
    assert "other.csv: source_system club is already that of club.csv" in refusal(environment)


def test_one_refused_file_keeps_all_others_out_and_every_one_is_named(environment):
    put(environment, name="good", source_system="good")
    put(environment, name="bad", source_system="bad", columns={"Name": "nonsense"})
    put(environment, name="worse", source_system="worse", key="nowhere")
    message = refusal(environment)
    assert "bad.csv: unknown canonical field 'nonsense'" in message
    assert count(environment, "raw_spreadsheets.people") == 0
    put(environment, name="bad", source_system="bad")
    assert "worse.csv: key column 'nowhere' is not in the file" in refusal(environment)
    put(environment, name="worse", source_system="worse")
    assert not land(environment).failures
    assert count(environment, "raw_spreadsheets.people") == 9
