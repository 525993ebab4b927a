"""`make bench`: how long our steps take against the barest way to do the same, in one run on this machine.

Each row names its peer. Absolute seconds belong to the machine; the ratios are what to compare. Results go to
`var/bench/results.json` (not into git). Size: BENCH_ROWS, default 100,000 people.
"""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb

from benchmarks.cleaning import cleaning_benchmarks
from benchmarks.landing import landing_benchmarks
from operate import clock
from operate.build import build
from operate.environment import PROJECT_ROOT, Environment, get_environment
from operate.publish import publish

ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
CHANGED_SHARE = 0.01
SETTINGS = """source_system: bench
key: id
columns: {given: given_name, family: family_name, mail: email, tel: phone, street: address, zip: postal_code,
          town: city, born: date_of_birth}
default_country: US
"""
HEADER = ["id", "given", "family", "mail", "tel", "street", "zip", "town", "born"]


def timed(action: Callable[[], object]) -> float:
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def person(chance: random.Random, number: int) -> list[str]:
    """A row of the benchmark's file; about every third person appears twice, under another spelling."""
    of_person = random.Random(number - number % 3 if number % 3 == 1 else number)
    given = "".join(of_person.choices("abcdefghijklmnop", k=6)).title()
    family = "".join(of_person.choices("abcdefghijklmnop", k=8)).title()
    born = f"{of_person.randrange(1940, 2005)}-{of_person.randrange(1, 13):02}-{of_person.randrange(1, 29):02}"
    return [
        f"{number:08}", given, family.upper() if chance.random() < 0.1 else family, f"{given}.{family}@mail.test",
        f"+1212{of_person.randrange(2_000_000, 9_999_999)}", f"{of_person.randrange(1, 9999)} {family} St",
        f"{of_person.randrange(10_000, 99_999)}", "Springfield", born,
    ]  # fmt: skip


def write_inbox(environment: Environment, changed: frozenset[int] = frozenset()) -> Path:
    chance = random.Random("bench")
    path = environment.inbox / "bench.csv"
    with open(path, "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(HEADER)
        for number in range(ROWS):
            row = person(chance, number)
            if number in changed:
                row[3] = f"changed.{row[3]}"
            writer.writerow(row)
    (environment.inbox / "bench.yml").write_text(SETTINGS, encoding="utf-8")
    return path


def quiet(line: str) -> None:
    """Progress is not what is measured."""


def land(environment: Environment) -> None:
    from ingest.run import run

    outcome = run(environment, ["spreadsheets"], quiet)
    assert not outcome.failures, outcome.failures


def bare_load(path: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"create table people as select * from read_csv('{path}', all_varchar = true)")


def bare_copy(environment: Environment, target: Path) -> None:
    target.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{environment.warehouse}' as warehouse (read_only)")
        connection.execute(f"attach '{target}' as copy")
        connection.execute("create table copy.customer_360 as from warehouse.customer_360.customer_360")
        connection.execute("create table copy.lineage as from warehouse.customer_360.customer_field_lineage")


def clean_build(environment: Environment, full_refresh: bool = False) -> None:
    result = build(environment, full_refresh, quiet)
    assert result.is_clean, [node.name for node in result.failed]


def main() -> None:
    environment = get_environment("bench")
    shutil.rmtree(environment.folder, ignore_errors=True)
    environment.activate()
    clock.set_now(environment, clock.now(environment))
    path = write_inbox(environment)
    scratch = environment.folder / "peer.duckdb"
    results = []

    def compare(what: str, ours: float, peer: str, theirs: float) -> None:
        results.append({"what": what, "seconds": round(ours, 2), "peer": peer, "peer_seconds": round(theirs, 2),
                        "ratio": round(ours / theirs, 3)})  # fmt: skip
        print(f"{what:52} {ours:8.2f} s  {ours / theirs:8.3f} x  {peer} ({theirs:.2f} s)", flush=True)

    print("ratios to the peer named, smaller is better", flush=True)
    landing_benchmarks(compare, timed)
    cleaning_benchmarks(compare, timed)
    environment.activate()
    print(f"{ROWS:,} people", flush=True)
    bare = statistics.median(timed(lambda: bare_load(path, scratch)) for _ in range(3))
    compare(
        "land a spreadsheet, first time", timed(lambda: land(environment)), "bare DuckDB read_csv into a table", bare
    )
    compare("land it again, nothing new", timed(lambda: land(environment)), "bare DuckDB read_csv into a table", bare)

    clean_build(environment)  # pays parsing and the empty tables, which no later build does
    full = timed(lambda: clean_build(environment, full_refresh=True))
    compare("build again, nothing new", timed(lambda: clean_build(environment)), "full refresh", full)
    chance = random.Random("changed")
    write_inbox(environment, frozenset(chance.sample(range(ROWS), int(ROWS * CHANGED_SHARE))))
    clock.advance(environment, timedelta(days=1))
    land(environment)
    compare(f"build, {CHANGED_SHARE:.0%} changed", timed(lambda: clean_build(environment)), "full refresh", full)

    copied = statistics.median(timed(lambda: bare_copy(environment, scratch)) for _ in range(3))
    compare("publish three role files", timed(lambda: publish(environment)),
            "bare copy of customer_360 and its lineage", copied)  # fmt: skip
    scratch.unlink(missing_ok=True)
    target = environment.folder / "results.json"
    target.write_text(json.dumps({"rows": ROWS, "results": results}, indent=2), encoding="utf-8")
    shown = target.relative_to(PROJECT_ROOT) if target.is_relative_to(PROJECT_ROOT) else target
    print(f"written to {shown}")


if __name__ == "__main__":
    main()
