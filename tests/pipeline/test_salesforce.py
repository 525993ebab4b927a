"""Salesforce: the emulator against simple-salesforce and the world's truth, and the pipeline against the emulator.

The sandbox runs once for the module; each landing test reads into an environment of its own. What a test changes in
the world stays, so every expectation is taken from the world as it is then.
"""

from __future__ import annotations

import json
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
import pytest
import requests
import support
from fixtures_landing import (
    changing as changing_world,
)
from fixtures_landing import (
    counts,
    follow,
    older_world_fixture,  # noqa: F401 (a fixture)
    query,
    read,
    read_well,
)
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceError

from ingest import rest, salesforce
from ingest.task import Window
from operate import clock
from operate.environment import Environment, get_environment
from sandbox.faults import set_fault
from sandbox.ids import with_checksum
from sandbox.records import (
    NewRecord,
    change_record,
    end_record,
    forget_record,
    insert_records,
    merge_records,
    restore_record,
)
from sandbox.salesforce_objects import DRIFTING, SOBJECTS
from sandbox.world import iso, opened

BY_RECORDS = {one.records: one for one in SOBJECTS.values()}
COMPOUND = {"MailingAddress", "OtherAddress", "BillingAddress", "ShippingAddress", "Address"}
ALL = ("live", "merged", "deleted")
WRITTEN = {
    "datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000",
    "date": r"\d{4}-\d\d-\d\d",
    "id": r"\w{18}",
    "reference": r"\w{18}",
}


# -------------------------------------------------------------------- fixtures and helpers

land = partial(read, "salesforce")
good = partial(read_well, "salesforce")
changing = partial(changing_world, minutes=1)  # all of them together less than a day: ticks come behind


@pytest.fixture
def environment(world: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Environment]:
    """An environment that has landed nothing yet and reads the module's emulator; its faults end with the test."""
    monkeypatch.setenv("C360_VAR", str(tmp_path))
    monkeypatch.setattr(rest, "BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(salesforce, "QUOTA_WAITS", (0.01, 0.02))
    made = get_environment("sandbox").create()
    follow(world, made)
    yield made
    set_fault(world, "salesforce", "none")


@pytest.fixture(scope="module")
def api(world: Environment) -> Salesforce:
    """The official way in: simple-salesforce over TLS."""
    return connected(world)


@pytest.fixture(scope="module")
def landed(world: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment that landed everything once. Tests that ask for it come first: the world has not changed since."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("C360_VAR", str(tmp_path_factory.mktemp("landed")))
        made = get_environment("sandbox").create()
        follow(world, made)
        good(made)
        return made


def connected(world: Environment, token: str | None = None) -> Salesforce:
    contract = json.loads(world.sandbox_contract.read_text(encoding="utf-8"))
    source = contract["sources"]["salesforce"]
    session = requests.Session()
    session.trust_env, session.verify = False, contract["ca_file"]
    return Salesforce(
        instance=source["base_url"].removeprefix("https://"),
        session_id=token or source["credentials"]["access_token"],
        session=session,
    )


def newest(name: str) -> str:
    return (
        f"(from raw_salesforce.{name} qualify row_number() over (partition by source_id order by "
        "source_updated_at desc, _dlt_load_id desc, content_hash desc) = 1)"
    )


def states(environment: Environment, name: str) -> dict[str, tuple[bool, str]]:
    """id -> (deleted, what it was merged into) of the newest landed versions."""
    winner = "master_record_id" if BY_RECORDS[name].merges else "null"
    rows = query(environment, f"select source_id, is_deleted, coalesce({winner}, '') from {newest(name)}")
    return {key: (gone, into) for key, gone, into in rows}


def in_the_world(world: Environment, name: str, wanted: tuple[str, ...] = ALL) -> list:
    with opened(world) as content:
        rows = content.rows(
            "select * from records where system = 'salesforce' and object = ? order by updated_at, source_id", (name,)
        )
    return [row for row in rows if row["state"] in wanted]


def true_states(world: Environment, name: str) -> dict[str, tuple[bool, str]]:
    return {row["source_id"]: (row["state"] != "live", row["merged_into"]) for row in in_the_world(world, name)}


def ids(rows) -> list[str]:
    return [row["source_id"] for row in rows]


def add_leads(world: Environment, count: int, ties: int) -> list[str]:
    """New leads, `ties` of them changed in one second and the others in seconds of their own."""
    with changing(world) as (content, moment):
        pattern = in_the_world(world, "leads", ("live",))[0]
        made = []
        for number in range(count):
            source_id, seq = content.new_id("salesforce", "leads")
            at = iso(datetime.fromisoformat(moment) - timedelta(seconds=max(0, number - ties)))
            fields = json.loads(pattern["fields"]) | {"family_name": f"Bulk {number}"}
            made.append(NewRecord("salesforce", "leads", source_id, seq, pattern["entity_id"], fields, at, at, 0))
        random.Random(5).shuffle(made)
        insert_records(content, made)
    return [one.source_id for one in made]


@pytest.fixture(scope="module")
def many_leads(world: Environment) -> list[str]:
    """More leads than three of the smallest pages hold, 450 of them changed in one second."""
    return add_leads(world, 650, ties=450)


def content(row) -> dict:
    return json.loads(row["fields"])


# -------------------------------------------------------------------- the world


def test_the_world_of_salesforce_holds_together_for_weeks(tmp_path, monkeypatch):
    from sandbox.tick import tick
    from sandbox.world import create_world

    monkeypatch.setenv("C360_VAR", str(tmp_path))
    environment = get_environment("sandbox").create()
    create_world(environment, 240, 3)

    def live(name: str) -> dict[str, object]:
        return {row["source_id"]: row for row in in_the_world(environment, name, ("live",))}

    def holds_together() -> None:
        accounts, contacts, leads = live("accounts"), live("contacts"), live("leads")
        with opened(environment) as world:
            employer = {key: world.person(row["entity_id"]).company_id for key, row in contacts.items()}
        for key, row in contacts.items():
            account = content(row)["account_id"]
            assert not account or accounts[account]["entity_id"] == employer[key]
            assert content(row)["family_name"] and content(row)["owner_id"]
        for row in live("opportunities").values():
            assert accounts[content(row)["account_id"]]["entity_id"] == row["entity_id"]
        members = [content(row) for row in live("campaign_members").values()]
        assert all((one["contact_id"] in contacts) != (one["lead_id"] in leads) for one in members)
        assert len({(one["campaign_id"], one["contact_id"], one["lead_id"]) for one in members}) == len(members)

    holds_together()
    accounts, contacts = live("accounts"), live("contacts")
    with opened(environment) as world:
        staff = {world.person(row["entity_id"]).company_id for row in contacts.values()} - {""}
    known = {row["entity_id"] for row in accounts.values()}
    assert known <= staff and len(known) == round(len(staff) / 3) < len(accounts)
    assert sum(bool(content(row)["account_id"]) for row in contacts.values()) >= len(known)
    people = {row["entity_id"] for row in contacts.values()}
    assert live("opportunities") and not people & {row["entity_id"] for row in live("leads").values()}
    happened: Counter = Counter()
    for day in tick(environment, 30):
        happened += Counter({what: count for (system, what), count in day.counts.items() if system == "salesforce"})
    holds_together()
    for name in ("leads", "accounts", "opportunities", "campaign_members"):
        for what in ("new", "changed", "deleted", "restored", "forgotten"):
            assert happened[f"{name} {what}"], f"{name} {what}"
    assert happened["leads merged"] and happened["accounts merged"] and happened["leads converted"]
    assert happened["contacts restored"] and happened["contacts forgotten"]
    oldest = iso(clock.now(environment) - timedelta(days=15))
    for name in BY_RECORDS:
        assert all(row["ended_at"] >= oldest for row in in_the_world(environment, name, ("merged", "deleted")))


# -------------------------------------------------------------------- the emulator


def test_a_run_with_nothing_new_asks_twice_per_object(world, landed, monkeypatch):
    asked: list[str] = []
    send = rest.Api._send

    def counted(self, method, path, **request):
        asked.append(f"{self.name} {path}")
        return send(self, method, path, **request)

    monkeypatch.setattr(rest.Api, "_send", counted)
    result = good(landed)
    assert sum(item.counts.landed for item in result.objects) == 0
    for described in salesforce.OBJECTS:
        assert sum(line.startswith(f"{described.name} ") for line in asked) == 2, asked
        assert states(landed, described.name) == true_states(world, described.name)
    assert query(landed, "select count(*) from raw_ingest.runs where rows_served + rows_deleted <> "
                 "rows_landed + rows_unchanged + rows_rejected") == [(0,)]  # fmt: skip


@pytest.mark.parametrize("name", sorted(BY_RECORDS))
def test_an_official_client_reads_what_the_pipeline_lands(world, landed, api, name):
    shown = BY_RECORDS[name]
    described = getattr(api, shown.name).describe()
    fields = [field["name"] for field in described["fields"]]
    read = api.query_all(f"SELECT {','.join(fields)} FROM {shown.name}", include_deleted=True)["records"]
    assert sorted(row["Id"] for row in read) == sorted(ids(in_the_world(world, name)))
    columns = {column.source_field: column.name for column in next(
        one for one in salesforce.OBJECTS if one.name == name).fields}  # fmt: skip
    with duckdb.connect(str(landed.warehouse)) as connection:
        cursor = connection.execute(f"from {newest(name)}")
        names = [column[0] for column in cursor.description]
        found = {row[names.index("source_id")]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}
    for row in read:
        mine = found[row["Id"]]
        custom = json.loads(mine["custom_fields"] or "{}")
        for field in set(fields) - COMPOUND - {"Id", "IsDeleted"}:
            value = row[field]
            if field in columns:
                text = value if value is None or isinstance(value, str) else json.dumps(value)
                assert mine[columns[field]] == text, (row["Id"], field)
            else:
                assert field.endswith("__c")
                assert custom.get(field) == value, (row["Id"], field)
        assert mine["is_deleted"] == row["IsDeleted"]


@pytest.mark.parametrize("name", sorted(BY_RECORDS))
def test_a_record_by_its_id_is_the_one_of_the_query(world, api, name):
    shown = BY_RECORDS[name]
    key = ids(in_the_world(world, name, ("live",)))[0]
    fields = ",".join(shown.fields)
    [row] = api.query(f"SELECT {fields} FROM {shown.name} WHERE Id = '{key}'")["records"]
    row["attributes"].pop("url")
    for asked in (key, key[:15]):
        one = getattr(api, shown.name).get(asked)
        assert one["attributes"].pop("url").endswith(f"/sobjects/{shown.name}/{key}")
        assert one == row
    assert set(row) == {"attributes", *shown.fields}


def test_a_description_has_every_attribute_and_fits_the_records(world, api):
    for name, shown in SOBJECTS.items():
        described = getattr(api, name).describe()
        assert described["name"] == name and described["keyPrefix"] == shown.prefix
        fields = {field["name"]: field for field in described["fields"]}
        assert sum(field["custom"] for field in fields.values()) == 2
        assert fields["Id"]["soapType"] == "tns:ID" and not fields["Id"]["nillable"]
        assert len({tuple(field) for field in fields.values()}) == 1
        assert {"byteLength", "soapType", "referenceTo", "relationshipName", "picklistValues", "precision", "scale",
                "digits", "updateable", "compoundFieldName", "externalId"} <= set(fields["Id"])  # fmt: skip
        kinds = {"boolean": bool, "double": float, "currency": float, "percent": float, "int": int, "address": dict}
        asked = ",".join(field for field in fields)
        for row in api.query_all(f"SELECT {asked} FROM {name}")["records"]:
            for field, value in row.items():
                if field == "attributes" or value is None:
                    assert field == "attributes" or fields[field]["nillable"], (name, field)
                    continue
                kind = fields[field]["type"]
                assert isinstance(value, kinds.get(kind, str)), (name, field, value)
                if kind in WRITTEN:
                    assert re.fullmatch(WRITTEN[kind], value), (name, field, value)
                if isinstance(value, str) and fields[field]["length"]:
                    assert len(value) <= fields[field]["length"]
    assert {one["name"] for one in api.describe()["sobjects"]} == set(SOBJECTS)
    assert api.limits()["DailyApiRequests"]["Remaining"] > 0
    parts = {field["name"]: field["compoundFieldName"] for field in api.Contact.describe()["fields"]}
    assert (parts["MailingCity"], parts["FirstName"], parts["Email"]) == ("MailingAddress", "Name", None)


def same_text(value: str, text: str) -> bool:
    return (value or "").lower() == text.lower()


FILTERS: list[tuple[str, str, Callable]] = [
    ("contacts", "FirstName = null", lambda row, f: not f["given_name"]),
    ("contacts", "MailingCountry = 'us'", lambda row, f: same_text(f["country"], "US")),
    ("contacts", "MailingCountry != 'us'", lambda row, f: not same_text(f["country"], "US")),
    (
        "contacts",
        "MailingCountry NOT IN ('us', 'DE', null)",
        lambda row, f: f["country"].lower() not in ("us", "de", ""),
    ),
    ("contacts", "MailingCountry IN ('us', 'De')", lambda row, f: f["country"].lower() in ("us", "de")),
    (
        "contacts",
        "Email LIKE '%@GMAIL.com' AND AccountId = null",
        lambda row, f: f["email"].lower().endswith("@gmail.com") and not f["account_id"],
    ),
    ("contacts", "Email LIKE '%\\_%'", lambda row, f: "_" in f["email"]),
    ("contacts", "NOT (Phone = null OR MobilePhone = null)", lambda row, f: f["phone"] and f["mobile"]),
    ("contacts", "HasOptedOutOfEmail = true", lambda row, f: f["email_optout"]),
    ("contacts", "Birthdate >= 1970-01-01", lambda row, f: f["birth_date"] >= "1970-01-01"),
    (
        "contacts",
        "Birthdate = null AND (Phone != null OR Email = null)",
        lambda row, f: not f["birth_date"] and (f["phone"] or not f["email"]),
    ),
    ("contacts", "CreatedDate < 2024-01-01T00:00:00+02:00", lambda row, f: row["created_at"] < "2023-12-31T22:00:00"),
    (
        "contacts",
        "SystemModstamp > 2025-06-01T00:00:00.000Z",
        lambda row, f: row["updated_at"] >= "2025-06-01T00:00:01",
    ),
    ("contacts", "Account.Name != null", lambda row, f: f["account_id"]),
    (
        "leads",
        "IsConverted = false AND Rating IN ('Hot','Cold')",
        lambda row, f: not f["is_converted"] and f["rating"] in ("Hot", "Cold"),
    ),
    ("opportunities", "Amount > 2000.5", lambda row, f: f["amount"] != "" and f["amount"] > 2000.5),
    (
        "opportunities",
        "Probability <= 75 AND IsClosed = false",
        lambda row, f: f["probability"] <= 75 and not f["is_closed"],
    ),
    ("opportunities", "CloseDate < TODAY", lambda row, f: True),  # replaced below: it needs the day
    ("accounts", "NumberOfEmployees >= 12", lambda row, f: f["employees"] >= 12),
    ("campaign_members", "Campaign.IsActive = true AND ContactId != null", None),  # replaced below, too
]


@pytest.mark.parametrize(("name", "where", "holds"), FILTERS, ids=[where for _, where, _ in FILTERS])
def test_a_condition_gives_the_set_that_python_gives(world, api, name, where, holds):
    if "TODAY" in where:
        today = clock.now(world).date().isoformat()
        holds = lambda row, f: f["close_date"] < today  # noqa: E731
    if holds is None:
        active = {row["source_id"] for row in in_the_world(world, "campaigns") if content(row)["is_active"]}
        holds = lambda row, f: f["campaign_id"] in active and f["contact_id"]  # noqa: E731
    for deleted, wanted in ((False, ("live",)), (True, ALL)):
        rows = in_the_world(world, name, wanted)
        expected = sorted(row["source_id"] for row in rows if holds(row, content(row)))
        shown = BY_RECORDS[name].name
        found = api.query_all(f"SELECT Id FROM {shown} WHERE {where}", include_deleted=deleted)["records"]
        assert sorted(row["Id"] for row in found) == expected
        counted = api.query_all(f"SELECT COUNT(Id) FROM {shown} WHERE {where}", include_deleted=deleted)["records"]
        assert counted[0]["expr0"] == len(expected)
    assert len(expected) > 0 or "converted" in where.lower() or "null" in where, (
        "the filter meets nothing: choose another"
    )


def test_times_compare_in_whole_seconds_and_ids_in_both_lengths(world, api):
    row = in_the_world(world, "contacts", ("live",))[0]
    second = row["updated_at"][:19]
    after = iso(datetime.fromisoformat(second + "+00:00") + timedelta(seconds=1))
    key = row["source_id"]
    for sign, hit in (("=", 1), (">=", 1), ("<=", 1), (">", 0), ("<", 0), ("!=", 0)):
        where = f"SystemModstamp {sign} {second}.000Z AND Id IN ('{key[:15]}')"
        assert api.query(f"SELECT COUNT() FROM Contact WHERE {where}")["totalSize"] == hit, sign
    half = f"SELECT COUNT() FROM Contact WHERE SystemModstamp {{}} {second}.500Z AND Id = '{key}'"
    hits = [api.query(half.format(sign))["totalSize"] for sign in ("=", ">=", "<=", ">", "<")]
    assert hits == [0, 0, 1, 0, 1]
    assert api.query(f"SELECT COUNT() FROM Contact WHERE SystemModstamp < {after} AND Id = '{key}'")["totalSize"] == 1
    assert with_checksum(key[:15]) == key


@pytest.mark.parametrize(
    ("order", "key", "reverse", "nulls_first"),
    [
        ("MailingCity, Id", "city", False, True),
        ("MailingCity DESC, Id", "city", True, True),
        ("MailingCity DESC NULLS LAST, Id", "city", True, False),
        ("MailingCity ASC NULLS LAST, Id", "city", False, False),
    ],
)
def test_an_order_is_that_of_python_with_nulls_where_asked(world, api, order, key, reverse, nulls_first):
    rows = sorted(in_the_world(world, "contacts", ("live",)), key=lambda row: row["source_id"])
    # By SQLite's notion of capitals: those of the Latin letters without accents.
    lowered = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
    held = sorted((row for row in rows if content(row)[key]),
                  key=lambda row: content(row)[key].translate(lowered).encode(), reverse=reverse)  # fmt: skip
    if reverse:  # the second field still ascends
        held = sorted(rows, key=lambda row: row["source_id"])
        held = [row for row in held if content(row)[key]]
        held.sort(key=lambda row: content(row)[key].translate(lowered).encode(), reverse=True)
    none = [row for row in rows if not content(row)[key]]
    expected = ids([*none, *held] if nulls_first else [*held, *none])
    found = api.query_all(f"SELECT Id FROM Contact ORDER BY {order}")["records"]
    assert [row["Id"] for row in found] == expected
    part = api.query(f"SELECT Id FROM Contact ORDER BY {order} LIMIT 7 OFFSET 3")
    assert [row["Id"] for row in part["records"]] == expected[3:10]


def test_parents_and_field_functions_are_answered(world, api):
    rows = api.query_all("SELECT Id, Account.Name, Account.Industry FROM Contact")["records"]
    names = {row["source_id"]: content(row)["company_name"] for row in in_the_world(world, "accounts")}
    accounts = {row["source_id"]: content(row)["account_id"] for row in in_the_world(world, "contacts")}
    assert any(row["Account"] for row in rows) and not all(row["Account"] for row in rows)
    for row in rows:
        expected = names.get(accounts[row["Id"]])
        assert (row["Account"] or {}).get("Name") == expected
    [row] = api.query("SELECT FIELDS(CUSTOM) FROM Account LIMIT 1")["records"]
    assert set(row) == {"attributes", "Loyalty_Tier__c", "ERP_Customer_Number__c"}
    [row] = api.query("select fields(all) from account limit 1")["records"]
    assert set(row) == {"attributes", *SOBJECTS["Account"].fields}


@pytest.mark.parametrize(
    ("soql", "code", "part"),
    [
        ("SELECT Id FRM Contact", "MALFORMED_QUERY", "unexpected token: 'FRM'"),
        (
            "SELECT Id FROM Contact WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY", "LIMIT"),
        ("SELECT Id FROM Contact WHERE LastName = 'x", "MALFORMED_QUERY", "unexpected token"),
        (
            "SELECT Shoe FROM Contact",
            "INVALID_FIELD",
            "No such column 'Shoe' on entity 'Contact'. If you are attempting",
        ),
        ("SELECT Id, Id FROM Contact", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id FROM Contact WHERE Shoe__c = 1", "INVALID_FIELD", "No such column 'Shoe__c'"),
        ("SELECT Boss.Name FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Boss'"),
        ("SELECT Id FROM Contact WHERE CreatedDate > '2020-01-01'", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Contact WHERE HasOptedOutOfEmail = 'x'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Contact WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: nonsense"),
        ("SELECT Id FROM Shoe", "INVALID_TYPE", "sObject type 'Shoe' is not supported"),
        ("SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
    ],
)
def test_what_is_wrong_with_a_query_is_named_as_salesforce_does(api, soql, code, part):
    with pytest.raises(SalesforceError) as caught:
        api.query(soql)
    [error] = caught.value.content
    assert (caught.value.status, error["errorCode"]) == (400, code)
    assert part in error["message"]


@pytest.mark.parametrize("size", [200, 300, 2000])
def test_pages_of_any_size_hold_every_record_once_in_order(world, api, many_leads, size):
    headers = {"Sforce-Query-Options": f"batchSize={size}"}
    soql = "SELECT Id, SystemModstamp FROM Lead ORDER BY SystemModstamp, Id"
    first = api.query(soql, include_deleted=True, headers=headers)
    expected = sorted(in_the_world(world, "leads"), key=lambda row: (row["updated_at"][:19], row["source_id"]))
    assert (first["totalSize"], len(first["records"])) == (len(expected), min(size, len(expected)))
    assert first["done"] == (size >= len(expected))
    rows = [row["Id"] for row in api.query_all_iter(soql, include_deleted=True, headers=headers)]
    assert rows == ids(expected)


def test_a_cursor_expires_on_demand_and_a_wrong_one_is_refused(world, api, environment, many_leads):
    headers = {"Sforce-Query-Options": "batchSize=200"}
    first = api.query("SELECT Id FROM Lead", headers=headers)
    url = first["nextRecordsUrl"]
    assert url.startswith("/services/data/v") and url.endswith("-200")
    assert len(api.query_more(url, identifier_is_url=True, headers=headers)["records"]) == 200
    set_fault(world, "salesforce", "expired_cursor")
    for wrong in (url, url.replace("-200", "-99999"), url + "0x", "/services/data/v63.0/query/0r8nonsense-200"):
        with pytest.raises(SalesforceError) as caught:
            api.query_more(wrong, identifier_is_url=True)
        assert caught.value.content[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert len(api.query_more(url, identifier_is_url=True, headers=headers)["records"]) == 200


def test_only_the_right_token_gets_in_and_the_quota_is_an_answer_of_its_own(world, api, environment):
    for call in (lambda bad: bad.query("SELECT Id FROM Contact"), lambda bad: bad.describe()):
        with pytest.raises(SalesforceError) as caught:
            call(connected(world, "nonsense"))
        assert caught.value.status == 401
        assert caught.value.content == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    set_fault(world, "salesforce", "429")
    with pytest.raises(SalesforceError) as caught:
        api.query("SELECT Id FROM Contact")
    assert (caught.value.status, caught.value.content[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
    api.query("SELECT Id FROM Contact")


def test_unknown_deleted_restored_and_forgotten_records(world, api):
    def refused(key: str) -> tuple[int, str]:
        with pytest.raises(SalesforceError) as caught:
            api.Contact.get(key)
        return caught.value.status, caught.value.content[0]["errorCode"]

    def listed(deleted: bool) -> bool:
        found = api.query_all(f"SELECT Id FROM Contact WHERE Id = '{key}'", include_deleted=deleted)["records"]
        return bool(found)

    assert refused("003000000000000AAA") == (404, "NOT_FOUND")
    row = in_the_world(world, "contacts", ("live",))[0]
    key = row["source_id"]
    with changing(world) as (changed, moment):
        end_record(changed, changed.record("salesforce", "contacts", key), "deleted", "", moment, 3)
    assert refused(key) == (404, "ENTITY_IS_DELETED")
    assert (listed(False), listed(True)) == (False, True)
    now = clock.now(world)
    assert key in [
        one["id"] for one in api.Contact.deleted(now - timedelta(hours=1), now + timedelta(hours=1))["deletedRecords"]
    ]
    assert key not in [
        one["id"] for one in api.Contact.deleted(now - timedelta(days=9), now - timedelta(days=8))["deletedRecords"]
    ]
    with changing(world) as (changed, moment):
        restore_record(changed, changed.record("salesforce", "contacts", key), moment, 3)
    assert api.Contact.get(key)["IsDeleted"] is False
    now = clock.now(world)
    assert key in api.Contact.updated(now - timedelta(hours=1), now + timedelta(hours=1))["ids"]
    with changing(world) as (changed, moment):
        forget_record(changed, changed.record("salesforce", "contacts", key))
    assert refused(key) == (404, "NOT_FOUND")
    assert (listed(False), listed(True)) == (False, False)


# -------------------------------------------------------------------- landing


@pytest.mark.parametrize("fault", ["duplicate_page", "expired_cursor"])
def test_ties_across_pages_lose_nobody(world, environment, monkeypatch, many_leads, fault):
    monkeypatch.setattr(salesforce, "BATCH_SIZE", 200)
    set_fault(world, "salesforce", fault, times=2)
    first = good(environment, "leads")
    assert states(environment, "leads") == true_states(world, "leads")
    assert counts(first, "leads").landed >= len(many_leads)
    set_fault(world, "salesforce", "none")
    # One of a thousand changes in the second of the others, which were read already.
    with changing(world, minutes=0) as (changed, _):
        row = changed.record("salesforce", "leads", sorted(many_leads)[0])
        fields = content(row) | {"status": f"Changed under {fault}"}
        change_record(changed, row, fields, row["updated_at"], 3)
    again = good(environment, "leads")
    assert counts(again, "leads").landed == 1
    assert query(environment, f"select status from {newest('leads')} where source_id = '{row['source_id']}'") == [
        (f"Changed under {fault}",)
    ]


def test_merges_keep_every_hop_and_are_no_deletions(world, environment):
    names = ("contacts", "leads")
    good(environment, *names)
    chains = {name: ids(in_the_world(world, name, ("live",)))[:4] for name in names}
    for hop in range(3):
        for name, chain in chains.items():
            with changing(world) as (changed, moment):
                loser, winner = (changed.record("salesforce", name, key) for key in chain[hop : hop + 2])
                merge_records(changed, winner, loser, moment, 3)
        follow(world, environment)
        if hop != 1:  # of three hops the second is read together with the third
            good(environment, *names)

    def hops_of(name: str) -> list[tuple[str, str]]:
        return query(
            environment,
            f"select loser_id, winner_id from raw_ingest.record_merges where source_object = '{name}' order by all",
        )

    found = {name: hops_of(name) for name in names}
    for name, chain in chains.items():
        hops = list(zip(chain, chain[1:], strict=False))
        assert set(hops) <= set(found[name]) and len(found[name]) == len(set(found[name]))
        assert {loser: states(environment, name)[loser] for loser, _ in hops} == {a: (True, b) for a, b in hops}
        deletions = query(environment, "select source_id from raw_ingest.record_deletions")
        assert not {loser for loser, _ in hops} & {row[0] for row in deletions}
    # A first read that sees all three at once tells the same hops.
    shutil.rmtree(environment.dlt)
    environment.warehouse.unlink()
    good(environment, *names)
    assert {name: hops_of(name) for name in names} == found


def test_a_merged_account_takes_its_contacts_along(world, environment):
    good(environment, "accounts", "contacts")
    owners = {content(row)["account_id"] for row in in_the_world(world, "contacts", ("live",))}
    loser = next(row for row in in_the_world(world, "accounts", ("live",)) if row["source_id"] in owners)
    winner = next(row for row in in_the_world(world, "accounts", ("live",)) if row["source_id"] != loser["source_id"])
    with changing(world) as (changed, moment):
        merge_records(changed, winner, loser, moment, 3)
    follow(world, environment)
    good(environment, "accounts", "contacts")
    assert states(environment, "accounts") == true_states(world, "accounts")
    held = query(environment, f"select distinct account_id from {newest('contacts')} where not is_deleted")
    assert loser["source_id"] not in {row[0] for row in held} and winner["source_id"] in {row[0] for row in held}


def test_a_deletion_is_a_fact_once_a_restored_record_is_back_and_a_forgotten_one_ends(world, environment):
    good(environment, "leads", reconcile=True)
    key, forgotten = ids(in_the_world(world, "leads", ("live",)))[:2]

    def facts(of: str) -> list[tuple]:
        return query(environment, f"select evidence from raw_ingest.record_deletions where source_id = '{of}'")

    with changing(world) as (changed, moment):
        end_record(changed, changed.record("salesforce", "leads", key), "deleted", "", moment, 3)
        forget_record(changed, changed.record("salesforce", "leads", forgotten))
    follow(world, environment)
    good(environment, "leads")
    with changing(world) as (changed, moment):  # touched in the recycle bin: no second deletion
        row = changed.record("salesforce", "leads", key)
        change_record(changed, row, content(row) | {"rating": "Hot", "status": "Binned"}, moment, 3)
    follow(world, environment)
    good(environment, "leads")
    assert facts(key) == [("IsDeleted is true",)] and not facts(forgotten)
    assert states(environment, "leads")[forgotten] == (False, "")  # changes alone cannot tell

    with changing(world) as (changed, moment):
        restore_record(changed, changed.record("salesforce", "leads", key), moment, 3)
    follow(world, environment)
    result = good(environment, "leads", reconcile=True)
    assert counts(result, "leads").deleted == 1
    assert facts(forgotten) == [("not in the full list of ids",)]
    assert states(environment, "leads") == true_states(world, "leads") | {forgotten: (True, "")}
    assert counts(good(environment, "leads", reconcile=True), "leads").landed == 0


def test_the_full_list_finds_what_changes_missed(world, environment, monkeypatch):
    monkeypatch.setattr(salesforce, "IDS_PER_READ", 3)
    good(environment, "contacts")
    hidden, ended, *_ = ids(in_the_world(world, "contacts", ("live",)))
    with duckdb.connect(str(environment.warehouse)) as connection:  # as if a change had never been seen
        connection.execute("delete from raw_salesforce.contacts where source_id = ?", [hidden])
    with opened(world) as changed, changed.transaction():  # deleted at a time that was read long ago
        end_record(
            changed, changed.record("salesforce", "contacts", ended), "deleted", "", "2020-01-01T00:00:00.000Z", 3
        )
    assert counts(good(environment, "contacts"), "contacts").landed == 0
    good(environment, "contacts", reconcile=True)
    found = states(environment, "contacts")
    assert found[hidden] == (False, "")
    with changing(world) as (changed, moment):
        restore_record(changed, changed.record("salesforce", "contacts", ended), moment, 3)


def test_a_window_reads_only_its_changes(world, environment):
    rows = in_the_world(world, "contacts")
    start, end = (datetime.fromisoformat(f"{year}-01-01T00:00:00") for year in (2024, 2026))
    inside = [row["source_id"] for row in rows if f"{start:%Y}" <= row["updated_at"][:4] < f"{end:%Y}"]
    assert (
        counts(good(environment, "contacts", window=Window(start, end)), "contacts").landed == len(inside) < len(rows)
    )
    assert sorted(states(environment, "contacts")) == sorted(inside)


# -------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("kind", "times", "parts"),
    [
        ("401", 1, ["401", "issue a new access token"]),
        ("429", 1, None),
        (
            "429",
            9,
            ["403", "REQUEST_LIMIT_EXCEEDED", "spread the runs or raise the limit (Setup > Company Information"],
        ),
        ("500", 5, ["500 in 5 attempts", "run again later"]),
        ("slow", 1, None),
        ("truncated", 1, None),
        ("invalid_json", 1, ["the answer is not valid JSON"]),
        ("duplicate_page", 9, ["a page came 5 times instead of the next one"]),
    ],
)
def test_each_fault_is_got_over_or_named_in_one_line_and_heals(
    world, environment, monkeypatch, many_leads, kind, times, parts
):
    monkeypatch.setattr(salesforce, "BATCH_SIZE", 200)
    set_fault(world, "salesforce", kind, times=times, seconds=0.2)
    result = land(environment, "leads")
    if parts is None:
        assert not result.failures, [item.error for item in result.failures]
    else:
        [failure] = result.failures
        for part in ["salesforce leads: ", *parts]:
            assert part in failure.error
        assert "\n" not in failure.error
        assert not query(environment, "from duckdb_tables() where schema_name = 'raw_salesforce'")
        set_fault(world, "salesforce", "none")
        good(environment, "leads")
    assert states(environment, "leads") == true_states(world, "leads")


@pytest.mark.parametrize("kind", ["schema_new", "schema_dropped", "schema_retyped", "schema_renamed"])
def test_a_changed_schema_is_told_and_no_value_is_lost(world, environment, kind):
    good(environment, "contacts")
    set_fault(world, "salesforce", kind)
    with changing(world) as (changed, moment):
        row = next(one for one in in_the_world(world, "contacts", ("live",)) if content(one)["department"])
        change_record(changed, row, content(row) | {"job_title": f"Head of {kind}"}, moment, 3)
    follow(world, environment)
    said: list[str] = []
    good(environment, "contacts", said=said)
    drifting = DRIFTING["Contact"]
    department, custom = query(
        environment,
        f"select department, custom_fields from {newest('contacts')} where source_id = '{row['source_id']}'",
    )[0]
    custom = json.loads(custom or "{}")
    facts = query(
        environment,
        "select field_name, change, standing from raw_ingest.source_fields where change <> 'first' order by all",
    )
    held = content(row)["department"]
    expected = {
        "schema_new": ([("Sandbox_New__c", "new", "custom")], held, {"Sandbox_New__c": "new"}),
        "schema_dropped": ([(drifting, "dropped", "landed")], None, {}),
        "schema_retyped": ([(drifting, "retyped", "landed")], department, {}),
        "schema_renamed": (
            [(drifting, "dropped", "landed"), (f"{drifting}__c", "renamed", "custom")], None, {f"{drifting}__c": held},
        ),
    }[kind]  # fmt: skip
    assert facts == expected[0]
    assert department == expected[1]
    assert {
        name: value for name, value in custom.items() if name not in ("Loyalty_Tier__c", "ERP_Customer_Number__c")
    } == expected[2]
    if kind == "schema_retyped":
        assert float(department) >= 0
    assert any(drifting in line or "Sandbox_New__c" in line for line in said)
    if kind == "schema_dropped":
        set_fault(world, "salesforce", "none")
        good(environment, "contacts")
        assert (drifting, "new") in query(environment, "select field_name, change from raw_ingest.source_fields")
    assert query(environment, "select sum(rows_rejected) from raw_ingest.runs") == [(0,)]


def test_times_ahead_and_late_versions_end_at_the_truth(world, environment):
    for fault in ("clock_skew", "out_of_order"):
        set_fault(world, "salesforce", fault, seconds=5400)
        with changing(world) as (changed, moment):
            row = in_the_world(world, "contacts", ("live",))[0]
            change_record(changed, row, content(row) | {"job_title": f"First under {fault}"}, moment, 3)
        follow(world, environment)
        good(environment, "contacts")
        set_fault(world, "salesforce", "none")
        with changing(world, minutes=3) as (changed, moment):
            row = changed.record("salesforce", "contacts", row["source_id"])
            change_record(changed, row, content(row) | {"job_title": f"Last under {fault}"}, moment, 3)
        follow(world, environment)
        good(environment, "contacts")
        title = query(environment, f"select title from {newest('contacts')} where source_id = '{row['source_id']}'")
        assert title == [(f"Last under {fault}",)]
        assert states(environment, "contacts") == true_states(world, "contacts")


def test_custom_fields_that_do_not_fit_into_a_query_are_named(world, environment, monkeypatch):
    monkeypatch.setattr(salesforce, "LONGEST_QUERY", 2000 + 1150)
    said: list[str] = []
    good(environment, "contacts", said=said)
    [line] = [line for line in said if "custom fields are not read" in line]
    assert "ERP_Customer_Number__c" in line
    assert states(environment, "contacts") == true_states(world, "contacts")


# -------------------------------------------------------------------- staging

STAGED = {
    "contacts": ("given_name family_name email phone mobile address city region postal_code country job_title "
                 "department lead_source account_id erp_customer_number loyalty_tier birth_date=date_of_birth"),
    "leads": ("given_name family_name email phone mobile address city region postal_code country job_title website "
              "company_name status=lead_status is_converted converted_contact_id erp_customer_number"),
    "accounts": "company_name phone address city region postal_code country website employees=employee_count currency",
    "opportunities": "opportunity_name stage=opportunity_stage account_id amount currency close_date is_closed is_won",
    "campaigns": "campaign_name start_date end_date is_active",
    "campaign_members": "campaign_id contact_id lead_id status=member_status has_responded",
}  # fmt: skip


def same_value(staged: object, true: object) -> bool:
    """Whether a staged value (text, number, flag, date or nothing) says what the world holds."""
    if isinstance(true, bool):
        return staged is true
    if isinstance(true, float):
        return float(staged) == pytest.approx(true)
    return (None if staged is None else str(staged)) == (str(true) or None)


def test_staging_is_the_truth_after_days_of_merges_deletions_and_restores(world, landed):
    from sandbox.tick import tick

    tick(world, 3)
    follow(world, landed)
    good(landed, reconcile=True)
    support.build(landed, "--select", *(f"stg_salesforce__{name}" for name in STAGED))
    kinds = set()
    for name, fields in STAGED.items():
        pairs = [(one.partition("=")[0], one.partition("=")[2] or one) for one in fields.split()]
        merged = ", merged_into_id" if BY_RECORDS[name].merges else ""
        columns = ", ".join(staged for _, staged in pairs)
        rows = query(landed, f"select source_id, is_deleted, {columns}{merged} from staging.stg_salesforce__{name}")
        truth = {row["source_id"]: row for row in in_the_world(world, name)}
        assert truth.keys() <= {row[0] for row in rows}
        assert len(rows) == query(landed, f"select count(distinct source_id) from raw_salesforce.{name}")[0][0]
        for key, gone, *values in rows:
            if key not in truth:  # forgotten meanwhile
                assert gone
                continue
            kinds.add((name, truth[key]["state"]))
            assert gone == (truth[key]["state"] != "live"), (name, key)
            for (field, staged), value in zip(pairs, values, strict=False):
                assert same_value(value, content(truth[key])[field]), (name, key, staged)
            if merged:
                assert (values[-1] or "") == truth[key]["merged_into"]
    assert {(name, "merged") for name in ("contacts", "leads", "accounts")} <= kinds
    assert {(name, "deleted") for name in ("contacts", "leads", "opportunities", "campaign_members")} <= kinds
