"""Landing as a whole: the raw contract, HubSpot and the ERP against the emulators, and failures.

Each test lands into an environment of its own; the emulators (HubSpot's API over TLS, a real PostgreSQL)
run once for the module, in another one.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dlt
import duckdb
import pytest
import yaml
from click.testing import CliRunner
from fixtures_landing import (
    OBJECTS,
    books_balance,
    counts,
    environment_fixture,  # noqa: F401 (a fixture)
    follow,
    good,
    land,
    query,
    tick,
    world_fixture,  # noqa: F401 (a fixture)
)

from ingest import erp, facts, hubspot, landing
from ingest.cli import ingest
from ingest.objects import Object
from ingest.settings import load_sources
from operate import clock
from operate.environment import PROJECT_ROOT, Environment, get_environment
from operate.errors import UserError

# -------------------------------------------------------------------- helpers


def live(environment: Environment, table: str) -> list[str]:
    """Ids whose newest landed version is not deleted, as staging would choose it."""
    rows = query(
        environment,
        f"select source_id from (from raw_{table} qualify row_number() over (partition by source_id order by "
        "source_updated_at desc, _dlt_load_id desc, content_hash desc) = 1) where not is_deleted order by 1",
    )
    return [row[0] for row in rows]


def write_sources(folder: Path, monkeypatch: pytest.MonkeyPatch, **sources: object) -> None:
    """A sources.yml of the test's own; sources that are not given are off."""
    path = folder / "sources.yml"
    path.write_text(yaml.safe_dump({"default": sources}), encoding="utf-8")
    monkeypatch.setenv("C360_SOURCES", str(path))


# -------------------------------------------------------------------- the raw contract


def declared_tables() -> dict[str, dict[str, str]]:
    tables = {}
    for path in sorted((PROJECT_ROOT / "models" / "staging").glob("raw_*.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            for table in source["tables"]:
                name = f"{source['schema']}.{table['name']}"
                tables[name] = {column["name"]: column["data_type"] for column in table["columns"]}
    return tables


def create_declared_tables(environment: Environment) -> None:
    """Every raw table, empty, as dbt's on-run-start hook makes them."""
    with duckdb.connect(str(environment.warehouse)) as connection:
        for name, columns in declared_tables().items():
            connection.execute(f"create schema if not exists {name.partition('.')[0]}")
            connection.execute(f"create table {name} ({', '.join(f'{k} {v}' for k, v in columns.items())})")


def test_the_objects_are_the_raw_contract_column_by_column():
    landed = {
        f"{described.dataset}.{described.name}": {c.name: c.warehouse_type for c in described.columns}
        for described in OBJECTS
    }
    landed |= {
        f"{facts.DATASET}.{table}": {c.name: c.warehouse_type for c in columns}
        for table, columns in facts.FACTS.items()
    }
    declared = {name: columns for name, columns in declared_tables().items() if not name.endswith("_dlt_loads")}
    assert landed == declared
    assert [list(columns) for columns in landed.values()] == [list(declared[name]) for name in landed]


def test_the_loader_shown_in_the_raw_contract_works(tmp_path, monkeypatch):
    monkeypatch.setenv("C360_VAR", str(tmp_path))
    environment = get_environment("trial").create()
    create_declared_tables(environment)
    text = (PROJECT_ROOT / "docs" / "raw_contract.md").read_text(encoding="utf-8")
    loader = text.partition("```sql\n")[2].partition("```")[0]
    with duckdb.connect(str(environment.warehouse)) as connection:
        connection.execute("create schema airbyte")
        connection.execute(
            "create table airbyte.contacts as select '1' as id, 'Ada' as firstname, 'Byron' as lastname, 'a@b.test' as "
            "email, '1' as phone, '2026-01-01T00:00:00Z' as lastmodifieddate, null::varchar as _ab_cdc_deleted_at"
        )
        for statement in (
            "select 1",
            "select 1",
            "update airbyte.contacts set _ab_cdc_deleted_at = '2026-01-02T00:00:00Z'",
        ):
            connection.execute(statement)
            connection.execute(loader)
    assert query(
        environment, "select firstname, is_deleted, source_updated_at from raw_hubspot.contacts order by _dlt_load_id"
    ) == [("Ada", False, datetime(2026, 1, 1)), ("Ada", True, datetime(2026, 1, 2))]
    assert live(environment, "hubspot.contacts") == []


# -------------------------------------------------------------------- the command


def test_the_command_lands_tells_and_exits_by_the_outcome(tmp_path, monkeypatch):
    monkeypatch.setenv("C360_VAR", str(tmp_path))
    monkeypatch.setenv("C360_ENV", "trial")
    environment = get_environment("trial").create()
    assert "nothing landed yet" in CliRunner().invoke(ingest, ["status", "--env", "trial"]).output
    (environment.inbox / "club.csv").write_text("No,Name\n1,Ada\n", encoding="utf-8")
    refused = CliRunner().invoke(ingest, ["run", "--env", "trial"])
    assert refused.exit_code == 1
    assert "club.yml is missing" in refused.output
    text = "{source_system: club, key: No, columns: {Name: full_name}}"
    (environment.inbox / "club.yml").write_text(text, encoding="utf-8")
    landed = CliRunner().invoke(ingest, ["run", "--env", "trial", "--sources", "spreadsheets"])
    assert landed.exit_code == 0
    assert "club people: 1 served, 1 landed (0 deletions), 0 unchanged, 0 rejected" in landed.output
    status = CliRunner().invoke(ingest, ["status", "--env", "trial"]).output.splitlines()
    assert [line.split()[:3] for line in status[1:3]] == [
        ["club", "people", "ok"],
        ["spreadsheets", "people", "failed"],
    ]
    # Nothing holds the warehouse: whoever opens it next may do so in his own way.
    duckdb.connect(str(environment.warehouse), config={"threads": "1", "access_mode": "read_only"}).close()


# -------------------------------------------------------------------- the emulators


def in_the_world(world: Environment, state: str) -> list[str]:
    from sandbox.world import opened

    with opened(world) as content:
        rows = content.rows(
            "select source_id from records where system = 'hubspot' and object = 'contacts' and state = ?"
            " order by source_id",
            (state,),
        )
    return [row[0] for row in rows]


def merge(world: Environment, primary: str, other: str) -> str:
    """Merge two contacts by the API a day later; returns the id of the new contact."""
    import requests

    clock.advance(world, timedelta(hours=1))
    contract = json.loads(world.sandbox_contract.read_text(encoding="utf-8"))
    source = contract["sources"]["hubspot"]
    session = requests.Session()
    session.trust_env = False
    answer = session.post(
        f"{source['base_url']}/crm/v3/objects/contacts/merge",
        json={"primaryObjectId": primary, "objectIdToMerge": other},
        headers={"Authorization": f"Bearer {source['credentials']['access_token']}"},
        verify=contract["ca_file"],
        timeout=10,
    )
    answer.raise_for_status()
    return answer.json()["id"]


# -------------------------------------------------------------------- hubspot


def test_hubspot_lands_all_then_only_what_changed(world, environment, monkeypatch):
    monkeypatch.setattr(hubspot, "LIST_LIMIT", 7)  # several pages of a small world
    contacts = in_the_world(world, "live")
    first = counts(good(environment, "hubspot"), "contacts")
    assert live(environment, "hubspot.contacts") == contacts
    assert first.landed == len(contacts) + len(in_the_world(world, "archived"))

    again = counts(good(environment, "hubspot"), "contacts")
    assert (again.landed, again.rejected) == (0, 0)

    moved = tick(world, environment)
    second = counts(good(environment, "hubspot"), "contacts")
    fresh = moved["hubspot", "changed"] + moved["hubspot", "new"] + moved["hubspot", "merged"]
    ended = moved["hubspot", "deleted"] + 2 * moved["hubspot", "merged"]
    assert moved["hubspot", "changed"] and moved["hubspot", "deleted"] and moved["hubspot", "merged"]
    assert second.deleted == ended
    assert second.landed >= fresh + ended  # and contacts whose company or deals changed
    assert second.served < len(contacts) / 2  # only what changed was asked for
    assert live(environment, "hubspot.contacts") == in_the_world(world, "live")
    books_balance(environment)


def test_hubspot_archived_contacts_are_deletions_once(world, environment):
    good(environment, "hubspot")
    tick(world, environment)
    for _ in range(2):
        good(environment, "hubspot")
    archived = in_the_world(world, "archived")
    rows = query(
        environment,
        "select source_id, deleted_at from raw_ingest.record_deletions where source_system = 'hubspot'"
        " and source_object = 'contacts' order by 1",
    )
    assert [row[0] for row in rows] == archived
    tombstones = query(
        environment,
        f"select count(*) from raw_hubspot.contacts where is_deleted and source_id = '{archived[0]}'",
    )
    assert tombstones == [(1,)]


def test_hubspot_whole_list_finds_what_was_deleted_for_good(world, environment, monkeypatch, tmp_path):
    entry = yaml.safe_load((PROJECT_ROOT / "ingest" / "sources.yml").read_text(encoding="utf-8"))["sandbox"]["hubspot"]
    write_sources(tmp_path, monkeypatch, hubspot=entry | {"reconcile": "24h"})
    good(environment, "hubspot")
    with duckdb.connect(str(environment.warehouse)) as connection:  # landed once, unknown to HubSpot now
        connection.execute(
            "insert into raw_hubspot.contacts by name (select * replace ('1' as source_id) "
            "from raw_hubspot.contacts where not is_deleted limit 1)"
        )
    assert counts(good(environment, "hubspot"), "contacts").deleted == 0
    clock.advance(environment, timedelta(days=1))
    assert counts(good(environment, "hubspot"), "contacts").deleted == 1
    assert live(environment, "hubspot.contacts") == in_the_world(world, "live")
    assert query(environment, "select evidence from raw_ingest.record_deletions where source_id = '1'") == [
        ("neither listed nor archived",)
    ]


def test_hubspot_merges_end_both_ids_and_keep_every_hop(world, environment):
    good(environment, "hubspot")
    first, second, third = in_the_world(world, "live")[:3]
    middle = merge(world, first, second)
    follow(world, environment)
    good(environment, "hubspot")
    last = merge(world, middle, third)
    follow(world, environment)
    good(environment, "hubspot")

    hops = query(
        environment,
        "select loser_id, winner_id from raw_ingest.record_merges where source_system = 'hubspot'"
        " and source_object = 'contacts'",
    )
    assert {(first, middle), (second, middle), (middle, last), (third, last)} <= set(hops)
    assert len(hops) == len(set(hops))
    now_live = live(environment, "hubspot.contacts")
    assert last in now_live
    assert not {first, second, third, middle} & set(now_live)
    assert now_live == in_the_world(world, "live")
    # A full read that never saw the middle contact alive ends at the same place.
    shutil.rmtree(environment.dlt)
    environment.warehouse.unlink()
    good(environment, "hubspot")
    assert live(environment, "hubspot.contacts") == now_live
    again = query(environment, "select loser_id, winner_id from raw_ingest.record_merges")
    assert {(first, last), (second, last), (middle, last), (third, last)} <= set(again)


def test_hubspot_a_moment_that_fills_more_than_a_page_loses_nobody(world, environment, monkeypatch):
    from sandbox.world import iso, opened

    monkeypatch.setattr(hubspot, "SEARCH_LIMIT", 4)
    good(environment, "hubspot")
    clock.advance(world, timedelta(hours=1))
    follow(world, environment)
    contacts = in_the_world(world, "live")[:19]
    moments = [iso(clock.now(world) - timedelta(minutes=minutes)) for minutes in (3, 2, 1)]
    with opened(world) as content, content.transaction():
        for number, contact in enumerate(contacts):
            moment = moments[0] if number < 3 else moments[1] if number < 16 else moments[2]
            content.connection.execute(
                "update records set updated_at = ? where system = 'hubspot' and object = 'contacts' and source_id = ?",
                (moment, contact),
            )
    assert counts(good(environment, "hubspot"), "contacts").landed == len(contacts)
    assert counts(good(environment, "hubspot"), "contacts").landed == 0


def test_hubspot_waits_for_a_rate_limit_and_gets_over_passing_errors(world, environment):
    from sandbox.faults import set_fault

    set_fault(world, "hubspot", "429", times=2, seconds=1)
    started = time.monotonic()
    good(environment, "hubspot")
    assert time.monotonic() - started >= 2
    set_fault(world, "hubspot", "500", times=4)
    good(environment, "hubspot")


@pytest.mark.parametrize(
    ("kind", "times", "parts"),
    [
        ("401", 1, ["hubspot contacts: 401", "check the access token named in sources.yml"]),
        ("500", 5, ["hubspot contacts: 500 in 5 attempts", "run again later"]),
        ("invalid_json", 1, ["hubspot contacts: the answer is not valid JSON", "check that the address"]),
    ],
)
def test_hubspot_failures_are_named_recorded_and_stop_no_other_source(world, environment, kind, times, parts):
    from sandbox.faults import set_fault

    set_fault(world, "hubspot", kind, times=times)
    result = land(environment, "hubspot", "erp")
    assert {failure.source_object for failure in result.failures} == {"contacts", "companies", "deals", "associations"}
    [error] = {failure.error for failure in result.failures}
    for part in [*parts, "/crm/v3/properties/contacts"]:
        assert part in error
    assert "\n" not in error
    assert counts(result, "customers").landed > 0
    assert set(query(environment, "select error from raw_ingest.runs where outcome = 'failed'")) == {(error,)}
    assert not query(environment, "from duckdb_tables() where schema_name = 'raw_hubspot'")
    set_fault(world, "hubspot", "none")
    good(environment, "hubspot")
    assert live(environment, "hubspot.contacts") == in_the_world(world, "live")


def test_a_certificate_that_is_not_trusted_is_named(world, environment, monkeypatch, tmp_path):
    entry = {"enabled": True, "address": "${sandbox:hubspot.base_url}", "credentials": {"access_token": "x"}}
    write_sources(tmp_path, monkeypatch, hubspot=entry)
    [error] = {failure.error for failure in land(environment, "hubspot").failures}
    assert "the certificate is not trusted" in error
    assert "check ca_file" in error


# -------------------------------------------------------------------- hostile answers


class Hostile(BaseHTTPRequestHandler):
    """Contacts as no API should send them; search, archived list and everything else are empty."""

    pages: list[bytes] = []

    def do_GET(self):
        if "/properties/" in self.path:
            named = {column.name for described in hubspot.OBJECTS for column in described.fields}
            results = [{"name": name, "type": "string", "hubspotDefined": True} for name in sorted(named)]
            self._answer(json.dumps({"results": results}).encode())
            return
        if "/objects/contacts" not in self.path:
            self._answer(b'{"results": []}')
            return
        archived = "archived=true" in self.path
        number = int(self.path.partition("after=")[2] or 0) if "after=" in self.path else 0
        self._answer(b'{"results": []}' if archived else self.pages[number])

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b'{"results": [], "total": 0}')

    def _answer(self, body: bytes):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Environment]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("C360_VAR", str(tmp_path))
    address = f"http://127.0.0.1:{server.server_port}"
    entry = {"enabled": True, "address": address, "credentials": {"access_token": "${TOKEN_OF_A_TEST}"}}
    write_sources(tmp_path, monkeypatch, hubspot=entry)
    monkeypatch.setenv("TOKEN_OF_A_TEST", "secret")
    yield get_environment("trial").create()
    server.shutdown()
    server.server_close()


def test_rows_that_cannot_be_landed_are_rejects_with_the_reason(hostile):
    proper = '"lastmodifieddate": "2026-01-01T00:00:00.000Z"'
    Hostile.pages = [
        (
            '{"results": [{"id": "1", "properties": {%s, "firstname": "Zo\\u00eb", "phone": 4420, "city": null}}, '
            '"no object", {"id": "2"}, {"properties": {%s}}, {"id": " ", "properties": {%s}}, '
            '{"id": "3", "properties": {%s, "lastname": "nul \\u0000"}}], "paging": {"next": {"after": "1"}}}'
        )
        .replace("%s", proper)
        .encode(),
        (
            '{"results": [{"id": "4", "properties": {"lastmodifieddate": "yesterday"}}, '
            '{"id": "5", "properties": {"firstname": "x"}}, {"id": "6", "properties": {%s, "email": "\\ud800"}}, '
            '{"id": "7", "properties": {%s, "company": {"name": "n"}}}]}'
        )
        .replace("%s", proper)
        .encode(),
    ]
    read = counts(good(hostile, "hubspot"), "contacts")
    assert (read.served, read.landed, read.unchanged, read.rejected) == (10, 2, 0, 8)
    assert query(hostile, "select source_id, firstname, phone, company from raw_hubspot.contacts order by 1") == [
        ("1", "Zoë", "4420", None),
        ("7", None, None, '{"name": "n"}'),
    ]
    reasons = query(hostile, "select source_id, reason from raw_ingest.rejects")
    assert sorted(reasons, key=str) == [
        (" ", "the key is missing or blank"),
        ("2", "the row has no properties"),
        ("3", "a NUL character in lastname"),
        ("4", "the time of change (lastmodifieddate) cannot be read: yesterday"),
        ("5", "the time of change (lastmodifieddate) cannot be read: empty"),
        ("6", "the row holds text that is not valid Unicode"),
        (None, "the key is missing or blank"),
        (None, "the row is no JSON object"),
    ]
    books_balance(hostile)


def test_a_time_in_the_future_does_not_hide_the_changes_before_it(hostile):
    clock.set_now(hostile, datetime(2026, 1, 2, tzinfo=UTC))
    row = '{"id": "%s", "properties": {"lastmodifieddate": "%s"}}'
    rows = ", ".join(row % pair for pair in [("1", "2099-01-01T00:00:00Z"), ("2", "2026-01-01T00:00:00Z")])
    Hostile.pages = [f'{{"results": [{rows}]}}'.encode()]
    good(hostile, "hubspot")
    from ingest.versions import open_batch

    with open_batch(hostile, hubspot.CONTACTS, clock.now(hostile), "9999999999.5") as batch:
        assert batch.read_from == datetime(2025, 12, 31, 23, 55)


def test_a_missing_secret_is_named_and_stops_no_other_source(hostile, monkeypatch):
    monkeypatch.delenv("TOKEN_OF_A_TEST")
    [error] = {failure.error for failure in land(hostile, "hubspot").failures}
    assert "hubspot: credentials.access_token needs the environment variable TOKEN_OF_A_TEST" in error
    assert "export it" in error


# -------------------------------------------------------------------- erp


@pytest.fixture
def database(world: Environment):
    import psycopg

    dsn = json.loads(world.sandbox_contract.read_text(encoding="utf-8"))["sources"]["erp"]["dsn"]
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def insert_customer(database, key: str, updated_at: datetime, **fields: object) -> None:
    values = {"customer_id": key, "created_at": updated_at, "updated_at": updated_at} | fields
    database.execute(
        f"insert into customers ({', '.join(values)}) values ({', '.join(['%s'] * len(values))})",
        list(values.values()),
    )


def test_erp_lands_changes_merges_and_hard_deletes(world, environment, database):
    now = clock.now(environment)
    for number in range(3):
        insert_customer(database, f"T{number}", now - timedelta(hours=2), name=f"Test {number}")
    first = good(environment, "erp")
    [(customers,)] = database.execute("select count(*) from customers").fetchall()
    assert counts(first, "customers").landed == customers
    assert counts(good(environment, "erp"), "customers").landed == 0

    database.execute("update customers set name = 'Renamed', updated_at = %s where customer_id = 'T0'", [now])
    database.execute("update customers set merged_into_id = 'T0', updated_at = %s where customer_id = 'T1'", [now])
    database.execute("delete from customers where customer_id = 'T2'")
    second = counts(good(environment, "erp"), "customers")
    assert (second.served - second.unchanged, second.landed, second.deleted) == (2, 3, 1)
    assert query(
        environment,
        "select loser_id, winner_id, merged_at from raw_ingest.record_merges where loser_id = 'T1'",
    ) == [("T1", "T0", now.replace(tzinfo=None))]
    assert query(
        environment,
        "select source_object, deleted_at from raw_ingest.record_deletions where source_id = 'T2'",
    ) == [("customers", now.replace(tzinfo=None))]
    alive = live(environment, "erp.customers")
    assert "T0" in alive and "T1" not in alive and "T2" not in alive

    # Back with its old time of change, and a row whose transaction stayed open far longer than the lag.
    insert_customer(database, "T2", now - timedelta(hours=2), name="Test 2")
    insert_customer(database, "T3", now - timedelta(days=30), name="Late")
    assert counts(good(environment, "erp"), "customers").landed == 2
    assert {"T2", "T3"} <= set(live(environment, "erp.customers"))
    assert counts(good(environment, "erp"), "customers").landed == 0
    database.execute("delete from customers where customer_id like 'T%'")
    books_balance(environment)


def test_erp_keeps_types_and_rejects_what_has_none(world, environment, database):
    now = clock.now(environment)
    insert_customer(database, "U1", now, name="Ümlaut", birth_date="1980-02-29")
    database.execute(
        "insert into invoices values ('UI1', 'U1', 'N1', 'EUR', 12.34, 'open', '2026-01-01', '2026-02-01', null, "
        "%s, %s), ('UI2', 'U1', 'N2', 'EUR', 'NaN', 'open', '2026-01-01', '2026-02-01', null, %s, %s)",
        [now] * 4,
    )
    result = good(environment, "erp")
    assert counts(result, "invoices").rejected == 1
    assert query(
        environment,
        "select source_updated_at, birth_date::varchar from raw_erp.customers where source_id = 'U1'",
    ) == [(now.replace(tzinfo=None), "1980-02-29")]
    assert query(environment, "select amount::varchar, paid_on from raw_erp.invoices where source_id = 'UI1'") == [
        ("12.34", None)
    ]
    assert query(environment, "select source_object, source_id, reason from raw_ingest.rejects") == [
        ("invoices", "UI2", "amount is not an amount with at most 2 decimals: NaN")
    ]
    database.execute("delete from customers where customer_id like 'U%'")
    database.execute("delete from invoices where invoice_id like 'U%'")


def test_erp_reconciles_at_its_beat(world, environment, database, monkeypatch, tmp_path):
    entry = {"enabled": True, "address": "${sandbox:erp.dsn}", "reconcile": "24h"}
    write_sources(tmp_path, monkeypatch, erp=entry)
    now = clock.now(environment)
    insert_customer(database, "V1", now - timedelta(days=1))
    good(environment, "erp")
    database.execute("delete from customers where customer_id = 'V1'")
    clock.advance(environment, timedelta(hours=23))
    good(environment, "erp")
    assert "V1" in live(environment, "erp.customers")
    clock.advance(environment, timedelta(hours=1))
    good(environment, "erp")
    assert "V1" not in live(environment, "erp.customers")


def test_erp_that_does_not_answer_is_named(environment, monkeypatch, tmp_path):
    entry = {"enabled": True, "address": "postgresql://u:secret@127.0.0.1:1/erp"}
    write_sources(tmp_path, monkeypatch, erp=entry)
    result = land(environment, "erp")
    assert {item.source_object for item in result.failures} == {described.name for described in erp.OBJECTS}
    assert "erp: no connection to 127.0.0.1:1" in result.failures[0].error
    assert "secret" not in result.failures[0].error


def test_erp_without_the_tables_is_named(world, environment, monkeypatch, tmp_path, database):
    monkeypatch.setattr(erp, "OBJECTS", (_renamed(erp.CUSTOMERS, "clients"),))
    [failure, *_] = land(environment, "erp").failures
    assert "table clients does not exist" in failure.error
    assert "clients must have customer_id, name" in failure.error


def _renamed(described: Object, path: str) -> Object:
    from dataclasses import replace

    return replace(described, path=path)


# -------------------------------------------------------------------- settings


def test_sources_that_are_unknown_or_off_cannot_be_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("C360_VAR", str(tmp_path))
    sources = load_sources(get_environment("trial"))
    assert [source.name for source in sources.enabled()] == ["spreadsheets"]
    with pytest.raises(
        UserError, match="unknown source 'hubspott': take one of salesforce, hubspot, stripe, erp, spreadsheets"
    ):
        sources.enabled(["hubspott"])
    with pytest.raises(UserError, match="source 'erp' is switched off in environment 'trial'"):
        sources.enabled(["erp"])


def test_sources_of_the_committed_file(tmp_path, monkeypatch):
    monkeypatch.setenv("C360_VAR", str(tmp_path))
    sandbox = load_sources(get_environment("sandbox"))
    assert sandbox.emulated
    assert [source.name for source in sandbox.enabled()] == ["salesforce", "hubspot", "stripe", "erp", "spreadsheets"]
    assert sandbox.by_name["erp"].reconcile == timedelta(0)
    with pytest.raises(UserError, match="start the emulators with `c360 sandbox start --detach`"):
        sandbox.by_name["hubspot"].resolve("address")
    assert not load_sources(get_environment("prod")).emulated
    assert load_sources(get_environment("prod")).by_name["erp"].reconcile == timedelta(hours=24)


@pytest.mark.parametrize(
    ("entry", "part"),
    [
        ({"hubspto": {}}, "unknown source 'hubspto'"),
        ({"erp": {"adress": "x"}}, "erp: unknown setting 'adress'"),
        ({"spreadsheets": {"lag": "5m"}}, "spreadsheets: unknown setting 'lag'; known are cadence, enabled"),
        ({"erp": {"lag": "soon"}}, "erp.lag: 'soon' is not a duration; write 30s, 15m, 24h or 7d"),
    ],
)
def test_a_mistake_in_sources_yml_is_named(tmp_path, monkeypatch, entry, part):
    monkeypatch.setenv("C360_VAR", str(tmp_path))
    write_sources(tmp_path, monkeypatch, **entry)
    with pytest.raises(UserError, match=part.replace(".", r"\.")):
        load_sources(get_environment("trial"))


# -------------------------------------------------------------------- tables that are there already


def test_landing_fits_tables_that_dbt_created_and_changes_none_of_their_columns(environment, world):
    shutil.copytree(world.inbox, environment.inbox, dirs_exist_ok=True)
    create_declared_tables(environment)
    good(environment)
    tick(world, environment)
    good(environment)
    columns = query(
        environment,
        "select schema_name || '.' || table_name, column_name, lower(data_type) from duckdb_columns() "
        "where starts_with(schema_name, 'raw_')",
    )
    for name, declared in declared_tables().items():
        found = {column: kind for table, column, kind in columns if table == name}
        assert found == declared, name
    books_balance(environment)


def test_landing_on_a_fresh_file_makes_the_same_columns(environment, world):
    shutil.copytree(world.inbox, environment.inbox, dirs_exist_ok=True)
    good(environment)
    columns = query(
        environment,
        "select schema_name || '.' || table_name, column_name, lower(data_type) from duckdb_columns() "
        "where starts_with(schema_name, 'raw_')",
    )
    tables = {table for table, _, _ in columns}
    for name in tables & declared_tables().keys():
        assert {c: k for table, c, k in columns if table == name} == declared_tables()[name], name
    children = {name for name in tables if "__" in name}
    assert not children


def test_a_warehouse_that_was_removed_is_filled_again(environment):
    good(environment, "erp")
    before = live(environment, "erp.invoices")
    environment.warehouse.unlink()
    good(environment, "erp")
    assert live(environment, "erp.invoices") == before


def test_load_ids_never_go_back(environment, monkeypatch):
    monkeypatch.setattr(landing, "CLOCK_PATIENCE_SECONDS", 0.2)
    good(environment, "erp")
    with duckdb.connect(str(environment.warehouse)) as connection:
        connection.execute("update raw_erp._dlt_loads set load_id = '9' || load_id")
        connection.execute("update raw_erp.customers set _dlt_load_id = '9' || _dlt_load_id, name = 'changed'")
        connection.execute("update raw_erp.customers set content_hash = 'changed'")
    failures = land(environment, "erp").failures
    assert "the machine's clock is behind the newest load of raw_erp" in failures[0].error


def test_a_load_that_is_not_complete_does_not_count(environment, database):
    good(environment, "erp")
    landed = query(environment, "select count(*) from raw_erp.customers")[0][0]
    with duckdb.connect(str(environment.warehouse)) as connection:
        connection.execute("update raw_erp._dlt_loads set status = 1")
    assert counts(good(environment, "erp"), "customers").landed == landed


def test_a_file_that_a_killed_run_was_about_to_put_in_place_holds_no_facts_back(environment, monkeypatch):
    """dlt writes its states beside the packages first; what a kill leaves of one is no package."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(facts.Spool, "commit", killed)
        with pytest.raises(KeyboardInterrupt):
            land(environment, "hubspot")
    (environment.dlt / "pipelines" / "hubspot" / "load" / "normalized" / "5c5bf6a01e24caf7").write_text("half")
    good(environment, "hubspot")
    assert list((environment.dlt / "spool").iterdir()) == []
    assert query(environment, "select count(*) from raw_ingest.runs where outcome = 'ok' and rows_landed > 0") > [(0,)]
    books_balance(environment)


@pytest.mark.timeout(60)
def test_a_run_killed_in_the_very_first_extract_of_all_is_read_again(environment, monkeypatch):
    """dlt has its package already, and not yet its schema: it would neither load it nor say so."""
    keep = dlt.Pipeline._save_state

    def killed(pipeline: dlt.Pipeline, state: dict) -> None:
        if state.get("default_schema_name"):
            raise KeyboardInterrupt
        keep(pipeline, state)

    with monkeypatch.context() as patched:
        patched.setattr(dlt.Pipeline, "_save_state", killed)
        with pytest.raises(KeyboardInterrupt):
            land(environment, "hubspot")
    assert landing.has_pending(environment, "raw_hubspot")
    assert good(environment, "hubspot").landed
    books_balance(environment)
