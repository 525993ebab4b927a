"""The ERP beside customers and invoices: contact persons, addresses, payments, products, stock."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import timedelta

from sandbox.differences import person_record
from sandbox.people import Person, person_from
from sandbox.rates import Dice
from sandbox.records import AFTER_CHANGE, NewRecord, change_record, end_record, insert_records
from sandbox.world import START, World, iso

PRODUCTS = 60
WAREHOUSES = ("CHI", "LON", "BER", "MEX")
_CATEGORIES = ("Fasteners", "Tools", "Packaging", "Paint", "Lighting", "Safety")
_METHODS = ("bank_transfer", "card", "direct_debit", "cheque")
_ROLES = ("purchasing", "accounts payable", "site manager", "")
_ADDRESS = ("address", "city", "region", "postal_code", "country")


def first_day(world: World) -> None:
    """Contact persons, addresses, payments, products and stock of the first day."""
    insert_records(world, _products(world))
    insert_records(world, _stock(world))
    insert_records(world, _addresses(world))
    insert_records(world, _contacts(world))
    invoices = world.rows("select * from invoices where status = 'paid' and not is_deleted order by invoice_id")
    insert_records(world, _payments(world, invoices, 0))


def _new(world: World, name: str, fields: dict, moment: str, day: int, entity_id: str = "") -> NewRecord:
    source_id, number = world.new_id("erp", name)
    return NewRecord("erp", name, source_id, number, entity_id, fields, moment, moment, day)


def _products(world: World) -> Iterator[NewRecord]:
    for number in range(PRODUCTS):
        rng = random.Random(f"{world.seed}/erp product/{number}")
        category = rng.choice(_CATEGORIES)
        fields = {
            "name": f"{category} {rng.choice(('standard', 'plus', 'pro', 'eco'))} {rng.randint(10, 99)}",
            "category": category,
            "unit_price": f"{rng.lognormvariate(3, 1):.2f}",
            "currency": "EUR",
            "is_active": rng.random() < 0.9,
        }
        yield _new(world, "products", fields, _past(rng), 0)


def _stock(world: World) -> Iterator[NewRecord]:
    products = world.rows("select source_id from records where system = 'erp' and object = 'products' order by seq")
    for number, (product, warehouse) in enumerate((row[0], place) for row in products for place in WAREHOUSES):
        rng = random.Random(f"{world.seed}/erp stock/{product}/{warehouse}")
        fields = {
            "product_id": product,
            "warehouse": warehouse,
            "quantity": rng.randint(0, 900),
            "reserved": rng.randint(0, 40),
        }
        moment = _past(rng)
        yield NewRecord("erp", "stock", f"{product}:{warehouse}", number, "", fields, moment, moment, 0)


def _addresses(world: World) -> Iterator[NewRecord]:
    """The customer's own address as the billing one; for some another, where goods go."""
    customers = world.rows(
        "select source_id, entity_id, fields, created_at from records"
        " where system = 'erp' and object = 'customers' and state = 'live' order by seq"
    )
    for row in customers:
        yield from _addresses_of(world, row, 0)


def _addresses_of(world: World, row, day: int) -> Iterator[NewRecord]:
    customer = json.loads(row["fields"])
    if not customer["address"]:
        return
    rng = random.Random(f"{world.seed}/erp addresses/{row['source_id']}")
    own = {name: customer[name] for name in _ADDRESS}
    billing = {"customer_id": row["source_id"], "kind": "billing", "recipient": customer["full_name"], **own}
    yield _new(world, "addresses", billing | {"is_default": True}, row["created_at"], day)
    if rng.random() < 0.2:
        shipping = billing | {"kind": "shipping", "is_default": False, "recipient": "Goods in"}
        yield _new(world, "addresses", shipping, row["created_at"], day)


def _contacts(world: World) -> Iterator[NewRecord]:
    """People who work at company customers; who is who is the person, not the company."""
    employees: dict[str, list[Person]] = {}
    for (truth,) in world.connection.execute(
        "select truth from people where json_extract(truth, '$.company_id') <> '' order by entity_id"
    ):
        person = person_from(json.loads(truth))
        employees.setdefault(person.company_id, []).append(person)
    customers = world.rows(
        "select source_id, entity_id, created_at from records where system = 'erp' and object = 'customers'"
        " and state = 'live' and entity_id like 'C%' order by seq"
    )
    for row in customers:
        rng = random.Random(f"{world.seed}/erp contacts/{row['source_id']}")
        staff = employees.get(row["entity_id"], [])
        for person in rng.sample(staff, min(len(staff), rng.choice((0, 1, 1, 2)))):
            yield _contact(world, person, row["source_id"], rng, row["created_at"], 0)


def _contact(world: World, person: Person, customer: str, rng: random.Random, moment: str, day: int) -> NewRecord:
    dice = Dice("erp", random.Random(f"{world.seed}/erp contact/{customer}/{person.entity_id}/{day}"))
    record = person_record(person, dice)
    fields = {
        "customer_id": customer,
        "name": record["full_name"],
        "email": record["email"],
        "phone": record["phone"],
        "role": rng.choice(_ROLES),
    }
    return _new(world, "contacts", fields, moment, day, person.entity_id)


def _payments(world: World, invoices: Iterable, day: int) -> Iterator[NewRecord]:
    for invoice in invoices:
        rng = random.Random(f"{world.seed}/erp payment/{invoice['invoice_id']}")
        cents = invoice["cents"]
        parts = [cents] if rng.random() < 0.9 or cents < 200 else [cents // 2, cents - cents // 2]
        for part in parts:
            fields = {
                "invoice_id": invoice["invoice_id"],
                "customer_id": invoice["customer_id"],
                "method": rng.choice(_METHODS),
                "currency": invoice["currency"],
                "cents": part,
                "received_on": invoice["paid_on"],
            }
            yield _new(world, "payments", fields, invoice["updated_at"], day)


def after_change(world: World, before: sqlite3.Row | None, after: sqlite3.Row, day: int) -> None:
    """The addresses and contact persons of a deleted customer are deleted with it: nothing refers to what is gone."""
    if (after["object"], after["state"]) != ("customers", "deleted"):
        return
    rows = world.rows(
        "select * from records where system = 'erp' and object in ('addresses', 'contacts') and state = 'live'"
        " and json_extract(fields, '$.customer_id') = ? order by object, seq",
        (after["source_id"],),
    )
    for row in rows:
        end_record(world, row, "deleted", "", after["updated_at"], day)


AFTER_CHANGE["erp"] = after_change


# ---------- later days
def next_day(world: World, day) -> None:
    """Payments come in, stock moves, addresses and contact persons change, some records are deleted."""
    rng = day.rng
    paid = world.rows(
        "select * from invoices where status = 'paid' and not is_deleted and changed_day = ? and not exists"
        " (select 1 from records where system = 'erp' and object = 'payments'"
        " and json_extract(fields, '$.invoice_id') = invoices.invoice_id) order by invoice_id",
        (day.number,),
    )
    insert_records(world, list(_payments(world, paid, day.number)))
    for row in _some(world, rng, "stock", 12):
        fields = json.loads(row["fields"])
        fields["quantity"] = max(0, fields["quantity"] + rng.randint(-60, 60) or 1)
        change_record(world, row, fields, day.moment(), day.number)
    for row in _some(world, rng, "products", 1):
        fields = json.loads(row["fields"])
        fields["unit_price"] = f"{float(fields['unit_price']) * rng.uniform(1.01, 1.1):.2f}"
        change_record(world, row, fields, day.moment(), day.number)
    for row in _some(world, rng, "addresses", 3):
        fields = json.loads(row["fields"]) | {"recipient": rng.choice(("Goods in", "Reception", "Back door"))}
        change_record(world, row, fields, day.moment(), day.number)
    for name in ("addresses", "contacts", "payments"):
        for row in _some(world, rng, name, 1):
            end_record(world, row, "deleted", "", day.moment(), day.number)
    _new_customers(world, day)


def _new_customers(world: World, day) -> None:
    """Today's new customers have addresses too; today one company names another contact person."""
    today = world.rows(
        "select source_id, entity_id, fields, created_at from records where system = 'erp' and object = 'customers'"
        " and state = 'live' and changed_day = ? and created_at = updated_at order by seq",
        (day.number,),
    )
    for row in today:
        insert_records(world, list(_addresses_of(world, row, day.number)))
    people = world.rows(
        "select truth from people where json_extract(truth, '$.company_id') in (select entity_id from records"
        " where system = 'erp' and object = 'customers' and state = 'live') order by entity_id"
    )
    if people:
        person = person_from(json.loads(day.rng.choice(people)[0]))
        [customer] = world.rows(
            "select source_id from records where system = 'erp' and object = 'customers' and state = 'live'"
            " and entity_id = ? order by seq limit 1",
            (person.company_id,),
        )
        insert_records(world, [_contact(world, person, customer[0], day.rng, day.moment(), day.number)])


def _some(world: World, rng: random.Random, name: str, count: int) -> list:
    rows = world.rows(
        "select * from records where system = 'erp' and object = ? and state = 'live' order by seq", (name,)
    )
    return rng.sample(rows, min(count, len(rows)))


def _past(rng: random.Random) -> str:
    return iso(START - timedelta(seconds=rng.randint(3600, 2 * 365 * 86400)))
