"""Stripe: the emulator against the vendor's SDK and its types, and the pipeline against the emulator and localstripe.

The sandbox runs once for the module; each landing test reads into an environment of its own. What a test changes in
the world stays, so every expectation is taken from the world as it is then.
"""

from __future__ import annotations

import ast
import decimal
import functools
import importlib
import json
import shutil
import subprocess
import sys
import types
import typing
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
import stripe as sdk
import support
import yaml
from fixtures_landing import (
    changing,
    counts,
    follow,
    older_world_fixture,  # noqa: F401 (a fixture)
    query,
    read,
    read_well,
    tick,
)
from stripe._balance import Balance
from stripe._charge import Charge
from stripe._customer import Customer
from stripe._event import Event
from stripe._http_client import RequestsClient
from stripe._invoice import Invoice
from stripe._list_object import ListObject
from stripe._refund import Refund
from stripe._stripe_object import StripeObject, UntypedStripeObject
from stripe._subscription import Subscription

from ingest import rest, stripe
from ingest.objects import CUSTOM_FIELDS
from ingest.run import LandingResult
from ingest.task import Window
from operate import clock
from operate.environment import PROJECT_ROOT, Environment, get_environment
from sandbox.faults import set_fault
from sandbox.records import change_record, end_record, forget_record
from sandbox.stripe_objects import body_of
from sandbox.world import iso, opened

CLASSES = {
    "customers": Customer,
    "charges": Charge,
    "invoices": Invoice,
    "subscriptions": Subscription,
    "refunds": Refund,
}
NAMES = tuple(CLASSES)
# Sent only when a request asks to expand them, or to accounts with a feature that is off by default.
ONLY_WHEN_EXPANDED = {
    "customers": {"cash_balance", "invoice_credit_balance", "sources", "subscriptions", "tax", "tax_ids"},
    "charges": {"refunds"},
    "invoices": {"confirmation_secret", "payments"},
    "subscriptions": set(),
    "refunds": set(),
}
NOT_FOR_EVERYBODY = {
    "charges": {"level3", "presentment_details", "transfer"},
    "subscriptions": {"presentment_details"},
    "refunds": {"failure_balance_transaction", "failure_reason", "instructions_email", "next_action",
                "presentment_details"},
}  # fmt: skip


# -------------------------------------------------------------------- fixtures and helpers

land = partial(read, "stripe")
good = partial(read_well, "stripe")


@pytest.fixture
def environment(world: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Environment]:
    """An environment that has landed nothing yet and reads the module's emulator; its faults end with the test."""
    monkeypatch.setenv("C360_VAR", str(tmp_path))
    monkeypatch.setattr(rest, "BACKOFF_SECONDS", 0.01)
    made = get_environment("sandbox").create()
    follow(world, made)
    yield made
    set_fault(world, "stripe", "none")


@pytest.fixture
def requested(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that the pipeline asks for, as it asks for them."""
    paths: list[str] = []
    original = rest.Api.get

    def noted(self: rest.Api, path: str, params: dict) -> dict:
        paths.append(path)
        return original(self, path, params)

    monkeypatch.setattr(rest.Api, "get", noted)
    return paths


def source_of(world: Environment) -> tuple[str, str, str]:
    """(address, key, file of the certificate authority) of the emulator."""
    contract = json.loads(world.sandbox_contract.read_text(encoding="utf-8"))
    source = contract["sources"]["stripe"]
    return source["base_url"], source["credentials"]["api_key"], contract["ca_file"]


@functools.cache
def session() -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    return made


def asked(world: Environment, path: str, key: str | None = None, **more: Any) -> requests.Response:
    address, own_key, ca_file = source_of(world)
    headers = {} if more.get("auth") or key == "" else {"Authorization": f"Bearer {key or own_key}"}
    return session().get(f"{address}{path}", headers=headers, verify=ca_file, timeout=10, **more)


def client(address: str, key: str) -> sdk.StripeClient:
    """The vendor's SDK, which must not ask a proxy of the machine for this machine."""
    session = requests.Session()
    session.trust_env = False
    addresses = {name: address for name in ("api", "connect", "files", "meter_events")}
    return sdk.StripeClient(key, base_addresses=addresses, http_client=RequestsClient(session=session))


@pytest.fixture
def official(world: Environment, monkeypatch: pytest.MonkeyPatch) -> sdk.StripeClient:
    address, key, ca_file = source_of(world)
    monkeypatch.setattr(sdk, "ca_bundle_path", ca_file)
    return client(address, key)


def landed(environment: Environment, name: str) -> dict[str, dict[str, Any]]:
    """id -> row of the newest landed version, of objects that are not deleted."""
    with duckdb.connect(str(environment.warehouse)) as connection:
        found = connection.execute(
            f"from raw_stripe.{name} qualify row_number() over "
            "(partition by source_id order by _dlt_load_id desc, content_hash desc) = 1"
        )
        columns = [column[0] for column in found.description]
        rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    return {row["source_id"]: row for row in rows if not row["is_deleted"]}


def as_landed(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """The contract's columns of a body of the API, without those that say where the row came from."""
    described = next(one for one in stripe.OBJECTS if one.name == name)
    flat = {
        column.name: value if value is None or isinstance(value, str) else json.dumps(value, sort_keys=True,
                                                                                     ensure_ascii=False)
        for column in described.content
        if column is not CUSTOM_FIELDS
        for value in [body.get(column.source_field)]
    }  # fmt: skip
    return {"source_id": body["id"], **flat}


def in_the_world(world: Environment, name: str) -> dict[str, dict[str, Any]]:
    with opened(world) as content:
        rows = content.rows("select * from records where system = 'stripe' and object = ? and state = 'live'", (name,))
    return {row["source_id"]: body_of(row) for row in rows}


def assert_landed_is_the_world(world: Environment, environment: Environment, *names: str) -> None:
    for name in names or NAMES:
        truth, found = in_the_world(world, name), landed(environment, name)
        assert set(found) == set(truth), name
        for key, body in truth.items():
            expected = as_landed(name, body)
            assert {column: found[key][column] for column in expected} == expected


def write_sources(folder: Path, monkeypatch: pytest.MonkeyPatch, **environments: object) -> None:
    """A sources.yml of the test's own."""
    (folder / "sources.yml").write_text(yaml.safe_dump(environments), encoding="utf-8")
    monkeypatch.setenv("C360_SOURCES", str(folder / "sources.yml"))


def rename(world: Environment, environment: Environment | None, name: str, nth: int = 0, ahead: str = "") -> str:
    """Give a live customer another name; returns its id."""
    with changing(world, environment) as (content, moment):
        row = content.rows(
            "select * from records where system = 'stripe' and object = 'customers' and state = 'live' order by seq"
        )[nth]
        fields = json.loads(row["fields"]) | {"full_name": name}
        change_record(content, row, fields, ahead or moment, content.day + 1)
    return row["source_id"]


# -------------------------------------------------------------------- the SDK's types


@functools.cache
def names_of(module: str) -> dict[str, Any]:
    """What a module of the SDK knows, with what it imports for type checkers only."""
    loaded = importlib.import_module(module)
    known = dict(vars(loaded))
    for node in ast.walk(ast.parse(Path(loaded.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stripe."):
            other = importlib.import_module(node.module)
            known |= {
                one.asname or one.name: getattr(other, one.name) for one in node.names if hasattr(other, one.name)
            }
    return known


@functools.cache
def fields_of(described: type) -> dict[str, Any]:
    """The annotated fields of a class of the SDK."""
    found = typing.get_type_hints(described, names_of(described.__module__))
    return {name: kind for name, kind in found.items() if name != "OBJECT_NAME" and not name.startswith("_")}


def wrongs(value: Any, kind: Any, place: str) -> list[str]:
    """What of `value` is not as the annotation `kind` wants it."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any or isinstance(kind, typing.TypeVar):
        return []
    if origin in (typing.Union, types.UnionType):
        literal = [part for part in parts if typing.get_origin(part) is typing.Literal]
        parts = tuple(part for part in parts if not (literal and part is str))  # `| str` is for values of the future
        found = [wrongs(value, part, place) for part in parts]
        return [] if [] in found else min(found, key=lambda one: (one[0].startswith(f"{place}: "), len(one)))
    if origin is typing.Literal:
        return [] if value in parts else [f"{place}: {value!r} is none of {parts}"]
    if kind is type(None):
        return [] if value is None else [f"{place}: not null"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{place}: no list"]
        return [wrong for number, one in enumerate(value) for wrong in wrongs(one, parts[0], f"{place}[{number}]")]
    described = origin or kind
    if isinstance(described, type) and issubclass(described, StripeObject):
        return wrongs_of_object(value, described, parts, place)
    if kind is decimal.Decimal:  # in JSON a string
        return [] if isinstance(value, str) and decimal.Decimal(value).is_finite() else [f"{place}: no decimal"]
    if kind is float:
        kind = (int, float)
    is_right = isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)
    return [] if is_right else [f"{place}: {value!r} is no {kind}"]


def wrongs_of_object(value: Any, described: type, parts: tuple, place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place}: no object"]
    if issubclass(described, UntypedStripeObject):
        return [wrong for key, one in value.items() for wrong in wrongs(one, parts[0], f"{place}.{key}")]
    fields = fields_of(described)
    if issubclass(described, ListObject):
        fields = {"object": typing.Literal["list"], "data": list[parts[0]], "has_more": bool, "url": str}
    found = [f"{place}.{name}: unknown" for name in value if name not in fields]
    for name, kind in fields.items():
        if name in value:
            found += wrongs(value[name], kind, f"{place}.{name}")
        elif type(None) not in typing.get_args(kind):
            found.append(f"{place}.{name}: missing")
    return found


def listed(world: Environment, path: str, limit: int = 100, **params: Any) -> list[dict[str, Any]]:
    """All rows of a list, and the proof that each page says what a list says."""
    rows: list[dict[str, Any]] = []
    while True:
        after = {"starting_after": rows[-1]["id"]} if rows else {}
        answer = asked(world, path, params={"limit": limit, **params, **after})
        body = answer.json()
        assert answer.status_code == 200, body
        assert set(body) == {"object", "url", "has_more", "data"}
        assert (body["object"], body["url"]) == ("list", path)
        rows += body["data"]
        if not body["has_more"]:
            return rows


@pytest.mark.parametrize("name", NAMES)
def test_every_body_has_the_types_of_the_sdk(world, name):
    rows = listed(world, f"/v1/{name}", **({"status": "all"} if name == "subscriptions" else {}))
    assert len(rows) > 2
    for row in rows:
        assert not wrongs(row, CLASSES[name], row["id"])
    optional = ONLY_WHEN_EXPANDED[name] | NOT_FOR_EVERYBODY.get(name, set())
    assert set(fields_of(CLASSES[name])) - set(rows[0]) - {"deleted"} == optional
    assert {row["id"]: row for row in rows} == in_the_world(world, name)
    times = [row["created"] for row in rows]
    assert times == sorted(times, reverse=True)
    assert asked(world, f"/v1/{name}/{rows[0]['id']}").json() == rows[0]


def test_events_and_the_balance_have_the_types_of_the_sdk(world):
    events = listed(world, "/v1/events")
    kinds = {event["type"] for event in events}
    assert {"customer.created", "customer.updated", "customer.deleted", "charge.succeeded", "charge.refunded",
            "invoice.created", "invoice.paid", "customer.subscription.created", "refund.created"} <= kinds  # fmt: skip
    for event in events:
        assert not wrongs(event, Event, event["id"])
        about = event["data"]["object"]
        name = next(name for name, described in CLASSES.items() if about["object"] == described.OBJECT_NAME)
        assert not wrongs(about, CLASSES[name], event["id"])
        updated = event["type"] in ("customer.updated", "charge.refunded", "invoice.updated", "refund.updated")
        assert ("previous_attributes" in event["data"]) == (updated or event["type"] == "customer.subscription.updated")
    assert not wrongs(asked(world, "/v1/balance").json(), Balance, "balance")
    assert asked(world, f"/v1/events/{events[0]['id']}").json() == events[0]


def test_the_types_are_really_compared(world):
    [body] = listed(world, "/v1/customers")[:1]
    for change in ({"created": "1"}, {"metadata": {"a": 1}}, {"tax_exempt": "maybe"}, {"shipping": {"nam": "x"}},
                   {"email": 7}, {"invoice_settings": []}, {"vip": True}, {"preferred_locales": [1]}):  # fmt: skip
        assert wrongs(body | change, Customer, "x"), change
    assert wrongs({key: value for key, value in body.items() if key != "created"}, Customer, "x")
    [subscription] = listed(world, "/v1/subscriptions")[:1]
    subscription["items"]["data"][0]["price"]["recurring"]["interval"] = "moon"
    [wrong] = wrongs(subscription, Subscription, "x")
    assert wrong.startswith("x.items.data[0].price.recurring.interval")


@pytest.mark.parametrize("described", stripe.OBJECTS, ids=lambda one: one.name)
def test_all_fields_of_the_sdk_are_in_the_contract(described):
    contract = {column.source_field for column in described.fields} - {"event_at"}
    contract -= set() if described.name == "invoices" else {"custom_fields"}  # a field of invoices has that name
    known = contract | {described.key, *described.ignored} | ONLY_WHEN_EXPANDED[described.name]
    missing = set(fields_of(CLASSES[described.name])) - known
    unknown = known - set(fields_of(CLASSES[described.name])) - {"deleted"}
    assert (missing, unknown) == (set(), set())


# -------------------------------------------------------------------- the emulator


def test_a_change_is_an_event_with_what_was_before(world):
    customer = rename(world, None, "Somebody Else")
    event = listed(world, "/v1/events", type="customer.updated")[0]
    body = asked(world, f"/v1/customers/{customer}").json()
    assert event["data"]["object"] == body
    before = event["data"]["previous_attributes"]
    assert set(before) <= {"name", "individual_name", "business_name", "shipping"} and before["name"] != body["name"]
    ids = {event["id"] for event in listed(world, "/v1/events", 3)}
    some = listed(world, "/v1/events", **{"types[]": ["customer.updated", "refund.created"]})
    assert {one["type"] for one in some} == {"customer.updated", "refund.created"}
    assert {one["id"] for one in some} < ids == {one["id"] for one in listed(world, "/v1/events")}
    assert {one["type"] for one in listed(world, "/v1/events", type="customer.subscription.*")} >= {
        "customer.subscription.created"
    }


def test_a_deleted_customer_ends_its_subscriptions_and_leaves_its_id(world):
    with changing(world) as (content, moment):
        owner = content.rows(
            "select json_extract(fields, '$.customer') from records where system = 'stripe'"
            " and object = 'subscriptions' and json_extract(fields, '$.status') = 'active' order by seq limit 1"
        )[0][0]
        row = content.record("stripe", "customers", owner)
        end_record(content, row, "deleted", "", moment, content.day + 1)
    answer = asked(world, f"/v1/customers/{owner}")
    assert (answer.status_code, answer.json()) == (200, {"id": owner, "object": "customer", "deleted": True})
    assert not wrongs({**answer.json(), "created": 0, "livemode": False}, Customer, owner)
    assert owner not in {row["id"] for row in listed(world, "/v1/customers")}
    assert not listed(world, "/v1/subscriptions", customer=owner)
    kept = listed(world, "/v1/subscriptions", customer=owner, status="all")
    assert kept and all(one["status"] == "canceled" and one["ended_at"] for one in kept)
    expanded = asked(world, f"/v1/subscriptions/{kept[0]['id']}", params={"expand[]": "customer"}).json()
    assert expanded["customer"] == answer.json()


def test_filters_pages_and_bounds_of_time(world):
    everything = listed(world, "/v1/charges")
    for limit in (1, 7):
        assert listed(world, "/v1/charges", limit) == everything
    middle = everything[len(everything) // 2]
    for bound, keeps in (("gt", int.__gt__), ("gte", int.__ge__), ("lt", int.__lt__), ("lte", int.__le__)):
        wanted = [row["id"] for row in everything if keeps(row["created"], middle["created"])]
        assert [row["id"] for row in listed(world, "/v1/charges", **{f"created[{bound}]": middle["created"]})] == wanted
    same = [row["id"] for row in everything if row["created"] == middle["created"]]
    assert [row["id"] for row in listed(world, "/v1/charges", created=middle["created"])] == same
    back = asked(world, "/v1/charges", params={"ending_before": middle["id"], "limit": 3}).json()
    at = everything.index(middle)
    assert (back["data"], back["has_more"]) == (everything[at - 3 : at], True)
    mine = [row for row in everything if row["customer"] == middle["customer"]]
    assert listed(world, "/v1/charges", customer=middle["customer"]) == mine
    assert listed(world, "/v1/charges", payment_intent=middle["payment_intent"]) == [middle]
    refund = listed(world, "/v1/refunds")[0]
    assert refund in listed(world, "/v1/refunds", charge=refund["charge"])
    paid = listed(world, "/v1/invoices", status="paid")
    assert paid and {row["status"] for row in paid} == {"paid"}
    assert len(asked(world, "/v1/charges").json()["data"]) == 10


@pytest.mark.parametrize(
    ("path", "status", "code", "param"),
    [
        ("/v1/customers?limit=0", 400, "parameter_invalid_integer", "limit"),
        ("/v1/customers?limit=101", 400, "parameter_invalid_integer", "limit"),
        ("/v1/customers?limit=ten", 400, "parameter_invalid_integer", "limit"),
        ("/v1/customers?starting_after=cus_nobody", 400, "resource_missing", "starting_after"),
        ("/v1/events?ending_before=evt_nothing", 400, "resource_missing", "ending_before"),
        ("/v1/charges?created[gte]=now", 400, "parameter_invalid_integer", "created[gte]"),
        ("/v1/charges?updated=1", 400, "parameter_unknown", "updated"),
        ("/v1/subscriptions?status=gone", 400, None, "status"),
        ("/v1/customers/cus_nobody", 404, "resource_missing", "id"),
        ("/v1/invoices/in_nothing", 404, "resource_missing", "id"),
        ("/v1/payouts", 404, None, None),
        ("/v2/customers", 404, None, None),
    ],
)
def test_what_cannot_be_answered_is_refused_in_stripes_words(world, path, status, code, param):
    answer = asked(world, path)
    error = answer.json()["error"]
    assert (answer.status_code, error.get("code"), error.get("param")) == (status, code, param)
    assert error["type"] == "invalid_request_error" and error["message"]
    assert answer.headers["Request-Id"].startswith("req_") and answer.headers["Stripe-Version"]


def test_a_key_is_needed_and_taken_as_bearer_or_user(world):
    _, key, _ = source_of(world)
    for wrong in ("", "sk_test_wrong"):
        answer = asked(world, "/v1/customers", key=wrong)
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error")
    assert asked(world, "/v1/customers", auth=(key, "")).status_code == 200
    assert asked(world, "/v1/customers", auth=("", key)).status_code == 401


def test_events_are_there_for_thirty_days(world):
    now = clock.now(world)
    oldest = listed(world, "/v1/events")[-1]
    try:
        clock.set_now(world, datetime.fromtimestamp(oldest["created"], UTC) + timedelta(days=30, seconds=2))
        left = listed(world, "/v1/events")
        assert left and oldest["id"] not in {event["id"] for event in left}
        assert asked(world, f"/v1/events/{oldest['id']}").status_code == 404
    finally:
        clock.set_now(world, now)


# -------------------------------------------------------------------- landing


def test_the_sdk_reads_what_the_pipeline_lands(world, environment, official, monkeypatch):
    monkeypatch.setattr(stripe, "LIST_LIMIT", 100)
    good(environment)
    services = official.v1
    for name in NAMES:
        params = {"limit": 9} | ({"status": "all"} if name == "subscriptions" else {})
        found = landed(environment, name)
        seen = 0
        for one in getattr(services, name).list(params).auto_paging_iter():
            body = json.loads(json.dumps(one.to_dict(), default=str))
            expected = as_landed(name, body)
            assert {column: found[one.id][column] for column in expected} == expected
            seen += 1
        assert seen == len(found) > 0
    with pytest.raises(sdk.InvalidRequestError) as refused:
        services.customers.retrieve("cus_nobody")
    assert (refused.value.code, refused.value.param, refused.value.http_status) == ("resource_missing", "id", 404)
    address, _, _ = source_of(world)
    with pytest.raises(sdk.AuthenticationError):
        client(address, "sk_test_wrong").v1.customers.list()


def test_a_first_run_lands_all_a_second_asks_once_and_a_third_what_events_say(world, environment, requested):
    first = good(environment)
    assert_landed_is_the_world(world, environment)
    assert all(item.counts.landed == item.counts.served for item in first.objects)
    requested.clear()
    again = good(environment)
    assert again.landed == 0
    assert requested == ["/v1/events"]

    tick(world, environment)
    tick(world, environment)
    requested.clear()
    good(environment)
    assert_landed_is_the_world(world, environment)
    objects = [path for path in requested if path != "/v1/events"]
    assert objects and len(objects) == len(set(objects))  # each touched object once
    assert all(path.count("/") == 3 for path in objects)  # no list
    assert query(environment, "select count(*) from raw_stripe.customers where event_at is not null")[0][0] > 0
    gone = query(environment, "select source_id, evidence from raw_ingest.record_deletions order by 1")
    assert gone and all(evidence.startswith("event customer.deleted evt_") or evidence.startswith("event invoice")
                        for _, evidence in gone)  # fmt: skip
    for row in query(environment, "select rows_served + rows_deleted, rows_landed + rows_unchanged + rows_rejected "
                                  "from raw_ingest.runs"):  # fmt: skip
        assert row[0] == row[1]
    assert good(environment).landed == 0


def test_the_size_of_pages_makes_no_difference(world, environment, monkeypatch):
    monkeypatch.setattr(stripe, "LIST_LIMIT", 7)  # elsewhere 100
    good(environment, "charges")
    assert_landed_is_the_world(world, environment, "charges")
    tick(world, environment)
    monkeypatch.setattr(stripe, "LIST_LIMIT", 1)
    good(environment, "charges")
    assert_landed_is_the_world(world, environment, "charges")


def test_what_happens_while_a_list_is_read_comes_with_the_next_run(world, environment, monkeypatch):
    original = stripe._add_listed
    changed: list[str] = []

    def meanwhile(api, batch, filters):
        fields = original(api, batch, filters)
        if not changed:
            changed.append(rename(world, None, "Changed Meanwhile", 1))
        return fields

    monkeypatch.setattr(stripe, "_add_listed", meanwhile)
    good(environment, "customers")
    assert landed(environment, "customers")[changed[0]]["name"] != "Changed Meanwhile"
    follow(world, environment)
    good(environment, "customers")
    assert landed(environment, "customers")[changed[0]]["name"] == "Changed Meanwhile"


def test_events_of_one_second_and_late_ones_are_not_lost(world, environment):
    """An event that shows late, with a time not after the newest one read, counts as long as it is within the lag."""
    newest = rename(world, environment, "On Time", 2)
    told = clock.now(world) - timedelta(seconds=30)
    good(environment, "customers")
    late = rename(world, environment, "Late", 3, ahead=iso(told - timedelta(minutes=3)))
    same = rename(world, environment, "Same Second", 4, ahead=iso(told))
    assert counts(good(environment, "customers"), "customers").landed == 2
    found = landed(environment, "customers")
    assert [found[key]["name"] for key in (newest, late, same)] == ["On Time", "Late", "Same Second"]


def test_a_crash_before_the_note_costs_a_reading_and_loses_nothing(world, environment, monkeypatch, requested):
    good(environment, "customers", "refunds")
    customer = rename(world, environment, "Before The Crash", 5)

    def crash(*_: object) -> None:
        raise OSError("the machine stops here")

    for owner, name in ((stripe, "_end"), (stripe.Note, "write")):  # before it is landed, before it is noted
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, crash)
            assert land(environment, "customers", "refunds").failures
    requested.clear()
    again = good(environment, "customers", "refunds")
    assert counts(again, "customers").unchanged >= 1
    assert f"/v1/customers/{customer}" in requested
    assert_landed_is_the_world(world, environment, "customers", "refunds")
    # A note that is lost or cannot be read costs the whole list of its object, of no other.
    (environment.dlt / "events" / "stripe.customers.json").write_text('{"at": "20', encoding="utf-8")
    requested.clear()
    assert good(environment, "customers", "refunds").landed == 0
    assert sorted(requested) == ["/v1/customers", "/v1/events"]


def test_an_older_copy_of_the_warehouse_is_caught_up_with(world, environment, tmp_path):
    good(environment, "customers")
    shutil.copy(environment.warehouse, tmp_path / "copy")
    rename(world, environment, "After The Copy", 6)
    good(environment, "customers")
    shutil.copy(tmp_path / "copy", environment.warehouse)
    good(environment, "customers")
    assert_landed_is_the_world(world, environment, "customers")


def test_a_comparison_finds_what_no_event_told(world, environment, requested):
    good(environment, "refunds")
    with changing(world, environment) as (content, _):
        row = content.rows("select * from records where system = 'stripe' and object = 'refunds' order by seq limit 1")[
            0
        ]
        forget_record(content, row)
    assert counts_or_none(good(environment, "refunds"), "refunds") == 0
    assert counts(good(environment, "refunds", reconcile=True), "refunds").deleted == 1
    assert query(environment, "select source_id, evidence from raw_ingest.record_deletions") == [
        (row["source_id"], "not in the list any more")
    ]
    requested.clear()
    good(environment, "refunds")
    assert requested == ["/v1/events"]
    # sources.yml asks for one a week
    clock.advance(environment, timedelta(days=8))
    requested.clear()
    good(environment, "refunds")
    assert "/v1/refunds" in requested


def counts_or_none(result: LandingResult, name: str) -> int:
    return sum(item.counts.landed for item in result.objects if item.source_object == name)


def test_a_window_is_read_again_and_ends_nothing(world, environment):
    good(environment, "charges")
    with duckdb.connect(str(environment.warehouse)) as connection:  # as if two had been landed wrongly
        connection.execute("update raw_stripe.charges set content_hash = 'wrong', amount = '0'")
    times = sorted(body["created"] for body in in_the_world(world, "charges").values())
    start, end = (datetime.fromtimestamp(times[at], UTC).replace(tzinfo=None) for at in (20, 40))
    note = (environment.dlt / "events" / "stripe.charges.json").read_text(encoding="utf-8")
    result = counts(good(environment, "charges", window=Window(start, end)), "charges")
    inside = [time for time in times if times[20] <= time < times[40]]
    assert (result.served, result.landed, result.deleted) == (len(inside), len(inside), 0)
    assert (environment.dlt / "events" / "stripe.charges.json").read_text(encoding="utf-8") == note


def test_a_canceled_subscription_is_no_deletion(world, environment):
    good(environment, "subscriptions")
    with changing(world, environment) as (content, moment):
        row = content.rows(
            "select * from records where system = 'stripe' and object = 'subscriptions'"
            " and json_extract(fields, '$.status') = 'active' order by seq desc limit 1"
        )[0]
        change_record(content, row, json.loads(row["fields"]) | {"status": "canceled"}, moment, content.day + 1)
    result = counts(good(environment, "subscriptions"), "subscriptions")
    assert (result.served, result.landed, result.deleted) == (1, 1, 0)
    assert landed(environment, "subscriptions")[row["source_id"]]["status"] == "canceled"
    assert counts(good(environment, "subscriptions", reconcile=True), "subscriptions").deleted == 0
    assert_landed_is_the_world(world, environment, "subscriptions")


# -------------------------------------------------------------------- faults


def test_passing_faults_are_got_over(world, environment, monkeypatch):
    monkeypatch.setattr(stripe, "LIST_LIMIT", 40)
    good(environment, "charges")
    for kind in ("429", "500", "slow", "truncated", "duplicate_page", "expired_cursor"):
        set_fault(world, "stripe", kind, times=1 if kind == "429" else 2, seconds=0.2)
        result = good(environment, "charges", reconcile=True)
        assert (counts(result, "charges").deleted, result.landed) == (0, 0), kind
        assert counts(result, "charges").served == len(in_the_world(world, "charges")), kind
        assert standing_fault(world) is None, kind


def standing_fault(world: Environment) -> object:
    path = world.sandbox / "faults.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def test_lasting_faults_fail_in_one_line_and_the_next_run_heals(world, environment, monkeypatch):
    monkeypatch.setattr(stripe, "LIST_LIMIT", 7)
    for kind, times, parts in (
        ("401", 1, ["401", "check the key named in sources.yml"]),
        ("500", 5, ["500 in 5 attempts", "run again later"]),
        ("invalid_json", 1, ["not valid JSON"]),
        ("truncated", 50, ["stripe events"]),
        ("duplicate_page", 50, ["is the one before it, 4 times", "run again"]),
    ):
        set_fault(world, "stripe", kind, times=times)
        [failure] = land(environment, "charges").failures
        for part in ["stripe ", *parts]:
            assert part in failure.error
        assert "\n" not in failure.error and source_of(world)[1] not in failure.error
        assert not query(environment, "from duckdb_tables() where schema_name = 'raw_stripe'")
        set_fault(world, "stripe", "none")
    good(environment, "charges")
    assert_landed_is_the_world(world, environment, "charges")


def test_cursors_that_always_expire_still_lead_to_the_end(world, environment, monkeypatch):
    monkeypatch.setattr(stripe, "LIST_LIMIT", 7)
    set_fault(world, "stripe", "expired_cursor", times=1000)
    good(environment, "charges")
    assert_landed_is_the_world(world, environment, "charges")


def test_a_page_that_leads_nowhere_ends_in_one_line(world, environment, monkeypatch):
    def stuck(self: rest.Api, path: str, params: dict) -> dict:
        number = stuck.calls = getattr(stuck, "calls", 0) + 1
        rows = [{"id": f"evt_{number % 2}", "type": "x", "created": 1, "data": {"object": {}}}, {"id": "ch_1"}]
        return {"data": rows if path != "/v1/events" else rows[:1], "has_more": True}

    monkeypatch.setattr(rest.Api, "get", stuck)
    [failure] = land(environment, "charges").failures
    assert (
        "stripe charges: there is more behind a page whose last id is 'ch_1', which leads no further" in failure.error
    )


def test_events_ahead_of_our_clock_hide_nothing(world, environment):
    good(environment, "customers")
    set_fault(world, "stripe", "clock_skew", seconds=3600)
    one = rename(world, environment, "Ahead", 7)
    good(environment, "customers")
    assert landed(environment, "customers")[one]["name"] == "Ahead"
    assert good(environment, "customers").landed == 0
    set_fault(world, "stripe", "none")
    other = rename(world, environment, "Back In Time", 8)
    good(environment, "customers")
    assert landed(environment, "customers")[other]["name"] == "Back In Time"


def test_an_older_state_behind_the_newer_one_does_not_win(world, environment):
    customer = rename(world, environment, "The Newest Name", 9)
    set_fault(world, "stripe", "out_of_order")
    assert len(listed(world, "/v1/customers")) > len(in_the_world(world, "customers"))
    good(environment, "customers")
    assert landed(environment, "customers")[customer]["name"] == "The Newest Name"
    assert_landed_is_the_world(world, environment, "customers")


def test_changes_of_the_schema_are_landed_and_told(world, environment):
    good(environment, "subscriptions")
    for kind, remark, custom in (
        ("schema_new", "new field reference_code (string), landed in custom_fields", '{"reference_code": "R-1"}'),
        ("schema_dropped", "field description is gone; its column stays empty", ""),
        ("schema_retyped", "field description has another type: object, was string", ""),
        ("schema_renamed", "renamed field summary (was description), landed in custom_fields", '{"summary": "'),
    ):
        clock.advance(environment, timedelta(minutes=1))
        set_fault(world, "stripe", kind)
        said: list[str] = []
        assert not land(environment, "subscriptions", said=said, reconcile=True).failures
        assert f"stripe subscriptions: {remark}" in said
        rows = landed(environment, "subscriptions").values()
        assert all((row["custom_fields"] or "").startswith(custom) for row in rows)
        assert all((row["description"] is None) == (kind in ("schema_dropped", "schema_renamed")) for row in rows)
        if kind == "schema_dropped":
            clock.advance(environment, timedelta(minutes=1))
            again: list[str] = []
            assert not land(environment, "subscriptions", said=again, reconcile=True).landed
            assert not [line for line in again if "field" in line]
        set_fault(world, "stripe", "none")
        good(environment, "subscriptions", reconcile=True)
        assert_landed_is_the_world(world, environment, "subscriptions")


# -------------------------------------------------------------------- staging


def test_staging_tells_the_truth_after_days_deletions_and_a_gap_of_26_days(
    world, environment, monkeypatch, requested, tmp_path
):
    entry = yaml.safe_load((PROJECT_ROOT / "ingest" / "sources.yml").read_text(encoding="utf-8"))["sandbox"]["stripe"]
    del entry["reconcile"]  # the age of the last reading alone is to decide
    write_sources(tmp_path, monkeypatch, sandbox={"emulated": True, "stripe": entry})
    good(environment)
    tick(world, environment)
    with changing(world, environment) as (content, moment):
        drafts = content.rows(
            "select * from records where system = 'stripe' and object = 'invoices' and state = 'live'"
            " and json_extract(fields, '$.status') = 'draft' order by seq limit 1"
        )
        for row in drafts:
            end_record(content, row, "deleted", "", moment, content.day + 1)
    good(environment)
    tick(world, environment)
    clock.advance(environment, timedelta(days=25))
    requested.clear()
    good(environment)
    assert {f"/v1/{name}" for name in NAMES} <= set(requested)  # the events might not reach back far enough
    assert_landed_is_the_world(world, environment)

    support.build(environment, "--select", "path:models/staging/stg_stripe__*")
    for name in NAMES:
        truth = in_the_world(world, name)
        with duckdb.connect(str(environment.warehouse)) as connection:
            found = connection.execute(f"from staging.stg_stripe__{name}")
            columns = [column[0] for column in found.description]
            staged = {
                row["source_id"]: row for row in (dict(zip(columns, one, strict=True)) for one in found.fetchall())
            }
        assert {key for key, row in staged.items() if not row["is_deleted"]} == set(truth)
        assert name in ("subscriptions", "charges", "refunds") or any(row["is_deleted"] for row in staged.values())
        for key, body in truth.items():
            expected = EXPECTED[name](body)
            assert {column: staged[key][column] for column in expected} == expected


def money(amount: int, currency: str) -> decimal.Decimal:
    return decimal.Decimal(amount) / (1 if currency == "jpy" else 100)


def at(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _customer(body: dict) -> dict[str, Any]:
    address = body["address"] or {}
    return {
        "full_name": body["name"], "email": body["email"], "phone": body["phone"], "city": address.get("city"),
        "postal_code": address.get("postal_code"), "address": address.get("line1"), "country": address.get("country"),
        "company_name": body["business_name"], "created_at": at(body["created"]),
        "shipping_name": (body["shipping"] or {}).get("name"), "balance": money(body["balance"], body["currency"]),
    }  # fmt: skip


def _charge(body: dict) -> dict[str, Any]:
    currency = body["currency"]
    return {
        "amount": money(body["amount"], currency), "refunded_amount": money(body["amount_refunded"], currency),
        "currency": currency.upper(), "status": body["status"], "is_paid": body["paid"],
        "is_refunded": body["refunded"], "customer_record_key": f"stripe:customers:{body['customer']}",
        "card_last4": body["payment_method_details"]["card"]["last4"], "created_at": at(body["created"]),
    }  # fmt: skip


def _invoice(body: dict) -> dict[str, Any]:
    of = body["parent"] and f"stripe:subscriptions:{body['parent']['subscription_details']['subscription']}"
    return {
        "amount": money(body["total"], body["currency"]), "status": body["status"], "subscription_record_key": of,
        "remaining_amount": money(body["amount_remaining"], body["currency"]), "invoice_number": body["number"],
        "paid_at": at(body["status_transitions"]["paid_at"]), "due_at": at(body["due_date"]),
    }  # fmt: skip


def _subscription(body: dict) -> dict[str, Any]:
    [item] = body["items"]["data"]
    return {
        "status": body["status"], "unit_amount": money(item["price"]["unit_amount"], body["currency"]),
        "quantity": item["quantity"], "period_end_at": at(item["current_period_end"]),
        "ended_at": at(body["ended_at"]), "is_ending_with_period": body["cancel_at_period_end"],
    }  # fmt: skip


def _refund(body: dict) -> dict[str, Any]:
    return {"amount": money(body["amount"], body["currency"]), "status": body["status"], "reason": body["reason"],
            "charge_record_key": f"stripe:charges:{body['charge']}"}  # fmt: skip


EXPECTED: dict[str, Callable[[dict], dict[str, Any]]] = {
    "customers": _customer, "charges": _charge, "invoices": _invoice, "subscriptions": _subscription,
    "refunds": _refund,
}  # fmt: skip


# -------------------------------------------------------------------- another Stripe

LOCALSTRIPE = """
import socket, sys
from aiohttp import web
from localstripe.server import app
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
web.run_app(app, sock=listener, print=None)
"""


@pytest.fixture
def localstripe(tmp_path: Path) -> Iterator[str]:
    """The address of a Stripe that others wrote; its command line would listen to the whole network."""
    with subprocess.Popen(
        [sys.executable, "-c", LOCALSTRIPE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path
    ) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@pytest.mark.parametrize("has_events", [True, False])
def test_localstripe_lands_too(localstripe, tmp_path, monkeypatch, has_events):
    monkeypatch.setenv("C360_VAR", str(tmp_path / "var"))
    environment = get_environment("trial").create()
    entry = {"enabled": True, "address": localstripe, "credentials": {"api_key": "sk_test_12345"}}
    write_sources(tmp_path, monkeypatch, default={"stripe": entry})
    if not has_events:
        original = rest.Api.get

        def without(self: rest.Api, path: str, params: dict) -> dict:
            return original(self, "/v1/nothing_here" if path == "/v1/events" else path, params)

        monkeypatch.setattr(rest.Api, "get", without)
    customers = client(localstripe, "sk_test_12345").v1.customers
    made = [
        customers.create({"name": f"Person {number}", "email": f"p{number}@example.org"}).id for number in range(12)
    ]
    customers.delete(made[3])
    assert not land(environment).failures
    assert set(landed(environment, "customers")) == set(made) - {made[3]}
    more = customers.create({"name": "One More", "metadata": {"erp_customer_id": "0000000007"}}).id
    assert not land(environment).failures
    rows = landed(environment, "customers")
    assert set(rows) == set(made) - {made[3]} | {more}
    assert json.loads(rows[more]["metadata"]) == {"erp_customer_id": "0000000007"}
    customers.delete(made[4])
    assert not land(environment, reconcile=True).failures
    assert set(landed(environment, "customers")) == set(made) - {made[3], made[4]} | {more}
