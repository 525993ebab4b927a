"""HubSpot: contacts, companies, deals and their associations, by the CRM API.

First run: the whole list, then a search for what changed while the list was read. Later runs: a search from the
newest landed change minus the lag; at the beat of `reconcile` the whole list again. The search also tells how many
records there are: when that is not what is landed, the archived list tells who went. A merge in HubSpot makes a
new record whose `hs_merged_object_ids` names the old ones; the old ids end there.

HubSpot says of an association neither when it was made nor that it ended, but counts it in properties of both
records. So the associations of a record are read whenever the record changed, and land before it does: a run that
is interrupted in between meets the same record again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pyarrow as pa

from ingest.drift import note_fields
from ingest.objects import CUSTOM_FIELDS, Cursor, Object, texts
from ingest.rest import Api, ApiFailure, api_for
from ingest.rows import add_rows, as_text, printable
from ingest.task import ReadTask
from ingest.versions import Batch, parse_time
from operate.errors import UserError


def _crm_object(name: str, modified: str, *fields: str) -> Object:
    return Object(
        source="hubspot",
        name=name,
        path=f"/crm/v3/objects/{name}",
        key="id",
        cursor=Cursor(field=modified, column=modified),
        deletes="archived",
        merges="hs_merged_object_ids",
        fields=(*texts(*fields), CUSTOM_FIELDS),
        ignored=("hs_object_id", "hs_calculated_merged_vids"),
    )


CONTACTS = _crm_object(
    "contacts", "lastmodifieddate",
    "firstname", "lastname", "email", "hs_additional_emails", "phone", "mobilephone",
    "address", "city", "state", "zip", "country", "date_of_birth", "company", "jobtitle", "website",
    "lifecyclestage", "hs_email_optout", "hs_merged_object_ids", "createdate", "lastmodifieddate",
    "associatedcompanyid", "num_associated_deals",
)  # fmt: skip
COMPANIES = _crm_object(
    "companies", "hs_lastmodifieddate",
    "name", "domain", "phone", "address", "city", "state", "zip", "country", "website", "industry",
    "numberofemployees", "num_associated_contacts", "num_associated_deals", "hs_merged_object_ids", "createdate",
    "hs_lastmodifieddate",
)  # fmt: skip
DEALS = _crm_object(
    "deals", "hs_lastmodifieddate",
    "dealname", "amount", "deal_currency_code", "dealstage", "pipeline", "dealtype", "closedate",
    "num_associated_contacts", "hs_merged_object_ids", "createdate", "hs_lastmodifieddate",
)  # fmt: skip
ASSOCIATIONS = Object(
    source="hubspot",
    name="associations",
    path="/crm/v4/associations",
    key="id",
    deletes="parent",
    fields=texts("from_object", "from_id", "to_object", "to_id", "association_types"),
)
OBJECTS = (CONTACTS, COMPANIES, DEALS, ASSOCIATIONS)
ASSOCIATED = {"contacts": ("companies",), "deals": ("contacts", "companies")}  # read from these to those
LIST_LIMIT = 100
SEARCH_LIMIT = 200
ASSOCIATION_LIMIT = 1000
PAGE_ATTEMPTS = 4  # how often a page that came twice is asked for again
CHECK_ADDRESS = "check that the address leads to the CRM API"
REMEDIES = {
    401: "check the access token named in sources.yml (credentials.access_token)",
    403: "give the token's private app the read scopes of crm.objects and crm.schemas for contacts, companies, deals",
}


def read(task: ReadTask) -> None:
    """Read all HubSpot objects and land them, associations first. Raises UserError."""
    with ExitStack() as open_batches:
        batches: list[tuple[Batch, bool]] = []
        for described in (CONTACTS, COMPANIES, DEALS):
            if task.wants(described) or (described.name in ASSOCIATED and task.wants(ASSOCIATIONS)):
                batch = open_batches.enter_context(task.batch(described))
                batches.append((batch, _Reading(task, batch).read()))
        _read_associations(task, batches)
        for batch, was_whole in batches:
            if task.wants(batch.object):
                due = was_whole and task.reconcile_is_due(batch.object)
                task.land(batch, partial(task.note_reconciled, batch.object) if due else None)


def _api(task: ReadTask, described: Object) -> Api:
    token = task.settings.resolve("credentials.access_token")
    return api_for(task.settings, described.name, {"Authorization": f"Bearer {token}"}, REMEDIES)


class _Reading:
    """One reading of one CRM object into its batch."""

    def __init__(self, task: ReadTask, batch: Batch) -> None:
        self.task, self.batch, self.object = task, batch, batch.object
        self.api = _api(task, batch.object)
        self.names: list[str] = []
        self.live: int | None = None  # records there are, by the search

    def read(self) -> bool:
        """Fill and judge the batch; returns whether the whole list was read."""
        batch, task = self.batch, self.task
        self._read_properties()
        whole = task.reconcile_is_due(self.object) or batch.read_from is None
        start = batch.read_from
        if whole:
            for place, rows in self._listed(archived=False):
                self._add(rows, place)
        if start is None:
            lag = self.object.cursor.lag if task.settings.lag is None else task.settings.lag
            start = batch.now - lag
        for place, rows in self._changed_since(start, task.read_until(batch)):
            self._add(rows, place)
        batch.judge()
        _note_merges(batch)
        if task.window:
            return False
        if whole or self._live_landed() != self.live:
            self._end_archived()
        if whole:
            # Neither listed nor in the archive: deleted for good, by a privacy request.
            batch.end_missing("neither listed nor archived")
        elif self._live_landed() != self.live:
            task.say(
                f"hubspot {self.object.name}: the search counts {self.live:,} records, landed are "
                f"{self._live_landed():,}; the next reconcile settles it"
            )
        return whole

    def _read_properties(self) -> None:
        """What fields there are: those of the contract and every custom one are asked for."""
        body = self.api.get(f"/crm/v3/properties/{self.object.name}", {})
        there: dict[str, str] = {}
        for one in _results(self.api, body):
            if isinstance(one, dict) and isinstance(one.get("name"), str):
                there[one["name"]] = str(one.get("type"))
        contract = {column.name for column in self.object.fields}
        custom = [one["name"] for one in body["results"] if isinstance(one, dict) and not one.get("hubspotDefined")]
        if self.object.cursor.column not in there:
            raise UserError(
                f"hubspot {self.object.name}: the property {self.object.cursor.column} is gone, without which changes "
                f"cannot be found, at {self.api.base_url}; {CHECK_ADDRESS}"
            )
        self.names = [*(name for name in contract if name in there), *(name for name in custom if name not in contract)]
        self.names.sort()
        seen = {name: kind for name, kind in there.items() if name in self.names or name in self.object.ignored}
        for line in note_fields(self.batch, seen):
            self.task.say(line)

    def _listed(self, archived: bool) -> Iterator[tuple[str, list[Any]]]:
        """Pages of the list endpoint as (place, rows)."""
        described, after, repeats = self.object, None, 0
        params: dict[str, Any] = {"limit": LIST_LIMIT, "properties": ",".join(self.names)}
        if archived:
            params["archived"] = "true"
        while True:
            try:
                body = self.api.get(described.path, params | ({"after": after} if after else {}))
            except ApiFailure as failure:
                if failure.status != 400 or after is None or repeats:
                    raise
                after, repeats = None, 1  # the cursor is not known any more: from the start, once
                continue
            yield f"{described.path} archived={archived} after={after or 'start'}", _results(self.api, body)
            following = ((body.get("paging") or {}).get("next") or {}).get("after")
            if not following:
                return
            if following == after:  # the page before came again
                repeats += 1
                if repeats >= PAGE_ATTEMPTS:
                    raise UserError(
                        f"hubspot {described.name}: the page after {after} comes again and again, at "
                        f"{self.api.base_url}{described.path}; the vendor has trouble: run again later"
                    )
            after = following

    def _changed_since(self, start: datetime, end: datetime | None) -> Iterator[tuple[str, list[Any]]]:
        """Pages of records changed from `start` (naive UTC) up to before `end`, as (place, rows).

        One search, newest first, tells how many records there are and mostly holds all changes. When it does not,
        changes are read oldest first, each page a query of its own from the last change seen: so the cap of 10,000
        results per search never shows, and a record that changes meanwhile cannot shift others past a page boundary.
        """
        path, field, since = self.object.path, self.object.cursor.column, _milliseconds(start)
        if end is None:
            rows, self.live = self._search([], field, "DESCENDING")
            times = [time for time in (_change_of(row, field) for row in rows) if time is not None]
            if len(rows) < SEARCH_LIMIT or (len(times) == len(rows) and times[-1] < since):
                yield f"{path}/search newest", [row for row in rows if (_change_of(row, field) or since) >= since]
                return
        until = [] if end is None else [(field, "LT", _milliseconds(end))]
        yield from self._windows(since, until)

    def _windows(self, moment: int, until: list[tuple[str, str, Any]]) -> Iterator[tuple[str, list[Any]]]:
        path, field = self.object.path, self.object.cursor.column
        while True:
            rows, _ = self._search([(field, "GTE", moment), *until], field)
            yield f"{path}/search {field} >= {moment}", rows
            if len(rows) < SEARCH_LIMIT:
                return
            last = max(filter(None, (_change_of(row, field) for row in rows)), default=None)
            if last is None:
                raise UserError(
                    f"hubspot {self.object.name}: a page of the search sorted by {field} has no record with a "
                    f"readable {field} (the first is {str(rows[0])[:200]}); {CHECK_ADDRESS}"
                )
            if last <= moment:  # one moment fills a whole page: it is read to its end in the order of ids
                yield from self._whole_moment(moment)
                last = moment + 1
            moment = last

    def _whole_moment(self, moment: int) -> Iterator[tuple[str, list[Any]]]:
        field, after = self.object.cursor.column, 0
        while True:
            filters = [(field, "EQ", moment), ("hs_object_id", "GT", after)]
            rows, _ = self._search(filters, "hs_object_id")
            yield f"{self.object.path}/search {field} = {moment}, hs_object_id > {after}", rows
            if len(rows) < SEARCH_LIMIT:
                return
            after = max(_id_of(row) for row in rows)

    def _search(
        self, filters: list[tuple[str, str, Any]], order: str, direction: str = "ASCENDING"
    ) -> tuple[list[Any], int | None]:
        """(rows, how many there are in all)."""
        named = [{"propertyName": name, "operator": operator, "value": str(value)} for name, operator, value in filters]
        body = {
            "filterGroups": [{"filters": named}] if named else [],
            "sorts": [{"propertyName": order, "direction": direction}],
            "properties": self.names,
            "limit": SEARCH_LIMIT,
        }
        answer = self.api.post(f"{self.object.path}/search", body)
        return _results(self.api, answer), answer.get("total")

    def _add(self, rows: list[Any], place: str) -> None:
        add_rows(self.batch, rows, place, _flat)

    def _live_landed(self) -> int:
        """How many live records are landed once this batch is."""
        found = self.batch.connection.execute(f"select count(*) from ({self.batch.current_sql()}) where not is_deleted")
        return found.fetchall()[0][0]

    def _end_archived(self) -> None:
        """The archived list is what HubSpot deleted; each id ends once."""
        ids: list[str] = []
        times: list[str | None] = []
        for place, rows in self._listed(archived=True):
            for number, row in enumerate(rows, start=1):
                readable = isinstance(row, dict) and isinstance(row.get("properties"), dict)
                if not readable or not as_text(row.get("id")):
                    reason = "the key is missing or blank" if readable else "the row has no properties"
                    identity = row.get("id") if isinstance(row, dict) else None
                    self.batch.reject(printable(identity), reason, row, f"{place} row {number}")
                    continue
                ids.append(as_text(row["id"]))
                times.append(as_text(row.get("archivedAt")))
        archived = pa.table({"id": pa.array(ids, pa.string()), "archived_at": pa.array(times, pa.string())})
        self.batch.connection.register("archived_rows", archived)
        archived_at = parse_time("archived_at")
        # Served as live after it was archived: it was restored meanwhile, unless its archiving is later still.
        self.batch.tombstone(
            f"""
            select id as source_id, coalesce({archived_at}, timestamp '{self.batch.now}') as deleted_at,
                'in the list of archived {self.object.name}' as evidence
            from archived_rows
            """,
            is_deletion=True,
        )
        self.batch.connection.unregister("archived_rows")


def _flat(row: dict[str, Any]) -> dict[str, Any] | None:
    properties = row.get("properties")
    return {"id": row.get("id"), **properties} if isinstance(properties, dict) else None


def _results(api: Api, body: dict[str, Any]) -> list[Any]:
    results = body.get("results")
    if not isinstance(results, list):
        raise UserError(
            f"{api.source} {api.name}: the answer has no list `results` (it has "
            f"{', '.join(sorted(body)[:5]) or 'nothing'}), at {api.base_url}; {CHECK_ADDRESS}"
        )
    return results


def _note_merges(batch: Batch) -> None:
    """Each id in hs_merged_object_ids ended in the record that names it, and is no record any more."""
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


# -------------------------------------------------------------------- associations


def _read_associations(task: ReadTask, batches: list[tuple[Batch, bool]]) -> None:
    """Read the associations of every record that changed, compare them with those landed, and land the difference."""
    if not task.wants(ASSOCIATIONS):
        return
    api = _api(task, ASSOCIATIONS)
    with task.batch(ASSOCIATIONS) as links:
        links.connection.execute("create table parents (from_object varchar, from_id varchar)")
        for batch, was_whole in batches:
            name = batch.object.name
            if name not in ASSOCIATED:
                continue
            changed = "incoming" if was_whole else "versions"
            rows = batch.connection.execute(
                f"select source_id, is_deleted from ({batch.current_sql()}) "
                f"where source_id in (select source_id from {changed} union select source_id from versions) order by 1"
            ).fetchall()
            _note_parents(links, name, [key for key, _ in rows])
            live = [key for key, is_ended in rows if not is_ended]
            for to in ASSOCIATED[name]:
                for start in range(0, len(live), ASSOCIATION_LIMIT):
                    _add_links(api, links, name, to, live[start : start + ASSOCIATION_LIMIT])
        links.judge()
        links.tombstone(
            f"""
            select latest.source_id, timestamp '{links.now}' as deleted_at,
                'not among the associations of its record' as evidence
            from latest
            inner join parents
                on split_part(latest.source_id, ':', 1) = parents.from_object
                and split_part(latest.source_id, ':', 2) = parents.from_id
            where not latest.is_deleted
                and not exists (select 1 from incoming where incoming.source_id = latest.source_id)
            """,
            is_deletion=True,
        )
        task.land(links)


def _note_parents(links: Batch, name: str, ids: list[str]) -> None:
    parents = pa.table({"from_object": pa.array([name] * len(ids), pa.string()), "from_id": pa.array(ids, pa.string())})
    links.connection.register("parent_rows", parents)
    links.connection.execute("insert into parents select * from parent_rows")
    links.connection.unregister("parent_rows")


def _add_links(api: Api, links: Batch, name: str, to: str, ids: list[str]) -> None:
    path = f"{ASSOCIATIONS.path}/{name}/{to}/batch/read"
    inputs: list[dict[str, str]] = [{"id": key} for key in ids]
    while inputs:
        body = api.post(path, {"inputs": inputs})
        inputs = []
        for one in _results(api, body):
            own = as_text((one.get("from") or {}).get("id"))
            rows = [
                {
                    "id": f"{name}:{own}:{to}:{as_text(link.get('toObjectId'))}",
                    "from_object": name,
                    "from_id": own,
                    "to_object": to,
                    "to_id": as_text(link.get("toObjectId")),
                    "association_types": link.get("associationTypes"),
                }
                for link in one.get("to") or []
            ]
            add_rows(links, rows, f"{path} of {own}")
            after = ((one.get("paging") or {}).get("next") or {}).get("after")
            if after:  # more than a page of them
                inputs.append({"id": own, "after": after})


# -------------------------------------------------------------------- helpers


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
