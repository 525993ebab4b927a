"""One day of the world: new, changed, merged and deleted records in every system, about 1 % of them.

What happens on day n depends on (seed, n) and the world of the day before, on nothing else. The world file is
committed first; Postgres, the inbox and the clock are then made to agree with it (sandbox.materialise), so a
tick that was killed in between is completed by the next tick or start.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from operate.environment import Environment
from sandbox.differences import FULL_NAME_SYSTEMS, MOBILE_SYSTEMS, has, write_address, write_full_name
from sandbox.materialise import materialise
from sandbox.people import Company, Names, Person, company_from, family_name, make_household, private_email
from sandbox.places import make_address, make_phone, write_phone
from sandbox.purchases import make_invoice
from sandbox.rates import OBJECTS, PHONE_FORMATS, SYSTEMS
from sandbox.records import NewRecord, change_record, end_record, insert_records, merge_records
from sandbox.world import RecordWriter, World, add_hubspot_settings, domains, dumps, invoice_row, iso, opened

# Shares of a system's live records on one day; each happens at least once wherever it can.
CHANGED, NEW, MERGED, DELETED = 0.006, 0.0025, 0.001, 0.001
NEW_PEOPLE = 0.001  # of the people
NEW_INVOICES, CHANGED_INVOICES, DELETED_INVOICES = 0.005, 0.003, 0.0005  # of the invoices


@dataclass
class Day:
    """One day of the world, from `before` to `now`, and how many records of each system it touched how.

    rng   the day's own stream, seeded by (seed, number)
    """

    number: int
    before: datetime
    now: datetime
    rng: random.Random
    counts: Counter

    def moment(self) -> str:
        """A time of this day: after the last tick, at the latest now."""
        return iso(self.before + timedelta(milliseconds=self.rng.randint(1, 86_400_000)))


def tick(environment: Environment, days: int = 1) -> list[Day]:
    """Move the world, its outside (Postgres, inbox) and the environment's clock by `days` days.

    Raises UserError when the environment has no sandbox.
    """
    done = []
    for _ in range(days):
        with opened(environment) as world, world.transaction():
            done.append(_Events(world).run())
        materialise(environment, after_tick=True)
    return done


class _Events:
    """The events of one day, written into an open transaction of the world."""

    def __init__(self, world: World) -> None:
        self.world, self.seed = world, world.seed
        self.number = world.day + 1
        rng = random.Random(f"{self.seed}/tick/{self.number}")
        self.day = Day(self.number, world.now, world.now + timedelta(days=1), rng, Counter())
        self.before, self.now, self.rng, self.counts = self.day.before, self.day.now, rng, self.day.counts
        self.names = Names()
        self.writer = RecordWriter(self.seed, Counter())
        self.touched: set[tuple[str, str]] = set()

    def run(self) -> Day:
        for system in SYSTEMS:
            live = self.world.live_count(system)
            if system != "stripe":  # it knows no merge
                self._merge(system, _times(live * MERGED))
            self._delete(system, _times(live * DELETED))
            self._change(system, _times(live * CHANGED))
            self._re_enter(system)
            self._meet(system, _times(live * NEW) - 1)
        self._new_people()
        self._invoices()
        for domain in domains():
            domain.next_day(self.world, self.day)
        self.world.set_meta("day", self.number)
        return self.day

    # ---------- choosing
    def _some(self, rows: list[sqlite3.Row], count: int) -> list[sqlite3.Row]:
        """`count` of `rows` in random order, none of them touched today before."""
        rows = [row for row in rows if (row["system"], row["source_id"]) not in self.touched]
        return self.rng.sample(rows, min(count, len(rows)))

    def _live(self, system: str) -> list[sqlite3.Row]:
        return self.world.rows(
            "select * from records where system = ? and object = ? and state = 'live' order by seq",
            (system, OBJECTS[system]),
        )

    def _touch(self, system: str, source_id: str, what: str) -> None:
        self.touched.add((system, source_id))
        self.counts[system, what] += 1

    # ---------- merges and deletions
    def _merge(self, system: str, count: int) -> None:
        pairs = self.world.rows(
            "select entity_id from records where system = ? and object = ? and state = 'live'"
            " group by entity_id having count(*) > 1 order by entity_id",
            (system, OBJECTS[system]),
        )
        for (entity_id,) in self.rng.sample(pairs, min(count, len(pairs))):
            first, second = self.world.rows(
                "select * from records where system = ? and object = ? and entity_id = ? and state = 'live'"
                " order by created_at, source_id limit 2",
                (system, OBJECTS[system], entity_id),
            )
            winner = merge_records(self.world, first, second, self.day.moment(), self.number)
            self.touched |= {(system, first["source_id"]), (system, second["source_id"]), (system, winner)}
            self.counts[system, "merged"] += 1

    def _delete(self, system: str, count: int) -> None:
        rows = self._live(system)
        if system == "erp":  # an ERP refuses to delete a customer with invoices
            rows = self.world.rows(
                "select * from records where system = 'erp' and object = 'customers' and state = 'live' and not exists"
                " (select 1 from invoices where customer_id = source_id and not is_deleted) order by seq"
            )
        state = "archived" if system == "hubspot" else "deleted"
        for row in self._some(rows, count):
            end_record(self.world, row, state, "", self.day.moment(), self.number)
            self._touch(system, row["source_id"], "deleted")

    # ---------- changes
    def _change(self, system: str, count: int) -> None:
        for row in self._some(self._live(system), count):
            fields = json.loads(row["fields"])
            kind = self._change_fields(system, row["entity_id"], fields)
            change_record(self.world, row, fields, self.day.moment(), self.number)
            self._touch(system, row["source_id"], "changed")
            self.counts[system, f"changed: {kind}"] += 1

    def _change_fields(self, system: str, entity_id: str, fields: dict[str, str]) -> str:
        """Apply one kind of change that really changes `fields`; returns its name."""
        person = self.world.person(entity_id)
        if person is None:
            return self._change_company(entity_id, fields)
        kinds: list[tuple[str, Callable]] = [
            ("moved", self._moved), ("e-mail corrected", self._email_corrected), ("married", self._married),
            ("details added", self._details_added),
        ]  # fmt: skip
        ordered = sorted(kinds, key=lambda kind: self.rng.random())
        for name, change in [*ordered, ("new phone", self._new_phone)]:
            before = dict(fields)
            change(system, person, fields)
            if fields != before:
                self.world.save_person(person)
                return name
        raise AssertionError(f"{system} {entity_id}: a new phone number changed nothing")

    def _moved(self, system: str, person: Person, fields: dict[str, str]) -> None:
        fake = self.names.of(person.locale, self.rng)
        person.old_address, person.address = person.address, make_address(person.country, self.rng, fake)
        write_address(fields, person.address, system)

    def _married(self, system: str, person: Person, fields: dict[str, str]) -> None:
        if person.maiden_name or person.sex != "f" or person.country in ("ES", "MX"):
            return
        fake = self.names.of(person.locale, self.rng)
        person.maiden_name, person.family_name = person.family_name, family_name(fake, person.country)
        fields["family_name"] = person.family_name
        if system in FULL_NAME_SYSTEMS:
            fields["full_name"] = write_full_name(fields["given_name"], person.family_name, "," in fields["full_name"])
        if self.rng.random() < 0.5:
            person.old_email, person.email = person.email, private_email(person, self.rng, self.world.claim)
            if fields["email"] == person.old_email and self._may_take(system, person.email):
                fields["email"] = person.email

    def _email_corrected(self, system: str, person: Person, fields: dict[str, str]) -> None:
        known = {person.email, person.work_email, person.family_email, person.company_mailbox}
        if fields["email"] not in known and self._may_take(system, person.email):
            fields["email"] = person.email

    def _may_take(self, system: str, email: str) -> bool:
        return system != "hubspot" or self.world.claim(f"hubspot {email.lower()}")

    def _details_added(self, system: str, person: Person, fields: dict[str, str]) -> None:
        if has("missing_birth_date", system) and not fields["birth_date"]:
            fields["birth_date"] = person.birth_date
        elif person.company_id and not fields["company_name"]:
            fields["company_name"], fields["job_title"] = person.company_name, person.job_title

    def _new_phone(self, system: str, person: Person, fields: dict[str, str]) -> None:
        old = fields["mobile" if system in MOBILE_SYSTEMS and fields["mobile"] else "phone"]
        while True:
            person.mobile = make_phone(person.country, self.rng, mobile=True)
            written = write_phone(person.mobile, self.rng.choice(PHONE_FORMATS))
            if written != old:
                break
        fields["mobile" if system in MOBILE_SYSTEMS and fields["mobile"] else "phone"] = written

    def _change_company(self, entity_id: str, fields: dict[str, str]) -> str:
        row = self.world.rows("select truth from companies where entity_id = ?", (entity_id,))[0]
        company = company_from(json.loads(row["truth"]))
        company.phone = make_phone(company.country, self.rng, mobile=False)
        written = write_phone(company.phone, "phone_international")
        fields["phone"] = written if fields["phone"] != written else ""
        self.world.connection.execute(
            "update companies set truth = ? where entity_id = ?", (dumps(company.as_row()), entity_id)
        )
        return "new phone"

    # ---------- new records
    def _re_enter(self, system: str) -> None:
        """Somebody the system knows is entered a second time: what later days merge."""
        people = self.world.rows(
            "select system, source_id, entity_id from records"
            " where system = ? and object = ? and state = 'live' and entity_id like 'P%' order by seq",
            (system, OBJECTS[system]),
        )
        for row in self._some(people, 1):
            self._enter(system, self.world.person(row["entity_id"]))

    def _meet(self, system: str, count: int) -> None:
        """People other systems may know, but this one does not yet."""
        strangers = self.world.rows(
            "select entity_id from people where not exists"
            " (select 1 from records where system = ? and object = ? and records.entity_id = people.entity_id)"
            " order by entity_id",
            (system, OBJECTS[system]),
        )
        for (entity_id,) in self.rng.sample(strangers, min(count, len(strangers))):
            self._enter(system, self.world.person(entity_id))

    def _enter(self, system: str, person: Person) -> None:
        source_id, number = self.world.new_id(system, OBJECTS[system])
        dice = self.writer.dice(system, person.entity_id, "day", self.number, source_id)
        fields = self.writer.content(person, dice, False, self.world.claim)
        add_hubspot_settings(fields, dice)
        moment = self.day.moment()
        made = NewRecord(
            system, OBJECTS[system], source_id, number, person.entity_id, fields, moment, moment, self.number,
            ",".join(dice.applied),
        )  # fmt: skip
        insert_records(self.world, [made])
        self._touch(system, source_id, "new")

    def _new_people(self) -> None:
        employers: dict[str, list[Company]] = {}
        for company in self.world.companies():
            employers.setdefault(company.country, []).append(company)
        count = max(1, round(int(self.world.meta("people")) * NEW_PEOPLE))
        while count > 0:
            first, household = int(self.world.meta("next/person")), int(self.world.meta("next/household"))
            members = make_household(self.seed, household, first, count, self.names, employers, self.world.claim)
            self.world.set_meta("next/person", first + len(members))
            self.world.set_meta("next/household", household + 1)
            count -= len(members)
            for person in members:
                self.world.save_person(person)
                for system in SYSTEMS:
                    if self.writer.dice(system, person.entity_id, "presence").roll("person_is_known"):
                        self._enter(system, person)

    # ---------- purchases
    def _invoices(self) -> None:
        total = self.world.rows("select count(*) from invoices where not is_deleted")[0][0]
        self._pay_invoices(_times(total * CHANGED_INVOICES))
        self._delete_invoices(_times(total * DELETED_INVOICES))
        self._issue_invoices(_times(total * NEW_INVOICES))

    def _pay_invoices(self, count: int) -> None:
        open_ones = self.world.rows(
            "select invoice_id from invoices where status = 'open' and not is_deleted order by invoice_id"
        )
        for (invoice_id,) in self.rng.sample(open_ones, min(count, len(open_ones))):
            moment = self.day.moment()
            self.world.connection.execute(
                "update invoices set status = 'paid', paid_on = ?, updated_at = ?, changed_day = ?"
                " where invoice_id = ?",
                (moment[:10], moment, self.number, invoice_id),
            )
            self.counts["erp", "invoices changed"] += 1

    def _delete_invoices(self, count: int) -> None:
        rows = self.world.rows(  # an ERP refuses to delete an invoice with payments
            "select invoice_id from invoices where not is_deleted and changed_day < ? and invoice_id not in"
            " (select json_extract(fields, '$.invoice_id') from records where system = 'erp' and object = 'payments'"
            " and state = 'live') order by invoice_id",
            (self.number,),
        )
        for (invoice_id,) in self.rng.sample(rows, min(count, len(rows))):
            self.world.connection.execute(
                "update invoices set is_deleted = 1, updated_at = ?, changed_day = ? where invoice_id = ?",
                (self.day.moment(), self.number, invoice_id),
            )
            self.counts["erp", "invoices deleted"] += 1

    def _issue_invoices(self, count: int) -> None:
        customers = self.world.rows(
            "select source_id, entity_id from records"
            " where system = 'erp' and object = 'customers' and state = 'live' order by seq"
        )
        for _ in range(count):
            customer = self.rng.choice(customers)
            is_company = customer["entity_id"].startswith("C")
            table = "companies" if is_company else "people"
            country = self.world.rows(f"select country from {table} where entity_id = ?", (customer["entity_id"],))
            number = int(self.world.meta("next/invoice"))
            self.world.set_meta("next/invoice", number + 1)
            issued = self.before + timedelta(milliseconds=self.rng.randint(1, 86_400_000))
            invoice = make_invoice(self.rng, number, customer["source_id"], country[0][0], is_company, issued, self.now)
            self.world.connection.execute(
                f"insert into invoices values ({', '.join('?' * 13)})", invoice_row(invoice, self.number)
            )
            self.counts["erp", "invoices new"] += 1


def _times(expected: float) -> int:
    return max(1, round(expected))
