"""One small town, landed, built and published once, for the tests of publishing, running and explaining.

Everything goes the real way: a spreadsheet in the inbox, `c360 run`, a second day, `c360 run` again. A test
that changes something asks for `town`, which is put back to this state before each test.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
import support

from operate import clock
from operate.environment import Environment, get_environment
from operate.run import RunOutcome, run

COLUMNS = ("id", "given", "family", "email", "email_2", "phone", "street", "zip", "city", "born", "company")
CANONICAL = (
    "given_name", "family_name", "email", "email_2", "phone", "address", "postal_code", "city", "date_of_birth",
    "company_name",
)  # fmt: skip


def _row(number: str, given: str, family: str, **more: str) -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "") | {"id": number, "given": given, "family": family} | more


DAY_ONE = [
    # one customer of three: 1 and 3 meet only through 2
    _row("1", "Anna", "Adler", email="anna.adler@mail.test", born="1980-03-01", street="Hauptstr. 5", zip="10115"),
    _row("2", "Anna", "Adler", email="anna.adler@mail.test", phone="030 901820"),
    _row("3", "A", "Adler", phone="030 901820", city="Berlin"),
    # one e-mail, two dates of birth: a veto
    _row("4", "Bert", "Bruno", email="bert@mail.test", born="1970-01-02"),
    _row("5", "Bert", "Bruno", email="bert@mail.test", born="1999-12-31"),
    # one phone, two given names: the guard
    _row("6", "Carla", "Castell", phone="030 2227777"),
    _row("7", "Dmitri", "Dorn", phone="030 2227777"),
    # one role mailbox: suppressed
    _row("8", "Elena", "Eriksen", email="info@office.test"),
    _row("9", "Elena", "Eriksen", email="info@office.test"),
    # nothing in common
    _row("10", "Greta", "Grau", email="greta@mail.test", company="Grau Optik GmbH"),
    _row("11", "Hugo", "Hart", phone="030 3334444"),
    # a cell that a spreadsheet program would run
    _row("12", "Ilse", "Ivers", email="ilse@mail.test", city='=HYPERLINK("x";"y")'),
    # two customers until 15 comes
    _row("13", "Jana", "Jung", email="jana@mail.test"),
    _row("14", "Jana", "Jung", email="jana@work.test", born="1985-05-05"),
    # will leave
    _row("16", "Karl", "Kunz", email="karl@mail.test"),
]
DAY_TWO = [row for row in DAY_ONE if row["id"] != "16"] + [
    _row("15", "Jana", "Jung", email="jana@mail.test", email_2="jana@work.test"),
]
CONTACTS = [
    {
        "source_id": "501", "source_updated_at": "2026-01-03", "firstname": "Olga", "lastname": "Otto",
        "email": "olga@mail.test", "hs_email_optout": "true", "country": "DE",
    },
    {
        "source_id": "502", "source_updated_at": "2026-01-03", "firstname": "Pia", "lastname": "Paul",
        "email": "pia@mail.test", "phone": "+49 30 5556666", "hs_email_optout": "false", "country": "DE",
    },
]  # fmt: skip


@dataclass
class Town:
    """The environment and what its two runs said and gave."""

    environment: Environment
    outcomes: list[RunOutcome] = field(default_factory=list)
    said: list[list[str]] = field(default_factory=list)

    def run(self, **options) -> RunOutcome:
        """One more `c360 run`, its lines kept in `said`."""
        self.said.append([])
        self.outcomes.append(run(self.environment, say=self.said[-1].append, **options))
        return self.outcomes[-1]

    def customer(self, key: str) -> str:
        """The customer that the published record `desk:people:<key>` belongs to."""
        return self.published(
            "select customer_id from identity_resolved.idr_crosswalk where record_key = ?", [f"desk:people:{key}"]
        )[0][0]

    def published(self, sql: str, parameters=None, role: str = "steward") -> list[tuple]:
        """All rows of a query on what a role may read."""
        with duckdb.connect(str(self.environment.published / f"{role}.duckdb"), read_only=True) as connection:
            return connection.execute(sql, parameters).fetchall()


def put_people(environment: Environment, rows: list[dict[str, str]]) -> None:
    """Write the town's spreadsheet and its yml into the inbox."""
    with open(environment.inbox / "desk.csv", "w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    columns = "".join(f"  {ours}: {theirs}\n" for ours, theirs in zip(COLUMNS[1:], CANONICAL, strict=True))
    (environment.inbox / "desk.yml").write_text(
        f"source_system: desk\nkey: id\ndefault_country: DE\ncolumns:\n{columns}", encoding="utf-8"
    )


def land_invoice(environment: Environment) -> None:
    """An ERP customer who is Anna Adler, with one open and one paid invoice, by the raw contract."""
    with duckdb.connect(str(environment.warehouse)) as connection:
        connection.execute(
            "insert into raw_erp.customers (source_id, source_updated_at, is_deleted, content_hash, name, email, "
            "country, _dlt_load_id) values ('77', '2026-01-02', false, 'a', 'Anna Adler', 'anna.adler@mail.test', "
            "'DE', '1700000001.5')"
        )
        for number, amount, status in (("R-1", "100.50", "open"), ("R-2", "-20.25", "paid")):
            connection.execute(
                "insert into raw_erp.invoices (source_id, source_updated_at, is_deleted, content_hash, customer_id, "
                "invoice_number, currency, amount, status, issued_on, _dlt_load_id) values "
                "(?, '2026-01-02', false, ?, '77', ?, 'EUR', ?, ?, '2025-12-01', '1700000001.5')",
                [number, number, number, amount, status],
            )
        connection.execute(
            "insert into raw_erp._dlt_loads (load_id, schema_name, status) values ('1700000001.5', 'test', 0)"
        )


_built: Town | None = None


def _build(folder: Path) -> Town:
    environment = get_environment("trial").create()
    clock.set_now(environment, support.START)
    put_people(environment, DAY_ONE)
    town = Town(environment)
    assert not town.run().problems, town.outcomes[-1].problems
    support.land_contacts(environment, CONTACTS, load=1)
    land_invoice(environment)
    put_people(environment, DAY_TWO)
    clock.advance(environment, timedelta(days=1))
    assert not town.run().problems, town.outcomes[-1].problems
    shutil.copytree(environment.folder, folder / "kept", symlinks=True)
    return town


@pytest.fixture(scope="module", name="built_town")
def built_town_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town after two runs, for tests that only read. Built once for all modules that ask for it."""
    global _built
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = _built.environment.folder.parent if _built else tmp_path_factory.mktemp("town")
        monkeypatch.setenv("C360_VAR", str(folder))
        monkeypatch.setenv("C360_ENV", "trial")
        monkeypatch.delenv("C360_ID_KEY", raising=False)
        if _built is None:
            _built = _build(folder)
        _put_back(_built.environment)
        yield _built


@pytest.fixture(name="town")
def town_fixture(built_town: Town) -> Iterator[Town]:
    """The town for a test that changes it."""
    kept = len(built_town.outcomes)
    yield built_town
    del built_town.outcomes[kept:], built_town.said[kept:]
    _put_back(built_town.environment)


def _put_back(environment: Environment) -> None:
    """The environment's files as they were after the second run; dbt's parse stays warm."""
    kept = environment.folder.parent / "kept"
    for path in environment.folder.iterdir():
        if path != environment.logs:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in kept.iterdir():
        target = environment.folder / path.name
        if path.is_dir() and path.name != environment.logs.name:
            shutil.copytree(path, target, symlinks=True, copy_function=_link_or_copy)
        elif path.is_file():
            shutil.copy2(path, target)


def _link_or_copy(source: str, target: str) -> None:
    """Published files are never written to, so a link will do; all others are copied."""
    if source.endswith(".duckdb"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)
