"""The world: people, companies, households, purchases and who is who, in `var/<env>/sandbox/world.sqlite`.

The file is the only state of the sandbox. The emulators serve it, Postgres and the inbox are made from it.
The same (people, seed) gives the same world on every machine at every time: each entity and each record
draws from its own stream, seeded by text, and the world has its own calendar, which starts at START.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import yaml

from operate.environment import PROJECT_ROOT, Environment
from operate.errors import UserError
from sandbox.differences import company_record, has, mailbox_contact, person_record
from sandbox.ids import salesforce_id, stripe_id
from sandbox.people import Company, Names, Person, company_from, make_company, make_household, person_from
from sandbox.places import LOCALES
from sandbox.purchases import Invoice, invoice_count, make_invoice, past_issue
from sandbox.rates import OBJECTS, PERSON_OBJECTS, SYSTEMS, Dice

DEFAULT_PEOPLE = 2000
DEFAULT_SEED = 360
START = datetime(2026, 1, 5, 6, tzinfo=UTC)
_OLDEST = datetime(2019, 1, 7, tzinfo=UTC)
_FORMAT = "2"  # of the file; another format is refused
_BATCH = 5000
PEOPLE_PER_COMPANY = 12

# Ids of the first day are scattered (id order tells nothing about who is who), later ones ascend.
# (system, object): (first number, how many numbers are scattered, how the number is written)
ID_SPACES: dict[tuple[str, str], tuple[int, int, Callable[[int], str]]] = {
    ("hubspot", "contacts"): (25_000_000_000, 9_999_991, str),
    ("hubspot", "companies"): (31_000_000_000, 9_999_991, str),
    ("hubspot", "deals"): (42_000_000_000, 9_999_991, str),
    ("erp", "customers"): (0, 9_999_991, "{:010d}".format),
    ("erp", "contacts"): (0, 9_999_991, "CP{:07d}".format),
    ("erp", "addresses"): (0, 9_999_991, "AD{:08d}".format),
    ("erp", "payments"): (0, 9_999_991, "PY{:08d}".format),
    ("erp", "products"): (0, 9_999_991, "SKU-{:05d}".format),
    ("event_signups", "people"): (0, 4_999_999, "{:07d}".format),
    ("branch_office", "people"): (0, 499_979, "{:06d}".format),
    ("legacy_crm", "people"): (0, 4_999_999, "L{:07d}".format),
    ("salesforce", "contacts"): (0, 9_999_991, salesforce_id("003")),
    ("salesforce", "leads"): (0, 9_999_991, salesforce_id("00Q")),
    ("salesforce", "accounts"): (0, 9_999_991, salesforce_id("001")),
    ("salesforce", "opportunities"): (0, 9_999_991, salesforce_id("006")),
    ("salesforce", "campaigns"): (0, 9_999_991, salesforce_id("701")),
    ("salesforce", "campaign_members"): (0, 9_999_991, salesforce_id("00v")),
    ("stripe", "customers"): (0, 9_999_991, stripe_id("cus", 14)),
    ("stripe", "charges"): (0, 9_999_991, stripe_id("ch", 24)),
    ("stripe", "invoices"): (0, 9_999_991, stripe_id("in", 24)),
    ("stripe", "subscriptions"): (0, 9_999_991, stripe_id("sub", 24)),
    ("stripe", "refunds"): (0, 9_999_991, stripe_id("re", 24)),
    ("stripe", "events"): (0, 9_999_991, stripe_id("evt", 24)),
}
_SCATTER = 340_573  # coprime to every space above

RECORD_COLUMNS = (
    "system", "object", "source_id", "seq", "entity_id", "state", "merged_into", "merged_from", "differences",
    "fields", "previous", "created_at", "updated_at", "ended_at", "changed_day",
)  # fmt: skip
_TABLES = """
create table meta (name text primary key, value text not null) without rowid;
create table companies (entity_id text primary key, country text not null, truth text not null) without rowid;
create table people (
    entity_id text primary key, household_id text not null, country text not null, truth text not null
) without rowid;
create table claims (value text primary key) without rowid;
create table records (
    system text not null, object text not null, source_id text not null, seq integer not null,
    entity_id text not null,
    state text not null check (state in ('live', 'archived', 'merged', 'deleted')),
    merged_into text not null default '', merged_from text not null default '',
    differences text not null, fields text not null, previous text not null default '',
    created_at text not null, updated_at text not null, ended_at text not null default '',
    changed_day integer not null,
    primary key (system, object, source_id)
) without rowid;
create table invoices (
    invoice_id text primary key, customer_id text not null, invoice_number text not null,
    currency text not null, cents integer not null, status text not null,
    issued_on text not null, due_on text not null, paid_on text not null,
    created_at text not null, updated_at text not null,
    is_deleted integer not null default 0, changed_day integer not null
) without rowid;
create table rolls (
    system text not null, difference text not null, eligible integer not null, applied integer not null,
    primary key (system, difference)
) without rowid;
"""
_INDEXES = """
create index records_by_seq on records (system, object, state, seq);
create index records_by_change on records (system, object, state, updated_at, seq);
create index records_by_entity on records (system, object, entity_id);
create index records_by_day on records (system, object, changed_day);
create index invoices_by_customer on invoices (customer_id);
create index invoices_by_day on invoices (changed_day);
"""


def iso(moment: datetime) -> str:
    """`moment` as the world writes it: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def dumps(value: dict) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def write_atomically(path: os.PathLike | str, data: bytes, mode: int = 0o644) -> None:
    """Replace the file at `path` by `data`; a reader sees the old file or the new one, never a part."""
    partial = f"{path}.{os.getpid()}.partial"
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as handle:
        handle.write(data)
    os.replace(partial, path)


def require_emulated(environment: Environment) -> None:
    """Raise UserError unless ingest/sources.yml says that the sources of this environment are emulated.

    The sandbox pins the clock and writes into the inbox: an environment with real sources must never get one.
    """
    sources = yaml.safe_load((PROJECT_ROOT / "ingest" / "sources.yml").read_text(encoding="utf-8"))
    if not (sources.get(environment.name) or sources["default"]).get("emulated"):
        raise UserError(
            f"environment {environment.name!r} is not one with emulated sources, so it gets no sandbox: take "
            "--env sandbox, or give it an entry with `emulated: true` in ingest/sources.yml"
        )


class World:
    """An open world file. Commit is the caller's: use `with world.transaction():`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        connection.row_factory = sqlite3.Row

    # ---------- the world as a whole
    def meta(self, name: str) -> str:
        return self.connection.execute("select value from meta where name = ?", (name,)).fetchone()[0]

    def set_meta(self, name: str, value: object) -> None:
        self.connection.execute("insert or replace into meta values (?, ?)", (name, str(value)))

    @property
    def seed(self) -> int:
        return int(self.meta("seed"))

    @property
    def day(self) -> int:
        """Days ticked since the start."""
        return int(self.meta("day"))

    @property
    def now(self) -> datetime:
        return START + timedelta(days=self.day)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; waits up to 30 seconds for another writer of the world."""
        self.connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")

    def close(self) -> None:
        self.connection.close()

    # ---------- truth
    def claim(self, value: str) -> bool:
        """True when nobody had `value` (a mailbox, a domain); it is taken from now on."""
        return self.connection.execute("insert or ignore into claims values (?)", (value,)).rowcount == 1

    def person(self, entity_id: str) -> Person | None:
        row = self.connection.execute("select truth from people where entity_id = ?", (entity_id,)).fetchone()
        return person_from(json.loads(row[0])) if row else None

    def save_person(self, person: Person) -> None:
        self.connection.execute(
            "insert or replace into people values (?, ?, ?, ?)",
            (person.entity_id, person.household_id, person.country, dumps(person.as_row())),
        )

    def companies(self) -> Iterator[Company]:
        for row in self.connection.execute("select truth from companies order by entity_id"):
            yield company_from(json.loads(row[0]))

    # ---------- records
    def new_id(self, system: str, name: str, scattered: bool = False) -> tuple[str, int]:
        """The next id of object `name` in `system`: as the system writes it, and as a number."""
        found = self.connection.execute("select value from meta where name = ?", (f"next/{system}/{name}",)).fetchone()
        count = int(found[0]) if found else 0
        self.set_meta(f"next/{system}/{name}", count + 1)
        return make_id(system, name, count, scattered)

    def live_count(self, system: str, name: str | None = None) -> int:
        """Live records of object `name`, by default the one that holds the people of `system`."""
        return self.connection.execute(
            "select count(*) from records where system = ? and object = ? and state = 'live'",
            (system, name or OBJECTS[system]),
        ).fetchone()[0]

    def record(self, system: str, name: str, source_id: str) -> sqlite3.Row | None:
        return self.connection.execute(
            "select * from records where system = ? and object = ? and source_id = ?", (system, name, source_id)
        ).fetchone()

    def rows(self, sql: str, parameters: Iterable = ()) -> list[sqlite3.Row]:
        return self.connection.execute(sql, tuple(parameters)).fetchall()


def make_id(system: str, name: str, count: int, scattered: bool) -> tuple[str, int]:
    """Id number `count` (from 0) of object `name` in `system`: (as written, as a number)."""
    start, space, written = ID_SPACES[system, name]
    if scattered and count < space - 1:
        number = start + (count + 1) * _SCATTER % space
    else:
        number = start + space + count
    return written(number), number


def world_path(environment: Environment) -> str:
    return str(environment.sandbox / "world.sqlite")


def world_exists(environment: Environment) -> bool:
    return os.path.exists(world_path(environment))


def open_world(environment: Environment) -> World:
    """The world of `environment`. Raises UserError when there is none or its file is of another format."""
    if not world_exists(environment):
        raise UserError(f"environment {environment.name!r} has no sandbox yet: run `c360 sandbox start`")
    connection = sqlite3.connect(world_path(environment), timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = normal")
    world = World(connection)
    if world.meta("format") != _FORMAT:
        world.close()
        raise UserError(
            f"{world_path(environment)} is of another format than {_FORMAT}: run `c360 sandbox reset`, then start again"
        )
    return world


@contextmanager
def opened(environment: Environment) -> Iterator[World]:
    """`open_world`, closed at the end."""
    world = open_world(environment)
    try:
        yield world
    finally:
        world.close()


def create_world(environment: Environment, people: int = DEFAULT_PEOPLE, seed: int = DEFAULT_SEED) -> None:
    """Generate the world of `environment`; its file appears whole or not at all.

    Raises UserError when the environment is not an emulated one or `people` is below 50.
    """
    require_emulated(environment)
    if people < 50:
        raise UserError(f"--people {people} is too few for a world with every kind of record: take 50 or more")
    environment.sandbox.mkdir(parents=True, exist_ok=True)
    partial = f"{world_path(environment)}.{os.getpid()}.partial"
    connection = sqlite3.connect(partial, isolation_level=None)
    try:
        connection.execute("pragma journal_mode = off")
        connection.execute("pragma synchronous = off")
        connection.execute("begin")
        connection.executescript(_TABLES)
        _Genesis(connection, people, seed).run()
        connection.executescript(_INDEXES)
        world = World(connection)
        connection.execute("begin")
        for domain in domains():
            domain.first_day(world)
        connection.execute("commit")
        connection.execute("analyze")
        connection.close()
        os.replace(partial, world_path(environment))
    finally:
        connection.close()
        if os.path.exists(partial):
            os.unlink(partial)


def domains() -> tuple:
    """The parts of the world besides people and their ERP invoices, in the order in which they come about.

    Each is a module with `first_day(world)` and `next_day(world, day)`, which write records of their systems;
    `day` is a `sandbox.tick.Day`: number, before, now, rng, counts.
    """
    from sandbox import billing, commerce, deals, sales  # they write records, which need this module

    return (commerce, deals, billing, sales)


class RecordWriter:
    """Makes the row of a new record: its content with differences, its id, its times."""

    def __init__(self, seed: int, counts: Counter) -> None:
        self.seed = seed
        self.counts = counts

    def dice(self, system: str, *stream: object) -> Dice:
        text = "/".join(map(str, (self.seed, "record", system, *stream)))
        return Dice(system, random.Random(text), self.counts)

    def content(self, entity: Person | Company, dice: Dice, mailbox: bool, claim) -> dict[str, str]:
        """Fields of a record of `entity`, HubSpot's own rule kept: an e-mail belongs to one contact only."""
        if isinstance(entity, Company):
            return mailbox_contact(entity, dice) if mailbox else company_record(entity, dice)
        fields = person_record(entity, dice)
        if dice.system == "hubspot":
            keep_emails_unique(fields, entity, claim)
        return fields


def keep_emails_unique(fields: dict[str, str], person: Person, claim) -> None:
    """HubSpot refuses a second contact with one e-mail: take another address of the person, or none."""
    if fields["email_2"] and not claim(f"hubspot {fields['email_2'].lower()}"):
        fields["email_2"] = ""
    if "@" not in fields["email"]:
        return
    for email in (fields["email"], person.email, person.work_email):
        if email and claim(f"hubspot {email.lower()}"):
            fields["email"] = email
            return
    fields["email"] = ""


class _Genesis:
    """The first day: everybody, and every record of everybody, in one pass."""

    def __init__(self, connection: sqlite3.Connection, people: int, seed: int) -> None:
        self.connection = connection
        self.people, self.seed = people, seed
        self.names = Names()
        self.claimed: set[str] = set()
        self.counts: Counter = Counter()
        self.ids: Counter = Counter()
        self.invoices_made = 0
        self.writer = RecordWriter(seed, self.counts)
        self.imports = {system: _import_moments(seed, system) for system in SYSTEMS}
        self.rows: dict[str, list[tuple]] = {"people": [], "companies": [], "records": [], "invoices": []}

    def claim(self, value: str) -> bool:
        if value in self.claimed:
            return False
        self.claimed.add(value)
        return True

    def run(self) -> None:
        employers: dict[str, list[Company]] = {}
        number_of_companies = max(len(LOCALES), self.people // PEOPLE_PER_COMPANY)
        for number in range(1, number_of_companies + 1):
            company = make_company(self.seed, number, self.names, self.claim)
            employers.setdefault(company.country, []).append(company)
            self._add("companies", (company.entity_id, company.country, dumps(company.as_row())))
            for system in SYSTEMS:
                self._company_in(system, company)
        made = household = 0
        while made < self.people:
            household += 1
            members = make_household(
                self.seed, household, made + 1, self.people - made, self.names, employers, self.claim
            )
            made += len(members)
            for person in members:
                self._add("people", (person.entity_id, person.household_id, person.country, dumps(person.as_row())))
                for system in SYSTEMS:
                    self._person_in(system, person)
        self._finish(household)

    def _company_in(self, system: str, company: Company) -> None:
        presence = self.writer.dice(system, company.entity_id, "presence")
        if has("company_is_known", system) and presence.roll("company_is_known"):
            copies = 2 if presence.roll("duplicate_in_system") else 1
            for copy in range(copies):
                self._record(system, company, copy, mailbox=False)
        if has("role_mailbox_contact", system) and presence.roll("role_mailbox_contact"):
            self.claim(f"hubspot {company.mailbox}")
            self._record(system, company, 0, mailbox=True)

    def _person_in(self, system: str, person: Person) -> None:
        presence = self.writer.dice(system, person.entity_id, "presence")
        if presence.roll("person_is_known"):
            copies = 2 if presence.roll("duplicate_in_system") else 1
            for copy in range(copies):
                self._record(system, person, copy, mailbox=False)

    def _record(self, system: str, entity: Person | Company, copy: int, mailbox: bool) -> None:
        dice = self.writer.dice(system, entity.entity_id, copy)
        fields = self.writer.content(entity, dice, mailbox, self.claim)
        add_hubspot_settings(fields, dice)
        created, updated = _past_times(dice, self.imports[system])
        source_id, number = make_id(system, OBJECTS[system], self.ids[system], scattered=True)
        self.ids[system] += 1
        values = {
            "system": system, "object": OBJECTS[system], "source_id": source_id, "seq": number,
            "entity_id": entity.entity_id, "state": "live", "differences": ",".join(dice.applied),
            "fields": dumps(fields), "created_at": iso(created), "updated_at": iso(updated), "changed_day": 0,
        }  # fmt: skip
        self._add("records", tuple(values.get(name, "") for name in RECORD_COLUMNS))
        if system == "erp":
            self._invoices(source_id, entity)

    def _invoices(self, customer_id: str, entity: Person | Company) -> None:
        rng = random.Random(f"{self.seed}/invoices/{customer_id}")
        is_company = isinstance(entity, Company)
        for _ in range(invoice_count(rng, is_company)):
            self.invoices_made += 1
            issued = past_issue(rng, START)
            invoice = make_invoice(rng, self.invoices_made, customer_id, entity.country, is_company, issued, START)
            self._add("invoices", invoice_row(invoice, 0))

    def _add(self, table: str, row: tuple) -> None:
        rows = self.rows[table]
        rows.append(row)
        if len(rows) >= _BATCH:
            self._flush(table)

    def _flush(self, table: str) -> None:
        rows = self.rows[table]
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self.connection.executemany(f"insert into {table} values ({marks})", rows)
            rows.clear()

    def _finish(self, households: int) -> None:
        for table in self.rows:
            self._flush(table)
        self.connection.executemany("insert into claims values (?)", ((value,) for value in sorted(self.claimed)))
        rolls = sorted({(system, name) for system, name, _ in self.counts})
        self.connection.executemany(
            "insert into rolls values (?, ?, ?, ?)",
            [(s, n, self.counts[s, n, "eligible"], self.counts[s, n, "applied"]) for s, n in rolls],
        )
        meta = {
            "format": _FORMAT, "seed": self.seed, "people": self.people, "day": 0,
            "next/person": self.people + 1, "next/household": households + 1,
            "next/invoice": self.invoices_made + 1,
            **{f"next/{system}/{OBJECTS[system]}": self.ids[system] for system in SYSTEMS},
        }  # fmt: skip
        self.connection.executemany("insert into meta values (?, ?)", [(k, str(v)) for k, v in meta.items()])


def add_hubspot_settings(fields: dict[str, str], dice: Dice) -> None:
    """What a CRM keeps about a contact that is no identity: lifecycle stage and opt-out."""
    if dice.system == "hubspot":
        fields["lifecycle_stage"] = dice.rng.choice(("lead", "lead", "subscriber", "opportunity", "customer"))
        fields["email_optout"] = "true" if dice.rng.random() < 0.08 else "false"


def invoice_row(invoice: Invoice, day: int) -> tuple:
    """The row of table `invoices` for a live `invoice` that changed on `day`."""
    values = dict(vars(invoice))
    values["created_at"], values["updated_at"] = iso(invoice.created_at), iso(invoice.updated_at)
    return (*values.values(), 0, day)


def _import_moments(seed: int, system: str) -> list[datetime]:
    rng = random.Random(f"{seed}/imports/{system}")
    return [_moment_between(rng, _OLDEST, START) for _ in range(3)]


def _moment_between(rng: random.Random, first: datetime, last: datetime) -> datetime:
    return first + timedelta(milliseconds=rng.randint(0, int((last - first).total_seconds() * 1000)))


def _past_times(dice: Dice, imports: list[datetime]) -> tuple[datetime, datetime]:
    """When a record of the first day was created and last changed."""
    if has("bulk_import", dice.system) and dice.roll("bulk_import"):
        moment = dice.rng.choice(imports)
        return moment, moment
    created = _moment_between(dice.rng, _OLDEST, START)
    return created, created if dice.rng.random() < 0.3 else _moment_between(dice.rng, created, START)


def truth(environment: Environment) -> list[tuple[str, str, str, str]]:
    """(source_system, source_object, source_id, entity_id) of every live record of a customer, ordered."""
    with opened(environment) as world:
        rows = world.rows(
            "select system, object, source_id, entity_id from records where state = 'live'"
            " order by system, object, source_id"
        )
    return [tuple(row) for row in rows if (row["system"], row["object"]) in PERSON_OBJECTS]


def fingerprint(environment: Environment) -> str:
    """SHA-256 over every row of the world: equal for equal worlds, whatever SQLite wrote them."""
    digest = hashlib.sha256()
    with opened(environment) as world:
        tables = world.rows(
            "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by 1"
        )
        for (table,) in tables:
            columns = len(world.rows(f"select * from pragma_table_info('{table}')"))
            order = ", ".join(map(str, range(1, columns + 1)))
            for row in world.connection.execute(f"select * from {table} order by {order}"):
                digest.update(repr((table, *row)).encode())
    return digest.hexdigest()
