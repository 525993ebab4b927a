"""What cleaning costs: the dictionaries against the number of distinct values and of rows, and SQL-only cleaning.

    dictionary      1 M rows with 1 M distinct phones and addresses, and 5 M rows with the same values: how much more
    1 % delta       one row in a hundred has a new phone and address: the share of the full dictionary step
    in SQL alone    dates of birth, times, countries and e-mail look-ups of the cleaned model against a bare projection

Rows are put into the landed table as another loader would (docs/raw_contract.md); dbt builds what is timed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb

from operate import build, clock
from operate.environment import Environment, get_environment
from udfs.duckdb_plugin import register

DISTINCT = int(os.environ.get("BENCH_DISTINCT_VALUES", "1000000"))
TIMES = 5  # as many rows hold each value
DICTIONARIES = ("cln_country_dictionary", "cln_phone_dictionary", "cln_address_dictionary")
Compare = Callable[[str, float, str, float], None]
Timed = Callable[[Callable[[], object]], float]
PEOPLE = """
insert into raw_spreadsheets.people by name
select 'bench' as source_system, (i + {offset})::varchar as source_id, false as is_deleted, md5((i + {offset})::varchar)
        as content_hash, '{load}' as _dlt_load_id, 'bench.csv' as file_name,
    '+1 212 ' || lpad((2000000 + (i % {distinct}) + {shift})::varchar, 7, '0') as phone,
    (i % {distinct} + 1 + {shift}) || ' Main Street Apt ' || (i % 40 + 1) as address,
    'given' || (i % 9973) as given_name, 'family' || (i % 7919) as family_name, 'a' || i || '@mail.test' as email,
    'US' as country, '1980-02-03' as date_of_birth, '2026-01-02T03:04:05Z' as created_at
from range({rows}) as numbers (i)
"""


def cleaning_benchmarks(compare: Compare, timed: Timed) -> None:
    """Run all three and hand each comparison to `compare`."""
    folder = Path(tempfile.mkdtemp(prefix="c360-bench-"))
    before = {name: os.environ.get(name) for name in ("C360_VAR", "C360_ENV")}
    try:
        os.environ["C360_VAR"] = str(folder)
        full = {}
        for times in (1, TIMES):
            environment = _begun(f"rows{times}")
            _land(environment, rows=DISTINCT * times, load=1)
            full[times] = _dictionary_seconds(environment)
        compare(
            f"dictionary step, {DISTINCT * TIMES:,} rows", full[TIMES],
            f"{DISTINCT:,} rows, as many distinct values", full[1],
        )  # fmt: skip
        environment = get_environment("rows1")
        _land(environment, rows=DISTINCT // 100, load=2, offset=DISTINCT, shift=DISTINCT)
        compare("dictionary step, 1 % new values", _dictionary_seconds(environment), "full step", full[1])
        _sql_only(environment, compare, timed)
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
        shutil.rmtree(folder, ignore_errors=True)


def _begun(name: str) -> Environment:
    """An environment in which everything is built on nothing landed."""
    environment = get_environment(name).create()
    clock.set_now(environment, clock.now(environment))
    _dbt(environment, "build", "--exclude-resource-type", "test", "unit_test")
    return environment


def _land(environment: Environment, rows: int, load: int, offset: int = 0, shift: int = 0) -> None:
    load_id = f"{1_700_000_000 + load}.5"
    with duckdb.connect(str(environment.warehouse)) as connection:
        connection.execute(PEOPLE.format(rows=rows, load=load_id, offset=offset, shift=shift, distinct=DISTINCT))
        connection.execute(
            "insert into raw_spreadsheets._dlt_loads (load_id, schema_name, status) values (?, 'bench', 0)", [load_id]
        )
    _dbt(environment, "run", "--select", "stg_spreadsheets__people")


def _dictionary_seconds(environment: Environment) -> float:
    """Seconds of the dictionary models themselves, dbt's start and parse apart."""
    outcome = _dbt(environment, "run", "--select", *DICTIONARIES, "--threads", "1")
    return sum(result.execution_time for result in outcome.result.results if result.node.resource_type == "model")


def _sql_only(environment: Environment, compare: Compare, timed: Timed) -> None:
    """The cleaned model of people, whose look-ups, dates and flags are SQL, against the same columns as they are."""
    _dbt(environment, "run", "--select", "cln_email_values+1", "cln_person_name_values+1", "cln_company_values+1")
    outcome = _dbt(environment, "run", "--select", "cln_spreadsheets__people", "--threads", "1")
    ours = sum(result.execution_time for result in outcome.result.results if result.node.resource_type == "model")
    with duckdb.connect(str(environment.warehouse)) as connection:
        register(connection, environment)
        bare = "create or replace table staging.bare as select * from staging.stg_spreadsheets__people"
        theirs = timed(lambda: connection.execute(bare))
    compare("cleaning people in SQL", ours, "bare projection of the staged columns", theirs)


def _dbt(environment: Environment, *arguments: str):
    outcome = build.invoke(environment, arguments)
    assert outcome.success, outcome.exception
    return outcome
