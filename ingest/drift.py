"""Schema drift: which fields a source's object has, and every change of that, as facts in `raw_ingest.source_fields`.

A field outside the contract is landed in `custom_fields`; one of the contract that is gone lands empty. Either way
the run goes on, and the report lists what changed.
"""

from __future__ import annotations

import pyarrow as pa

from ingest.objects import CUSTOM_FIELDS
from ingest.versions import Batch

LANDED, CUSTOM, IGNORED = "landed", "custom", "ignored"


def note_fields(batch: Batch, seen: dict[str, str]) -> list[str]:
    """Compare the fields seen now (name -> type, `null` where no value showed it) with those known.

    Writes a fact for each field that is new, dropped, retyped or renamed, and returns the same in words. The first
    time an object is read, its fields are noted as `first` and nothing is said. A field that came, went or changed its
    type sets `batch.read_from` to None: no record's time of change tells of it, so all of them are read again.
    """
    known = batch.known_fields
    live = {name: kind for name, kind in known.items() if kind}
    appeared = {name: kind for name, kind in seen.items() if name not in live}
    dropped = {name: kind for name, kind in live.items() if name not in seen}
    retyped = {
        name: kind
        for name, kind in seen.items()
        if name in live and kind != live[name] and "null" not in (kind, live[name])
    }
    changes: list[tuple[str, str, str, str]] = []
    if not known:
        changes = [(name, kind, "first", "") for name, kind in appeared.items()]
    else:
        renamed = _renamed(appeared, dropped)
        for name, kind in appeared.items():
            before = renamed.get(name)
            changes.append((name, kind, "renamed" if before else "new", f"was {before}" if before else ""))
        for name in dropped:
            after = next((new for new, old in renamed.items() if old == name), "")
            changes.append((name, "", "dropped", f"now {after}" if after else ""))
        changes += [(name, kind, "retyped", f"was {live[name]}") for name, kind in retyped.items()]
        # A type that no value had shown yet is learned without ado.
        changes += [
            (name, kind, "first", "") for name, kind in seen.items() if live.get(name) == "null" and kind != "null"
        ]
    _store(batch, changes)
    if any(change[2] != "first" for change in changes):
        batch.read_from, batch.fields_changed = None, True
    return [
        f"{batch.object.source} {batch.object.name}: {_words(batch, *change)}"
        for change in changes
        if change[2] != "first"
    ]


def _store(batch: Batch, changes: list[tuple[str, str, str, str]]) -> None:
    """Write the facts in one statement: an object may have hundreds of fields."""
    rows = [
        (batch.object.source, batch.object.name, name, kind, _standing(batch, name), change, note)
        for name, kind, change, note in changes
    ]
    if rows:
        columns = {f"c{place}": pa.array(values, pa.string()) for place, values in enumerate(zip(*rows, strict=True))}
        batch.connection.register("changed_fields", pa.table(columns))
        batch.connection.execute("insert into source_fields select *, ?::timestamp from changed_fields", [batch.now])
        batch.connection.unregister("changed_fields")


def _renamed(appeared: dict[str, str], dropped: dict[str, str]) -> dict[str, str]:
    """new name -> old name, where exactly one field went and one of its type came."""
    if len(appeared) == len(dropped) == 1:
        [(new, kind)], [(old, kind_before)] = appeared.items(), dropped.items()
        if kind == kind_before or "null" in (kind, kind_before):
            return {new: old}
    return {}


def _standing(batch: Batch, name: str) -> str:
    described = batch.object
    if name in described.ignored:
        return IGNORED
    contract = {column.source_field for column in described.fields if column is not CUSTOM_FIELDS}
    return LANDED if name in contract or name == described.key else CUSTOM


def _words(batch: Batch, name: str, kind: str, change: str, note: str) -> str:
    standing = _standing(batch, name)
    if change == "dropped":
        place = "its column stays empty" if standing == LANDED else "custom_fields lacks it"
        return f"field {name} is gone{f' ({note})' if note else ''}; {place}"
    if change == "retyped":
        return f"field {name} has another type: {kind}, {note}"
    what = f"renamed field {name} ({note})" if change == "renamed" else f"new field {name} ({kind})"
    return f"{what}, landed in {'its column' if standing == LANDED else 'custom_fields'}"
