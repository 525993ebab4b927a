"""What can happen to a record of the world: it is made, changed, ended, restored, merged.

Every change keeps the content before it, so that an emulator can serve an older version late (see faults).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sandbox.world import RECORD_COLUMNS, World, domains, dumps

# system: what else happens when one of its records changed; takes (world, record before or None, record after, day).
# A domain module registers itself: Stripe writes an event, HubSpot's neighbours count their associations anew.
AFTER_CHANGE: dict[str, Callable[[World, sqlite3.Row | None, sqlite3.Row, int], None]] = {}


@dataclass
class NewRecord:
    """A live record to add. Times are text as `world.iso` writes it, `seq` is the id as a number."""

    system: str
    object: str
    source_id: str
    seq: int
    entity_id: str
    fields: dict
    created_at: str
    updated_at: str
    day: int
    differences: str = ""
    merged_from: str = ""

    def row(self) -> tuple:
        """Values in the order of the table's columns."""
        values = {
            **vars(self), "state": "live", "merged_into": "", "ended_at": "", "previous": "",
            "fields": dumps(self.fields), "changed_day": self.day,
        }  # fmt: skip
        return tuple(values[name] for name in RECORD_COLUMNS)


def insert_records(world: World, records: Iterable[NewRecord]) -> None:
    """Add live records."""
    marks = ", ".join("?" * len(RECORD_COLUMNS))
    records = list(records)
    world.connection.executemany(f"insert into records values ({marks})", (record.row() for record in records))
    for record in records:
        if record.day:  # the first day is as it is
            _tell(world, None, record.system, record.object, record.source_id, record.day)


def change_record(world: World, row: sqlite3.Row, fields: dict, moment: str, day: int) -> None:
    """Give the record of `row` the content `fields`."""
    _update(world, row, {"fields": dumps(fields), "updated_at": moment}, day)


def touch_record(world: World, row: sqlite3.Row, moment: str, day: int) -> None:
    """The source says the record changed, though its content did not."""
    _update(world, row, {"updated_at": moment}, day)


def end_record(world: World, row: sqlite3.Row, state: str, into: str, moment: str, day: int) -> None:
    """A record is live no more: archived, deleted, or merged `into` another."""
    _update(world, row, {"state": state, "merged_into": into, "ended_at": moment, "updated_at": moment}, day)


def restore_record(world: World, row: sqlite3.Row, moment: str, day: int) -> None:
    """An archived or deleted record is live again, as out of a recycle bin."""
    _update(world, row, {"state": "live", "merged_into": "", "ended_at": "", "updated_at": moment}, day)


def forget_record(world: World, row: sqlite3.Row) -> None:
    """A record is gone for good: the source does not know it any more."""
    world.connection.execute(
        "delete from records where system = ? and object = ? and source_id = ?",
        (row["system"], row["object"], row["source_id"]),
    )


def _update(world: World, row: sqlite3.Row, values: dict[str, str], day: int) -> None:
    previous = dumps({name: row[name] for name in ("fields", "state", "updated_at")})
    if values["updated_at"] < row["updated_at"]:  # a day's changes come in any order; a record's times never go back
        values = {name: row["updated_at"] if value == values["updated_at"] else value for name, value in values.items()}
    values = values | {"previous": previous, "changed_day": day}
    world.connection.execute(
        f"update records set {', '.join(f'{name} = ?' for name in values)}"
        " where system = ? and object = ? and source_id = ?",
        (*values.values(), row["system"], row["object"], row["source_id"]),
    )
    _tell(world, row, row["system"], row["object"], row["source_id"], day)


def _tell(world: World, before: sqlite3.Row | None, system: str, name: str, source_id: str, day: int) -> None:
    """Let what follows a change happen, whoever made the change."""
    domains()  # imported, they are registered
    if system in AFTER_CHANGE:
        AFTER_CHANGE[system](world, before, world.record(system, name, source_id), day)


def merge_records(world: World, primary: sqlite3.Row, secondary: sqlite3.Row, moment: str, day: int) -> str:
    """Merge two live records of one object as their system does it; returns the id that goes on.

    HubSpot makes a new id and both old ones resolve to it; Salesforce and the ERP keep the loser's row,
    marked, and re-point what belongs to it; in a spreadsheet the loser's row is gone.
    """
    system, name = primary["system"], primary["object"]
    mine, theirs = json.loads(primary["fields"]), json.loads(secondary["fields"])
    fields = {**theirs, **{field: value or theirs.get(field, value) for field, value in mine.items()}}
    if system == "hubspot":
        return _merge_into_new(world, primary, secondary, fields, moment, day)
    state = "deleted" if name == "people" else "merged"
    end_record(world, secondary, state, primary["source_id"], moment, day)
    change_record(world, primary, fields, moment, day)
    if (system, name) == ("erp", "customers"):
        world.connection.execute(
            "update invoices set customer_id = ?, updated_at = ?, changed_day = ?"
            " where customer_id = ? and not is_deleted",
            (primary["source_id"], moment, day, secondary["source_id"]),
        )
    _re_point(world, primary, secondary["source_id"], primary["source_id"], moment, day)
    return primary["source_id"]


def _merge_into_new(
    world: World, primary: sqlite3.Row, secondary: sqlite3.Row, fields: dict, moment: str, day: int
) -> str:
    system, name = primary["system"], primary["object"]
    if name == "contacts":
        _keep_both_emails(fields, json.loads(secondary["fields"]))
        fields["merged_vids"] = ";".join(filter(None, (_vids(row, moment) for row in (primary, secondary))))
    source_id, number = world.new_id(system, name)
    lineage = [
        old for row in (primary, secondary) for old in (*filter(None, row["merged_from"].split(";")), row["source_id"])
    ]
    for row in (primary, secondary):
        end_record(world, row, "merged", source_id, moment, day)
    created = min(primary["created_at"], secondary["created_at"])
    made = NewRecord(
        system, name, source_id, number, primary["entity_id"], fields, created, moment, day,
        primary["differences"], ";".join(lineage),
    )  # fmt: skip
    insert_records(world, [made])
    for row in (primary, secondary):
        _re_point(world, row, row["source_id"], source_id, moment, day)
    return source_id


def _vids(row: sqlite3.Row, moment: str) -> str:
    """The ids that end with `row`, each with the milliseconds since 1970 of its merge, as HubSpot writes them."""
    milliseconds = round(datetime.fromisoformat(moment).timestamp() * 1000)
    before = json.loads(row["fields"]).get("merged_vids", "")
    return ";".join(filter(None, (before, f"{row['source_id']}:{milliseconds}")))


def _re_point(world: World, row: sqlite3.Row, old: str, new: str, moment: str, day: int) -> None:
    """What refers to record `old` refers to `new`; references are fields named in REFERENCES."""
    for name, field in REFERENCES.get((row["system"], row["object"]), ()):
        rows = world.rows(
            f"select * from records where system = ? and object = ? and json_extract(fields, '$.{field}') = ?",
            (row["system"], name, old),
        )
        for one in rows:
            if one["state"] == "live":
                change_record(world, one, json.loads(one["fields"]) | {field: new}, moment, day)


# (system, object): the (object, field) that refer to it
REFERENCES: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("salesforce", "contacts"): (("campaign_members", "contact_id"),),
    ("salesforce", "leads"): (("campaign_members", "lead_id"),),
    ("salesforce", "accounts"): (("contacts", "account_id"), ("opportunities", "account_id")),
    ("hubspot", "contacts"): (("associations", "contact_id"),),
    ("hubspot", "companies"): (("associations", "company_id"),),
    ("hubspot", "deals"): (("associations", "deal_id"),),
    ("erp", "customers"): (
        ("contacts", "customer_id"),
        ("addresses", "customer_id"),
        ("payments", "customer_id"),
    ),
}


def _keep_both_emails(fields: dict[str, str], loser: dict[str, str]) -> None:
    """HubSpot keeps the loser's addresses as additional e-mails of the merged contact."""
    additional = [
        email
        for email in (*fields["email_2"].split(";"), loser["email"], *loser["email_2"].split(";"))
        if email and email != fields["email"]
    ]
    fields["email_2"] = ";".join(dict.fromkeys(additional))
