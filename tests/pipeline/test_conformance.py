"""The emulators as an outside client finds them, who knows `sandbox.json`, the vendors' documentation and their SDKs.

Every list of every source is walked: the schema of each body, pages, limits, refusals, filters and sorts against
what Python makes of the whole list, ended and merged records, and the rows of the SDKs against those landed. Nothing
of the emulators is imported but what starts them and lets days pass.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import duckdb
import hubspot
import psycopg
import pytest
import requests
import stripe
import test_stripe as stripe_types
from hubspot.crm import companies, contacts, deals, objects, properties
from hubspot.crm.associations import v4
from simple_salesforce import Salesforce
from stripe._event import Event

from ingest.objects import snake_case
from ingest.run import run
from operate import clock
from operate.environment import Environment, get_environment

Row = dict[str, Any]
NO_TOKEN: dict[str, dict[str, str]] = {
    "none": {},
    "wrong": {"Authorization": "Bearer wrong"},
    "no scheme": {"Authorization": "wrong"},
    "other scheme": {"Authorization": "Digest wrong"},
    "empty": {"Authorization": "Bearer "},
    "not basic": {"Authorization": "Basic %%%"},
    "not ascii": {"Authorization": "Bearer s\xe4cret"},
}


# -------------------------------------------------------------------- the world


@dataclass(eq=False)
class Source:
    """One source of sandbox.json, asked over plain HTTP."""

    about: Row
    ca_file: str

    def __post_init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env, self.session.verify = False, self.ca_file
        self.base = self.about["base_url"]
        [self.secret] = self.about["credentials"].values()

    def ask(self, path: str, method: str = "GET", headers: Row | None = None, **more: Any) -> requests.Response:
        mine = {"Authorization": f"Bearer {self.secret}"} if headers is None else headers
        address = path if path.startswith("https:") else f"{self.base}{path}"
        return self.session.request(method, address, headers=mine, timeout=20, **more)

    def get(self, path: str, **params: Any) -> Row:
        answer = self.ask(path, params=params)
        assert answer.status_code == 200, (path, params, answer.text)
        return answer.json()

    def post(self, path: str, body: Any, status: int = 200) -> Row:
        answer = self.ask(path, "POST", json=body)
        assert answer.status_code == status, (path, body, answer.text)
        return answer.json()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The environment whose sandbox serves all tests, four days old; records were merged through HubSpot's API."""
    from sandbox.server import ensure_running
    from sandbox.tick import tick

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("C360_VAR", str(tmp_path_factory.mktemp("world")))
        environment = get_environment("sandbox").create()
        with ensure_running(environment, people=120, seed=7):
            tick(environment, 4)
            api = source_of(environment, "hubspot")
            for name in ("contacts", "companies", "deals"):
                merge_some(api, name)
            clock.advance(environment, timedelta(minutes=10))  # the merges were milliseconds ahead of it
            yield environment


def merge_some(api: Source, name: str) -> str:
    """Merge three records in two steps, so that a merged one is merged again; returns the id that goes on."""
    first, second, third = (row["id"] for row in api.get(f"/crm/v3/objects/{name}", limit=3)["results"])
    for other in (second, third):
        first = api.post(f"/crm/v3/objects/{name}/merge", {"primaryObjectId": first, "objectIdToMerge": other})["id"]
    return first


def source_of(world: Environment, name: str) -> Source:
    contract = json.loads(world.sandbox_contract.read_text(encoding="utf-8"))
    return Source(contract["sources"][name], contract["ca_file"])


@pytest.fixture(scope="module")
def hub(world: Environment) -> Source:
    return source_of(world, "hubspot")


@pytest.fixture(scope="module")
def money(world: Environment) -> Source:
    return source_of(world, "stripe")


@pytest.fixture(scope="module")
def force(world: Environment) -> Source:
    return source_of(world, "salesforce")


@pytest.fixture(scope="module")
def warehouse(world: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment that landed everything once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("C360_VAR", str(tmp_path_factory.mktemp("landed")))
        made = get_environment("sandbox").create()
        shutil.copy(world.sandbox_contract, made.sandbox_contract)
        shutil.copy(world.clock, made.clock)
        result = run(made, ["salesforce", "hubspot", "stripe", "erp"], lambda _: None)
        assert not result.failures, [item.error for item in result.failures]
        return made


def landed(environment: Environment, table: str, by_time: bool = True) -> dict[str, Row]:
    """id -> the newest landed version of raw_<table>."""
    order = f"{'source_updated_at desc, ' if by_time else ''}_dlt_load_id desc, content_hash desc"
    with duckdb.connect(str(environment.warehouse), read_only=True) as connection:
        found = connection.execute(
            f"from raw_{table} qualify row_number() over (partition by source_id order by {order}) = 1"
        )
        columns = [column[0] for column in found.description]
        rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    return {row["source_id"]: row for row in rows}


def text(value: Any) -> str | None:
    """A value of an API as it lands."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def assert_landed(fields: Row, row: Row, special: tuple[str, ...], renamed: dict[str, str] | None = None) -> None:
    """Every field of the source's record is in the landed row: in its column, or in custom_fields."""
    custom = json.loads(row["custom_fields"] or "{}")
    for name, value in fields.items():
        if name in special:
            continue
        column = (renamed or {}).get(name, snake_case(name))
        if column in row:
            assert row[column] == text(value), (row["source_id"], name)
        else:
            assert custom.get(name) == value, (row["source_id"], name)


def walk(page: Callable[[Any], tuple[list[Row], Any]]) -> list[Row]:
    """All rows of a list whose `page` takes a cursor and returns rows and the next one."""
    rows, cursor = page(None)
    for _ in range(1000):
        if cursor is None:
            return rows
        more, following = page(cursor)
        assert more and following != cursor
        rows, cursor = [*rows, *more], following
    raise AssertionError("paging does not end")


def test_the_contract_of_the_sandbox_is_as_documented(world):
    contract = json.loads(world.sandbox_contract.read_text(encoding="utf-8"))
    assert contract["schema"] == 1 and "BEGIN CERTIFICATE" in Path(contract["ca_file"]).read_text(encoding="ascii")
    assert set(contract["sources"]) == {"salesforce", "hubspot", "stripe", "erp"}
    for name, about in contract["sources"].items():
        assert about["objects"]
        if name != "erp":
            assert re.fullmatch(r"https://127\.0\.0\.1:\d+", about["base_url"]) and len(about["credentials"]) == 1


# -------------------------------------------------------------------- HubSpot

HUB = ("contacts", "companies", "deals")
SDK: dict[str, ModuleType] = {"contacts": contacts, "companies": companies, "deals": deals}
MERGED = {"contacts": "lastmodifieddate", "companies": "hs_lastmodifieddate", "deals": "hs_lastmodifieddate"}
SINGULAR = {"contacts": "contact", "companies": "company", "deals": "deal"}


def misfits(value: Any, kind: str, models: ModuleType, place: str) -> list[str]:
    """What of `value` is not of `kind`, a type as the SDK's models write it. Unknown keys are misfits."""
    nested = re.fullmatch(r"(list|dict)\[(?:str, )?(.+)\]", kind)
    if nested:
        if not isinstance(value, list if nested[1] == "list" else dict):
            return [f"{place}: no {nested[1]}"]
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return [
            wrong
            for key, one in pairs
            if not (one is None and kind == "dict[str, str]")  # a property without a value is null
            for wrong in misfits(one, nested[2], models, f"{place}.{key}")
        ]
    if kind == "object":
        return []
    if kind == "datetime":
        return [] if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(value)) else [f"{place}: {value!r}"]
    scalar = {"str": str, "int": int, "bool": bool, "float": float}.get(kind)
    if scalar:
        right = isinstance(value, scalar) and not (scalar is int and isinstance(value, bool))
        return [] if right else [f"{place}: {value!r} is no {kind}"]
    described = getattr(models, kind)
    if not isinstance(value, dict):
        return [f"{place}: no {kind}"]
    names = {there: here for here, there in described.attribute_map.items()}
    found = [f"{place}.{key}: unknown" for key in value if key not in names]
    for key, one in value.items():
        nullable = (kind, key) == ("AssociationSpecWithLabel", "label")
        if key in names and not (nullable and one is None):
            found += misfits(one, described.openapi_types[names[key]], models, f"{place}.{key}")
    return found


@functools.cache
def reader(module: ModuleType) -> Any:
    """A client of a part of the SDK that refuses what its models do not allow."""
    strict = module.Configuration()
    strict.client_side_validation = True
    return module.ApiClient(configuration=strict)


def fits(body: Any, kind: str, module: ModuleType = objects) -> Any:
    """The body as the SDK reads it (which validates what is required), and the proof that nothing is unknown."""
    assert not misfits(body, kind, module.models, kind)
    return reader(module).deserialize(SimpleNamespace(data=json.dumps(body)), kind)


def refused(answer: requests.Response, *statuses: int, category: str = "") -> Row:
    assert answer.status_code in statuses, (answer.url, answer.status_code, answer.text)
    body = answer.json()
    assert body["status"] == "error" and set(body) <= {"status", "message", "correlationId", "category", "context"}
    fits({key: value for key, value in body.items() if key != "status"}, "Error")
    assert uuid.UUID(body["correlationId"]) and body["message"]
    assert category in ("", body["category"])
    return body


@functools.cache
def names_of(hub: Source, name: str) -> dict[str, str]:
    """property -> type."""
    return {one["name"]: one["type"] for one in hub.get(f"/crm/v3/properties/{name}")["results"]}


def hub_list(hub: Source, name: str, limit: int, **params: Any) -> list[Row]:
    kind = "CollectionResponseSimplePublicObjectWithAssociationsForwardPaging"

    def page(after: str | None) -> tuple[list[Row], str | None]:
        more = {"after": after} if after else {}
        body = hub.get(f"/crm/v3/objects/{name}", limit=limit, **params, **more)
        fits(body, kind)
        assert len(body["results"]) <= limit
        if "paging" not in body:
            return body["results"], None
        following = body["paging"]["next"]
        if after is None:
            assert hub.ask(following["link"]).json() == hub.get(
                f"/crm/v3/objects/{name}", limit=limit, **params, after=following["after"]
            )
        return body["results"], following["after"]

    return walk(page)


@functools.cache
def hub_rows(hub: Source, name: str) -> dict[str, Row]:
    """id -> live record with all its properties."""
    rows = hub_list(hub, name, 100, properties=",".join(names_of(hub, name)))
    return {row["id"]: row for row in rows}


@pytest.fixture(scope="module")
def client(hub: Source) -> hubspot.HubSpot:
    """The vendor's SDK, whose configurations all trust the sandbox's authority and ask no proxy."""
    made = hubspot.HubSpot(access_token=hub.secret)
    made.config |= {"host": hub.base, "ssl_ca_cert": hub.ca_file, "client_side_validation": True}
    return made


@pytest.mark.parametrize("name", HUB)
def test_hubspot_lists_hold_the_same_whatever_the_page(hub, client, name):
    everything = list(hub_rows(hub, name).values())
    for limit in (1, 3, 100):
        for archived in ("false", "true", "True"):
            rows = hub_list(hub, name, limit, archived=archived)
            assert len({row["id"] for row in rows}) == len(rows) > 0
            assert all(row["archived"] == ("archivedAt" in row) == (archived != "false") for row in rows)
            if archived == "false":
                assert [row["id"] for row in rows] == [row["id"] for row in everything]
    assert len(hub.get(f"/crm/v3/objects/{name}")["results"]) == min(10, len(everything))
    api = getattr(client.crm, name)
    assert [row.id for row in api.get_all()] == [row["id"] for row in everything]
    for number, row in enumerate(everything):
        assert set(row["properties"]) == set(names_of(hub, name))
        assert row["properties"]["hs_object_id"] == row["id"]
        assert (row["properties"]["createdate"], row["properties"][MERGED[name]]) == (
            row["createdAt"],
            row["updatedAt"],
        )
        if number % 5 == 0:
            asked = {"properties": ",".join(names_of(hub, name))}
            assert hub.get(f"/crm/v3/objects/{name}/{row['id']}", **asked) == row
    # What the SDK sends: properties by repetition, capital True.
    some = ["phone" if name != "deals" else "amount", "nothing_like_it", "createdate"]
    repeated = hub.get(f"/crm/v3/objects/{name}", properties=some)["results"]
    assert repeated == hub.get(f"/crm/v3/objects/{name}", properties=",".join(some))["results"]
    assert set(repeated[0]["properties"]) == {some[0], "createdate", "hs_object_id", MERGED[name]}
    page = api.basic_api.get_page(limit=5, properties=some, archived=True)
    archived = [row.id for row in page.results]
    assert archived == [row["id"] for row in hub.get(f"/crm/v3/objects/{name}", limit=5, archived="true")["results"]]
    numbered = {"contacts": "0-1", "companies": "0-2", "deals": "0-3"}[name]
    assert hub.get(f"/crm/v3/objects/{numbered}")["results"] == hub.get(f"/crm/v3/objects/{name}")["results"]


@pytest.mark.parametrize("name", HUB)
def test_hubspot_shows_archived_and_merged_records_where_they_belong(hub, name):
    path = f"/crm/v3/objects/{name}"
    for row in hub_list(hub, name, 100, archived="true"):
        assert hub.get(f"{path}/{row['id']}", archived="true") == row
        refused(hub.ask(f"{path}/{row['id']}"), 404, category="OBJECT_NOT_FOUND")
    merged = {key: row for key, row in hub_rows(hub, name).items() if row["properties"]["hs_merged_object_ids"]}
    assert any(row["properties"]["hs_merged_object_ids"].count(";") == 3 for row in merged.values())
    for key, row in merged.items():
        fits(hub.get(f"{path}/{key}"), "SimplePublicObjectWithAssociations")
        for old in row["properties"]["hs_merged_object_ids"].split(";"):
            assert hub.get(f"{path}/{old}")["id"] == key and old not in hub_rows(hub, name)
            read = hub.post(f"{path}/batch/read", {"inputs": [{"id": old}], "properties": []})
            assert [one["id"] for one in read["results"]] == [key]
    if name == "contacts":
        vids = [row["properties"]["hs_calculated_merged_vids"] for row in merged.values()]
        assert all(re.fullmatch(r"\d+:\d{13}(;\d+:\d{13})+", one) for one in vids)
    one, other, *_ = hub_rows(hub, name)
    for body in ({"primaryObjectId": one}, {"primaryObjectId": one, "objectIdToMerge": one},
                 {"primaryObjectId": one, "objectIdToMerge": "1"}, [one, other]):  # fmt: skip
        refused(hub.ask(f"{path}/merge", "POST", json=body), 400, category="VALIDATION_ERROR")


@pytest.mark.parametrize("name", HUB)
def test_hubspot_reads_batches_histories_and_unique_values(hub, client, name):
    path, rows = f"/crm/v3/objects/{name}", hub_rows(hub, name)
    ids = list(rows)
    every = list(names_of(hub, name))
    body = hub.post(f"{path}/batch/read", {"inputs": [{"id": key} for key in ids[:100]], "properties": every})
    fits(body, "BatchResponseSimplePublicObject")
    assert {row["id"]: row for row in body["results"]} == {key: rows[key] for key in ids[:100]}
    some = {"inputs": [{"id": ids[0]}, {"id": "1"}], "properties": every}
    partly = hub.post(f"{path}/batch/read", some, 207)
    fits(partly, "BatchResponseSimplePublicObjectWithErrors")
    assert partly["results"] == [rows[ids[0]]] and partly["errors"][0]["context"] == {"ids": ["1"]}
    for wrong in ({"inputs": [{"id": str(number)} for number in range(101)]}, {"inputs": "1"}, {}, {"inputs": [{}]}):
        refused(hub.ask(f"{path}/batch/read", "POST", json=wrong), 400, category="VALIDATION_ERROR")
    refused(hub.ask(f"{path}/batch/read", "POST", data="{"), 400)

    field = {"contacts": "jobtitle", "companies": "industry", "deals": "dealstage"}[name]
    for row in hub_list(hub, name, 50, propertiesWithHistory=field):
        history = row["propertiesWithHistory"][field]
        times = [one["timestamp"] for one in history]
        assert times == sorted(times, reverse=True)
        assert (history[0]["value"] if history else None) == row["properties"][field]
    if name == "deals":
        moved = hub_list(hub, name, 50, propertiesWithHistory=field)
        assert any(len(row["propertiesWithHistory"][field]) > 1 for row in moved)
    refused(hub.ask(path, params={"propertiesWithHistory": field, "limit": 51}), 400)
    read = getattr(client.crm, name).basic_api.get_by_id(ids[0], properties_with_history=[field], archived=False)
    assert set(read.properties_with_history) == {field}
    if name == "contacts":
        row = next(row for row in rows.values() if row["properties"]["email"])
        email = row["properties"]["email"]
        assert hub.get(f"{path}/{email}", idProperty="email")["id"] == row["id"]
        read = {"inputs": [{"id": email}], "idProperty": "email", "properties": every}
        assert hub.post(f"{path}/batch/read", read)["results"] == [row]
        refused(hub.ask(f"{path}/nobody@example.org", params={"idProperty": "email"}), 404)
    refused(hub.ask(f"{path}/{ids[0]}", params={"idProperty": "city"}), 400)


@pytest.mark.parametrize("name", HUB)
def test_hubspot_describes_its_properties(hub, client, name):
    body = hub.get(f"/crm/v3/properties/{name}")
    fits(body, "CollectionResponsePropertyNoPaging", properties)
    seen = {one["name"]: one for one in body["results"]}
    assert any(not one["hubspotDefined"] for one in seen.values())
    for property_name, one in seen.items():
        assert hub.get(f"/crm/v3/properties/{name}/{property_name}") == one
        values = {row["properties"][property_name] for row in hub_rows(hub, name).values()} - {None}
        if one["options"]:
            assert values <= {option["value"] for option in one["options"]}
        if one["type"] == "number":
            assert all(re.fullmatch(r"-?\d+(\.\d+)?", value) for value in values)
        if one["type"] == "datetime":
            assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z", value) for value in values)
    assert {one.name for one in client.crm.properties.core_api.get_all(name, archived=False).results} == set(seen)
    assert hub.get(f"/crm/v3/properties/{name}", archived="true") == {"results": []}
    refused(hub.ask(f"/crm/v3/properties/{name}/nothing"), 404)


@pytest.mark.parametrize("pair", itertools.permutations(HUB, 2), ids="-".join)
def test_hubspot_associations_are_the_same_from_both_ends_and_counted_right(hub, client, pair):
    kind, to = pair
    links = {}
    for key in hub_rows(hub, kind):
        path = f"/crm/v4/objects/{kind}/{key}/associations/{to}"
        body = hub.get(path)
        fits(body, "CollectionResponseMultiAssociatedObjectWithLabelForwardPaging", v4)
        links[key] = {one["toObjectId"]: one["associationTypes"] for one in body["results"]}
        assert len(links[key]) == len(body["results"])

        def page(after: str | None, path: str = path) -> tuple[list[Row], str | None]:
            some = hub.get(path, limit=1, **({"after": after} if after else {}))
            return some["results"], some["paging"]["next"]["after"] if "paging" in some else None

        assert walk(page) == body["results"]
        back = {other: hub.get(f"/crm/v4/objects/{to}/{other}/associations/{kind}") for other in links[key]}
        assert all(key in {one["toObjectId"] for one in found["results"]} for found in back.values())
    assert any(links.values())
    inputs = [{"id": key} for key in links]
    answer = hub.ask(f"/crm/v4/associations/{kind}/{to}/batch/read", "POST", json={"inputs": inputs})
    assert answer.status_code == (200 if all(links.values()) else 207)
    partly = "BatchResponsePublicAssociationMultiWithLabelWithErrors"
    fits(answer.json(), partly if answer.status_code == 207 else partly.removesuffix("WithErrors"), v4)
    read = {one["from"]["id"]: {to["toObjectId"]: to["associationTypes"] for to in one["to"]}
            for one in answer.json()["results"]}  # fmt: skip
    assert read == {key: found for key, found in links.items() if found}
    with_them = hub_list(hub, kind, 100, associations=to)
    shown = {row["id"]: {one["id"] for one in row.get("associations", {}).get(to, {"results": []})["results"]}
             for row in with_them}  # fmt: skip
    assert shown == {key: set(found) for key, found in links.items()}
    api = client.crm.associations.v4.basic_api
    key = next(key for key, found in links.items() if found)
    assert {one.to_object_id for one in api.get_page(kind, key, to).results} == set(links[key])
    described = hub.get(f"/crm/v4/associations/{kind}/{to}/labels")["results"]
    assert all(one in described for found in links.values() for types in found.values() for one in types)

    counted = {"contacts": "num_associated_contacts", "deals": "num_associated_deals"}.get(to)
    for key, found in links.items():
        row = hub_rows(hub, kind)[key]["properties"]
        if counted in row:
            assert int(row[counted] or 0) == len(found), (kind, key)
        primary = [other for other, types in found.items() if any(one["label"] == "Primary" for one in types)]
        assert len(primary) <= 1 or kind == "companies"
        if pair == ("contacts", "companies"):
            assert row["associatedcompanyid"] == (primary[0] if primary else None)


REFUSED_BY_HUBSPOT = [
    *((f"/crm/v3/objects/{name}{query}", 400) for name in HUB for query in (
        "?limit=0", "?limit=-1", "?limit=101", "?limit=ten", "?limit=1.5", "?after=nonsense", "?after=-1",
        "?after=99999999999999999999", "?associations=unicorns")),
    *((f"/crm/v3/objects/{name}/{key}", 404) for name in HUB for key in ("1", "nobody", "99999999999999999999999")),
    ("/crm/v3/objects/unicorns", 400), ("/crm/v3/objects/unicorns/1", 400), ("/crm/v3/properties/unicorns", 400),
    ("/crm/v3/nothing", 404), ("/crm/v9/objects/contacts", 404), ("/", 404),
    ("/crm/v4/objects/contacts/1/associations/companies", 404),
    ("/crm/v4/objects/contacts/1/associations/unicorns", 400),
    ("/crm/v4/associations/contacts/contacts/labels", 400),
]  # fmt: skip


def test_hubspot_refuses_bad_limits_cursors_ids_and_paths(hub):
    for path, status in REFUSED_BY_HUBSPOT:
        refused(hub.ask(path), status)


def test_hubspot_refuses_wrong_credentials_methods_and_types(hub):
    paths = [("GET", f"/crm/v3/objects/{name}{rest}") for name in HUB for rest in ("", "/1")]
    paths += [("POST", f"/crm/v3/objects/{name}/{rest}") for name in HUB for rest in ("search", "batch/read", "merge")]
    paths += [("GET", f"/crm/v3/properties/{name}") for name in HUB]
    paths += [("POST", "/crm/v4/associations/contacts/companies/batch/read")]
    for (method, path), headers in itertools.product(paths, NO_TOKEN.values()):
        sent = {key: value.encode("latin-1") for key, value in headers.items()}
        refused(hub.ask(path, method, headers=sent, json={}), 401, category="INVALID_AUTHENTICATION")
    for method, path in (("PUT", "/crm/v3/objects/contacts"), ("DELETE", "/crm/v3/properties/contacts"),
                         ("PUT", "/crm/v3/objects/contacts/search")):  # fmt: skip
        refused(hub.ask(path, method), 405)


def folded(value: str | None) -> str:
    return (value or "").casefold()


def comparable(kind: str) -> Callable[[str], Any]:
    return {"number": float, "datetime": datetime.fromisoformat}.get(kind, folded)


def hub_search(hub: Source, name: str, limit: int = 200, **body: Any) -> list[str]:
    def page(after: str | None) -> tuple[list[Row], str | None]:
        found = hub.post(
            f"/crm/v3/objects/{name}/search", {**body, "limit": limit, **({"after": after} if after else {})}
        )
        fits(found, "CollectionResponseWithTotalSimplePublicObjectForwardPaging")
        page.total = found["total"]
        return found["results"], found["paging"]["next"]["after"] if "paging" in found else None

    rows = walk(page)
    assert page.total == len(rows)
    return [row["id"] for row in rows]


def expectations(values: dict[str, str | None], kind: str) -> Iterator[tuple[Row, Callable[[str], bool], bool]]:
    """(filter, whether a value meets it, whether it is met without a value), for the values that a property has."""
    key = comparable(kind)
    known = sorted({value for value in values.values() if value}, key=key)
    low, high = known[len(known) // 3], known[2 * len(known) // 3]
    for operator, test in (("EQ", lambda v: key(v) == key(low)), ("LT", lambda v: key(v) < key(high)),
                           ("LTE", lambda v: key(v) <= key(low)), ("GT", lambda v: key(v) > key(low)),
                           ("GTE", lambda v: key(v) >= key(high))):  # fmt: skip
        yield {"operator": operator, "value": high if operator in ("LT", "GTE") else low}, test, False
    yield {"operator": "NEQ", "value": low}, lambda v: key(v) != key(low), True
    if kind not in ("number", "datetime"):
        yield {"operator": "EQ", "value": low.upper()}, lambda v: key(v) == key(low), False
    if kind == "datetime":
        milliseconds = str(round(key(high).timestamp() * 1000))
        yield {"operator": "GTE", "value": milliseconds}, lambda v: key(v) >= key(high), False
    inside = lambda v: key(low) <= key(v) <= key(high)  # noqa: E731
    yield {"operator": "BETWEEN", "value": low, "highValue": high}, inside, False
    several = [one.lower() if kind == "string" else one for one in {low, high}]
    yield {"operator": "IN", "values": several}, lambda v: key(v) in {key(low), key(high)}, False
    yield {"operator": "NOT_IN", "values": several}, lambda v: key(v) not in {key(low), key(high)}, True
    yield {"operator": "HAS_PROPERTY"}, lambda v: True, False
    yield {"operator": "NOT_HAS_PROPERTY"}, lambda v: False, True
    words = re.findall(r"\w+", low)
    if kind == "string" and words:
        word = words[0]
        has = lambda v: folded(word) in re.findall(r"\w+", folded(v))  # noqa: E731
        yield {"operator": "CONTAINS_TOKEN", "value": word}, has, False
        yield {"operator": "NOT_CONTAINS_TOKEN", "value": word}, lambda v: not has(v), True
        begins = lambda v: any(one.startswith(folded(word[:2])) for one in  # noqa: E731
                               (folded(v), *re.findall(r"\w+", folded(v)), *folded(v).split()))  # fmt: skip
        yield {"operator": "CONTAINS_TOKEN", "value": f"{word[:2]}*"}, begins, False


@pytest.mark.parametrize("name", HUB)
def test_hubspot_searches_find_what_they_should(hub, name):
    rows = hub_rows(hub, name)
    for field, kind in names_of(hub, name).items():
        values = {key: row["properties"][field] for key, row in rows.items()}
        if not any(values.values()):
            continue
        for wanted, test, without in expectations(values, kind):
            found = hub_search(hub, name, filterGroups=[{"filters": [{"propertyName": field, **wanted}]}])
            right = {key for key, value in values.items() if (test(value) if value else without)}
            assert len(found) == len(set(found)) and set(found) == right, (field, wanted)
    if name == "contacts":
        domain = "@" + next(row["properties"]["email"] for row in rows.values() if row["properties"]["email"]
                            ).partition("@")[2]  # fmt: skip
        wanted = {"propertyName": "email", "operator": "CONTAINS_TOKEN", "value": f"*{domain}"}
        right = {key for key, row in rows.items() if folded(row["properties"]["email"]).endswith(domain)}
        assert set(hub_search(hub, name, filterGroups=[{"filters": [wanted]}])) == right


@pytest.mark.parametrize("name", HUB)
def test_hubspot_sorts_and_pages_searches(hub, name):
    rows = hub_rows(hub, name)
    for field, kind in names_of(hub, name).items():
        key = comparable(kind) if kind in ("number", "datetime") else (lambda value: value)
        for downwards in (False, True):
            rule = {"propertyName": field, "direction": "DESCENDING" if downwards else "ASCENDING"}
            found = hub_search(hub, name, sorts=[rule])
            assert sorted(found) == sorted(rows)
            values = [rows[one]["properties"][field] for one in found]
            known = [value for value in values if value is not None]
            assert values[: len(known)] == known == sorted(known, key=key, reverse=downwards)
            assert hub_search(hub, name, sorts=[f"-{field}" if downwards else field]) == found
    oldest = hub_search(hub, name)
    assert oldest == sorted(rows, key=lambda one: (rows[one]["createdAt"], int(one)))
    assert hub_search(hub, name, limit=3) == oldest
    shown = hub.post(f"/crm/v3/objects/{name}/search", {"properties": list(names_of(hub, name)), "limit": 200})
    assert {row["id"]: row for row in shown["results"]} == rows
    assert len(hub.post(f"/crm/v3/objects/{name}/search", {})["results"]) == min(10, len(rows))


def test_hubspot_combines_filters_groups_texts_and_associations(hub):
    rows = hub_rows(hub, "contacts")
    named = next(
        row["properties"] for row in rows.values() if row["properties"]["lastname"] and row["properties"]["email"]
    )
    is_named = {"propertyName": "lastname", "operator": "EQ", "value": named["lastname"]}
    has_phone = {"propertyName": "phone", "operator": "HAS_PROPERTY"}
    no_phone = {"propertyName": "phone", "operator": "NOT_HAS_PROPERTY"}
    mine = {key for key, row in rows.items() if folded(row["properties"]["lastname"]) == folded(named["lastname"])}
    without = {key for key, row in rows.items() if not row["properties"]["phone"]}
    both = hub_search(hub, "contacts", filterGroups=[{"filters": [is_named, no_phone]}])
    either = hub_search(hub, "contacts", filterGroups=[{"filters": [is_named]}, {"filters": [no_phone]}])
    neither = hub_search(hub, "contacts", filterGroups=[{"filters": [has_phone]}, {"filters": [is_named, no_phone]}])
    assert (set(both), set(either)) == (mine & without, mine | without)
    assert set(neither) == (set(rows) - without) | (mine & without)
    assert set(hub_search(hub, "contacts", filters=[is_named, no_phone])) == mine & without

    searched = ("firstname", "lastname", "email", "phone", "hs_additional_emails", "mobilephone", "company")
    for words in (named["lastname"], named["email"][:6].upper(), "no such text anywhere"):
        right = {key for key, row in rows.items()
                 if any(folded(words) in folded(row["properties"][field]) for field in searched)}  # fmt: skip
        assert set(hub_search(hub, "contacts", query=words)) == right
        assert set(hub_search(hub, "contacts", query=words, filterGroups=[{"filters": [no_phone]}])) == right & without
    for name, field in (("companies", "domain"), ("deals", "dealname")):
        words = next(row["properties"][field] for row in hub_rows(hub, name).values() if row["properties"][field])
        assert hub_search(hub, name, query=words)

    for company in hub_rows(hub, "companies"):
        body = hub.get(f"/crm/v4/objects/companies/{company}/associations/contacts")
        wanted = {"propertyName": "associations.company", "operator": "EQ", "value": company}
        found = hub_search(hub, "contacts", filterGroups=[{"filters": [wanted]}])
        assert set(found) == {one["toObjectId"] for one in body["results"]}


def test_hubspot_refuses_searches_beyond_its_limits(hub):
    path = "/crm/v3/objects/contacts/search"
    one = {"propertyName": "email", "operator": "HAS_PROPERTY"}
    hub.post(path, {"filterGroups": [{"filters": [one] * 6}, *[{"filters": [one] * 3}] * 4]})
    for wrong in (
        {"filterGroups": [{"filters": [one]}] * 6}, {"filterGroups": [{"filters": [one] * 7}]},
        {"filterGroups": [{"filters": [one] * 4}] * 5}, {"filterGroups": {}, "limit": 201}, {"limit": 0}, {"limit": -1},
        {"limit": "many"}, {"after": "nonsense"}, {"after": "-1"}, {"after": "10000"}, {"after": "9900", "limit": 101},
        {"after": "9" * 30}, {"properties": "email"}, {"sorts": ["email", "phone"]}, {"sorts": ["nothing"]},
        {"sorts": "email"},
        {"sorts": [{"propertyName": "email", "direction": "UPWARDS"}]}, {"query": "x" * 3001}, {"query": 7},
        {"filterGroups": "email"}, {"filterGroups": [{"filters": "email"}]}, {"filterGroups": [["email"]]},
        *({"filterGroups": [{"filters": [wrong]}]} for wrong in (
            {**one, "operator": "LIKE"}, {"propertyName": "email"}, {"operator": "EQ", "value": "x"},
            {"propertyName": "nothing", "operator": "HAS_PROPERTY"}, {"propertyName": "email", "operator": "EQ"},
            {"propertyName": "email", "operator": "IN", "value": "x"}, {**one, "operator": "BETWEEN", "value": "a"},
            {"propertyName": "createdate", "operator": "GT", "value": "soon"},
            {"propertyName": "associatedcompanyid", "operator": "GT", "value": "many"},
            {"propertyName": "associations.unicorn", "operator": "EQ", "value": "1"},
        )),
    ):  # fmt: skip
        refused(hub.ask(path, "POST", json=wrong), 400, category="VALIDATION_ERROR")
    for data in ("", "{", "[]", "7"):
        refused(hub.ask(path, "POST", data=data), 400)
    assert hub.post(path, {"after": "9800", "limit": 200})["results"] == []


@pytest.mark.parametrize("name", HUB)
def test_hubspot_lands_as_the_sdk_reads_it(warehouse, hub, client, name):
    rows = getattr(client.crm, name).get_all(properties=list(names_of(hub, name)))
    found = landed(warehouse, f"hubspot.{name}")
    assert {key for key, row in found.items() if not row["is_deleted"]} == {row.id for row in rows}
    for row in rows:
        assert_landed(row.properties, found[row.id], ("hs_object_id", "hs_calculated_merged_vids"))
        assert found[row.id]["source_updated_at"] == row.updated_at.replace(tzinfo=None)
    if name in ("contacts", "deals"):
        pairs = landed(warehouse, "hubspot.associations", by_time=False).values()
        mine = {(one["from_id"], one["to_object"], one["to_id"]): one for one in pairs
                if one["from_object"] == name and not one["is_deleted"]}  # fmt: skip
        right = {}
        for key, to in itertools.product(hub_rows(hub, name), ("companies", *(["contacts"] * (name == "deals")))):
            for one in hub.get(f"/crm/v4/objects/{name}/{key}/associations/{to}", limit=500)["results"]:
                right[key, to, one["toObjectId"]] = text(one["associationTypes"])
        assert {key: one["association_types"] for key, one in mine.items()} == right


# -------------------------------------------------------------------- Stripe

STRIPE = tuple(stripe_types.CLASSES)
ALL = {"subscriptions": {"status": "all"}}


def stripe_list(money: Source, name: str, limit: int, **params: Any) -> list[Row]:
    def page(after: str | None) -> tuple[list[Row], str | None]:
        more = {"starting_after": after} if after else {}
        body = money.get(f"/v1/{name}", limit=limit, **params, **more)
        assert set(body) == {"object", "url", "has_more", "data"}
        assert (body["object"], body["url"]) == ("list", f"/v1/{name}") and len(body["data"]) <= limit
        return body["data"], body["data"][-1]["id"] if body["has_more"] else None

    return walk(page)


@functools.cache
def stripe_rows(money: Source, name: str) -> list[Row]:
    return stripe_list(money, name, 100, **ALL.get(name, {}))


def stripe_refused(answer: requests.Response, *statuses: int) -> Row:
    assert answer.status_code in statuses, (answer.url, answer.status_code, answer.text)
    body = answer.json()
    assert set(body) == {"error"} and set(body["error"]) <= {"message", "type", "code", "doc_url", "param"}
    assert body["error"]["message"] and body["error"]["type"] == "invalid_request_error"
    assert answer.headers["Request-Id"].startswith("req_")
    return body["error"]


@pytest.mark.parametrize("name", (*STRIPE, "events"))
def test_stripe_lists_hold_the_same_whatever_the_page(money, name):
    rows, kind = stripe_rows(money, name), stripe_types.CLASSES.get(name, Event)
    for limit in (3, 17):
        assert stripe_list(money, name, limit, **ALL.get(name, {})) == rows
    assert len({row["id"] for row in rows}) == len(rows) > 2
    assert [row["created"] for row in rows] == sorted((row["created"] for row in rows), reverse=True)
    for row in rows:
        assert not stripe_types.wrongs(row, kind, row["id"])
    for row in rows[::7]:
        assert money.get(f"/v1/{name}/{row['id']}") == row
    assert len(money.get(f"/v1/{name}", **ALL.get(name, {}))["data"]) == min(10, len(rows))
    # backwards, from the oldest on
    backwards: list[Row] = [rows[-1]]
    while True:
        body = money.get(f"/v1/{name}", limit=5, ending_before=backwards[0]["id"], **ALL.get(name, {}))
        backwards = [*body["data"], *backwards]
        if not body["has_more"]:
            break
    assert backwards == rows


FILTERS = {
    "customers": ("email",),
    "charges": ("customer", "payment_intent"),
    "invoices": ("customer", "status", "collection_method"),
    "subscriptions": ("customer", "status", "collection_method"),
    "refunds": ("charge", "payment_intent"),
    "events": ("type",),
}


@pytest.mark.parametrize("name", FILTERS)
def test_stripe_filters_find_what_they_should(money, name):
    rows, every = stripe_rows(money, name), ALL.get(name, {})
    for field in FILTERS[name]:
        for value in sorted({row[field] for row in rows if row[field]})[:6]:
            params = {**every, field: value}
            assert stripe_list(money, name, 100, **params) == [row for row in rows if row[field] == value], value
        if field not in ("status", "collection_method"):
            assert not stripe_list(money, name, 100, **{**every, field: "none_such"})
    middle = rows[len(rows) // 2]["created"]
    for bound, keeps in (("[gt]", int.__gt__), ("[gte]", int.__ge__), ("[lt]", int.__lt__), ("[lte]", int.__le__),
                         ("", int.__eq__)):  # fmt: skip
        wanted = [row for row in rows if keeps(row["created"], middle)]
        assert stripe_list(money, name, 100, **every, **{f"created{bound}": middle}) == wanted
    early, late = rows[-len(rows) // 3]["created"], rows[len(rows) // 3]["created"]
    wanted = [row for row in rows if early <= row["created"] < late]
    assert stripe_list(money, name, 2, **every, **{"created[gte]": early, "created[lt]": late}) == wanted
    if name == "subscriptions":
        over = ("canceled", "incomplete_expired")
        assert stripe_list(money, name, 100) == [row for row in rows if row["status"] not in over]
        assert stripe_list(money, name, 100, status="ended") == [row for row in rows if row["status"] in over]
        items = {row["id"]: row["items"]["data"][0] for row in rows}
        some = items[rows[0]["id"]]
        for field in ("price", "plan"):
            mine = [row for row in rows if items[row["id"]][field]["id"] == some[field]["id"]]
            assert stripe_list(money, name, 100, **every, **{field: some[field]["id"]}) == mine
        for field in ("current_period_start", "current_period_end"):
            later = [row for row in rows if items[row["id"]][field] >= some[field]]
            assert stripe_list(money, name, 100, **every, **{f"{field}[gte]": some[field]}) == later
        assert stripe_list(money, name, 100, **every, **{"automatic_tax[enabled]": "false"}) == rows
    if name == "invoices":
        due = next(row["due_date"] for row in rows if row["due_date"])
        early = [row for row in rows if row["due_date"] and row["due_date"] < due]
        assert stripe_list(money, name, 100, **{"due_date[lt]": due}) == early
        assert due in {row["due_date"] for row in stripe_list(money, name, 100, due_date=due)}
        owner = next(row["parent"]["subscription_details"]["subscription"] for row in rows if row["parent"])
        of = [row for row in rows if row["parent"] and row["parent"]["subscription_details"]["subscription"] == owner]
        assert stripe_list(money, name, 100, subscription=owner) == of
    if name == "events":
        assert stripe_list(money, name, 100, delivery_success="true") == rows
        some = {"types[]": ["customer.updated", "invoice.paid"]}
        assert stripe_list(money, name, 100, **some) == [row for row in rows if row["type"] in some["types[]"]]
        begins = [row for row in rows if row["type"].startswith("customer.subscription.")]
        assert stripe_list(money, name, 100, type="customer.subscription.*") == begins


def test_stripe_refuses(money):
    for name in (*STRIPE, "events"):
        for query in ("limit=0", "limit=-1", "limit=101", "limit=ten", "limit=1.5", "starting_after=nobody",
                      "ending_before=nobody", "created=soon", "created[gte]=soon", "created[gte]=" + "9" * 30,
                      "nothing=1", "created[near]=1"):  # fmt: skip
            stripe_refused(money.ask(f"/v1/{name}?{query}"), 400)
        error = stripe_refused(money.ask(f"/v1/{name}/nobody"), 404)
        assert (error["code"], error["param"]) == ("resource_missing", "id")
        one, other = (row["id"] for row in stripe_rows(money, name)[:2])
        stripe_refused(money.ask(f"/v1/{name}?starting_after={one}&ending_before={other}"), 400)
        for headers in NO_TOKEN.values():
            sent = {key: value.encode("latin-1") for key, value in headers.items()}
            for path in (f"/v1/{name}", f"/v1/{name}/{one}"):
                stripe_refused(money.ask(path, headers=sent), 401)
        stripe_refused(money.ask(f"/v1/{name}", "DELETE"), 404)
        stripe_refused(money.ask(f"/v1/{name}/{one}/nothing"), 404)
    for path in ("/v1/unicorns", "/v2/customers", "/"):
        stripe_refused(money.ask(path), 404)
    for status in ("all", "none"):
        stripe_refused(money.ask(f"/v1/invoices?status={status}"), 400)


def test_stripe_keeps_the_ids_of_the_deleted(money):
    gone = [row["data"]["object"]["id"] for row in stripe_rows(money, "events") if row["type"] == "customer.deleted"]
    assert gone
    for key in gone:
        body = money.get(f"/v1/customers/{key}")
        assert body == {"id": key, "object": "customer", "deleted": True}
        assert key not in {row["id"] for row in stripe_rows(money, "customers")}
        assert all(row["status"] == "canceled" for row in stripe_rows(money, "subscriptions") if row["customer"] == key)


@pytest.mark.parametrize("name", STRIPE)
def test_stripe_lands_as_the_sdk_reads_it(warehouse, money, monkeypatch, name):
    monkeypatch.setattr(stripe, "ca_bundle_path", money.ca_file)
    api = getattr(stripe_types.client(money.base, money.secret).v1, name)
    rows = [row.to_dict() for row in api.list(params={"limit": 50, **ALL.get(name, {})}).auto_paging_iter()]
    found = landed(warehouse, f"stripe.{name}", by_time=False)
    assert {key for key, row in found.items() if not row["is_deleted"]} == {row["id"] for row in rows}
    plain = {row["id"]: row for row in stripe_rows(money, name)}
    renamed = {"custom_fields": "invoice_custom_fields"} if name == "invoices" else None
    for row in rows:
        assert set(row) == set(plain[row["id"]])
        assert_landed(plain[row["id"]], found[row["id"]], ("id", "object"), renamed)


# -------------------------------------------------------------------- Salesforce

FORCE = {"contacts": "Contact", "leads": "Lead", "accounts": "Account", "opportunities": "Opportunity",
         "campaigns": "Campaign", "campaign_members": "CampaignMember"}  # fmt: skip
WRITTEN = {"datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000", "date": r"\d{4}-\d\d-\d\d",
           "id": r"[a-zA-Z0-9]{18}", "reference": r"[a-zA-Z0-9]{18}"}  # fmt: skip
NUMBERS = ("double", "currency", "percent", "int")


def base(force: Source) -> str:
    return f"/services/data/{force.about['api_version']}"


@functools.cache
def fields_of(force: Source, sobject: str) -> dict[str, Row]:
    described = force.get(f"{base(force)}/sobjects/{sobject}/describe")
    return {field["name"]: field for field in described["fields"]}


def soql(force: Source, query: str, deleted: bool = False) -> list[Row]:
    body = force.get(f"{base(force)}/query{'All' if deleted else ''}", q=query)
    assert set(body) == {"totalSize", "done", "records"} and body["done"]
    assert body["totalSize"] == len(body["records"])
    return body["records"]


@functools.cache
def force_rows(force: Source, sobject: str, deleted: bool = False) -> dict[str, Row]:
    rows = soql(force, f"SELECT {','.join(fields_of(force, sobject))} FROM {sobject}", deleted)
    return {row["Id"]: row for row in rows}


def ids_of(force: Source, sobject: str, rest: str, deleted: bool = False) -> list[str]:
    return [row["Id"] for row in soql(force, f"SELECT Id FROM {sobject} {rest}", deleted)]


def force_refused(answer: requests.Response, *statuses: int, code: str = "") -> None:
    assert answer.status_code in statuses, (answer.url, answer.status_code, answer.text)
    [error] = answer.json()
    assert {"message", "errorCode"} <= set(error) <= {"message", "errorCode", "fields"}
    assert error["message"] and code in ("", error["errorCode"]), error


def fits_field(value: Any, field: Row) -> bool:
    """Whether a value is written as the description of its field says."""
    kind = field["type"]
    if value is None:
        return field["nillable"] or kind == "address"
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in NUMBERS:
        return isinstance(value, int if kind == "int" else (int, float)) and not isinstance(value, bool)
    if kind == "address":
        return set(value) == {"city", "country", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state",
                              "street"}  # fmt: skip
    short = isinstance(value, str) and 0 < len(value) <= (field["length"] or 32)
    return short and bool(re.fullmatch(WRITTEN.get(kind, r"(?s).+"), value))


@pytest.mark.parametrize("sobject", FORCE.values())
def test_salesforce_records_fit_their_description(force, sobject):
    fields = fields_of(force, sobject)
    assert any(field["custom"] for field in fields.values())
    for deleted in (False, True):
        for key, row in force_rows(force, sobject, deleted).items():
            address = f"{base(force)}/sobjects/{sobject}/{key}"
            assert row["attributes"] == {"type": sobject, "url": address}
            assert set(row) == {"attributes", *fields}
            for name, field in fields.items():
                assert fits_field(row[name], field), (key, name, row[name])
            if not row["IsDeleted"] and key[-1] in "AEI":
                assert force.get(address) == row == force.get(f"{base(force)}/sobjects/{sobject}/{key[:15]}")
    described = force.get(f"{base(force)}/sobjects/{sobject}/describe")
    [summary] = [one for one in force.get(f"{base(force)}/sobjects")["sobjects"] if one["name"] == sobject]
    assert summary.items() <= described.items()
    assert {row["Id"][:3] for row in force_rows(force, sobject, True).values()} == {described["keyPrefix"]}


@pytest.mark.parametrize("sobject", FORCE.values())
def test_salesforce_shows_deleted_and_merged_records_where_they_belong(force, sobject):
    live, every = force_rows(force, sobject), force_rows(force, sobject, True)
    gone = {key for key, row in every.items() if row["IsDeleted"]}
    assert set(live) == set(every) - gone
    assert gone or sobject == "Campaign"  # of those none was deleted in four days
    assert set(ids_of(force, sobject, "WHERE IsDeleted = true", True)) == gone
    assert not ids_of(force, sobject, "WHERE IsDeleted = true")
    for key in gone:
        force_refused(force.ask(f"{base(force)}/sobjects/{sobject}/{key}"), 404, code="ENTITY_IS_DELETED")
    if "MasterRecordId" in fields_of(force, sobject):
        masters = {row["MasterRecordId"] for row in every.values()} - {None}
        assert masters <= set(every) and all(not row["MasterRecordId"] for row in live.values())
        assert masters or sobject != "Contact"
    times = {"start": "2026-01-05T00:00:00+00:00", "end": "2026-01-20T00:00:00+00:00"}
    body = force.get(f"{base(force)}/sobjects/{sobject}/deleted", **times)
    assert set(body) == {"deletedRecords", "earliestDateAvailable", "latestDateCovered"}
    assert {one["id"] for one in body["deletedRecords"]} == gone
    assert all(re.fullmatch(WRITTEN["datetime"], one["deletedDate"]) for one in body["deletedRecords"])
    changed = force.get(f"{base(force)}/sobjects/{sobject}/updated", **times)
    assert set(changed) == {"ids", "latestDateCovered"}
    assert set(changed["ids"]) == {key for key, row in live.items() if row["SystemModstamp"] >= "2026-01-05"}
    for wrong in ({}, {"start": "soon", "end": "later"}, {"start": times["end"], "end": times["start"]}):
        force_refused(force.ask(f"{base(force)}/sobjects/{sobject}/deleted", params=wrong), 400)


def quoted(value: Any, kind: str) -> str:
    if kind == "datetime":
        return value.replace(".000+0000", "Z")
    if isinstance(value, bool):
        return str(value).lower()
    if kind in (*NUMBERS, "date"):
        return str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def conditions(values: list[Any], kind: str) -> Iterator[tuple[str, Callable[[Any], bool], bool]]:
    """(condition on %s, whether a value meets it, whether null does)."""
    key = (lambda value: value) if kind in (*NUMBERS, "boolean", "id", "reference") else folded
    known = sorted({value for value in values if value is not None}, key=key)
    low, high = known[len(known) // 3], known[2 * len(known) // 3]
    one, other = quoted(low, kind), quoted(high, kind)
    yield f"%s = {one}", lambda v: key(v) == key(low), False
    yield f"%s != {one}", lambda v: key(v) != key(low), True
    yield f"NOT %s = {one}", lambda v: key(v) != key(low), True
    yield "%s = null", lambda v: False, True
    yield "%s != null", lambda v: True, False
    yield f"%s IN ({one}, {other})", lambda v: key(v) in (key(low), key(high)), False
    yield f"%s NOT IN ({one}, {other})", lambda v: key(v) not in (key(low), key(high)), True
    if kind == "boolean":
        return
    yield f"%s < {other}", lambda v: key(v) < key(high), False
    yield f"%s <= {one}", lambda v: key(v) <= key(low), False
    yield f"%s > {one}", lambda v: key(v) > key(low), False
    yield f"%s >= {other}", lambda v: key(v) >= key(high), False
    yield f"(%s >= {one} AND %s < {other})", lambda v: key(low) <= key(v) < key(high), False
    yield f"(%s < {one} OR %s > {other})", lambda v: key(v) < key(low) or key(v) > key(high), False
    if kind in ("string", "email", "phone", "url", "textarea", "picklist") and len(low) > 2 and low.isascii():
        start = quoted(low[:2].upper() + "%", kind)
        yield f"%s LIKE {start}", lambda v: folded(v).startswith(folded(low[:2])), False
        yield f"%s LIKE '%%{quoted(low[1:3], kind)[1:]}", lambda v: folded(v).endswith(folded(low[1:3])), False


@pytest.mark.parametrize("sobject", FORCE.values())
def test_salesforce_queries_find_what_they_should(force, sobject):
    rows = force_rows(force, sobject)
    for name, field in fields_of(force, sobject).items():
        values = {key: row[name] for key, row in rows.items()}
        if not field["filterable"] or not any(value is not None for value in values.values()):
            continue
        for condition, test, null in conditions(list(values.values()), field["type"]):
            where = re.sub(r"%s", lambda _, name=name: name, condition)
            right = {key for key, value in values.items() if (null if value is None else test(value))}
            found = ids_of(force, sobject, f"WHERE {where}".replace("%%", "%"))
            assert len(found) == len(set(found)) and set(found) == right, where
    count = force.get(f"{base(force)}/query", q=f"SELECT COUNT() FROM {sobject}")
    assert count == {"totalSize": len(rows), "done": True, "records": []}
    [counted] = force.get(f"{base(force)}/query", q=f"SELECT COUNT(Id) FROM {sobject}")["records"]
    assert counted == {"attributes": {"type": "AggregateResult"}, "expr0": len(rows)}


@pytest.mark.parametrize("sobject", FORCE.values())
def test_salesforce_sorts_and_pages_queries(force, sobject):
    rows = force_rows(force, sobject)
    for name, field in fields_of(force, sobject).items():
        if not field["sortable"]:
            continue
        key = folded if field["type"] not in (*NUMBERS, "boolean", "id", "reference") else (lambda value: value)
        for way, nulls in itertools.product(("", " ASC", " DESC"), ("", " NULLS FIRST", " NULLS LAST")):
            found = ids_of(force, sobject, f"ORDER BY {name}{way}{nulls}")
            values = [rows[one][name] for one in found]
            assert sorted(found) == sorted(rows)
            known = [value for value in values if value is not None]
            assert known == sorted(known, key=key, reverse=way == " DESC") or [key(v) for v in known] == sorted(
                map(key, known), reverse=way == " DESC"
            )
            first = values[len(values) - len(known) :] == known
            assert first if nulls != " NULLS LAST" else values[: len(known)] == known
            if not any(value is not None for value in values):
                break
    ordered = ids_of(force, sobject, "ORDER BY SystemModstamp DESC, Id")
    assert ordered == sorted(sorted(rows), key=lambda one: rows[one]["SystemModstamp"], reverse=True)
    for size in (3, 50):
        paged: list[str] = []
        while more := ids_of(force, sobject, f"ORDER BY Id LIMIT {size} OFFSET {len(paged)}"):
            paged += more
        assert paged == sorted(rows)


def test_salesforce_resolves_parents_and_dates(force):
    contacts_, accounts = force_rows(force, "Contact"), force_rows(force, "Account")
    for row in soql(force, "SELECT Id, Account.Name FROM Contact"):
        account = contacts_[row["Id"]]["AccountId"]
        assert (row["Account"] and row["Account"]["Name"]) == (accounts[account]["Name"] if account else None)
    name = next(accounts[row["AccountId"]]["Name"] for row in contacts_.values() if row["AccountId"])
    right = {key for key, row in contacts_.items() if row["AccountId"] and accounts[row["AccountId"]]["Name"] == name}
    assert set(ids_of(force, "Contact", f"WHERE Account.Name = {quoted(name, 'string')}")) == right
    days = {
        "TODAY": ("2026-01-09", "2026-01-10"),
        "LAST_N_DAYS:2": ("2026-01-07", "2026-01-10"),
        "YESTERDAY": ("2026-01-08", "2026-01-09"),
        "THIS_YEAR": ("2026", "2027"),
        "LAST_YEAR": ("2025", "2026"),
    }
    for word, (start, end) in days.items():
        right = {key for key, row in contacts_.items() if start <= row["LastModifiedDate"] < end}
        assert set(ids_of(force, "Contact", f"WHERE LastModifiedDate = {word}")) == right, word
    body = force.get(f"{base(force)}/limits")
    assert body["DailyApiRequests"]["Remaining"] <= body["DailyApiRequests"]["Max"]


def test_salesforce_refuses(force):
    query = f"{base(force)}/query"
    for text_, code in (
        ("SELECT Id FROM Unicorn", "INVALID_TYPE"), ("SELECT Nothing FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Nothing = 1", "INVALID_FIELD"), ("SELECT Id", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY"), ("SELECT * FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact LIMIT ten", "MALFORMED_QUERY"), ("SELECT Id FROM Contact LIMIT -1", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"), ("", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Email = 7", "INVALID_FIELD"), ("DELETE FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE CreatedDate > 'soon'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact ORDER BY MailingAddress", "INVALID_FIELD"),
        ("SELECT Id, Id FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact LIMIT 99999999999999999999", ""), ("SELECT Id FROM Contact WHERE Name = 'open", ""),
        ("SELECT Id FROM Contact WHERE Id = 'short'", "INVALID_QUERY_FILTER_OPERATOR"),
    ):  # fmt: skip
        force_refused(force.ask(query, params={"q": text_}), 400, code=code)
    for locator in ("nonsense", "0r8xx0000000000001-2000", "0r8xx0000000000001-x", "-1"):
        force_refused(force.ask(f"{query}/{locator}"), 400, code="INVALID_QUERY_LOCATOR")
    unknown = "003" + "0" * 15
    for path in ("sobjects/Unicorn", "sobjects/Unicorn/describe", f"sobjects/Contact/{unknown}", "nothing",
                 "sobjects/Contact/nonsense"):  # fmt: skip
        force_refused(force.ask(f"{base(force)}/{path}"), 404, code="NOT_FOUND")
    for path in ("/services/data/v99.0/query?q=x", "/services/data/63/sobjects", "/nothing"):
        force_refused(force.ask(path), 404, code="NOT_FOUND")
    for path in ("query?q=SELECT+Id+FROM+Contact", "sobjects", "limits", f"sobjects/Contact/{unknown}",
                 "sobjects/Contact/describe", "query/0r8xx0000000000001-2000"):  # fmt: skip
        for headers in NO_TOKEN.values():
            sent = {key: value.encode("latin-1") for key, value in headers.items()}
            force_refused(force.ask(f"{base(force)}/{path}", headers=sent), 401, code="INVALID_SESSION_ID")
    force_refused(force.ask(query, "POST", json={}), 405, code="METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("name", FORCE)
def test_salesforce_lands_as_the_sdk_reads_it(warehouse, force, name):
    api = Salesforce(
        instance=force.base.removeprefix("https://"), session_id=force.secret, session=force.session, version="63.0"
    )
    fields = [field["name"] for field in getattr(api, FORCE[name]).describe()["fields"] if field["type"] != "address"]
    query = f"SELECT {','.join(fields)} FROM {FORCE[name]}"
    read = api.query_all(query, include_deleted=True)["records"]
    found = landed(warehouse, f"salesforce.{name}")
    assert set(found) == {row["Id"] for row in read}
    for row in read:
        mine = {key: value for key, value in row.items() if key != "attributes"}
        assert_landed(mine, found[row["Id"]], ("Id", "IsDeleted"))
        assert found[row["Id"]]["is_deleted"] == row["IsDeleted"]
        moment = datetime.fromisoformat(row["SystemModstamp"]).replace(tzinfo=None)
        assert found[row["Id"]]["source_updated_at"] == moment


# -------------------------------------------------------------------- the ERP

ERP_KEYS = {
    "customers": "customer_id", "contacts": "contact_id", "addresses": "address_id", "invoices": "invoice_id",
    "payments": "payment_id", "products": "product_id", "stock": "stock_id",
}  # fmt: skip
ERP_LINKS = (
    ("contacts", "customer_id", "customers"), ("addresses", "customer_id", "customers"),
    ("invoices", "customer_id", "customers"), ("payments", "customer_id", "customers"),
    ("payments", "invoice_id", "invoices"), ("stock", "product_id", "products"),
    ("customers", "merged_into_id", "customers"),
)  # fmt: skip


@pytest.fixture(scope="module")
def erp(world: Environment) -> Iterator[psycopg.Connection]:
    contract = json.loads(world.sandbox_contract.read_text(encoding="utf-8"))
    with psycopg.connect(contract["sources"]["erp"]["dsn"], autocommit=True) as connection:
        connection.execute("set timezone to 'UTC'")
        yield connection


def test_the_erp_has_its_tables_keys_and_references(world, erp):
    contract = json.loads(world.sandbox_contract.read_text(encoding="utf-8"))
    assert contract["sources"]["erp"]["objects"] == [
        "customers", "invoices", "contacts", "addresses", "payments", "products", "stock"]  # fmt: skip
    found = erp.execute(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'public'"
    ).fetchall()
    types = {(table, column): kind for table, column, kind in found}
    assert {table for table, _ in types} == set(ERP_KEYS)
    for table, key in ERP_KEYS.items():
        assert types[table, "updated_at"] == types[table, "created_at"] == "timestamp with time zone"
        rows, keys = erp.execute(f"select count(*), count(distinct {key}) from {table}").fetchone()
        assert rows == keys > 0, table
    for table, field, parent in ERP_LINKS:
        lost = erp.execute(
            f"select {field} from {table} where nullif({field}, '') is not null"
            f" and {field} not in (select {ERP_KEYS[parent]} from {parent})"
        ).fetchall()
        assert not lost, (table, field)
    amounts = [types[table, field] for table, field in (("invoices", "amount"), ("payments", "amount"),
               ("products", "unit_price"))]  # fmt: skip
    assert set(amounts) == {"numeric"}
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(re.sub(r":[0-9a-f]+@", ":wrong@", contract["sources"]["erp"]["dsn"]), connect_timeout=5)


@pytest.mark.parametrize("table", ERP_KEYS)
def test_the_erp_lands_row_by_row(warehouse, erp, table):
    cursor = erp.execute(f"select * from {table}")
    names = [column.name for column in cursor.description]
    rows = {row[names.index(ERP_KEYS[table])]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}
    found = landed(warehouse, f"erp.{table}")
    assert {key for key, row in found.items() if not row["is_deleted"]} == {
        key for key, row in rows.items() if not row.get("merged_into_id")
    }
    for key, row in rows.items():
        for name, value in row.items():
            if name == ERP_KEYS[table]:
                continue
            if isinstance(value, datetime):
                value = value.replace(tzinfo=None)
            assert found[key][name] == value or (found[key][name], value) in ((None, ""), ("", None)), (key, name)


def test_the_walk_of_a_list_ends_when_paging_does_not():
    started = time.monotonic()
    with pytest.raises(AssertionError):
        walk(lambda cursor: ([{"id": "1"}], "same"))
    assert time.monotonic() - started < 1
