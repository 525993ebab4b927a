"""HubSpot: contacts by the CRM v3 API.

First run: the whole list, then a search for what changed while the list was read. Later runs: a search
from the newest landed change minus the lag; at the beat of `reconcile`, where sources.yml sets one, the whole
list again. Each run reads the archived contacts, too. A merge in HubSpot makes a new contact whose
`hs_merged_object_ids` names the old ones; the old ids end there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from ingest.objects import Cursor, Object, texts
from ingest.reconcile import Reconciled
from ingest.rest import Api
from ingest.settings import SourceSettings
from ingest.versions import Batch, open_batch, parse_time
from operate.errors import UserError

CONTACTS = Object(
    source="hubspot",
    name="contacts",
    path="/crm/v3/objects/contacts",
    key="id",
    cursor=Cursor(field="properties.lastmodifieddate", column="lastmodifieddate"),
    deletes="archived",
    merges="hs_merged_object_ids",
    fields=texts(
        "firstname", "lastname", "email", "hs_additional_emails", "phone", "mobilephone",
        "address", "city", "state", "zip", "country", "date_of_birth", "company", "jobtitle", "website",
        "lifecyclestage", "hs_email_optout", "hs_merged_object_ids", "createdate", "lastmodifieddate",
    ),
)  # fmt: skip
OBJECTS = (CONTACTS,)
LIST_LIMIT = 100
SEARCH_LIMIT = 200
CHECK_ADDRESS = "check that the address leads to the CRM v3 API"
REMEDIES = {
    401: "check the access token named in sources.yml (credentials.access_token)",
    403: "give the token's private app the scope crm.objects.contacts.read",
}


def read(settings: SourceSettings, now: datetime, land: Callable[[Batch], None]) -> None:
    """Read all HubSpot objects and hand each finished batch to `land`. Raises UserError."""
    for described in OBJECTS:
        api = Api(
            source="hubspot",
            name=described.name,
            base_url=settings.resolve("address"),
            headers={"Authorization": f"Bearer {settings.resolve('credentials.access_token')}"},
            requests_per_second=settings.requests_per_second,
            ca_file=settings.resolve("ca_file") if settings.ca_file else None,
            remedies=REMEDIES,
        )
        reconciled = Reconciled(settings.environment, described)
        due = reconciled.is_due(now, settings.reconcile)
        with open_batch(settings.environment, described, now, settings.lag) as batch:
            _read_object(api, batch, settings, whole=due or batch.read_from is None)
            land(batch)
        if due:
            reconciled.note(now)


def _read_object(api: Api, batch: Batch, settings: SourceSettings, whole: bool) -> None:
    start = batch.read_from
    if whole:
        for place, rows in _listed(api, batch.object, archived=False):
            _add(batch, rows, place)
    if start is None:
        start = batch.now - (batch.object.cursor.lag if settings.lag is None else settings.lag)
    for place, rows in _changed_since(api, batch.object, start):
        _add(batch, rows, place)
    batch.judge()
    _note_merges(batch)
    _end_archived(api, batch)
    if whole:
        _end_missing(batch)


def _listed(api: Api, described: Object, archived: bool) -> Iterator[tuple[str, list[Any]]]:
    """Pages of the list endpoint as (place, rows)."""
    params: dict[str, Any] = {"limit": LIST_LIMIT, "properties": _properties(described)}
    if archived:
        params["archived"] = "true"
    after: str | None = None
    while True:
        body = api.get(described.path, params | ({"after": after} if after else {}))
        yield f"{described.path} archived={archived} after={after or 'start'}", _results(api, body)
        following = ((body.get("paging") or {}).get("next") or {}).get("after")
        if not following or following == after:
            return
        after = following


def _changed_since(api: Api, described: Object, start: datetime) -> Iterator[tuple[str, list[Any]]]:
    """Pages of contacts changed at or after `start` (naive UTC), oldest change first, as (place, rows).

    Each page is a query of its own from the last change seen, so the cap of 10,000 results per search
    never shows and a contact that changes meanwhile cannot shift the others past a page boundary. When
    one moment fills a whole page, that moment is read to its end in the order of ids.
    """
    field = described.cursor.column
    moment = _milliseconds(start)
    while True:
        rows = _search(api, described, [(field, "GTE", moment)], field)
        yield f"{described.path}/search {field} >= {moment}", rows
        if len(rows) < SEARCH_LIMIT:
            return
        last = max(filter(None, (_change_of(row, field) for row in rows)), default=None)
        if last is None:
            raise UserError(
                f"hubspot {described.name}: a page of the search sorted by {field} has no contact with a "
                f"readable {field} (the first is {str(rows[0])[:200]}); {CHECK_ADDRESS}"
            )
        if last == moment:
            yield from _whole_moment(api, described, moment)
            last += 1
        moment = last


def _whole_moment(api: Api, described: Object, moment: int) -> Iterator[tuple[str, list[Any]]]:
    field, after = described.cursor.column, 0
    while True:
        filters = [(field, "EQ", moment), ("hs_object_id", "GT", after)]
        rows = _search(api, described, filters, "hs_object_id")
        yield f"{described.path}/search {field} = {moment}, hs_object_id > {after}", rows
        if len(rows) < SEARCH_LIMIT:
            return
        after = max(_id_of(row) for row in rows)


def _search(api: Api, described: Object, filters: list[tuple[str, str, Any]], order: str) -> list[Any]:
    named = [{"propertyName": name, "operator": operator, "value": str(value)} for name, operator, value in filters]
    body = {
        "filterGroups": [{"filters": named}],
        "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
        "properties": [column.name for column in described.fields],
        "limit": SEARCH_LIMIT,
    }
    return _results(api, api.post(f"{described.path}/search", body))


def _results(api: Api, body: dict[str, Any]) -> list[Any]:
    results = body.get("results")
    if not isinstance(results, list):
        raise UserError(
            f"{api.source} {api.name}: the answer has no list `results` (it has "
            f"{', '.join(sorted(body)[:5]) or 'nothing'}), at {api.base_url}; {CHECK_ADDRESS}"
        )
    return results


def _add(batch: Batch, rows: list[Any], place: str) -> None:
    """Turn API rows into text columns; a row that cannot become text is a reject."""
    names = [column.name for column in batch.object.fields]
    columns: dict[str, list[Any]] = {name: [] for name in ("source_id", "updated", "location", *names)}
    for number, row in enumerate(rows, start=1):
        location = f"{place} row {number}"
        reason = _unusable(row)
        if reason:
            identity = row.get("id") if isinstance(row, dict) else None
            batch.reject(_printable(identity), reason, row, location)
            continue
        properties = row["properties"]
        columns["source_id"].append(_text(row.get("id")))
        columns["updated"].append(_text(properties.get(batch.object.cursor.column)))
        columns["location"].append(location)
        for name in names:
            columns[name].append(_text(properties.get(name)))
    if columns["source_id"]:
        typed = {name: pa.array(values, pa.string()) for name, values in columns.items()}
        batch.add(pa.table(typed))


def _unusable(row: Any) -> str | None:
    if not isinstance(row, dict):
        return "the row is no JSON object"
    if not isinstance(row.get("properties"), dict):
        return "the row has no properties"
    try:
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return "the row holds text that is not valid Unicode"
    return None


def _note_merges(batch: Batch) -> None:
    """Each id in hs_merged_object_ids ended in the contact that names it, and is no contact any more."""
    batch.connection.execute(
        """
        create table merged as
        select distinct trim(loser.id) as loser_id, source_id as winner_id, source_updated_at as merged_at
        from (
            select source_id, source_updated_at, unnest(string_split(hs_merged_object_ids, ';')) as id
            from accepted
            where hs_merged_object_ids is not null
        ) as loser
        where trim(loser.id) not in ('', source_id)
        """
    )
    batch.connection.execute(
        f"""
        insert into record_merges
        select 'hubspot', '{batch.object.name}', loser_id, winner_id, min(merged_at),
            'hs_merged_object_ids of ' || winner_id
        from merged group by loser_id, winner_id
        """
    )
    batch.tombstone(
        "select loser_id as source_id, merged_at as deleted_at, 'merged into ' || winner_id as evidence from merged",
        is_deletion=False,
    )


def _end_archived(api: Api, batch: Batch) -> None:
    """The archived list is what HubSpot deleted; each id ends once."""
    ids: list[str] = []
    times: list[str | None] = []
    for place, rows in _listed(api, batch.object, archived=True):
        for number, row in enumerate(rows, start=1):
            reason = _unusable(row) or (None if _text(row.get("id")) else "the key is missing or blank")
            if reason:
                identity = row.get("id") if isinstance(row, dict) else None
                batch.reject(_printable(identity), reason, row, f"{place} row {number}")
                continue
            ids.append(_text(row["id"]))
            times.append(_text(row.get("archivedAt")))
    batch.connection.register(
        "archived_rows",
        pa.table({"id": pa.array(ids, pa.string()), "archived_at": pa.array(times, pa.string())}),
    )
    archived_at = parse_time("archived_at")
    batch.tombstone(
        f"select id as source_id, coalesce({archived_at}, timestamp '{batch.now}') as deleted_at, "
        "'in the list of archived contacts' as evidence from archived_rows",
        is_deletion=True,
    )
    batch.connection.unregister("archived_rows")


def _end_missing(batch: Batch) -> None:
    """After a whole list: what it lacks and the archive lacks was deleted for good (by a privacy request)."""
    batch.tombstone(
        f"""
        select source_id, timestamp '{batch.now}' as deleted_at, 'neither listed nor archived' as evidence
        from latest where not exists (select 1 from incoming where incoming.source_id = latest.source_id)
        """,
        is_deletion=True,
    )


def _properties(described: Object) -> str:
    return ",".join(column.name for column in described.fields)


def _text(value: Any) -> str | None:
    """Scalars of the API as text; what is no scalar stays JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _printable(value: Any) -> str | None:
    text = _text(value)
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0") if text else None


def _id_of(row: Any) -> int:
    try:
        return int(row["id"])
    except (TypeError, KeyError, ValueError) as error:
        raise UserError(f"hubspot: a search answered a row without a numeric id: {str(row)[:200]}") from error


def _change_of(row: Any, field: str) -> int | None:
    """The time of change of a row in milliseconds since 1970; None when it cannot be read."""
    try:
        moment = datetime.fromisoformat(row["properties"][field])
    except (TypeError, KeyError, ValueError):
        return None
    return _milliseconds(moment)


def _milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down; a naive time is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int((aware - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000 // 1)
