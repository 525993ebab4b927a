"""What a source object is, as facts: its key, its cursor, how it deletes and merges, the columns to land.

The columns are the raw contract of `models/staging/raw_*.yml`; a test compares the two. What is
true of every object (version rows, hashing, rejects) is written once, in `ingest/versions.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

# kind of a column: its type in the warehouse, and the hints that pin it in dlt
WAREHOUSE_TYPES = {
    "text": "varchar",
    "bool": "boolean",
    "bigint": "bigint",
    "date": "date",
    "timestamp": "timestamp",
    "decimal": "decimal(18,2)",
}
DLT_HINTS: dict[str, dict[str, object]] = {
    "text": {"data_type": "text"},
    "bool": {"data_type": "bool"},
    "bigint": {"data_type": "bigint"},
    "date": {"data_type": "date"},
    "timestamp": {"data_type": "timestamp", "timezone": False, "precision": 6},
    "decimal": {"data_type": "decimal", "precision": 18, "scale": 2},
}


@dataclass(frozen=True)
class Column:
    """One landed column; `kind` is a key of WAREHOUSE_TYPES, `field` the source's own name where it differs."""

    name: str
    kind: str = "text"
    field: str = ""

    @property
    def source_field(self) -> str:
        return self.field or self.name

    @property
    def warehouse_type(self) -> str:
        return WAREHOUSE_TYPES[self.kind]

    @property
    def dlt_hints(self) -> dict[str, object]:
        return {"name": self.name, **DLT_HINTS[self.kind]}


def texts(*names: str) -> tuple[Column, ...]:
    """Text columns of these names."""
    return tuple(Column(name) for name in names)


def api_fields(*fields: str) -> tuple[Column, ...]:
    """Text columns for the fields of an API, named in snake case: `MailingCity` lands as `mailing_city`."""
    return tuple(Column(snake_case(field), field=field) for field in fields)


def snake_case(name: str) -> str:
    """`MailingCity` as `mailing_city`; what is in snake case already stays."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


# What an API sends beside the fields of the contract, as one JSON object: field -> value. Nothing new is lost.
CUSTOM_FIELDS = Column("custom_fields")
# Every table ends with these two: the load a row came with, and an id of the row itself.
LINEAGE = texts("_dlt_load_id", "_dlt_id")
VERSION = (
    Column("source_id"),
    Column("source_updated_at", "timestamp"),
    Column("is_deleted", "bool"),
    Column("content_hash"),
)


@dataclass(frozen=True)
class Cursor:
    """The field that says when a record changed, and how far behind the newest one the next read starts.

    `field` is the name in the source, `column` the landed one. `lag` covers changes that become visible
    later than their time says (open transactions, search indexes); sources.yml may set another.
    """

    field: str
    column: str
    lag: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class Object:
    """One kind of record of one source.

    source, name   land in `raw_<source>.<name>`
    path           where the source has it: an API path or a table
    key            the source's name for the record's id
    fields         business columns to land; scalars of an API stay text
    cursor         None: the source gives no time of change, and landing order is the time
    deletes        how a deletion shows: `row` (the record's own row says so), `archived` (a list of their own),
                   `events`, `parent` (missing from the full list of its parent), `reconcile` (missing from the full
                   id list) or `snapshot` (missing from the next snapshot)
    merges         the landed column that tells of a merge, if any
    identity       the columns that identify a record within the table
    carried        columns of the row that say where it came from; not part of the content
    ignored        fields of the source that are known and not landed
    """

    source: str
    name: str
    path: str
    key: str
    fields: tuple[Column, ...]
    deletes: str
    cursor: Cursor | None = None
    merges: str | None = None
    identity: tuple[str, ...] = ("source_id",)
    carried: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def dataset(self) -> str:
        return f"raw_{self.source}"

    @property
    def columns(self) -> tuple[Column, ...]:
        """All landed columns, in the order of the raw contract."""
        leading = tuple(Column(name) for name in self.identity if name != "source_id")
        return (*leading, *VERSION, *self.fields, *LINEAGE)

    @property
    def content(self) -> tuple[Column, ...]:
        """The columns whose values make up the content hash."""
        return tuple(column for column in self.fields if column.name not in self.carried)
