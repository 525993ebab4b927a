"""`c360 export`: one published table as a file, written aside and put in place in one step.

Parquet keeps every value as it is. A csv is made for spreadsheet programs, which run a text cell that begins
with = + - or @ as a formula: such a cell, and one that begins with a tab or a line break, gets an apostrophe in
front. That includes phones (`'+15551234567`); numbers keep their sign, being no text. Who reads the csv by
program takes the apostrophe off again, or takes Parquet.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import duckdb

from operate.access_matrix import quoted
from operate.environment import Environment
from operate.errors import UserError, is_disk_full
from operate.published import open_published

FORMATS = {".csv": "format csv, header", ".parquet": "format parquet, compression zstd"}
# Full-width forms count too: some spreadsheet programs read them as the plain ones.
FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
# Types whose text no spreadsheet program can take for anything but the value.
SAFE_TYPES = (
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
    "FLOAT", "DOUBLE", "DECIMAL", "DATE", "TIME", "TIMESTAMP",
)  # fmt: skip


def export(environment: Environment, table: str, target: Path) -> int:
    """Write published `table` ("schema.table") to `target` (.csv or .parquet); returns the rows written.

    Raises UserError for an unknown table, folder or format, and for a full disk; `target` is then as before.
    """
    kind = target.suffix.lower()
    if kind not in FORMATS:
        raise UserError(f"{target}: the file's name must end in {' or '.join(FORMATS)}")
    if not target.parent.is_dir():
        raise UserError(f"{target}: the folder {target.parent} does not exist: make it first")
    if target.is_dir():
        raise UserError(f"{target} is a folder: name a file")
    with open_published(environment) as connection:
        source, types = _find(connection, table)
        columns = ", ".join(_column(name, sql_type, kind) for name, sql_type in types.items())
        return _write(connection, f"select {columns} from {source} order by all", target, FORMATS[kind])


def _find(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[str, dict[str, str]]:
    schema, _, name = table.strip().partition(".")
    offered = connection.execute(
        "select schema_name, table_name from duckdb_tables() where not internal order by all"
    ).fetchall()
    if (schema, name) not in offered:
        names = "\n  ".join(f"{one}.{other}" for one, other in offered)
        raise UserError(f"there is no published table {table!r}. There are:\n  {names}")
    source = f"{quoted(schema)}.{quoted(name)}"
    return source, {row[0]: row[1] for row in connection.execute(f"describe {source}").fetchall()}


def _column(name: str, sql_type: str, kind: str) -> str:
    column = quoted(name)
    if kind != ".csv" or (sql_type.startswith(SAFE_TYPES) and not sql_type.endswith("]")):
        return column
    text = f"cast({column} as varchar)"
    return f"case when regexp_matches({text}, '{FORMULA}') then concat('''', {text}) else {text} end as {column}"


def _write(connection: duckdb.DuckDBPyConnection, select: str, target: Path, options: str) -> int:
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        name = str(partial).replace("'", "''")
        count = connection.execute(f"copy ({select}) to '{name}' ({options})").fetchall()[0][0]
        os.replace(partial, target)
    except (duckdb.Error, OSError) as error:
        reason = "no space left: free some" if is_disk_full(error) else " ".join(str(error).split())
        raise UserError(f"{target} could not be written: {reason}") from error
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    return count
