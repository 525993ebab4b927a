"""Spreadsheets: every file in the inbox with a yml beside it is a source of people. No code needed.

    inbox/<name>.csv|.xlsx|.parquet     one header row, one row per person, cells read as text
    inbox/<name>.yml                    source_system, key, columns {their header: canonical field},
                                        optional default_country, date_format, timezone

Each file is the full snapshot of its source system: a row that left it is a deletion, and landing order
is the order of truth. All files are checked before any is landed; one that is wrong is refused whole.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pycountry
import yaml

from ingest import tables
from ingest.objects import Object, texts
from ingest.tables import Refusal, literal
from ingest.task import ReadTask
from ingest.versions import Batch
from operate.errors import UserError

CANONICAL_FIELDS = (
    "full_name", "given_name", "middle_name", "family_name", "name_suffix",
    "email", "email_2", "phone", "mobile",
    "address", "street", "street_2", "city", "region", "postal_code", "country",
    "date_of_birth", "national_id", "company_name", "job_title", "website", "external_ids",
    "created_at", "updated_at",
)  # fmt: skip
PEOPLE = Object(
    source="spreadsheets",
    name="people",
    path="inbox",
    key="the yml's key",
    deletes="snapshot",
    identity=("source_system", "source_id"),
    carried=("file_name",),
    fields=texts(*CANONICAL_FIELDS, "file_name", "default_country", "date_format", "timezone"),
)
OBJECTS = (PEOPLE,)
SETTINGS = ("source_system", "key", "columns", "default_country", "date_format", "timezone")
NAMED_DATE_FORMATS = ("iso", "rfc2822", "epoch_s", "epoch_ms", "epoch_us", "excel_1900", "excel_1904")
SYSTEM_NAME = re.compile(r"[a-z][a-z0-9_]*")
SHOWN = 5  # examples in one message


@dataclass(frozen=True)
class Sheet:
    """One file of the inbox with its checked settings. `columns`: their header -> canonical field."""

    path: Path
    source_system: str
    key: str
    columns: dict[str, str]
    default_country: str | None
    date_format: str | None
    timezone: str | None

    @property
    def name(self) -> str:
        return self.path.name


def read(task: ReadTask) -> None:
    """Check every file of the inbox, then land all of them as one batch.

    Raises UserError naming each refused file with the reason and the remedy; then nothing is landed.
    """
    inbox, say = task.settings.environment.inbox, task.say
    with task.batch(PEOPLE) as batch:
        refusals: list[str] = []
        sheets: list[Sheet] = []
        for path in _files(inbox, say):
            try:
                sheets.append(_checked_settings(path, batch))
            except Refusal as refusal:
                refusals.append(f"{path.name}: {refusal}")
        refusals += _claimed_twice(sheets)
        for sheet in sheets if not refusals else []:
            try:
                _add(batch, sheet, say)
            except Refusal as refusal:
                refusals.append(f"{sheet.name}: {refusal}")
        if refusals:
            lines = "\n  ".join(refusals)
            raise UserError(f"spreadsheets: nothing of {inbox} was landed, because a file was refused:\n  {lines}")
        batch.judge()
        delivered = ", ".join(literal(sheet.source_system) for sheet in sheets) or "null"
        batch.end_missing("not in the file any more", among=f"source_system in ({delivered})")
        _say_who_is_absent(batch, sheets, say)
        task.land(batch)


# -------------------------------------------------------------------- files and their settings


def _files(inbox: Path, say: Callable[[str], None]) -> list[Path]:
    """The data files of the inbox in the order of their names; others are pointed out."""
    found = []
    for path in sorted(inbox.iterdir()) if inbox.exists() else []:
        if path.name.startswith((".", "~$")) or path.suffix == ".partial" or not path.is_file():
            continue
        if path.suffix.lower() in tables.READERS:
            found.append(path)
        elif path.suffix != ".yml":
            say(f"spreadsheets: {path.name} is ignored: neither csv, xlsx, parquet nor yml")
        elif not any(path.with_suffix(suffix).exists() for suffix in tables.READERS):
            say(f"spreadsheets: {path.name} has no data file beside it; records landed earlier are kept")
    return found


def _checked_settings(path: Path, batch: Batch) -> Sheet:
    """The file's yml, every setting understood. Raises Refusal."""
    settings = _read_yml(path)
    unknown = [key for key in settings if key not in SETTINGS]
    if unknown:
        raise Refusal(f"unknown setting {unknown[0]!r} in {path.stem}.yml; known are {', '.join(SETTINGS)}")
    system = settings.get("source_system")
    if not isinstance(system, str) or not SYSTEM_NAME.fullmatch(system):
        raise Refusal(
            f"source_system {system!r} in {path.stem}.yml is not usable: take lower-case letters, digits and "
            "'_', starting with a letter"
        )
    key = settings.get("key")
    if not isinstance(key, str) or not key.strip():
        raise Refusal(f"{path.stem}.yml names no key; set `key:` to the header of the column with the record ids")
    return Sheet(
        path=path,
        source_system=system,
        key=key.strip(),
        columns=_checked_columns(path, settings.get("columns")),
        default_country=_checked_country(path, settings.get("default_country")),
        date_format=_checked_date_format(path, settings.get("date_format"), batch),
        timezone=_checked_timezone(path, settings.get("timezone"), batch),
    )


def _read_yml(path: Path) -> dict[str, Any]:
    companion = path.with_suffix(".yml")
    if not companion.exists():
        headers = tables.headers_or_nothing(path)
        raise Refusal(
            f"{companion.name} is missing; write it beside the file, for example:\n{_template(path, headers)}"
        )
    try:
        # Every scalar stays text: a header `No` or `2024` and the country `NO` are what they look like.
        settings = yaml.load(companion.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Refusal(f"{companion.name} is not valid YAML: {' '.join(str(error).split())}; correct it") from error
    if not isinstance(settings, dict):
        raise Refusal(
            f"{companion.name} holds no settings; it needs source_system, key and columns, for example:\n"
            + _template(path, tables.headers_or_nothing(path))
        )
    return {key: None if value in ("", "~", "null") else value for key, value in settings.items()}


def _template(path: Path, headers: list[str]) -> str:
    """A yml to start from, with the file's own headers where they could be read."""
    system = re.sub(r"[^a-z0-9_]+", "_", path.stem.lower()).strip("_") or "people"
    key, *others = headers or ["Id", "Name", "E-mail"]
    lines = [f"source_system: {system}", f"key: {_quoted(key)}", "columns:"]
    for header in others or [key]:
        word = re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_")
        near = difflib.get_close_matches(word, CANONICAL_FIELDS, 1, 0.6)
        lines.append(f"  {_quoted(header)}: {near[0] if near else 'full_name'}")
    lines.append(f"# canonical fields: {', '.join(CANONICAL_FIELDS)}")
    return "\n".join(f"      {line}" for line in lines)


def _quoted(text: str) -> str:
    """Text as a YAML scalar that any YAML reader takes for text."""
    return yaml.safe_dump(text, allow_unicode=True, width=10_000).removesuffix("\n...\n").strip()


def _checked_columns(path: Path, columns: Any) -> dict[str, str]:
    if not isinstance(columns, dict) or not columns:
        raise Refusal(f"{path.stem}.yml maps no columns; set `columns:` to pairs of `their header: canonical field`")
    mapped: dict[str, str] = {}
    for header, target in columns.items():
        if target not in CANONICAL_FIELDS:
            near = difflib.get_close_matches(str(target), CANONICAL_FIELDS, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise Refusal(
                f"unknown canonical field {target!r} for header {str(header)!r} in {path.stem}.yml; "
                f"{hint}the fields are {', '.join(CANONICAL_FIELDS)}"
            )
        if target in mapped.values():
            other = next(known for known, field in mapped.items() if field == target)
            raise Refusal(
                f"headers {other!r} and {str(header)!r} are both mapped to {target} in {path.stem}.yml; "
                "keep one of them"
            )
        mapped[str(header).strip()] = target
    return mapped


def _checked_country(path: Path, country: Any) -> str | None:
    if country is None:
        return None
    code = str(country).upper()
    if len(code) != 2 or pycountry.countries.get(alpha_2=code) is None:
        raise Refusal(
            f"default_country {country!r} in {path.stem}.yml is no country code; write two letters of "
            "ISO 3166-1, such as US, GB or DE"
        )
    return code


def _checked_date_format(path: Path, pattern: Any, batch: Batch) -> str | None:
    if pattern is None or pattern in NAMED_DATE_FORMATS:
        return pattern
    try:
        ask = "select strptime(strftime(date '1987-12-31', $1), $1)::date = date '1987-12-31'"
        readable = batch.connection.execute(ask, [str(pattern)]).fetchall()[0][0]
    except Exception:
        readable = False
    if not readable:
        raise Refusal(
            f"date_format {pattern!r} in {path.stem}.yml is not understood; write one of "
            f"{', '.join(NAMED_DATE_FORMATS)}, or a pattern such as '%d/%m/%Y'"
        )
    return str(pattern)


def _checked_timezone(path: Path, timezone: Any, batch: Batch) -> str | None:
    if timezone is None:
        return None
    known = "select 1 from pg_timezone_names() where name = ?"
    if not batch.connection.execute(known, [str(timezone)]).fetchall():
        raise Refusal(
            f"timezone {timezone!r} in {path.stem}.yml is not known; write a name such as Europe/Berlin, "
            "America/New_York or UTC"
        )
    return str(timezone)


def _claimed_twice(sheets: list[Sheet]) -> list[str]:
    first: dict[str, Sheet] = {}
    refusals = []
    for sheet in sheets:
        other = first.setdefault(sheet.source_system, sheet)
        if other is not sheet:
            refusals.append(
                f"{sheet.name}: source_system {sheet.source_system} is already that of {other.name}; each "
                "file is the full snapshot of its own system: rename one, or put all rows into one file"
            )
    return refusals


# -------------------------------------------------------------------- rows


def _add(batch: Batch, sheet: Sheet, say: Callable[[str], None]) -> None:
    """Read the file, check its headers and keys, and add its rows to the batch. Raises Refusal."""
    view = f"sheet_{sheet.source_system}"
    headers = tables.read(batch.connection, sheet.path, view, [sheet.key, *sheet.columns], say)
    position = _positions(sheet, headers)
    values = {
        "source_system": literal(sheet.source_system),
        "source_id": _filled(f"trim(c{position[sheet.key]})"),
        **{field: _filled(f"c{position[header]}") for header, field in sheet.columns.items()},
        "file_name": literal(sheet.name),
        "default_country": literal(sheet.default_country),
        "date_format": literal(sheet.date_format),
        "timezone": literal(sheet.timezone),
    }
    chosen = ", ".join(f"{value} as {name}" for name, value in values.items())
    key_first = sorted(range(len(headers)), key=lambda number: number != position[sheet.key])
    # coalesce looks at the other cells only where the key is blank.
    filled = f"coalesce({', '.join(_filled(f'c{number}') for number in key_first)}) is not null"
    location = f"{literal(sheet.name + ' row ')} || row_number"
    source, numbered = f"{view} where {filled}", f"numbered_{view} where {filled}"
    try:
        with tables.refused(sheet.path):
            batch.add_whole(chosen, source, location, sheet.source_system, numbered)
    except tables.BadRows as because:
        bad = tables.read_apart(batch.connection, sheet.path, view, [sheet.key, *sheet.columns], because)
        batch.add_whole(chosen, source, location, sheet.source_system, numbered)
        for row in bad:
            key = row.cells[position[sheet.key]].strip() or None
            payload = dict(zip(headers, row.cells, strict=True))
            batch.reject(key, row.reason, payload, f"{sheet.name} row {row.row_number}", sheet.source_system)
    _refuse_repeated_keys(batch, sheet)


def _filled(cell: str) -> str:
    """SQL: the cell as it is, or null when it is blank."""
    # Nearly every cell begins with a character behind the space: one comparison then spares trimming it.
    return f"case when {cell} > '{' ' * 64}' then {cell} when trim({cell}) <> '' then {cell} end"


def _positions(sheet: Sheet, headers: list[str]) -> dict[str, int]:
    """Where each mapped header stands. Raises Refusal when one is missing or there twice."""
    trimmed = [header.strip() for header in headers]
    for header in (sheet.key, *sheet.columns):
        role = "key column" if header == sheet.key else "mapped header"
        if header not in trimmed:
            near = difflib.get_close_matches(header, trimmed, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            there = ", ".join(repr(name) for name in trimmed)
            raise Refusal(
                f"{role} {header!r} is not in the file; {hint}its headers are {there}: correct "
                f"{sheet.path.stem}.yml or the file"
            )
        if trimmed.count(header) > 1:
            raise Refusal(
                f"{role} {header!r} stands in the header row {trimmed.count(header)} times; rename all but one"
            )
    return {header: trimmed.index(header) for header in (sheet.key, *sheet.columns)}


def _refuse_repeated_keys(batch: Batch, sheet: Sheet) -> None:
    repeated = batch.connection.execute(
        """
        with repeated as (
            select source_id from incoming where source_system = $1 group by source_id having count(*) > 1
        )
        select source_id, list(regexp_extract(location, '[0-9]+$')::bigint order by rowid)
        from incoming where source_system = $1 and source_id in (select source_id from repeated)
        group by source_id order by min(rowid)
        """,
        [sheet.source_system],
    ).fetchall()
    if repeated:
        examples = "; ".join(
            f"{value!r} in rows {', '.join(map(str, rows[:SHOWN]))}{' and more' if len(rows) > SHOWN else ''}"
            for value, rows in repeated[:SHOWN]
        )
        more = f", and {len(repeated) - SHOWN} more keys" if len(repeated) > SHOWN else ""
        raise Refusal(
            f"the key {sheet.key!r} repeats: {examples}{more}; each row needs a key of its own (row 1 is the header)"
        )


def _say_who_is_absent(batch: Batch, sheets: list[Sheet], say: Callable[[str], None]) -> None:
    delivered = {sheet.source_system for sheet in sheets}
    for system, records in batch.connection.execute(
        "select source_system, count(*) from latest where not is_deleted group by 1 order by 1"
    ).fetchall():
        if system not in delivered:
            say(f"spreadsheets: no file delivers {system} any more; its {records:,} records are kept as is")
