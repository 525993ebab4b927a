"""Rows of an API as text columns: what is no scalar stays JSON, what is not in the contract goes to custom_fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

from ingest.objects import CUSTOM_FIELDS, Object
from ingest.versions import Batch

Flat = Callable[[dict[str, Any]], dict[str, Any] | None]


def add_rows(batch: Batch, rows: list[Any], place: str, flat: Flat = dict, deleted: Flat | None = None) -> None:
    """Add a page of rows to the batch; a row that cannot become text columns is a reject.

    flat      the fields of a row by their names in the source; None when the row has none
    deleted   whether a row says itself that its record ended
    """
    described = batch.object
    columns: dict[str, list[Any]] = {name: [] for name in ("source_id", "updated", "location", "is_deleted")}
    columns |= {column.name: [] for column in described.fields}
    known = {column.source_field for column in described.fields} | {described.key, *described.ignored}
    for number, row in enumerate(rows, start=1):
        location = f"{place} row {number}"
        fields, reason = _fields(row, flat)
        if fields is None:
            batch.reject(printable(_key_of(row, described)), reason, row, location)
            continue
        columns["source_id"].append(as_text(fields.get(described.key)))
        columns["updated"].append(as_text(fields.get(described.cursor.field)) if described.cursor else None)
        columns["location"].append(location)
        columns["is_deleted"].append(bool(deleted and deleted(row)))
        for column in described.fields:
            if column is CUSTOM_FIELDS:
                custom = {name: value for name, value in fields.items() if name not in known and value is not None}
                columns[column.name].append(as_text(custom) if custom else None)
            else:
                columns[column.name].append(as_text(fields.get(column.source_field)))
    if columns["source_id"]:
        kinds = {"is_deleted": pa.bool_()}
        batch.add(pa.table({name: pa.array(values, kinds.get(name, pa.string())) for name, values in columns.items()}))


def observed_types(rows: Iterable[Any], flat: Flat = dict) -> dict[str, str]:
    """Field -> JSON type of its values (`null` where none was seen), for sources that describe their fields nowhere."""
    seen: dict[str, str] = {}
    for row in rows:
        fields, _ = _fields(row, flat)
        for name, value in (fields or {}).items():
            kind = _json_type(value)
            if kind != "null" or name not in seen:
                seen[name] = kind
    return seen


def as_text(value: Any) -> str | None:
    """Scalars of the API as text; what is no scalar stays JSON, keys in order."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def printable(value: Any) -> str | None:
    """Text that any store can hold, for messages and rejects."""
    text = as_text(value)
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0") if text else None


def _fields(row: Any, flat: Flat) -> tuple[dict[str, Any] | None, str]:
    if not isinstance(row, dict):
        return None, "the row is no JSON object"
    fields = flat(row)
    if not isinstance(fields, dict):
        return None, "the row has no properties"
    try:
        json.dumps(fields, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return None, "the row holds text that is not valid Unicode"
    return fields, ""


def _key_of(row: Any, described: Object) -> Any:
    return row.get(described.key) if isinstance(row, dict) else None


def _json_type(value: Any) -> str:
    for kind, name in ((bool, "boolean"), (int | float, "number"), (str, "string"), (list, "array"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return "null"
