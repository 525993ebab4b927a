"""The sandbox: a world that is the same everywhere, with documented differences, behind real protocols."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from pathlib import Path

import openpyxl
import phonenumbers
import psycopg
import pyarrow.parquet as pq
import pytest
import yaml

from operate import clock
from operate.environment import PROJECT_ROOT, get_environment
from operate.errors import UserError
from sandbox import server
from sandbox.contract import read_contract
from sandbox.differences import person_record, slip
from sandbox.faults import set_fault
from sandbox.rates import DIFFERENCES, OBJECTS, PERSON_OBJECTS, PHONE_FORMATS, SYSTEMS, Dice, rates_table
from sandbox.spreadsheets import SHEETS
from sandbox.tick import tick
from sandbox.world import START, create_world, fingerprint, iso, opened, truth

SMALL = 250
CANONICAL_FIELDS = """
full_name given_name middle_name family_name name_suffix email email_2 phone mobile address street street_2
city region postal_code country date_of_birth national_id company_name job_title website external_ids
created_at updated_at
"""


def environment_in(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("C360_VAR", str(folder))
    return get_environment("sandbox").create()


@pytest.fixture(scope="module")
def module_monkeypatch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def town(tmp_path_factory, module_monkeypatch):
    """A world of 2,000 people at day 0 that nothing changes: the one `make demo` has."""
    environment = environment_in(tmp_path_factory.mktemp("town"), module_monkeypatch)
    create_world(environment, 2000, 360)
    return environment


@pytest.fixture(scope="module")
def serving(tmp_path_factory, module_monkeypatch):
    """A small sandbox that serves."""
    environment = environment_in(tmp_path_factory.mktemp("serving"), module_monkeypatch)
    with server.ensure_running(environment, SMALL, 361) as contract:
        yield environment, contract


class Api:
    """A plain client of the emulator, with nothing of its code."""

    def __init__(self, contract: dict) -> None:
        self.base = contract["sources"]["hubspot"]["base_url"]
        self.token = contract["sources"]["hubspot"]["credentials"]["access_token"]
        self.tls = ssl.create_default_context(cafile=contract["ca_file"])

    def call(self, path: str, body: dict | None = None, token: str | None = None):
        """(status, headers, parsed body) of a request."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data)
        if token != "":
            request.add_header("Authorization", f"Bearer {token or self.token}")
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=20) as answer:
                return answer.status, answer.headers, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, error.headers, json.load(error)

    def ok(self, path: str, body: dict | None = None) -> dict:
        status, _, answer = self.call(path, body)
        assert status == 200, answer
        return answer

    def every_contact(self, archived: bool = False, properties: str = "email,hs_merged_object_ids") -> list[dict]:
        contacts, after = [], None
        while True:
            path = f"/crm/v3/objects/contacts?limit=100&properties={properties}&archived={str(archived).lower()}"
            page = self.ok(path + (f"&after={after}" if after else ""))
            contacts += page["results"]
            after = page.get("paging", {}).get("next", {}).get("after")
            if after is None:
                return contacts


# ---------- the world
def test_same_people_and_seed_give_the_same_world(tmp_path, monkeypatch):
    prints = []
    for name, hashing in (("a", "0"), ("b", "12345")):
        code = (
            "from operate.environment import get_environment as g; from sandbox.world import *;"
            "e = g('sandbox').create(); create_world(e, 120, 360); print(fingerprint(e))"
        )
        variables = {
            **os.environ,
            "C360_VAR": str(tmp_path / name),
            "PYTHONHASHSEED": hashing,
            "TZ": "Asia/Tokyo",
        }
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=PROJECT_ROOT,
            env=variables,
            check=True,
            capture_output=True,
            text=True,
        )
        prints.append(done.stdout)
    assert prints[0] == prints[1]
    other = environment_in(tmp_path / "c", monkeypatch)
    create_world(other, 120, 361)
    assert fingerprint(other) not in prints[0]


def test_ticks_are_the_same_everywhere(tmp_path, monkeypatch):
    outcomes = []
    for name in ("a", "b"):
        environment = environment_in(tmp_path / name, monkeypatch)
        create_world(environment, 120, 360)
        tick(environment, 2)
        files = {sheet.file: (environment.inbox / sheet.file).read_bytes() for sheet in SHEETS}
        outcomes.append((fingerprint(environment), files))
    assert outcomes[0] == outcomes[1]


def test_a_larger_world_has_the_same_first_people(tmp_path, monkeypatch, town):
    small = environment_in(tmp_path, monkeypatch)
    create_world(small, 100, 360)
    sql = "select truth from people where entity_id <= 'P000060' order by entity_id"
    with opened(small) as one, opened(town) as other:
        names = [
            [(json.loads(row[0])["given_name"], json.loads(row[0])["birth_date"]) for row in world.rows(sql)]
            for world in (one, other)
        ]
    assert len(names[0]) == 60
    assert names[0] == names[1]


def test_only_emulated_environments_get_a_world(tmp_path, monkeypatch):
    monkeypatch.setenv("C360_VAR", str(tmp_path))
    for name in ("prod", "trial"):
        environment = get_environment(name).create()
        with pytest.raises(UserError, match="emulated"):
            create_world(environment, 100)
        with pytest.raises(UserError, match="emulated"), server.ensure_running(environment):
            pass
        assert not environment.clock.exists()
        assert not any(environment.inbox.iterdir())


def test_every_rate_is_met(town):
    with opened(town) as world:
        rolls = {(row["system"], row["difference"]): row for row in world.rows("select * from rolls")}
    for difference in DIFFERENCES:
        for system, rate in zip(SYSTEMS, difference.rates, strict=True):
            if rate is None:
                assert (system, difference.name) not in rolls, f"{difference.name} is not for {system}"
                continue
            row = rolls[system, difference.name]
            share = row["applied"] / row["eligible"]
            tolerance = 4 * math.sqrt(rate * (1 - rate) / row["eligible"]) + 1 / row["eligible"]
            assert abs(share - rate) <= tolerance, f"{difference.name} in {system}: {share:.3f}, not {rate}"


def test_a_rate_roll_follows_the_table():
    """The counters above are only worth as much as the dice: rates 0, 1 and in between are kept."""
    import random

    dice = Dice("hubspot", random.Random("dice"))
    hits = sum(dice.roll("missing_email") for _ in range(20_000))
    assert abs(hits / 20_000 - 0.03) < 0.005
    chosen = Counter(dice.choose(PHONE_FORMATS) for _ in range(20_000))
    assert abs(chosen["phone_e164"] / 20_000 - 0.40) < 0.02


def test_differences_are_really_in_the_records(town):
    """Measured on the records against the truth, without the generator's own counters."""
    seen, of = Counter(), Counter()
    with opened(town) as world:
        people = {row["entity_id"]: json.loads(row["truth"]) for row in world.rows("select * from people")}
        for row in world.rows("select * from records where entity_id like 'P%'"):
            if (row["system"], row["object"]) not in OBJECTS.items():
                continue
            person, fields, system = people[row["entity_id"]], json.loads(row["fields"]), row["system"]
            of[system] += 1
            seen[system, "no e-mail"] += "@" not in fields["email"]
            seen[system, "work e-mail"] += fields["email"] == person["work_email"] != ""
            seen[system, "junk e-mail"] += fields["email"] in ("test@test.com", "none@none.com", "n/a")
            seen[system, "family phone"] += _digits(fields["phone"])[-8:] == person["family_phone"][-8:] != ""
            seen[system, "capitals"] += fields["family_name"].isupper() and len(fields["family_name"]) > 2
            seen[system, "1900"] += fields["birth_date"].startswith("1900")
            seen[system, "other given name"] += bool(
                fields["given_name"]
                and fields["given_name"].strip().split(" ")[0].lower() != person["given_name"].split(" ")[0].lower()
            )
            seen[system, "maiden"] += person["maiden_name"].lower() == fields["family_name"].strip().lower() != ""
            seen[system, "old address"] += bool(
                person["old_address"] and fields["postal_code"] == person["old_address"]["postal_code"]
            )

    def share(system: str, what: str) -> float:
        return seen[system, what] / of[system]

    assert 0.02 < share("hubspot", "no e-mail") < 0.08  # 3 % and those refused a doubled e-mail
    assert 0.30 < share("erp", "no e-mail") < 0.45
    assert 0.15 < share("hubspot", "work e-mail") < 0.30  # half of the 45 % who work
    assert 0.005 < share("branch_office", "junk e-mail") < 0.07
    assert 0.03 < share("erp", "family phone") < 0.25
    assert 0.20 < share("erp", "capitals") < 0.32
    assert 0.003 < share("erp", "1900") < 0.025
    for system in SYSTEMS:
        assert 0.03 < share(system, "other given name") < 0.30
        assert share(system, "maiden") > 0
        assert share(system, "old address") > 0


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def test_true_phones_are_valid_and_slips_change_one_place(town):
    import random

    with opened(town) as world:
        for row in world.rows("select country, truth from people"):
            number = phonenumbers.parse(json.loads(row["truth"])["mobile"])
            assert phonenumbers.is_valid_number(number)
            assert row["country"] in phonenumbers.region_codes_for_country_code(number.country_code)
    rng = random.Random(1)
    for word in ("Müller", "katherine", "Li", "O'Neil"):
        for _ in range(50):
            assert abs(len(slip(word, rng)) - len(word)) <= 1


def test_hubspot_never_has_two_contacts_with_one_email(town):
    with opened(town) as world:
        rows = world.rows(
            "select fields from records where system = 'hubspot' and object = 'contacts' and state = 'live'"
        )
    emails = Counter(json.loads(row["fields"])["email"].lower() for row in rows)
    assert {email: count for email, count in emails.items() if count > 1 and "@" in email} == {}


def test_people_are_shared_between_systems_and_doubled_within(town):
    systems_of, per_system = defaultdict(set), Counter()
    for system, source_object, _, entity in truth(town):
        assert (system, source_object) in PERSON_OBJECTS
        systems_of[entity].add(system)
        per_system[system, entity] += 1
    assert sum(len(systems) > 1 for systems in systems_of.values()) > 1000
    assert {system for (system, _), count in per_system.items() if count > 1} == set(SYSTEMS)
    assert any(entity.startswith("C") for entity in systems_of)


def test_page_and_code_hold_the_same_rates():
    page = (PROJECT_ROOT / "docs" / "sandbox_world.md").read_text(encoding="utf-8")
    assert rates_table() in page, "run `python -m sandbox.rates` and put its table into docs/sandbox_world.md"


# ---------- HubSpot
def test_listing_pages_through_every_live_contact(serving):
    environment, contract = serving
    api = Api(contract)
    assert len(api.ok("/crm/v3/objects/contacts")["results"]) == 10
    contacts = api.every_contact()
    ids = [contact["id"] for contact in contacts]
    assert sorted(ids) == sorted(row[2] for row in truth(environment) if row[0] == "hubspot")
    assert len(ids) == len(set(ids))
    for contact in contacts:
        assert all(value is None or isinstance(value, str) for value in contact["properties"].values())
        assert contact["properties"]["hs_object_id"] == contact["id"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", contact["updatedAt"])
        assert contact["createdAt"] <= contact["updatedAt"] <= iso(clock.now(environment))
    assert api.call("/crm/v3/objects/contacts?limit=101")[0] == 400
    one = api.ok(f"/crm/v3/objects/contacts/{ids[0]}?properties=phone&properties=zip")
    assert {"phone", "zip"} <= set(one["properties"])
    assert api.call("/crm/v3/objects/contacts/1")[0] == 404
    names = {one["name"]: one["type"] for one in api.ok("/crm/v3/properties/contacts")["results"]}
    assert names["lastmodifieddate"] == "datetime"
    assert {"hs_additional_emails", "hs_email_optout", "hs_merged_object_ids", "date_of_birth"} <= set(names)


def test_only_the_right_token_gets_in(serving):
    api = Api(serving[1])
    for token in ("", "wrong"):
        status, _, body = api.call("/crm/v3/objects/contacts", token=token)
        assert status == 401
        assert set(body) == {"status", "message", "correlationId", "category"}
        assert (body["status"], body["category"]) == ("error", "INVALID_AUTHENTICATION")
    with pytest.raises(urllib.error.URLError):  # an unknown authority is no authority
        urllib.request.urlopen(api.base, context=ssl.create_default_context())


def test_search_windows_by_time_and_id(serving):
    api = Api(serving[1])
    contacts = {contact["id"]: contact for contact in api.every_contact()}
    times = sorted(contact["updatedAt"] for contact in contacts.values())
    middle = times[len(times) // 2]
    found, after = [], None
    while True:
        body = {
            "filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": middle}]}],
            "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
            "limit": 50,
        }
        page = api.ok("/crm/v3/objects/contacts/search", body | ({"after": after} if after else {}))
        found += page["results"]
        after = page.get("paging", {}).get("next", {}).get("after")
        if after is None:
            break
    expected = {contact["id"] for contact in contacts.values() if contact["updatedAt"] >= middle}
    assert page["total"] == len(found) == len(expected)
    assert {contact["id"] for contact in found} == expected
    assert [contact["updatedAt"] for contact in found] == sorted(contact["updatedAt"] for contact in found)
    one = next(contact for contact in contacts.values() if contact["properties"]["email"])

    def total(*filters: dict) -> int:
        return api.ok("/crm/v3/objects/contacts/search", {"filterGroups": [{"filters": list(filters)}]})["total"]

    email = one["properties"]["email"]
    assert total({"propertyName": "email", "operator": "EQ", "value": email.upper()}) == 1
    assert total({"propertyName": "email", "operator": "IN", "values": [email, "nobody@nowhere.test"]}) == 1
    with_email = total({"propertyName": "email", "operator": "HAS_PROPERTY"})
    assert with_email + total({"propertyName": "email", "operator": "NOT_HAS_PROPERTY"}) == len(contacts)
    assert total({"propertyName": "hs_object_id", "operator": "GT", "value": max(contacts)}) == 0
    milliseconds = str(int(START.timestamp() * 1000))
    assert total({"propertyName": "lastmodifieddate", "operator": "GT", "value": milliseconds}) == 0
    assert total({"propertyName": "lastmodifieddate", "operator": "LTE", "value": milliseconds}) == len(contacts)
    for bad in (
        {"propertyName": "shoe_size", "operator": "EQ", "value": "1"},
        {"propertyName": "email", "operator": "SOUNDS_LIKE", "value": "x"},
    ):
        status, _, answer = api.call("/crm/v3/objects/contacts/search", {"filterGroups": [{"filters": [bad]}]})
        assert (status, answer["category"]) == (400, "VALIDATION_ERROR")
    assert api.call("/crm/v3/objects/contacts/search", {"limit": 201})[0] == 400


def test_search_stops_at_ten_thousand(serving):
    environment, contract = serving
    api = Api(contract)
    with opened(environment) as world, world.transaction():
        world.connection.executemany(
            "insert into records select system, object, ?, ?, entity_id, state, '', '', '', fields, '', created_at,"
            " created_at, '', 0 from records where system = 'hubspot' and object = 'contacts' and seq ="
            " (select min(seq) from records where system = 'hubspot' and object = 'contacts' and state = 'live')",
            [(f"9{number:09d}", 9_000_000_000 + number) for number in range(10_100)],
        )
    try:
        last = api.ok("/crm/v3/objects/contacts/search", {"limit": 200, "after": "9800"})
        assert last["total"] > 10_000
        assert len(last["results"]) == 200
        status, _, body = api.call("/crm/v3/objects/contacts/search", {"limit": 200, "after": "10000"})
        assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    finally:
        with opened(environment) as world, world.transaction():
            world.connection.execute("delete from records where system = 'hubspot' and source_id like '9_________'")


def test_a_merge_makes_a_new_id_that_both_old_ones_lead_to(serving):
    environment, contract = serving
    api = Api(contract)
    first, second, third = [contact["id"] for contact in api.every_contact()[:3]]
    merged = api.ok("/crm/v3/objects/contacts/merge", {"primaryObjectId": first, "objectIdToMerge": second})["id"]
    assert merged not in (first, second)
    again = api.ok("/crm/v3/objects/contacts/merge", {"primaryObjectId": merged, "objectIdToMerge": third})["id"]
    listed = {contact["id"]: contact for contact in api.every_contact()}
    assert again in listed
    assert not {first, second, third, merged} & set(listed)
    assert listed[again]["properties"]["hs_merged_object_ids"].split(";") == [first, second, merged, third]
    assert listed[again]["updatedAt"] >= iso(clock.now(environment))  # two merges never share a time
    for old in (first, second, third, merged):
        path = f"/crm/v3/objects/contacts/{old}?properties=hs_calculated_merged_vids"
        answer = api.ok(path)
        assert answer["id"] == again
        assert len(answer["properties"]["hs_calculated_merged_vids"].split(";")) == 4
    status, _, _ = api.call("/crm/v3/objects/contacts/merge", {"primaryObjectId": first, "objectIdToMerge": "7"})
    assert status == 400


def test_faults_come_as_ordered_and_go(serving):
    environment, contract = serving
    api = Api(contract)
    path = "/crm/v3/objects/contacts?limit=1"
    set_fault(environment, "hubspot", "500", times=5)
    assert [api.call(path)[0] for _ in range(6)] == [500] * 5 + [200]
    set_fault(environment, "hubspot", "429", seconds=2)
    status, headers, body = api.call(path)
    assert (status, headers["Retry-After"], body["category"]) == (429, "2", "RATE_LIMITS")
    set_fault(environment, "hubspot", "401")
    assert api.call(path)[2]["category"] == "INVALID_AUTHENTICATION"
    set_fault(environment, "hubspot", "invalid_json")
    with pytest.raises(json.JSONDecodeError):
        api.call(path)
    set_fault(environment, "hubspot", "slow", seconds=0.6)
    started = time.monotonic()
    assert api.call(path)[0] == 200
    assert time.monotonic() - started >= 0.6
    set_fault(environment, "hubspot", "500", times=50)
    set_fault(environment, "hubspot", "none")
    assert api.call(path)[0] == 200
    for source, kind in (("erp", "429"), ("hubspot", "418"), ("shop", "500")):
        with pytest.raises(UserError):
            set_fault(environment, source, kind)


# ---------- a day passes
def test_a_day_touches_about_one_record_in_a_hundred(tmp_path, monkeypatch):
    environment = environment_in(tmp_path, monkeypatch)
    create_world(environment, 2000, 360)
    with opened(environment) as world:
        live = {system: world.live_count(system) for system in SYSTEMS}
    counts = tick(environment)[0].counts
    for system in SYSTEMS:
        kinds = ("new", "changed", "merged", "deleted") if system != "stripe" else ("new", "changed", "deleted")
        per_kind = {kind: counts[system, kind] for kind in kinds}
        assert all(per_kind.values()), f"{system}: {per_kind}"
        assert 0.005 < sum(per_kind.values()) / live[system] < 0.025, f"{system}: {per_kind} of {live[system]}"
    assert all(counts["erp", f"invoices {kind}"] for kind in ("new", "changed", "deleted"))
    with opened(environment) as world:
        moments = world.rows("select updated_at from records where changed_day = 1")
    assert all(iso(START) < row["updated_at"] <= iso(clock.now(environment)) for row in moments)


def _outside(environment, contract) -> dict[str, dict[str, tuple]]:
    """What each system shows: id -> content. Read through its own protocol."""
    properties = "firstname,lastname,email,phone,mobilephone,address,zip,company,date_of_birth"
    contacts = Api(contract).every_contact(properties=properties)
    shown = {"hubspot": {one["id"]: tuple(one["properties"].values()) for one in contacts}}
    with psycopg.connect(contract["sources"]["erp"]["dsn"]) as connection:
        for table in ("customers", "invoices"):
            shown[table] = {row[0]: row[1:] for row in connection.execute(f"select * from {table}")}
    with open(environment.inbox / "event_signups.csv", encoding="utf-8-sig", newline="") as handle:
        shown["event_signups"] = {row[0]: tuple(row[1:]) for row in list(csv.reader(handle))[1:]}
    book = openpyxl.load_workbook(environment.inbox / "branch_customers.xlsx", read_only=True)
    shown["branch_office"] = {row[0]: row[1:] for row in list(book.active.iter_rows(values_only=True))[1:]}
    book.close()
    table = pq.read_table(environment.inbox / "legacy_crm.parquet").to_pylist()
    shown["legacy_crm"] = {row["person_no"]: tuple(row.values()) for row in table}
    return shown


def test_a_tick_changes_every_system_in_every_way(serving):
    environment, contract = serving
    before, now = _outside(environment, contract), clock.now(environment)
    days = tick(environment, 3)  # three, so that a pair entered on the first day can be merged on the next
    after = _outside(environment, contract)
    assert (clock.now(environment) - now).days == 3
    for name in ("hubspot", "customers", "invoices", "event_signups", "branch_office", "legacy_crm"):
        old, new = before[name], after[name]
        assert set(new) - set(old), f"{name}: nothing new"
        assert set(old) - set(new), f"{name}: nothing gone"
        changed = [one for one in set(old) & set(new) if old[one] != new[one]]
        assert changed, f"{name}: nothing changed"
        untouched = 1 - (len(changed) + len(set(old) - set(new))) / len(old)
        assert untouched > 0.7, f"{name}: only {untouched:.0%} stayed as it was"
    merged = {system: sum(day.counts[system, "merged"] for day in days) for system in SYSTEMS if system != "stripe"}
    assert all(merged.values()), merged
    archived = Api(contract).every_contact(archived=True)
    assert archived and all(contact["archived"] and contact["archivedAt"] for contact in archived)
    assert not {contact["id"] for contact in archived} & set(after["hubspot"])
    live = {row[2] for row in truth(environment) if row[:2] == ("erp", "customers")}
    losers = {one: row for one, row in after["customers"].items() if row[11] is not None}
    assert losers and set(after["customers"]) == live | set(losers)
    assert not {row[0] for row in after["invoices"].values()} & set(losers), "a loser still has invoices"
    assert {row[0] for row in after["invoices"].values()} <= set(after["customers"])


def test_postgres_catches_up_with_days_it_slept_through(tmp_path, monkeypatch):
    environment = environment_in(tmp_path, monkeypatch)
    with server.ensure_running(environment, SMALL, 360) as contract:
        assert _outside(environment, contract)["customers"]
    tick(environment, 1)
    with server.ensure_running(environment) as contract:
        shown = _outside(environment, contract)
    with opened(environment) as world:
        ids = {row[0] for row in world.rows("select source_id from records where system = 'erp' and"
                                            " object = 'customers' and state in ('live', 'merged')")}  # fmt: skip
        live = {system: world.live_count(system) for system in SYSTEMS}
    assert set(shown["customers"]) == ids
    for system in ("hubspot", "event_signups", "branch_office", "legacy_crm"):
        assert len(shown[system]) == live[system]


def test_spreadsheets_follow_the_inbox_contract(serving):
    environment, contract = serving
    fields = set(CANONICAL_FIELDS.split())
    shown = _outside(environment, contract)
    for sheet in SHEETS:
        mapping = yaml.safe_load((environment.inbox / sheet.file).with_suffix(".yml").read_text(encoding="utf-8"))
        assert set(mapping) == {
            "source_system", "key", "columns", "default_country", "date_format", "timezone"
        }  # fmt: skip
        assert set(mapping["columns"].values()) <= fields
        assert mapping["key"] not in mapping["columns"]
        ids = set(shown[mapping["source_system"]])
        assert ids == {row[2] for row in truth(environment) if row[0] == mapping["source_system"]}
    assert any(one.startswith("0") for one in shown["branch_office"])
    assert all(isinstance(one, str) for one in shown["branch_office"])


# ---------- processes
def _processes_of(folder: Path) -> list[int]:
    """Processes whose command line or environment names `folder`, and PostgreSQL servers below them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if int(entry.name) != os.getpid() and any(
                str(folder).encode() in (entry / name).read_bytes() for name in ("cmdline", "environ")
            ):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc to find processes")
@pytest.mark.parametrize("victim", ["owner", "server"])
def test_nothing_is_left_after_a_kill(tmp_path, monkeypatch, victim):
    environment = environment_in(tmp_path, monkeypatch)
    code = (
        "from operate.environment import get_environment as g; from sandbox.server import *; import time\n"
        "with ensure_running(g('sandbox'), 60, 1): print('up', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout.readline() == "up\n"
    assert server.running(environment)
    assert len(_processes_of(tmp_path)) >= 3  # owner, server, PostgreSQL
    os.kill(owner.pid if victim == "owner" else read_contract(environment)["pid"], signal.SIGKILL)
    if victim == "owner":
        owner.wait()
    _until(lambda: not server.running(environment))
    _until(lambda: set(_processes_of(tmp_path)) <= {owner.pid})
    owner.kill()
    owner.wait()
    if victim == "server":  # it could not tidy up: its sandbox.json fools nobody and the next start works
        assert environment.sandbox_contract.exists()
    with server.ensure_running(environment) as contract:
        assert Api(contract).ok("/crm/v3/objects/contacts")["results"]
    _until(lambda: not _processes_of(tmp_path))
    assert not environment.sandbox_contract.exists()


def _until(condition, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "still not so after 15 seconds"
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc to find processes")
def test_ctrl_c_ends_a_sandbox_in_the_foreground(tmp_path, monkeypatch):
    environment = environment_in(tmp_path, monkeypatch)
    command = [sys.executable, "-m", "sandbox.cli", "start", "--people", "60"]
    shell = subprocess.Popen(
        command,
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # As in a terminal: a test run in the background of a script inherits that Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert "sandbox.json" in shell.stdout.readline()
    _until(lambda: server.running(environment))
    os.killpg(shell.pid, signal.SIGINT)
    assert shell.wait(15) == 0
    _until(lambda: not _processes_of(tmp_path), 5)


def test_detached_shared_refused_stopped_reset(tmp_path, monkeypatch):
    environment = environment_in(tmp_path, monkeypatch)
    own = environment.inbox / "ours.csv"
    own.write_text("id\n1\n")
    contract = server.start_detached(environment, 60, 5)
    try:
        assert contract["schema"] == 1
        assert contract["webhooks"] == {}
        with pytest.raises(UserError, match="runs already"):
            server.start_detached(environment)
        with server.ensure_running(environment) as shared:
            assert shared == contract
        assert server.running(environment)  # sharing does not end it
        with pytest.raises(UserError, match="reset"), server.ensure_running(environment, people=61):
            pass
    finally:
        assert server.stop(environment)
    assert not server.running(environment)
    assert not server.stop(environment)
    server.reset(environment)
    assert not environment.sandbox.exists()
    assert not environment.clock.exists()
    assert [path.name for path in environment.inbox.iterdir()] == ["ours.csv"]


def test_the_last_user_ends_it_not_the_first(tmp_path, monkeypatch):
    environment = environment_in(tmp_path, monkeypatch)
    first = server.ensure_running(environment, 60, 5)
    first.__enter__()
    code = (
        "from operate.environment import get_environment as g; from sandbox.server import *; import sys\n"
        "with ensure_running(g('sandbox')): print('up', flush=True); sys.stdin.readline()"
    )
    second = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert second.stdout.readline() == "up\n"
    first.__exit__(None, None, None)
    assert server.running(environment)
    time.sleep(0.6)
    assert server.running(environment)
    second.communicate("\n")
    _until(lambda: not server.running(environment))


def test_records_of_one_person_differ_only_by_known_fields(town):
    """A record without any difference rolled is the truth itself, field by field."""
    import random

    class Honest(Dice):
        def roll(self, name: str) -> bool:
            return False

    with opened(town) as world:
        person = world.person("P000001")
    record = person_record(person, Honest("legacy_crm", random.Random(1)))
    assert (record["given_name"], record["family_name"]) == (person.given_name, person.family_name)
    assert record["email"] == person.email
    assert record["birth_date"] == person.birth_date
    assert record["address"] == person.address.line()
    assert phonenumbers.format_number(
        phonenumbers.parse(record["phone"], person.country), phonenumbers.PhoneNumberFormat.E164
    ) == person.mobile  # fmt: skip
