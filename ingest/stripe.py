"""Stripe: customers, charges, invoices, subscriptions and refunds by the v1 API.

Stripe's objects carry no time of change, so what changed is told by its events, which reach back 30 days. First run:
the whole lists. Later runs: the events since the last one seen, for all objects at once, and each object they
touched once more by its id. Whole lists again, compared with what is landed, when the last reading is older than 25
days, at the beat of `reconcile`, when the note about the events is lost, or where the source has no events.
A canceled subscription is no deletion. Where the events are read up to is noted only when their objects are landed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from ingest.drift import note_fields
from ingest.landing import newest_load_id, reading
from ingest.objects import CUSTOM_FIELDS, Column, Object, api_fields
from ingest.rest import Api, ApiFailure, api_for
from ingest.rows import add_rows, observed_types
from ingest.task import ReadTask
from ingest.versions import Batch
from operate.environment import Environment
from operate.errors import UserError

Event = dict[str, Any]  # as Stripe sends it, with id, type, created and data.object checked
API_VERSION = "2026-10-28.endive"  # the shapes of raw_stripe; the account's own default does not matter
LIST_LIMIT = 100
LAG = timedelta(minutes=5)
EVENTS_AGE = timedelta(days=25)  # events reach back 30 days; a reading that old starts over
SAME_PAGE_TRIES = 4
ROWS_AT_ONCE = 500  # objects fetched by id that are added together
# When the event was that brought a version; empty where a whole list did. Not part of the content.
EVENT_AT = Column("event_at", "timestamp")
REMEDIES = {
    401: "check the key named in sources.yml (credentials.api_key)",
    403: "give the restricted key read access to this object and to Events",
}


def _object(name: str, *fields: str, carried: tuple[str, ...] = ()) -> Object:
    # Invoices have a field of the name under which every source lands what is not in its contract.
    renamed = {CUSTOM_FIELDS.name: Column("invoice_custom_fields", field="custom_fields")}
    return Object(
        source="stripe",
        name=name,
        path=f"/v1/{name}",
        key="id",
        deletes="events",
        ignored=("object", "deleted"),
        carried=("event_at", *carried),
        fields=(*(renamed.get(column.name, column) for column in api_fields(*fields)), EVENT_AT, CUSTOM_FIELDS),
    )


CUSTOMERS = _object(
    "customers",
    "name", "individual_name", "business_name", "email", "phone", "address", "shipping", "description", "metadata",
    "balance", "created", "currency", "customer_account", "default_source", "delinquent", "discount",
    "invoice_prefix", "invoice_settings", "livemode", "next_invoice_sequence", "preferred_locales", "tax_exempt",
    "test_clock",
)  # fmt: skip
CHARGES = _object(
    "charges",
    "customer", "amount", "amount_captured", "amount_refunded", "currency", "status", "paid", "captured", "refunded",
    "disputed", "description", "metadata", "created", "payment_intent", "payment_method", "payment_method_details",
    "billing_details", "outcome", "failure_code", "failure_message", "balance_transaction",
    "failure_balance_transaction", "application", "application_fee", "application_fee_amount", "authorization_code",
    "calculated_statement_descriptor", "fraud_details", "level3", "livemode", "on_behalf_of", "presentment_details",
    "radar_options", "receipt_email", "receipt_number", "receipt_url", "review", "shipping", "source",
    "source_transfer", "statement_descriptor", "statement_descriptor_suffix", "transfer", "transfer_data",
    "transfer_group",
    carried=("receipt_url",),  # signed anew with every answer
)  # fmt: skip
INVOICES = _object(
    "invoices",
    "customer", "number", "status", "currency", "total", "subtotal", "amount_due", "amount_paid", "amount_remaining",
    "amount_overpaid", "amount_paid_off_stripe", "amount_shipping", "description", "metadata", "created", "due_date",
    "effective_at", "period_start", "period_end", "status_transitions", "status_details", "billing_reason",
    "collection_method", "parent", "lines", "customer_name", "customer_email", "customer_phone", "customer_address",
    "customer_shipping", "customer_account", "customer_tax_exempt", "customer_tax_ids", "account_country",
    "account_name", "account_tax_ids", "application", "attempt_count", "attempted", "auto_advance", "automatic_tax",
    "automatically_finalizes_at", "custom_fields", "default_payment_method", "default_source",
    "default_tax_rates", "discounts", "ending_balance", "footer", "from_invoice", "hosted_invoice_url", "invoice_pdf",
    "issuer", "last_finalization_error", "latest_revision", "livemode", "next_payment_attempt", "on_behalf_of",
    "payment_settings", "post_payment_credit_notes_amount", "pre_payment_credit_notes_amount", "receipt_number",
    "rendering", "shipping_cost", "shipping_details", "starting_balance", "statement_descriptor",
    "subtotal_excluding_tax", "test_clock", "threshold_reason", "total_discount_amounts", "total_excluding_tax",
    "total_pretax_credit_amounts", "total_taxes", "webhooks_delivered_at",
    carried=("hosted_invoice_url", "invoice_pdf"),  # signed anew with every answer
)  # fmt: skip
SUBSCRIPTIONS = _object(
    "subscriptions",
    "customer", "status", "currency", "items", "description", "metadata", "created", "start_date", "ended_at",
    "cancel_at", "cancel_at_period_end", "canceled_at", "cancellation_details", "trial_start", "trial_end",
    "trial_settings", "latest_invoice", "billing_cycle_anchor", "billing_cycle_anchor_config", "billing_mode",
    "billing_schedules", "billing_thresholds", "collection_method", "customer_account", "days_until_due",
    "application", "application_fee_percent", "automatic_tax", "default_payment_method", "default_source",
    "default_tax_rates", "discounts", "invoice_settings", "livemode", "managed_payments",
    "next_pending_invoice_item_invoice", "on_behalf_of", "pause_collection", "payment_settings",
    "pending_invoice_item_interval", "pending_setup_intent", "pending_update", "presentment_details", "schedule",
    "status_details", "test_clock", "transfer_data",
)  # fmt: skip
REFUNDS = _object(
    "refunds",
    "charge", "customer", "amount", "currency", "status", "reason", "description", "metadata", "created",
    "payment_intent", "payment_method", "balance_transaction", "customer_account", "destination_details",
    "failure_balance_transaction", "failure_reason", "instructions_email", "next_action", "pending_reason",
    "presentment_details", "receipt_number", "source_transfer_reversal", "transfer_reversal",
)  # fmt: skip
OBJECTS = (CUSTOMERS, CHARGES, INVOICES, SUBSCRIPTIONS, REFUNDS)
LIST_FILTERS = {"subscriptions": {"status": "all"}}  # else canceled ones are left out
# object of an event: ours, and the field of its id
TOUCHED_BY = {
    "customer": ("customers", "id"),
    "charge": ("charges", "id"),
    "invoice": ("invoices", "id"),
    "subscription": ("subscriptions", "id"),
    "refund": ("refunds", "id"),
    # What changes an object of ours without being it
    "dispute": ("charges", "charge"),
    "discount": ("customers", "customer"),
    "card": ("customers", "customer"),
    "bank_account": ("customers", "customer"),
    "source": ("customers", "customer"),
    "invoice_payment": ("invoices", "invoice"),
    "invoiceitem": ("invoices", "invoice"),
}
ENDED_BY = ("customer.deleted", "invoice.deleted")


@dataclass(frozen=True)
class Touch:
    """What the newest event says of one object: when, which event, and whether it ended the object."""

    at: int
    event: str
    kind: str

    @property
    def time(self) -> datetime:
        """The time of the event, naive UTC."""
        return datetime.fromtimestamp(self.at, UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Seen:
    """How far the events are read for one object.

    at       when it was read, UTC
    newest   seconds since 1970 of the newest event read
    load_id  the newest load there was then: a warehouse without it is an older copy
    events   ids of the events read that are not older than the lag before `newest`
    """

    at: datetime
    newest: int
    load_id: str
    events: frozenset[str] = frozenset()

    def start(self, lag: timedelta) -> int:
        """From when on events may be news, in seconds since 1970."""
        return self.newest - int(lag.total_seconds())


class Note:
    """The file that keeps Seen; losing it costs one reading of the whole list."""

    def __init__(self, environment: Environment, described: Object) -> None:
        self.path = environment.dlt / "events" / f"{described.source}.{described.name}.json"

    def read(self) -> Seen | None:
        """What is noted; None when nothing is, or it cannot be read."""
        try:
            noted = json.loads(self.path.read_text(encoding="utf-8"))
            at, newest, load_id = datetime.fromisoformat(noted["at"]), int(noted["newest"]), str(noted["load_id"])
            return Seen(at, newest, load_id, frozenset(noted["events"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, seen: Seen) -> None:
        """Replace what is noted, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        noted = {"at": seen.at.isoformat(), "newest": seen.newest, "load_id": seen.load_id}
        noted["events"] = sorted(seen.events)
        partial.write_text(json.dumps(noted), encoding="utf-8")
        os.replace(partial, self.path)

    def forget(self) -> None:
        """Have the whole list read next time."""
        self.path.unlink(missing_ok=True)


class NoEvents(Exception):
    """The source has no events."""


def read(task: ReadTask) -> None:
    """Read all Stripe objects and hand each finished batch to `task.land`. Raises UserError."""
    wanted = [described for described in OBJECTS if task.wants(described)]
    if task.window:
        for described in wanted:
            _read_window(task, described)
        return
    readings = [_Reading(task, described) for described in wanted]
    starts = [one.start for one in readings if one.start is not None]
    try:
        # Before any list is read: what happens from now on is told by later events.
        events = _events(task, min(starts, default=None))
    except NoEvents:
        task.say("stripe: the source has no events, so the whole lists are read")
        events = None
    for one in readings:
        one.read(events)


class _Reading:
    """One object: by the events that are news to it, or by its whole list."""

    def __init__(self, task: ReadTask, described: Object) -> None:
        self.task, self.object = task, described
        self.lag = LAG if task.settings.lag is None else task.settings.lag
        self.note = Note(task.settings.environment, described)
        known = self.note.read()
        is_fresh = known is not None and timedelta(0) <= task.now - known.at < EVENTS_AGE
        self.known = known if is_fresh and not task.reconcile_is_due(described) else None

    @property
    def start(self) -> int | None:
        """The time of the first event to read, in seconds since 1970; None when the whole list is to be read."""
        return self.known.start(self.lag) if self.known else None

    def read(self, events: list[Event] | None) -> None:
        """Land the object and note how far its events are read; `events` is None where the source has none."""
        api = _api(self.task, self.object.name)
        with self.task.batch(self.object) as batch:
            known = self.known
            if known is None or events is None or batch.newest_load_id < known.load_id:
                known, gone = None, {}
                fields = _add_listed(api, batch, LIST_FILTERS.get(self.object.name, {}))
            else:
                fields, gone = _add_touched(api, batch, self._touched(events, known))
            _note_drift(self.task, batch, fields)
            batch.judge()
            _end(batch, gone)
            if known is None:
                batch.end_missing("not in the list any more")
            self.task.land(batch, partial(self._note, events, known, batch.fields_changed))

    def _note(self, events: list[Event] | None, known: Seen | None, fields_changed: bool) -> None:
        """The reading is landed: a whole list counts as a comparison, and its events are known."""
        if known is None:
            self.task.note_reconciled(self.object)
        elif fields_changed:  # no event tells of the records that have it, or had it: all are read next time
            self.note.forget()
            return
        if events is not None:
            self.note.write(self._seen(events, known))

    def _touched(self, events: list[Event], known: Seen) -> dict[str, Touch]:
        """id -> its newest event, of the events that are news to this object."""
        found: dict[str, Touch] = {}
        for event in sorted(events, key=lambda event: event["created"]):
            source_id = self._about(event)
            if source_id is None or event["id"] in known.events or event["created"] < known.start(self.lag):
                continue
            before = found.get(source_id)
            if before is None or before.kind not in ENDED_BY:  # an id is not used again
                found[source_id] = Touch(event["created"], event["id"], event["type"])
        return found

    def _about(self, event: Event) -> str | None:
        """The id of this object that an event touches, if any."""
        about = event["data"]["object"]
        name, key = TOUCHED_BY.get(str(about.get("object")), ("", ""))
        source_id = about.get(key) if name == self.object.name else None
        if isinstance(source_id, dict):  # expanded
            source_id = source_id.get("id")
        return source_id if isinstance(source_id, str) and source_id else None

    def _seen(self, events: list[Event], before: Seen | None) -> Seen:
        """How far the events are read now. A time ahead of our clock must not hide what happens until then."""
        now = int(self.task.now.timestamp())
        newest = min(max((event["created"] for event in events), default=0 if before else now), now)
        seen = Seen(self.task.now, max(newest, before.newest if before else 0), load_id=self._newest_load())
        start = seen.start(self.lag)
        ids = frozenset(event["id"] for event in events if event["created"] >= start and self._about(event))
        return replace(seen, events=ids)

    def _newest_load(self) -> str:
        with reading(self.task.settings.environment) as warehouse:
            return newest_load_id(warehouse, self.object.dataset)


def _read_window(task: ReadTask, described: Object) -> None:
    """Backfill: what was created within the window, as it is now."""
    assert task.window is not None
    start, end = (int(moment.replace(tzinfo=UTC).timestamp()) for moment in (task.window.start, task.window.end))
    filters = LIST_FILTERS.get(described.name, {}) | {"created[gte]": start, "created[lt]": end}
    with task.batch(described) as batch:
        _note_drift(task, batch, _add_listed(_api(task, described.name), batch, filters))
        batch.judge()
        task.land(batch)


def _note_drift(task: ReadTask, batch: Batch, fields: dict[str, str]) -> None:
    """Note the fields seen; nothing is known of them when no object was read."""
    for line in note_fields(batch, fields) if fields else ():
        task.say(line)


def _api(task: ReadTask, name: str) -> Api:
    key = task.settings.resolve("credentials.api_key")
    headers = {"Authorization": f"Bearer {key}", "Stripe-Version": API_VERSION}
    return api_for(task.settings, name, headers, REMEDIES)


# ---------- events
def _events(task: ReadTask, start: int | None) -> list[Event]:
    """The events from `start` (seconds since 1970) on, newest first; without a start the newest page of them.

    Raises NoEvents where the source has none to read.
    """
    api = _api(task, "events")
    filters = {} if start is None else {"created[gte]": start}
    events: list[Event] = []
    try:
        for _, rows in _pages(api, "/v1/events", filters):
            events += [_checked(api, row) for row in rows]
            if start is None:
                break
    except ApiFailure as error:
        if error.status == 404:
            raise NoEvents from error
        raise
    return events


def _checked(api: Api, row: Any) -> Event:
    try:
        about = row["data"]["object"]
        if isinstance(row["id"], str) and isinstance(row["type"], str) and isinstance(about, dict):
            return row | {"created": int(row["created"])}
    except (KeyError, TypeError, ValueError):
        pass
    raise UserError(
        f"stripe events: an event without id, type, created or data.object: {str(row)[:200]}, at {api.base_url}"
        "/v1/events; check that the address leads to Stripe's API"
    )


# ---------- objects
def _add_listed(api: Api, batch: Batch, filters: dict[str, Any]) -> dict[str, str]:
    """Add a whole list, each id once (the first time, which is the newest state); returns the fields seen."""
    fields: dict[str, str] = {}
    ids: set[str] = set()
    for place, rows in _pages(api, batch.object.path, filters):
        fresh = []
        for row, key in zip(rows, _ids(rows), strict=True):
            if not isinstance(key, str) or key not in ids:
                fresh.append(row)
            if isinstance(key, str):
                ids.add(key)
        add_rows(batch, fresh, place)
        _learn(fields, fresh)
    return fields


def _add_touched(api: Api, batch: Batch, touched: dict[str, Touch]) -> tuple[dict[str, str], dict[str, Touch]]:
    """Add each touched object as it is now; returns the fields seen, and the objects that are gone."""
    fields: dict[str, str] = {}
    gone = {source_id: touch for source_id, touch in touched.items() if touch.kind in ENDED_BY}
    rows: list[dict[str, Any]] = []
    for source_id, touch in touched.items():
        if source_id in gone:
            continue
        row = _fetched(api, batch.object, source_id)
        if row is None or row.get("deleted") is True:
            gone[source_id] = touch
        else:
            rows.append(row)
        if len(rows) >= ROWS_AT_ONCE:
            _add_with_times(batch, rows, touched)
            _learn(fields, rows)
            rows = []
    _add_with_times(batch, rows, touched)
    _learn(fields, rows)
    return fields, gone


def _add_with_times(batch: Batch, rows: list[dict[str, Any]], touched: dict[str, Touch]) -> None:
    def with_time(row: dict[str, Any]) -> dict[str, Any]:
        touch = touched.get(row.get("id"))
        return row | {EVENT_AT.name: f"{touch.time.isoformat()}Z"} if touch else row

    add_rows(batch, rows, f"{batch.object.path}/<id>", flat=with_time)


def _learn(fields: dict[str, str], rows: list[Any]) -> None:
    for name, kind in observed_types(rows).items():
        if kind != "null" or name not in fields:
            fields[name] = kind


def _fetched(api: Api, described: Object, source_id: str) -> dict[str, Any] | None:
    """The object as it is now; None when Stripe does not know it any more."""
    path = f"{described.path}/{quote(source_id, safe='')}"
    try:
        row = api.get(path, {})
    except ApiFailure as error:
        if error.status == 404:
            return None
        raise
    if row.get("id") != source_id:
        raise _odd(api, path, f"the answer is another object, {row.get('id')!r}")
    return row


def _end(batch: Batch, gone: dict[str, Touch]) -> None:
    """Tombstones for what events say is gone."""
    batch.connection.execute("create table gone (source_id varchar, deleted_at timestamp, evidence varchar)")
    if gone:
        batch.connection.executemany(
            "insert into gone values (?, ?, ?)",
            [(source_id, touch.time, f"event {touch.kind} {touch.event}") for source_id, touch in gone.items()],
        )
    batch.tombstone("select * from gone", is_deletion=True)


# ---------- pages
def _pages(api: Api, path: str, filters: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Pages of a list as (place, rows).

    A page that comes again is asked for again. A cursor that Stripe does not know any more (its object was deleted
    meanwhile) is replaced by the time of the last row; what then comes twice is for the caller to drop.
    """
    cursor: dict[str, Any] = {}
    used: set[str] = set()
    last: Any = None
    before: list[Any] = []
    while True:
        try:
            rows, has_more = _page(api, path, filters | cursor, before)
        except ApiFailure as error:
            if not (error.status == 400 and "starting_after" in cursor and "resource_missing" in error.body):
                raise
            cursor = {"created[lte]": _created(api, path, last)}
            rows, has_more = _page(api, path, filters | cursor, before)
        yield f"{path} {' '.join(f'{name}={value}' for name, value in cursor.items()) or 'start'}", rows
        if not has_more:
            return
        last = rows[-1] if rows else None
        key = last.get("id") if isinstance(last, dict) else None
        if not isinstance(key, str) or key in used:
            raise _odd(api, path, f"there is more behind a page whose last id is {key!r}, which leads no further")
        used.add(key)
        before = _ids(rows)
        cursor = {name: value for name, value in cursor.items() if name == "created[lte]"} | {"starting_after": key}


def _page(api: Api, path: str, params: dict[str, Any], before: list[Any]) -> tuple[list[Any], bool]:
    """The rows of a page and whether more follow; a page equal to `before` is asked for again."""
    for _ in range(SAME_PAGE_TRIES):
        body = api.get(path, {"limit": LIST_LIMIT} | params)
        rows, has_more = body.get("data"), body.get("has_more")
        if not isinstance(rows, list) or not isinstance(has_more, bool):
            raise _odd(api, path, f"the answer is no list (it has {', '.join(sorted(body)[:5]) or 'nothing'})")
        if not before or _ids(rows) != before:
            return rows, has_more
    raise _odd(
        api, path, f"the page behind {params.get('starting_after')} is the one before it, {SAME_PAGE_TRIES} times"
    )


def _ids(rows: list[Any]) -> list[Any]:
    return [row.get("id") if isinstance(row, dict) else None for row in rows]


def _created(api: Api, path: str, row: Any) -> int:
    try:
        return int(row["created"])
    except (TypeError, KeyError, ValueError) as error:
        raise _odd(api, path, f"a row without a readable `created`: {str(row)[:200]}") from error


def _odd(api: Api, path: str, what: str) -> UserError:
    return UserError(
        f"stripe {api.name}: {what}, at {api.base_url}{path}; check that the address leads to Stripe's API, then run "
        "again"
    )
