"""`seeds/governance/access_matrix.csv`: what each role may read, as data. Whatever it says is carried out or refused.

One row per role and table (or whole schema):

    role         a file `published/<role>.duckdb` is made for each role named
    schema_name  schema in the warehouse, kept in the file
    table_name   a table or view, `*` for all of the schema, `* except a b` for all but these
    columns      `*`, `* except a b`, or the columns by name (`a b c`)
    masks        `column=rule` pairs; `@class=rule` stands for every column whose strictest pii_class in
                 seeds/mapping/field_mappings.csv is that class or a stricter one; a column's own pair wins
    row_filter   SQL condition over the table's rows as they are in the warehouse, before masks
    why          the reason, for whoever reviews the row
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from operate.environment import PROJECT_ROOT
from operate.errors import UserError
from operate.masks import MASKS, mask_sql

MATRIX = PROJECT_ROOT / "seeds" / "governance" / "access_matrix.csv"
MAPPING = PROJECT_ROOT / "seeds" / "mapping" / "field_mappings.csv"
COLUMNS = ("role", "schema_name", "table_name", "columns", "masks", "row_filter", "why")
PII_CLASSES = ("none", "indirect", "direct", "sensitive")  # the last is the strictest


@dataclass(frozen=True)
class Choice:
    """`*`, `* except a b`, or `a b c`."""

    names: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    is_all: bool = False

    def of(self, offered: list[str]) -> list[str]:
        """The names chosen from `offered`. Raises ValueError for one that is not there."""
        unknown = [name for name in (*self.names, *self.excluded) if name not in offered]
        if unknown:
            raise ValueError(f"there is no {unknown[0]!r} (there are {', '.join(offered) or 'none'})")
        return [name for name in offered if name not in self.excluded] if self.is_all else list(self.names)


@dataclass(frozen=True)
class Grant:
    """One row of the matrix; `place` names it in messages."""

    place: str
    role: str
    schema: str
    tables: Choice
    columns: Choice
    masks: dict[str, str] = field(default_factory=dict)
    row_filter: str = ""


@dataclass(frozen=True)
class PublishedTable:
    """One table of one role's file and the SELECT that makes it from the warehouse."""

    role: str
    schema: str
    name: str
    select: str

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"


def read_matrix(path: Path = MATRIX) -> list[Grant]:
    """The rows of the matrix. Raises UserError naming file and line for what is not understood."""
    try:
        with open(path, newline="", encoding="utf-8") as handle:
            reader = csv.DictReader(handle)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise UserError(f"{path}: the column {missing[0]!r} is missing; it needs {', '.join(COLUMNS)}")
            grants = [_grant(row, f"{path.name} line {reader.line_num}") for row in reader]
    except FileNotFoundError as error:
        raise UserError(f"{path}: the access matrix is not there, so nothing may be published") from error
    if not grants:
        raise UserError(f"{path}: the access matrix has no rows, so nothing may be published")
    return grants


def _grant(row: dict[str, str], place: str) -> Grant:
    role = row["role"].strip()
    place = f"{place}, role {role!r}"
    if not role.isidentifier():
        raise UserError(f"{place}: a role is a word of letters, digits and '_': it names a file")
    return Grant(
        place=place,
        role=role,
        schema=row["schema_name"].strip(),
        tables=_choice(row["table_name"], place),
        columns=_choice(row["columns"], place),
        masks=_masks(row["masks"], place),
        row_filter=row["row_filter"].strip(),
    )


def _choice(text: str, place: str) -> Choice:
    words = text.split()
    if not words:
        raise UserError(f"{place}: table_name and columns may not be empty; write * for all")
    if words[0] != "*":
        return Choice(names=tuple(words))
    if len(words) > 1 and (words[1] != "except" or len(words) == 2):
        raise UserError(f"{place}: {text!r} is not understood; write `*`, `* except a b` or `a b c`")
    return Choice(excluded=tuple(words[2:]), is_all=True)


def _masks(text: str, place: str) -> dict[str, str]:
    masks = {}
    for pair in text.split():
        column, separator, rule = pair.partition("=")
        if not separator or not column:
            raise UserError(f"{place}: mask {pair!r} is not understood; write column=rule or @class=rule")
        if rule not in MASKS:
            raise UserError(f"{place}: mask rule {rule!r} of {column!r} is not one of {', '.join(MASKS)}")
        if column.startswith("@") and column[1:] not in PII_CLASSES:
            raise UserError(f"{place}: {column!r} is not a pii_class; take one of {', '.join(PII_CLASSES)}")
        masks[column] = rule
    return masks


def read_pii_classes(path: Path = MAPPING) -> dict[str, str]:
    """The strictest pii_class of each canonical field."""
    classes: dict[str, str] = {}
    with open(path, newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            known, said = classes.get(row["target_field"], "none"), row["pii_class"] or "none"
            if said not in PII_CLASSES:
                raise UserError(f"{path.name}: pii_class {said!r} of {row['target_field']!r} is not known")
            classes[row["target_field"]] = max(known, said, key=PII_CLASSES.index)
    return classes


def plan(
    connection: duckdb.DuckDBPyConnection, grants: list[Grant], pii_classes: dict[str, str]
) -> list[PublishedTable]:
    """The tables to publish, checked against the warehouse that `connection` has open.

    Raises UserError naming the row of the matrix for a table, column, mask or filter that does not work.
    """
    tables: list[PublishedTable] = []
    for grant in grants:
        for name in _tables_of(connection, grant):
            table = PublishedTable(grant.role, grant.schema, name, _select(connection, grant, name, pii_classes))
            if any(known.role == table.role and known.full_name == table.full_name for known in tables):
                raise UserError(f"{grant.place}: {table.full_name} is granted twice; keep one row")
            _try_out(connection, grant, table)
            tables.append(table)
    return tables


def _tables_of(connection: duckdb.DuckDBPyConnection, grant: Grant) -> list[str]:
    rows = connection.execute(
        "select table_name from information_schema.tables "
        "where table_catalog = current_database() and table_schema = ? order by table_name",
        [grant.schema],
    ).fetchall()
    try:
        return grant.tables.of([name for (name,) in rows])
    except ValueError as error:
        raise UserError(f"{grant.place}: schema {grant.schema!r}: {error}") from error


def _select(connection: duckdb.DuckDBPyConnection, grant: Grant, table: str, pii_classes: dict[str, str]) -> str:
    source = f"{quoted(grant.schema)}.{quoted(table)}"
    types = {row[0]: row[1] for row in connection.execute(f"describe {source}").fetchall()}
    place = f"{grant.place}, table {grant.schema}.{table}"
    try:
        chosen = grant.columns.of(list(types))
    except ValueError as error:
        raise UserError(f"{place}: columns: {error}") from error
    for column in grant.masks:
        if not column.startswith("@") and column not in chosen:
            raise UserError(f"{place}: masks name the column {column!r}, which is not among those published")
    expressions = []
    for column in chosen:
        rule = _rule_for(column, grant.masks, pii_classes)
        try:
            masked = mask_sql(rule, quoted(column), types[column]) if rule else quoted(column)
        except UserError as error:
            raise UserError(f"{place}, column {column!r}: {error}") from error
        expressions.append(f"{masked} as {quoted(column)}")
    where = f" where ({grant.row_filter})" if grant.row_filter else ""
    return f"select {', '.join(expressions)} from {source}{where}"


def _rule_for(column: str, masks: dict[str, str], pii_classes: dict[str, str]) -> str | None:
    """A column's own rule, else that of the strictest class that covers it."""
    if column in masks:
        return masks[column]
    strictness = PII_CLASSES.index(pii_classes.get(column, "none"))
    covering = [name for name in PII_CLASSES[: strictness + 1] if f"@{name}" in masks]
    return masks[f"@{covering[-1]}"] if covering else None


def _try_out(connection: duckdb.DuckDBPyConnection, grant: Grant, table: PublishedTable) -> None:
    try:
        connection.execute(f"explain {table.select}")
    except duckdb.Error as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{grant.place}, table {table.full_name}: row_filter or masks do not work: {reason}") from error


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
