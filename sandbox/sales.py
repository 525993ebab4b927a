"""Salesforce beside its contacts: accounts, who belongs to them, leads, opportunities, campaigns and their members.

Contacts are made with the people of the world; here they get what a CRM keeps beside a person (owner, source, tier),
and the account of their employer, where it is one. A lead is a person Salesforce has no contact of yet. Accounts and
leads are entered twice now and then, and merged on later days.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from sandbox.differences import company_record, person_record
from sandbox.ids import salesforce_id
from sandbox.people import Person, company_from, person_from
from sandbox.purchases import CURRENCY
from sandbox.rates import Dice
from sandbox.records import (
    NewRecord,
    change_record,
    end_record,
    forget_record,
    insert_records,
    merge_records,
    restore_record,
)
from sandbox.salesforce_objects import PICKLISTS
from sandbox.world import START, World, dumps, iso

SYSTEM = "salesforce"
OBJECTS = ("contacts", "leads", "accounts", "opportunities", "campaigns", "campaign_members")
# Shares: of the companies that employ contacts, of accounts and leads entered twice, of people who are leads, of
# contacts and leads in a campaign, and of what has it the ERP's number of the customer.
_ACCOUNTS, _TWICE, _LEADS, _MEMBERS, _ERP_KNOWN = 1 / 3, 0.08, 0.15, 0.08, 0.35
_BIN = timedelta(days=15)  # how long Salesforce keeps what was deleted
_USERS = tuple(salesforce_id("005")(number) for number in range(1, 9))
_DEPARTMENTS = ("Purchasing", "Finance", "Operations", "Sales", "IT", "")
_PRODUCTS = ("Starter", "Renewal", "Upgrade", "Service contract", "Pilot")
_CAMPAIGNS = ("Spring newsletter", "Trade fair", "Webinar", "Customer day", "Win-back")
# object: the fields that say what a record belongs to
_OWNERS = {
    "contacts": (("account_id", "accounts"),),
    "opportunities": (("account_id", "accounts"),),
    "campaign_members": (("contact_id", "contacts"), ("lead_id", "leads"), ("campaign_id", "campaigns")),
}
_CONVERTED = "Closed - Converted"
_STATUSES = ("Open - Not Contacted", "Open - Not Contacted", "Working - Contacted", "Closed - Not Converted")
_CHANCES = dict(zip(PICKLISTS["StageName"], (10, 25, 75, 90, 100, 0), strict=True))
# People Salesforce knows neither as contact nor as lead.
_STRANGERS = """
from people where not exists (
    select 1 from records where system = 'salesforce' and object in ('contacts', 'leads')
        and records.entity_id = people.entity_id
) order by entity_id
"""


def first_day(world: World) -> None:
    """Accounts, leads, opportunities, campaigns and members of the first day; what contacts have beside a person."""
    sales = _Sales(world, 0)
    staff = sales.staff()
    employers = sorted(staff)
    rng = sales.rng("accounts")
    known = rng.sample(employers, min(len(employers), max(2, round(len(employers) * _ACCOUNTS))))
    companies = {company.entity_id: company for company in world.companies()}
    accounts: dict[str, list[NewRecord]] = {}
    for place, entity_id in enumerate(sorted(known)):
        copies = 2 if place == 0 or sales.rng("account twice", entity_id).random() < _TWICE else 1
        moments = [_past(sales.rng("account", entity_id, copy)) for copy in range(copies)]
        accounts[entity_id] = [sales.account(companies[entity_id], m, copy) for copy, m in enumerate(moments)]
    sales.complete_contacts({key: [one.source_id for one in rows] for key, rows in accounts.items()})
    leads = sales.first_leads()
    opportunities = [
        sales.opportunity(row.source_id, row.entity_id, row.fields, _past(rng), number)
        for rows in accounts.values()
        for row in rows
        for rng in [sales.rng("opportunities", row.source_id)]
        for number in range(rng.choice((0, 1, 1, 2, 3)))
    ]
    insert_records(world, [one for rows in accounts.values() for one in rows])
    insert_records(world, leads)
    insert_records(world, opportunities)
    campaigns = [sales.campaign(number, _past(sales.rng("campaign", number))) for number in range(len(_CAMPAIGNS))]
    insert_records(world, campaigns)
    insert_records(world, sales.first_members([one.source_id for one in campaigns]))


class _Sales:
    """Makes records of Salesforce on day `number`; each draws from a stream of its own."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number, self.seed = world, number, world.seed
        self.erp = self._erp_numbers()

    def rng(self, *stream: object) -> random.Random:
        return random.Random("/".join(map(str, (self.seed, SYSTEM, *stream))))

    def _erp_numbers(self) -> dict[str, str]:
        """Entity -> its number in the ERP."""
        rows = self.world.rows(
            "select entity_id, min(source_id) from records where system = 'erp' and object = 'customers'"
            " and state = 'live' group by entity_id"
        )
        return {row[0]: row[1] for row in rows}

    def beside(self, entity_id: str, rng: random.Random) -> dict:
        """What Salesforce keeps about a person or company that is no identity, and the ERP's number."""
        return {
            "owner_id": rng.choice(_USERS),
            "lead_source": rng.choice(PICKLISTS["LeadSource"]),
            "loyalty_tier": rng.choice((*PICKLISTS["Loyalty_Tier__c"], "", "")),
            "erp_customer_number": self.erp.get(entity_id, "") if rng.random() < _ERP_KNOWN else "",
        }

    def staff(self) -> dict[str, list[str]]:
        """Company -> its people among the live contacts."""
        found: dict[str, list[str]] = defaultdict(list)
        for company, contact in self.world.connection.execute(
            "select json_extract(people.truth, '$.company_id'), records.source_id from records"
            " inner join people on people.entity_id = records.entity_id where records.system = 'salesforce'"
            " and records.object = 'contacts' and records.state = 'live' order by records.seq"
        ):
            if company:
                found[company].append(contact)
        return found

    # ---------- contacts
    def complete_contacts(self, accounts: dict[str, list[str]]) -> None:
        """Give contacts that were only just made what a CRM keeps beside a person, and their employer's account.

        This is part of making them, not a change: nobody has seen them yet, so their time of change stays.
        """
        rows = self.world.rows(
            "select records.source_id, records.entity_id, records.fields, people.truth ->> '$.company_id' as company"
            " from records left join people on people.entity_id = records.entity_id where system = 'salesforce'"
            " and object = 'contacts' and changed_day = ? and json_extract(fields, '$.owner_id') is null",
            (self.number,),
        )
        completed = []
        for row in rows:
            rng = self.rng("contact", row["source_id"])
            fields = json.loads(row["fields"]) | self.contact_fields(row["entity_id"], rng)
            require_name(fields, rng)
            offered = accounts.get(row["company"] or "")
            fields["account_id"] = rng.choice(offered) if offered else ""
            completed.append((dumps(fields), row["source_id"]))
        self.world.connection.executemany(
            "update records set fields = ? where system = 'salesforce' and object = 'contacts' and source_id = ?",
            completed,
        )

    def contact_fields(self, entity_id: str, rng: random.Random) -> dict:
        beside = self.beside(entity_id, rng)
        return beside | {"department": rng.choice(_DEPARTMENTS), "email_optout": rng.random() < 0.08, "account_id": ""}

    # ---------- new records
    def record(self, name: str, entity_id: str, fields: dict, moment: str, applied: Iterable[str] = ()) -> NewRecord:
        source_id, number = self.world.new_id(SYSTEM, name, scattered=self.number == 0)
        return NewRecord(
            SYSTEM, name, source_id, number, entity_id, fields, moment, moment, self.number, ",".join(applied)
        )

    def account(self, company, moment: str, copy: object) -> NewRecord:
        rng = self.rng("account", company.entity_id, self.number, copy)
        dice = Dice(SYSTEM, rng)
        record = company_record(company, dice)
        names = ("company_name", "phone", "address", "city", "region", "postal_code", "country", "website")
        fields = {name: record[name] for name in names} | self.beside(company.entity_id, rng)
        fields |= {
            "account_number": f"CD{rng.randint(100_000, 999_999)}" if rng.random() < 0.5 else "",
            "industry": rng.choice(PICKLISTS["Industry"]),
            "type": rng.choice(("Customer - Direct", "Prospect", "Other")),
            "rating": rng.choice((*PICKLISTS["Rating"], "")),
            "employees": rng.choice((5, 12, 40, 200, 1500)),
            "annual_revenue": rng.randint(1, 900) * 100_000,
            "currency": CURRENCY[company.country],
        }
        return self.record("accounts", company.entity_id, fields, moment, dice.applied)

    def lead(self, person: Person, moment: str, copy: object) -> NewRecord:
        rng = self.rng("lead", person.entity_id, self.number, copy)
        dice = Dice(SYSTEM, rng)
        fields = person_record(person, dice) | self.beside(person.entity_id, rng)
        require_name(fields, rng)
        fields |= {
            "company_name": fields["company_name"] or "-",  # required as well
            "email_optout": rng.random() < 0.05,
            "status": rng.choice(_STATUSES),
            "industry": rng.choice(PICKLISTS["Industry"]),
            "rating": rng.choice((*PICKLISTS["Rating"], "")),
            "is_converted": False,
            "converted_date": "",
            "converted_contact_id": "",
            "converted_account_id": "",
        }
        return self.record("leads", person.entity_id, fields, moment, dice.applied)

    def first_leads(self) -> list[NewRecord]:
        made: list[NewRecord] = []
        for entity_id, truth in self.world.connection.execute(f"select entity_id, truth {_STRANGERS}"):
            rng = self.rng("lead presence", entity_id)
            if rng.random() < _LEADS:
                copies = 2 if not made or rng.random() < _TWICE else 1
                person = person_from(json.loads(truth))
                made += [self.lead(person, _past(rng), copy) for copy in range(copies)]
        return made

    def opportunity(self, account: str, entity_id: str, company: dict, moment: str, copy: object) -> NewRecord:
        rng = self.rng("opportunity", account, self.number, copy)
        amount = round(rng.lognormvariate(8, 1), 2)
        close = datetime.fromisoformat(moment) + timedelta(days=rng.randint(5, 120))
        fields = {
            "account_id": account,
            "opportunity_name": f"{company['company_name']} - {rng.choice(_PRODUCTS)}"[:120],
            "amount": amount if rng.random() < 0.95 else "",
            "currency": company["currency"],
            "type": rng.choice(("New Customer", "Existing Customer - Upgrade", "")),
            "close_date": close.date().isoformat(),
            "owner_id": rng.choice(_USERS),
            "lead_source": rng.choice(PICKLISTS["LeadSource"]),
            "push_count": rng.choice((0, 0, 0, 1, 2)),
            "next_step": rng.choice(("Send quote", "Call back", "")),
            "loyalty_tier": company["loyalty_tier"],
            "erp_customer_number": company["erp_customer_number"],
        }
        return self.record(
            "opportunities", entity_id, fields | stage_fields(fields, rng.choice(tuple(_CHANCES))), moment
        )

    def campaign(self, number: int, moment: str) -> NewRecord:
        rng = self.rng("campaign", self.number, number)
        start = datetime.fromisoformat(moment)
        fields = {
            "campaign_name": f"{_CAMPAIGNS[number % len(_CAMPAIGNS)]} {start.year}",
            "type": rng.choice(("Email", "Trade Show", "Webinar")),
            "status": rng.choice(("Planned", "In Progress", "Completed")),
            "start_date": start.date().isoformat(),
            "end_date": (start + timedelta(days=30)).date().isoformat(),
            "budget": rng.randint(1, 50) * 1000,
            "is_active": rng.random() < 0.6,
            **self.beside("", rng),
        }
        return self.record("campaigns", "", fields, moment)

    def member(self, campaign: str, row: sqlite3.Row, moment: str) -> NewRecord:
        """A contact or lead (`row`) joins a campaign."""
        rng = self.rng("member", campaign, row["source_id"], self.number)
        is_lead = row["object"] == "leads"
        person = json.loads(row["fields"])
        names = ("given_name", "family_name", "job_title", "email", "phone", "mobile", "address", "city", "region",
                 "postal_code", "country", "company_name", "email_optout")  # fmt: skip
        responded = rng.random() < 0.25
        fields = {name: person.get(name, "") for name in names} | self.beside(row["entity_id"], rng)
        fields |= {
            "campaign_id": campaign,
            "lead_id": row["source_id"] if is_lead else "",
            "contact_id": "" if is_lead else row["source_id"],
            "member_type": "Lead" if is_lead else "Contact",
            "status": "Responded" if responded else "Sent",
            "has_responded": responded,
            "first_responded_date": moment[:10] if responded else "",
        }
        return self.record("campaign_members", row["entity_id"], fields, moment)

    def first_members(self, campaigns: list[str]) -> list[NewRecord]:
        people = self.world.connection.execute(
            "select object, source_id, entity_id, fields from records where system = 'salesforce'"
            " and object in ('contacts', 'leads') and state = 'live' order by object, seq"
        )
        return [
            self.member(campaign, row, _past(rng))
            for row in people
            for rng in [self.rng("membership", row["source_id"])]
            for campaign in campaigns
            if rng.random() < _MEMBERS
        ]


def require_name(fields: dict, rng: random.Random) -> None:
    """Salesforce takes no person without a last name: who does not know it types something."""
    fields["family_name"] = fields["family_name"] or rng.choice(("-", "n/a", "unknown"))


def stage_fields(fields: dict, stage: str) -> dict:
    """What an opportunity's stage says: chance, forecast, whether it is closed and won, its fiscal quarter."""
    chance, closes = _CHANCES[stage], datetime.fromisoformat(fields["close_date"])
    quarter = (closes.month + 2) // 3
    return {
        "stage": stage,
        "probability": chance,
        "expected_revenue": round(fields["amount"] * chance / 100, 2) if fields["amount"] else "",
        "is_closed": stage.startswith("Closed"),
        "is_won": stage == "Closed Won",
        "forecast_category": "Omitted" if chance == 0 else "Closed" if chance == 100 else "Pipeline",
        "fiscal_quarter": quarter,
        "fiscal_year": closes.year,
        "fiscal": f"{closes.year} {quarter}",
    }


def _past(rng: random.Random) -> str:
    return iso(START - timedelta(seconds=rng.randint(3600, 5 * 365 * 86400)))


# ---------- later days
def next_day(world: World, day) -> None:
    """Records are made, changed, merged, converted, deleted and restored, and the recycle bin forgets its oldest."""
    _Day(world, day).run()


class _Day:
    """What happens in Salesforce on one day, beside its contacts."""

    def __init__(self, world: World, day) -> None:
        self.world, self.day, self.number = world, day, day.number
        self.sales = _Sales(world, day.number)
        self.rng = self.sales.rng("day", day.number)
        self.touched: set[str] = set()

    def run(self) -> None:
        self._join_accounts()
        self._delete("accounts", self._deserted_accounts)
        for name in ("leads", "opportunities", "campaign_members"):
            self._delete(name)
        self._follow_deletions()
        for name in ("leads", "accounts"):
            self._merge(name)
        self._convert_lead()
        self._change("leads", _changed_lead)
        self._change("accounts", _changed_account)
        self._change("opportunities", _changed_opportunity)
        self._change("campaign_members", _changed_member)
        self._new_records()
        self._restore()
        self._one_membership_each()
        self._forget()

    # ---------- choosing
    def _live(self, name: str, state: str = "live") -> list[sqlite3.Row]:
        rows = self.world.rows(
            "select * from records where system = 'salesforce' and object = ? and state = ? order by seq",
            (name, state),
        )
        return [row for row in rows if row["changed_day"] < self.number]

    def _some(self, rows: list[sqlite3.Row], share: float) -> list[sqlite3.Row]:
        rows = [row for row in rows if row["source_id"] not in self.touched]
        chosen = self.rng.sample(rows, min(len(rows), max(1, round(len(rows) * share))))
        self.touched |= {row["source_id"] for row in chosen}
        return chosen

    def _moment(self) -> str:
        return iso(self.day.before + timedelta(milliseconds=self.rng.randint(1, 86_400_000)))

    def _count(self, name: str, what: str) -> None:
        self.day.counts[SYSTEM, f"{name} {what}"] += 1

    def _accounts_by_company(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for row in self.world.rows(
            "select entity_id, source_id from records where system = 'salesforce' and object = 'accounts'"
            " and state = 'live' order by seq"
        ):
            found[row["entity_id"]].append(row["source_id"])
        return found

    def _company(self, entity_id: str):
        truth = self.world.rows("select truth from companies where entity_id = ?", (entity_id,))[0][0]
        return company_from(json.loads(truth))

    # ---------- what happens
    def _join_accounts(self) -> None:
        self.sales.complete_contacts(self._accounts_by_company())

    def _deserted_accounts(self) -> list[sqlite3.Row]:
        """Accounts nobody belongs to: on three days in ten one of them goes, with its opportunities."""
        if self.rng.random() > 0.3:
            return []
        held = {
            row[0]
            for row in self.world.rows(
                "select json_extract(fields, '$.account_id') from records where system = 'salesforce'"
                " and object = 'contacts' and state = 'live'"
            )
        }
        return [row for row in self._live("accounts") if row["source_id"] not in held]

    def _delete(self, name: str, among: Callable[[], list[sqlite3.Row]] | None = None) -> None:
        rows = among() if among else self._live(name)
        for row in self._some(rows, 0.001):
            end_record(self.world, row, "deleted", "", self._moment(), self.number)
            self._count(name, "deleted")

    def _follow_deletions(self) -> None:
        """Members of what was deleted today go with it, and so do the opportunities of an account."""
        for name, field, owner in (
            ("campaign_members", "contact_id", "contacts"),
            ("campaign_members", "lead_id", "leads"),
            ("opportunities", "account_id", "accounts"),
        ):
            rows = self.world.rows(
                "select child.*, parent.ended_at as gone_at from records as parent inner join records as child"
                " on child.system = 'salesforce' and child.object = ? and child.state = 'live'"
                f" and json_extract(child.fields, '$.{field}') = parent.source_id"
                " where parent.system = 'salesforce' and parent.object = ? and parent.state = 'deleted'"
                " and parent.changed_day = ? order by child.seq",
                (name, owner, self.number),
            )
            for row in rows:
                end_record(self.world, row, "deleted", "", row["gone_at"], self.number)
                self._count(name, "deleted")

    def _merge(self, name: str) -> None:
        by_entity: dict[str, list[sqlite3.Row]] = defaultdict(list)
        for row in self._live(name):
            if row["source_id"] not in self.touched and not json.loads(row["fields"]).get("is_converted"):
                by_entity[row["entity_id"]].append(row)
        doubled = [rows for rows in by_entity.values() if len(rows) > 1]
        if doubled and (name == "leads" or self.rng.random() < 0.5):
            first, second = self.rng.choice(doubled)[:2]
            merge_records(self.world, first, second, self._moment(), self.number)
            self.touched |= {first["source_id"], second["source_id"]}
            self._count(name, "merged")

    def _convert_lead(self) -> None:
        """A lead becomes a contact, of the employer's account where there is one; the lead stays, converted."""
        rows = [row for row in self._live("leads") if not json.loads(row["fields"])["is_converted"]]
        if self.rng.random() > 0.6:
            return
        for row in self._some(rows, 0.001):
            person, moment = self.world.person(row["entity_id"]), self._moment()
            lead = json.loads(row["fields"])
            rng = self.sales.rng("converted", row["source_id"])
            offered = self._accounts_by_company().get(person.company_id)
            dice = Dice(SYSTEM, rng)
            fields = person_record(person, dice) | self.sales.contact_fields(row["entity_id"], rng)
            # The contact takes over what the lead said.
            fields |= {name: lead[name] for name in ("given_name", "family_name", "email", "phone", "job_title")}
            fields["account_id"] = rng.choice(offered) if offered else ""
            contact = self.sales.record("contacts", row["entity_id"], fields, moment, dice.applied)
            insert_records(self.world, [contact])
            lead |= {
                "status": _CONVERTED, "is_converted": True, "converted_date": moment[:10],
                "converted_contact_id": contact.source_id, "converted_account_id": fields["account_id"],
            }  # fmt: skip
            change_record(self.world, row, lead, moment, self.number)
            self._count("leads", "converted")

    def _change(self, name: str, changed: Callable[[dict, random.Random], dict]) -> None:
        for row in self._some(self._live(name), 0.006):
            fields = json.loads(row["fields"])
            change_record(self.world, row, fields | changed(fields, self.rng), self._moment(), self.number)
            self._count(name, "changed")

    def _new_records(self) -> None:
        strangers = self.world.rows(f"select entity_id {_STRANGERS}")
        for (entity_id,) in self.rng.sample(strangers, min(len(strangers), max(1, len(strangers) // 500))):
            self._insert(self.sales.lead(self.world.person(entity_id), self._moment(), "new"))
        for row in self._some(self._live("leads"), 0.001):  # entered a second time, for a later day to merge
            if not json.loads(row["fields"])["is_converted"]:
                self._insert(self.sales.lead(self.world.person(row["entity_id"]), self._moment(), "again"))
        accounts = self._live("accounts")
        self._new_account(accounts)
        for row in self.rng.sample(accounts, min(len(accounts), max(1, len(accounts) // 50))):
            company = json.loads(row["fields"])
            self._insert(
                self.sales.opportunity(row["source_id"], row["entity_id"], company, self._moment(), row["source_id"])
            )
        campaigns = self._live("campaigns")
        people = self._live("contacts") + self._live("leads")
        for row in self.rng.sample(people, min(len(people), max(1, len(people) // 200))):
            self._insert(self.sales.member(self.rng.choice(campaigns)["source_id"], row, self._moment()))

    def _new_account(self, accounts: list[sqlite3.Row]) -> None:
        """A company becomes an account: one that is none yet and takes its people along, or one a second time."""
        if self.rng.random() > 0.4:
            return
        known = {row["entity_id"] for row in accounts}
        staff = self.sales.staff()
        unknown = sorted(set(staff) - known)
        if not known and not unknown:
            return
        is_new = bool(unknown) and (not known or self.rng.random() < 0.5)
        entity_id = self.rng.choice(unknown if is_new else sorted(known))
        account = self.sales.account(self._company(entity_id), self._moment(), "new")
        self._insert(account)
        for contact in staff[entity_id] if is_new else ():
            row = self.world.record(SYSTEM, "contacts", contact)
            if row["changed_day"] < self.number:
                fields = json.loads(row["fields"]) | {"account_id": account.source_id}
                change_record(self.world, row, fields, self._moment(), self.number)

    def _insert(self, record: NewRecord) -> None:
        insert_records(self.world, [record])
        self._count(record.object, "new")

    def _restore(self) -> None:
        for name in OBJECTS:
            rows = self._live(name, "deleted")
            if not rows or self.rng.random() > 0.5:
                continue
            for row in self._some(rows, 0):
                fields = self._mended(name, json.loads(row["fields"]))
                if fields is not None:
                    moment = self._moment()
                    change_record(self.world, row, fields, moment, self.number)
                    restore_record(self.world, self.world.record(SYSTEM, name, row["source_id"]), moment, self.number)
                    self._count(name, "restored")

    def _mended(self, name: str, fields: dict) -> dict | None:
        """What a record belonged to may be merged or gone by now; None when the record is nothing without it."""
        for field, owner in _OWNERS.get(name, ()):
            found = self.world.record(SYSTEM, owner, fields[field]) if fields[field] else None
            while found is not None and found["state"] == "merged":
                found = self.world.record(SYSTEM, owner, found["merged_into"])
            is_live = found is not None and found["state"] == "live"
            if fields[field] and not is_live and name != "contacts":
                return None
            fields = fields | {field: found["source_id"] if is_live else ""}
        return fields

    def _one_membership_each(self) -> None:
        """A merge may leave a contact or lead twice in a campaign: the later membership goes."""
        rows = self.world.rows(
            "select * from (select *, row_number() over (partition by json_extract(fields, '$.campaign_id'),"
            " json_extract(fields, '$.contact_id'), json_extract(fields, '$.lead_id')"
            " order by created_at, seq) as place"
            " from records where system = 'salesforce' and object = 'campaign_members' and state = 'live')"
            " where place > 1 order by seq"
        )
        for row in rows:
            moment = max(row["updated_at"], self._moment())
            end_record(self.world, row, "deleted", "", moment, self.number)
            self._count("campaign_members", "deleted")

    def _forget(self) -> None:
        for row in self.world.rows(
            "select * from records where system = 'salesforce' and state in ('deleted', 'merged') and ended_at < ?",
            (iso(self.day.now - _BIN),),
        ):
            forget_record(self.world, row)
            self._count(row["object"], "forgotten")


def _changed_lead(fields: dict, rng: random.Random) -> dict:
    if fields["is_converted"]:
        return {"loyalty_tier": _another(fields["loyalty_tier"], PICKLISTS["Loyalty_Tier__c"], rng)}
    return {"status": _another(fields["status"], _STATUSES, rng)}


def _changed_account(fields: dict, rng: random.Random) -> dict:
    return {"employees": fields["employees"] + rng.randint(1, 20), "rating": rng.choice(PICKLISTS["Rating"])}


def _changed_opportunity(fields: dict, rng: random.Random) -> dict:
    return stage_fields(fields, _another(fields["stage"], PICKLISTS["StageName"], rng))


def _changed_member(fields: dict, rng: random.Random) -> dict:
    return {"status": "Responded", "has_responded": True, "loyalty_tier": _another(
        fields["loyalty_tier"], PICKLISTS["Loyalty_Tier__c"], rng)}  # fmt: skip


def _another(value: str, values: Iterable[str], rng: random.Random) -> str:
    return rng.choice([one for one in dict.fromkeys(values) if one != value])
