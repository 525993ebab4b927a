"""Reading a csv, xlsx or parquet file as text cells, each row with the number a spreadsheet program shows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import duckdb
import pyarrow as pa
import pyarrow.parquet
from python_calamine import CalamineError, CalamineWorkbook

DELIMITERS = (",", ";", "\t", "|")
ROWS_PER_BATCH = 20_000
LONGEST_HEADER = 1_000_000  # bytes read to find the header row


LONGEST_ROW = 2_000_000  # characters; DuckDB's own limit, too
MOST_BAD_ROWS = 0.02  # share of a csv's rows; with more of them it is not the rows that are wrong but the file


class Refusal(Exception):
    """A file is not accepted. The message says why and what to do; the caller adds the file's name."""


class BadRows(Refusal):
    """A csv holds rows that are no text; `read_apart` reads the others."""


@dataclass(frozen=True)
class BadRow:
    """A row that is refused alone: its number, the cells as far as they are text, and why."""

    row_number: int
    cells: list[str]
    reason: str


def literal(text: str | None) -> str:
    """Text as a SQL literal."""
    return "null::varchar" if text is None else "'" + text.replace("'", "''") + "'"


def read(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    table: str,
    expected: list[str],
    say: Callable[[str], None],
) -> list[str]:
    """Create the relation `table` (c0, c1, ... all text) of the file; returns its headers.

    Beside it stands `numbered_<table>`, the same with row_number: numbering rows keeps them from being read by more
    than one thread, so who needs no numbers reads the first. `expected` headers tell which delimiter a csv has.
    Raises Refusal when the file cannot be read, and so does a query of either inside `refused`.
    """
    with refused(path):
        return READERS[path.suffix.lower()](connection, path, table, expected, say)


@contextmanager
def refused(path: Path) -> Iterator[None]:
    """Turn what DuckDB or Arrow says about a broken file into a Refusal."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        if path.suffix.lower() == ".csv":
            text = str(error)
            kind = BadRows if "not utf-8" in text.lower() or "Maximum line size" in text else Refusal
            raise kind(_csv_problem(text)) from error
        first = str(error).splitlines()[0]
        raise Refusal(f"the file cannot be read ({first}); write it again") from error


def headers_or_nothing(path: Path) -> list[str]:
    """The headers of a file that may be broken; empty then."""
    connection = duckdb.connect(":memory:")
    try:
        return [header for header in read(connection, path, "sheet", [], lambda line: None) if header.strip()]
    except Refusal:
        return []
    finally:
        connection.close()


# -------------------------------------------------------------------- csv


def _read_csv(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    table: str,
    expected: list[str],
    say: Callable[[str], None],
) -> list[str]:
    delimiter, headers = _csv_header(path, expected)
    columns = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(headers)))
    names = ", ".join(f"c{number}" for number in range(len(headers)))
    file = f"""read_csv({literal(str(path))}, auto_detect = false, header = true, strict_mode = true,
        delim = {literal(delimiter)}, quote = '"', escape = '"', columns = {{{columns}}})"""
    _create_views(connection, table, f"select {names} from {file}")
    return headers


def _create_views(connection: duckdb.DuckDBPyConnection, table: str, cells: str) -> None:
    """Both relations of a file that DuckDB reads itself."""
    connection.execute(f"create or replace view {table} as {cells}")
    connection.execute(
        f"create or replace view numbered_{table} as select row_number() over () + 1 as row_number, * from {table}"
    )


def read_apart(
    connection: duckdb.DuckDBPyConnection, path: Path, table: str, expected: list[str], because: Refusal
) -> list[BadRow]:
    """Read a csv row by row into the relations of `read`, without its bad rows; returns these.

    Slower than `read`, so only for a file that it raised BadRows for. Raises `because` when too many rows are bad.
    """
    delimiter, headers = _csv_header(path, expected)
    bad: list[BadRow] = []
    counted = 0

    def good_rows(handle: TextIO) -> Iterator[tuple[int, list[str]]]:
        nonlocal counted
        rows = csv.reader(handle, delimiter=delimiter, strict=True)
        next(rows)
        for counted, cells in enumerate(rows, start=1):
            number = counted + 1
            if not cells:
                continue
            if len(cells) != len(headers):
                raise Refusal(f"row {number} has {len(cells)} columns and not {len(headers)}; correct the row")
            if reason := _bad_because(cells):
                bad.append(BadRow(number, [cell.encode("utf-8", "replace").decode() for cell in cells], reason))
            else:
                yield number, [cell or None for cell in cells]

    connection.execute(f"drop view {table}; drop view numbered_{table}")
    longest, _ = csv.field_size_limit(), csv.field_size_limit(2**31 - 1)
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as handle:
            _fill(connection, table, len(headers), good_rows(handle))
    except csv.Error as error:
        raise Refusal(f"row {counted + 2} cannot be read ({error}); correct it, or save the file again") from error
    finally:
        csv.field_size_limit(longest)
    if len(bad) > MOST_BAD_ROWS * counted:
        raise because
    return bad


def _bad_because(cells: list[str]) -> str | None:
    if sum(map(len, cells)) > LONGEST_ROW:
        return f"the row is longer than {LONGEST_ROW // 1_000_000} MB; close its quotes, or shorten it"
    if not all(cell.isascii() or cell.isprintable() or _is_text(cell) for cell in cells):
        return "the row is not UTF-8 text; save the file as 'CSV UTF-8'"
    return None


def _is_text(cell: str) -> bool:
    return not any("\udc80" <= character <= "\udcff" for character in cell)


def _csv_header(path: Path, expected: list[str]) -> tuple[str, list[str]]:
    """The delimiter under which the header row has the most expected headers, and that row."""
    with open(path, "rb") as handle:
        start = handle.read(LONGEST_HEADER)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Refusal("the file is UTF-16; save it as 'CSV UTF-8'")
    text = start.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    if not text.strip():
        raise Refusal("the file is empty; it needs a header row")
    best: tuple[tuple[int, int], str, list[str]] | None = None
    for delimiter in DELIMITERS:
        try:
            headers = next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))
        except (csv.Error, StopIteration) as error:
            raise Refusal(f"the header row cannot be read ({error}); save the file again as 'CSV UTF-8'") from error
        trimmed = {header.strip() for header in headers}
        score = (len(trimmed & set(expected)), len(headers))
        if best is None or score > best[0]:
            best = (score, delimiter, headers)
    if "�" in "".join(best[2]):
        raise Refusal("the header row is not UTF-8 text; save the file as 'CSV UTF-8'")
    if text[0] in "\r\n" or not any(header.strip() for header in best[2]):
        raise Refusal("the first line is empty; it must be the header row")
    return best[1], best[2]


def _csv_problem(text: str) -> str:
    """DuckDB's message, shortened to the line and the cause, with a remedy."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    place = lines[0].partition("CSV Error on ")[2].replace("Line", "line") if lines else ""
    if "not utf-8" in text.lower():
        return f"{place or 'it'} is not UTF-8 text; save the file as 'CSV UTF-8'"
    if "Expected Number of Columns" in text:
        counts = next(line for line in lines if line.startswith("Expected Number"))
        return f"{place}: {counts.lower()}; quote cells that hold the delimiter, and give every row all columns"
    if "unterminated quote" in text:
        return f"{place}: a quote is opened and never closed; double the quotes inside a quoted cell"
    if "Maximum line size" in text:
        return f"{place}: the row is longer than 2 MB; close its quotes, or shorten it"
    cause = lines[0].removeprefix("Invalid Input Error: ") if lines else "unknown"
    return f"the csv cannot be read: {cause} save it again as 'CSV UTF-8' with one kind of line ends"


# -------------------------------------------------------------------- xlsx


def _read_xlsx(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    table: str,
    expected: list[str],
    say: Callable[[str], None],
) -> list[str]:
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        sheet = workbook.get_sheet_by_index(0)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise Refusal(f"the workbook cannot be read ({error}); open it and save it again as xlsx") from error
    if len(workbook.sheet_names) > 1:
        say(f"spreadsheets: {path.name}: only its first sheet {workbook.sheet_names[0]!r} is read")
    rows = enumerate(sheet.iter_rows(), start=1)
    headers: list[str] = []
    for _, row in rows:
        headers = [_cell(cell) or "" for cell in row]
        if any(header.strip() for header in headers):
            break
    while headers and not headers[-1].strip():
        headers.pop()
    if not headers:
        raise Refusal("the first sheet is empty; it needs a header row")
    _fill(connection, table, len(headers), rows)
    return headers


def _fill(connection: duckdb.DuckDBPyConnection, table: str, width: int, rows: Iterable[tuple[int, list[Any]]]) -> None:
    names = [f"c{number}" for number in range(width)]
    columns = ", ".join(["row_number bigint", *(f"{name} varchar" for name in names)])
    connection.execute(f"create or replace table numbered_{table} ({columns})")
    connection.execute(f"create or replace view {table} as select {', '.join(names)} from numbered_{table}")
    rows = iter(rows)
    while chunk := list(islice(rows, ROWS_PER_BATCH)):
        arrays = [pa.array([number for number, _ in chunk], pa.int64())]
        arrays += [pa.array([_cell(row[index]) for _, row in chunk], pa.string()) for index in range(width)]
        connection.register("chunk", pa.table(arrays, ["row_number", *names]))
        connection.execute(f"insert into numbered_{table} select * from chunk")
        connection.unregister("chunk")


def _cell(value: Any) -> str | None:
    """A cell as the text a person typed: no `.0` behind whole numbers, dates as ISO."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else format(Decimal(repr(value)), "f")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


# -------------------------------------------------------------------- parquet


def _read_parquet(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    table: str,
    expected: list[str],
    say: Callable[[str], None],
) -> list[str]:
    file = f"read_parquet({literal(str(path))})"
    described = connection.execute(f"describe select * from {file}").fetchall()
    cells = ", ".join(f"{_text_sql(name, kind)} as c{number}" for number, (name, kind, *_) in enumerate(described))
    _create_views(connection, table, f"select {cells} from {file}")
    return pyarrow.parquet.ParquetFile(path).schema_arrow.names


def _text_sql(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if kind in ("DOUBLE", "FLOAT"):
        return f"regexp_replace({column}::varchar, '\\.0$', '')"
    return f"{column}::varchar"


READERS = {".csv": _read_csv, ".xlsx": _read_xlsx, ".parquet": _read_parquet}
