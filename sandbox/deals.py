"""HubSpot beside its contacts: companies, deals, and who is associated with what.

An association is a record of object `associations` with `contact_id`, `company_id`, `deal_id` (two of them set) and
`is_primary`. Its ends count what they are associated with (num_associated_contacts, associatedcompanyid, ...), as
HubSpot's calculated properties do, so a changed association also changes both ends' time of change.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections import defaultdict
from datetime import datetime, timedelta

from sandbox.differences import company_record
from sandbox.people import Company, company_from
from sandbox.purchases import CURRENCY
from sandbox.rates import Dice
from sandbox.records import (
    AFTER_CHANGE,
    NewRecord,
    change_record,
    end_record,
    insert_records,
    merge_records,
    restore_record,
)
from sandbox.world import START, World, iso

STAGES = ("appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "contractsent", "closedwon", "closedlost")
_COMPANY_KNOWN, _COMPANY_TWICE = 0.6, 0.08
_INDUSTRIES = ("CONSTRUCTION", "LOGISTICS_AND_SUPPLY_CHAIN", "FOOD_BEVERAGES", "DESIGN", "COMPUTER_SOFTWARE")
ENDS = {"contacts": "contact_id", "companies": "company_id", "deals": "deal_id"}


def first_day(world: World) -> None:
    """Companies, deals and associations of the first day."""
    companies = _first_companies(world)
    deals, deal_links = _first_deals(world, companies)
    links = [*_employments(world, companies), *deal_links]
    counts = _counts(links)
    for record in (*companies, *deals):
        record.fields |= counts.get((record.object, record.source_id), _no_counts(record.object))
    insert_records(world, companies)
    insert_records(world, deals)
    insert_records(world, (_association(world, number, *link, iso(START), 0) for number, link in enumerate(links)))
    world.set_meta("next/hubspot/associations", len(links))
    world.connection.executemany(
        "update records set fields = json_patch(fields, ?) where system = 'hubspot' and object = 'contacts'"
        " and source_id = ?",
        [(json.dumps(found), key) for (name, key), found in counts.items() if name == "contacts"],
    )


def _first_companies(world: World) -> list[NewRecord]:
    made = []
    for company in world.companies():
        rng = random.Random(f"{world.seed}/hubspot companies/{company.entity_id}")
        copies = 0 if rng.random() > _COMPANY_KNOWN else 2 if rng.random() < _COMPANY_TWICE else 1
        for copy in range(copies):
            made.append(_company(world, company, rng, f"{company.entity_id}/{copy}", _past(rng), 0))
    return made


def _company(world: World, company: Company, rng: random.Random, stream: str, moment: str, day: int) -> NewRecord:
    dice = Dice("hubspot", random.Random(f"{world.seed}/hubspot company record/{stream}"))
    record = company_record(company, dice)
    names = ("phone", "address", "city", "region", "postal_code", "country", "website", "company_name")
    fields = {name: record[name] for name in names}
    fields |= {
        "domain": company.domain if rng.random() < 0.85 else "",
        "industry": rng.choice(_INDUSTRIES),
        "employees": str(rng.choice((5, 12, 40, 200, 1500))),
        "account_number": f"AC-{rng.randint(10_000, 99_999)}" if rng.random() < 0.4 else "",
        **_no_counts("companies"),
    }
    source_id, number = world.new_id("hubspot", "companies", scattered=day == 0)
    return NewRecord("hubspot", "companies", source_id, number, company.entity_id, fields, moment, moment, day)


def _first_deals(world: World, companies: list[NewRecord]) -> tuple[list[NewRecord], list[tuple]]:
    staff = _staff(world)
    deals, links = [], []
    for company in companies:
        rng = random.Random(f"{world.seed}/hubspot deals/{company.source_id}")
        for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
            deal = _deal(world, rng, _past(rng), 0)
            deals.append(deal)
            links += _links_of_deal(deal.source_id, company.source_id, staff.get(company.entity_id, []), rng)
    return deals, links


def _links_of_deal(deal: str, company: str, staff: list[str], rng: random.Random) -> list[tuple]:
    people = rng.sample(staff, min(len(staff), rng.choice((0, 1, 1, 2))))
    return [("", company, deal, True), *((person, "", deal, False) for person in people)]


def _deal(world: World, rng: random.Random, moment: str, day: int) -> NewRecord:
    country = rng.choice(tuple(CURRENCY))
    stage = rng.choice(STAGES)
    close = datetime.fromisoformat(moment) + timedelta(days=rng.randint(5, 90))
    fields = {
        "deal_name": f"{rng.choice(('Renewal', 'New business', 'Upgrade', 'Pilot'))} {rng.randint(100, 999)}",
        "amount": f"{rng.lognormvariate(8, 1):.2f}" if rng.random() < 0.95 else "",
        "currency": CURRENCY[country],
        "stage": stage,
        "deal_type": rng.choice(("newbusiness", "existingbusiness", "")),
        "close_date": iso(close),
        "renewal_of": "",
        **_no_counts("deals"),
    }
    source_id, number = world.new_id("hubspot", "deals", scattered=day == 0)
    return NewRecord("hubspot", "deals", source_id, number, "", fields, moment, moment, day)


def _staff(world: World) -> dict[str, list[str]]:
    """Company entity -> ids of the live HubSpot contacts who work there and say so."""
    found: dict[str, list[str]] = defaultdict(list)
    for company, contact in world.connection.execute(
        "select json_extract(people.truth, '$.company_id'), records.source_id from records"
        " join people on people.entity_id = records.entity_id where records.system = 'hubspot'"
        " and records.object = 'contacts' and records.state = 'live'"
        " and json_extract(records.fields, '$.company_name') <> '' order by records.seq"
    ):
        if company:
            found[company].append(contact)
    return found


def _employments(world: World, companies: list[NewRecord]) -> list[tuple]:
    first = {record.entity_id: record.source_id for record in reversed(companies)}
    return [
        (contact, first[entity], "", True)
        for entity, contacts in _staff(world).items()
        if entity in first
        for contact in contacts
    ]


def _association(
    world: World, number: int, contact: str, company: str, deal: str, primary: bool, moment: str, day: int
) -> NewRecord:
    fields = {"contact_id": contact, "company_id": company, "deal_id": deal, "is_primary": primary}
    return NewRecord("hubspot", "associations", str(number), number, "", fields, moment, moment, day)


def associate(world: World, contact: str, company: str, deal: str, primary: bool, moment: str, day: int) -> None:
    """Associate two live records, named by their ids (the third is empty)."""
    number = int(world.meta("next/hubspot/associations"))
    world.set_meta("next/hubspot/associations", number + 1)
    insert_records(world, [_association(world, number, contact, company, deal, primary, moment, day)])


def _no_counts(name: str) -> dict[str, str]:
    return {
        "contacts": {"associated_company": "", "deals": ""},
        "companies": {"contacts": "", "deals": ""},
        "deals": {"contacts": ""},
    }[name]


def _counts(links: list[tuple]) -> dict[tuple[str, str], dict[str, str]]:
    """(object, id) -> its calculated properties, from (contact, company, deal, primary) of live associations."""
    counts: dict[tuple[str, str], dict[str, str]] = {}

    def one_more(name: str, key: str, what: str) -> None:
        mine = counts.setdefault((name, key), _no_counts(name))
        mine[what] = str(int(mine[what] or 0) + 1)

    primary = {link[:3] for link in links if link[3]}
    for contact, company, deal in dict.fromkeys(link[:3] for link in links):
        if contact and company:
            mine = counts.setdefault(("contacts", contact), _no_counts("contacts"))
            if (contact, company, deal) in primary:
                mine["associated_company"] = company
            one_more("companies", company, "contacts")
        elif contact:
            one_more("contacts", contact, "deals")
            one_more("deals", deal, "contacts")
        else:
            one_more("companies", company, "deals")
    return counts


# ---------- what a change of one record does to its neighbours
def after_change(world: World, before: sqlite3.Row | None, after: sqlite3.Row, day: int) -> None:
    """Associations of an ended record end; the ends of a changed association count anew."""
    if after["object"] == "associations":
        if _is_second_primary(world, after):
            fields = json.loads(after["fields"]) | {"is_primary": False}
            change_record(world, after, fields, after["updated_at"], day)  # comes back here
            return
        ends = [json.loads(row["fields"]) for row in (after, before) if row is not None]
        _recount(world, ends, after["updated_at"], day)
    elif before is not None and before["state"] == "live" and after["state"] == "archived":
        for link in links_of(world, after["object"], after["source_id"]):
            end_record(world, link, "deleted", "", after["updated_at"], day)


def links_of(world: World, name: str, source_id: str) -> list[sqlite3.Row]:
    """Live associations of a record of object `name`."""
    return world.rows(
        "select * from records where system = 'hubspot' and object = 'associations' and state = 'live'"
        f" and json_extract(fields, '$.{ENDS[name]}') = ? order by seq",
        (source_id,),
    )


def _is_second_primary(world: World, row: sqlite3.Row) -> bool:
    """Whether the contact or deal of a primary association has another primary company already, as after a merge."""
    mine = json.loads(row["fields"])
    if row["state"] != "live" or not mine["is_primary"]:
        return False
    name = "contacts" if mine["contact_id"] else "deals"
    others = (
        json.loads(other["fields"])
        for other in links_of(world, name, mine[ENDS[name]])
        if other["source_id"] != row["source_id"]
    )
    return any(other["is_primary"] and other["company_id"] != mine["company_id"] for other in others)


def _recount(world: World, ends: list[dict], moment: str, day: int) -> None:
    for name, field in ENDS.items():
        for source_id in sorted({end[field] for end in ends if end[field]}):
            row = world.record("hubspot", name, source_id)
            if row is None or row["state"] != "live":
                continue
            links = [_ends_of(json.loads(link["fields"])) for link in links_of(world, name, source_id)]
            counts = _counts(links).get((name, source_id), _no_counts(name))
            # Also when no count differs: an association that names another record is a change of its ends.
            change_record(world, row, json.loads(row["fields"]) | counts, moment, day)


def _ends_of(fields: dict) -> tuple:
    return tuple(fields[name] for name in ("contact_id", "company_id", "deal_id", "is_primary"))


AFTER_CHANGE["hubspot"] = after_change


# ---------- later days
def next_day(world: World, day) -> None:
    """Deals open and move, companies change, merge and go, people change employer, records come back."""
    rng = day.rng
    staff = _staff(world)
    companies = _live(world, "companies")
    for company in rng.sample(companies, min(len(companies), max(1, len(companies) // 100))):
        deal = _deal(world, rng, day.moment(), day.number)
        insert_records(world, [deal])
        for link in _links_of_deal(deal.source_id, company["source_id"], staff.get(company["entity_id"], []), rng):
            associate(world, *link, deal.updated_at, day.number)
    deals = _live(world, "deals")
    for row in rng.sample(deals, max(1, len(deals) // 50)):
        fields = json.loads(row["fields"]) | {"stage": rng.choice(STAGES)}
        change_record(world, row, fields, day.moment(), day.number)
    _end_some(world, rng, day, _live(world, "deals"), 1)
    _merge_companies(world, rng, day)
    _change_employer(world, rng, day)
    if rng.random() < 0.3:
        _end_some(world, rng, day, _live(world, "companies"), 1)
    for name in ("contacts", "companies", "deals"):
        archived = _live(world, name, "archived")
        if archived and rng.random() < 0.3:
            row = rng.choice(archived)
            if name != "contacts" or _email_is_free(world, row):
                restore_record(world, row, day.moment(), day.number)


def _email_is_free(world: World, row: sqlite3.Row) -> bool:
    """A contact's e-mail belongs to one contact only, so it comes back only when nobody took it meanwhile."""
    email = json.loads(row["fields"])["email"]
    return not email or not world.rows(
        "select 1 from records where system = 'hubspot' and object = 'contacts' and state = 'live'"
        " and json_extract(fields, '$.email') = ?",
        (email,),
    )


def _live(world: World, name: str, state: str = "live") -> list[sqlite3.Row]:
    return world.rows(
        "select * from records where system = 'hubspot' and object = ? and state = ? order by seq", (name, state)
    )


def _end_some(world: World, rng: random.Random, day, rows: list[sqlite3.Row], count: int) -> None:
    for row in rng.sample(rows, min(count, len(rows))):
        end_record(world, row, "archived", "", day.moment(), day.number)


def _merge_companies(world: World, rng: random.Random, day) -> None:
    by_entity: dict[str, list[sqlite3.Row]] = defaultdict(list)
    for row in _live(world, "companies"):
        by_entity[row["entity_id"]].append(row)
    doubled = [rows for rows in by_entity.values() if len(rows) > 1]
    if doubled and rng.random() < 0.5:
        first, second = rng.choice(doubled)[:2]
        merge_records(world, first, second, day.moment(), day.number)
    elif rng.random() < 0.5 and by_entity:  # somebody enters a company a second time
        rows = by_entity[rng.choice(sorted(by_entity))]
        truth = world.rows("select truth from companies where entity_id = ?", (rows[0]["entity_id"],))[0][0]
        twin = _company(
            world,
            company_from(json.loads(truth)),
            rng,
            f"{rows[0]['source_id']}/{day.number}",
            day.moment(),
            day.number,
        )
        insert_records(world, [twin])


def _change_employer(world: World, rng: random.Random, day) -> None:
    links = [row for row in _live(world, "associations") if json.loads(row["fields"])["deal_id"] == ""]
    companies = _live(world, "companies")
    if links and companies:
        link = rng.choice(links)
        contact = json.loads(link["fields"])["contact_id"]
        moment = day.moment()
        end_record(world, link, "deleted", "", moment, day.number)
        associate(world, contact, rng.choice(companies)["source_id"], "", True, moment, day.number)


def _past(rng: random.Random) -> str:
    return iso(START - timedelta(seconds=rng.randint(3600, 5 * 365 * 86400)))
