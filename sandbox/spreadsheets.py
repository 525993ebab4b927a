"""Three spreadsheets in the environment's inbox, each with its own conventions, and the yml that maps it.

    event_signups.csv      source_system event_signups   web form export, names apart, no street
    branch_customers.xlsx  source_system branch_office   one name cell, British headers and dates
    legacy_crm.parquet     source_system legacy_crm      one address cell, German dates

Every file holds all live rows (a full snapshot) and is replaced atomically; the same world gives the same
bytes.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from operate.environment import Environment
from sandbox.world import World, write_atomically

_ZIP_TIME = (2026, 1, 5, 6, 0, 0)  # inside the xlsx: the wall clock would make equal files differ


@dataclass(frozen=True)
class Sheet:
    """One spreadsheet: `columns` are (its header, canonical field) in order; the first is the key."""

    file: str
    source_system: str
    columns: tuple[tuple[str, str], ...]
    default_country: str
    date_format: str
    timezone: str
    write: Callable[[list[str], Iterator[list[str]]], bytes]


def _csv(headers: list[str], rows: Iterator[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(headers)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")  # with the mark that spreadsheet programs write


def _xlsx(headers: list[str], rows: Iterator[list[str]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Customers")
    sheet.append(headers)
    for row in rows:
        sheet.append([value or None for value in row])
    buffer = io.BytesIO()
    book.save(buffer)
    return _without_wall_clock(buffer)


def _without_wall_clock(buffer: io.BytesIO) -> bytes:
    """The same xlsx with fixed times, in the archive and in its document properties."""
    fixed = io.BytesIO()
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        for item in source.infolist():
            data = source.read(item)
            if item.filename == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", b"2026-01-05T06:00:00Z", data)
            info = zipfile.ZipInfo(item.filename, _ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, data)
    return fixed.getvalue()


def _parquet(headers: list[str], rows: Iterator[list[str]]) -> bytes:
    columns = list(zip(*rows, strict=True)) or [()] * len(headers)
    table = pa.table(
        {
            header: pa.array([value or None for value in values], pa.string())
            for header, values in zip(headers, columns, strict=True)
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


SHEETS = (
    Sheet(
        "event_signups.csv", "event_signups",
        (
            ("Registration ID", "id"), ("First Name", "given_name"), ("Last Name", "family_name"),
            ("E-mail", "email"), ("Phone", "phone"), ("Company", "company_name"), ("Job Title", "job_title"),
            ("Postcode", "postal_code"), ("Country", "country"), ("Signed up", "created_at"),
            ("Last change", "updated_at"),
        ),
        "US", "%Y-%m-%d %H:%M:%S", "UTC", _csv,
    ),
    Sheet(
        "branch_customers.xlsx", "branch_office",
        (
            ("CUST NO", "id"), ("NAME", "full_name"), ("D.O.B.", "date_of_birth"), ("TEL", "phone"),
            ("MOBILE", "mobile"), ("E-MAIL ADDRESS", "email"), ("STREET", "street"), ("TOWN", "city"),
            ("COUNTY/STATE", "region"), ("POST CODE", "postal_code"), ("COUNTRY", "country"),
            ("EMPLOYER", "company_name"), ("OPENED", "created_at"), ("AMENDED", "updated_at"),
        ),
        "US", "%d/%m/%Y", "Europe/London", _xlsx,
    ),
    Sheet(
        "legacy_crm.parquet", "legacy_crm",
        (
            ("person_no", "id"), ("vorname", "given_name"), ("mittelname", "middle_name"),
            ("nachname", "family_name"), ("namenszusatz", "name_suffix"), ("geburtsdatum", "date_of_birth"),
            ("mail_1", "email"), ("mail_2", "email_2"), ("tel", "phone"), ("tel_mobil", "mobile"),
            ("anschrift", "address"), ("land", "country"), ("arbeitgeber", "company_name"),
            ("beruf", "job_title"), ("angelegt", "created_at"), ("geaendert", "updated_at"),
        ),
        "US", "%d.%m.%Y", "Europe/Berlin", _parquet,
    ),
)  # fmt: skip


def write_spreadsheets(environment: Environment, world: World, faults: Iterable[str] = ()) -> list[str]:
    """Write every spreadsheet and its yml into the inbox, as `faults` leave them; returns the file names."""
    environment.inbox.mkdir(parents=True, exist_ok=True)
    for sheet in SHEETS:
        path = environment.inbox / sheet.file
        write_atomically(path.with_suffix(".yml"), yml(sheet).encode())
        headers = [header for header, _ in sheet.columns]
        headers, rows = _spoilt(headers, _rows(sheet, world), faults)
        data = sheet.write(headers, rows)
        if "truncated" in faults:
            data = data[: len(data) * 2 // 3]
        write_atomically(path, data)
    return [sheet.file for sheet in SHEETS]


def _spoilt(
    headers: list[str], rows: Iterator[list[str]], faults: Iterable[str]
) -> tuple[list[str], Iterator[list[str]]]:
    """Headers and rows as the schema faults leave them: a new last column, the second one gone or renamed."""
    if "schema_new" in faults:
        headers, rows = [*headers, "New column"], ([*row, "new"] for row in rows)
    if "schema_dropped" in faults:
        headers, rows = [headers[0], *headers[2:]], ([row[0], *row[2:]] for row in rows)
    if "schema_renamed" in faults:
        headers = [headers[0], f"{headers[1]} (renamed)", *headers[2:]]
    return headers, rows


def remove_spreadsheets(environment: Environment) -> None:
    """Take the sandbox's files, and no others, out of the inbox."""
    for sheet in SHEETS:
        path = environment.inbox / sheet.file
        path.unlink(missing_ok=True)
        path.with_suffix(".yml").unlink(missing_ok=True)


def yml(sheet: Sheet) -> str:
    """The mapping file of `sheet`, as the landing contract wants it."""
    contract = {
        "source_system": sheet.source_system,
        "key": sheet.columns[0][0],
        "columns": {header: field for header, field in sheet.columns if field != "id"},
        "default_country": sheet.default_country,
        "date_format": sheet.date_format,
        "timezone": sheet.timezone,
    }
    return yaml.safe_dump(contract, sort_keys=False, allow_unicode=True)


def _rows(sheet: Sheet, world: World) -> Iterator[list[str]]:
    rows = world.connection.execute(
        "select source_id, fields, created_at, updated_at from records"
        " where system = ? and object = 'people' and state = 'live' order by seq",
        (sheet.source_system,),
    )
    for row in rows:
        fields = json.loads(row["fields"])
        yield [_cell(sheet, field, row, fields) for _, field in sheet.columns]


def _cell(sheet: Sheet, field: str, row, fields: dict[str, str]) -> str:
    if field == "id":
        return row["source_id"]
    if field in ("created_at", "updated_at"):
        return _written(row[field], sheet)
    if field == "date_of_birth":
        return _written(fields["birth_date"], sheet)
    if field == "street":
        return fields["address"]
    if field == "address":
        town = " ".join(part for part in (fields["city"], fields["region"], fields["postal_code"]) if part)
        return ", ".join(part for part in (fields["address"], town) if part)
    return fields[field]


def _written(moment: str, sheet: Sheet) -> str:
    """An ISO date or instant in the file's date format; instants in the file's zone, as clerks see them."""
    if not moment:
        return ""
    if len(moment) == 10:
        return date.fromisoformat(moment).strftime(sheet.date_format)
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(sheet.timezone)).strftime(sheet.date_format)
