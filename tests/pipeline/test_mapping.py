"""The mapping seed and the SQL agree; and no edit that makes them disagree gets past this test."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable

import mapping
import pytest
import yaml
from lineage import Lineage

from operate.environment import PROJECT_ROOT

Compiled = dict[str, str]
Rows = list[mapping.Row]
Landed = dict[mapping.Object, list[str]]


@pytest.fixture(scope="module")
def compiled(compiled_project) -> Compiled:
    return {name: node["compiled_code"] for name, node in compiled_project.models.items()}


@pytest.fixture(scope="module")
def rows() -> Rows:
    with open(PROJECT_ROOT / mapping.SEED, newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def landed() -> Landed:
    """The fields that each landed table declares."""
    found: Landed = {}
    for path in sorted((PROJECT_ROOT / "models/staging").glob("raw_*.yml")):
        (source,) = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
        for table in source["tables"]:
            if not table["name"].startswith("_") and source["name"] != "raw_ingest":
                fields = [column["name"] for column in table["columns"]]
                found[source["name"].removeprefix("raw_"), table["name"]] = fields
    return found


def test_the_seed_says_what_the_sql_does(compiled_project, compiled, rows, landed):
    assert len(landed) == 23 and len(rows) > 600
    found = mapping.problems(Lineage(compiled, compiled_project.columns), rows, landed)
    assert not found, "\n".join(found)


# ---------- edits that must not get past: each gives (object named in the message, model or seed named)
def swap(model: str, one: str, other: str) -> Callable:
    """Two fields of one source object take each other's place in a staging model."""

    def edit(compiled: Compiled, rows: Rows, landed: Landed) -> None:
        table = model.split("__")[1]
        places = {f"{table}.{one}": f"{table}.{other}", f"{table}.{other}": f"{table}.{one}"}
        # A field that keeps its name is a column of that name still, whatever is put in its place.
        named = re.sub(rf"^( +)({table}\.({one}|{other})),$", r"\1\2 as \3,", compiled[model], flags=re.M)
        pattern = "|".join(re.escape(place) for place in places)
        edited = re.sub(rf"\b(?:{pattern})\b(?!\.)", lambda found: places[found.group()], named)
        assert edited != named, f"{model} does not read {one} and {other}"
        compiled[model] = edited

    return edit


def drop(system: str, name: str, field: str, target: str) -> Callable:
    """A row of the seed is gone."""

    def edit(compiled: Compiled, rows: Rows, landed: Landed) -> None:
        gone = [
            row for row in rows
            if (row["source_system"], row["source_object"], row["source_field"]) == (system, name, field)
            and row["target_field"] == target
        ]  # fmt: skip
        assert gone
        for row in gone:
            rows.remove(row)

    return edit


def add_field(system: str, name: str, field: str) -> Callable:
    """A source lands a field that nobody has decided about."""
    return lambda compiled, rows, landed: landed[system, name].append(field)


EDITS = [
    (swap("stg_hubspot__contacts", "firstname", "lastname"), "hubspot.contacts.firstname", "cln_hubspot__contacts"),
    (swap("stg_hubspot__contacts", "phone", "mobilephone"), "hubspot.contacts.phone", "cln_hubspot__contacts"),
    (swap("stg_hubspot__contacts", "city", "state"), "hubspot.contacts.city", "cln_hubspot__contacts"),
    (swap("stg_hubspot__companies", "domain", "website"), "hubspot.companies.domain", "cln_hubspot__accounts"),
    (swap("stg_hubspot__deals", "pipeline", "dealstage"), "hubspot.deals.pipeline", "cln_hubspot__deals"),
    (swap("stg_hubspot__associations", "from_id", "to_id"), "hubspot.associations.from_id", "cln_hubspot__assoc"),
    (swap("stg_salesforce__contacts", "email", "title"), "salesforce.contacts.email", "cln_salesforce__contacts"),
    (swap("stg_salesforce__contacts", "salutation", "department"), "salesforce.contacts.salutation", "stg_salesforce"),
    (swap("stg_salesforce__leads", "company", "title"), "salesforce.leads.company", "cln_salesforce__leads"),
    (swap("stg_salesforce__accounts", "name", "industry"), "salesforce.accounts.name", "cln_salesforce__accounts"),
    (swap("stg_salesforce__opportunities", "amount", "probability"), "salesforce.opportunities.amount", "cln_sales"),
    (swap("stg_salesforce__campaigns", "start_date", "end_date"), "salesforce.campaigns.start_date", "cln_salesforce"),
    (swap("stg_salesforce__campaign_members", "contact_id", "lead_id"), "salesforce.campaign_members", "salesforce"),
    (swap("stg_stripe__customers", "email", "phone"), "stripe.customers.email", "cln_stripe__customers"),
    (swap("stg_stripe__charges", "amount", "amount_captured"), "stripe.charges.amount", "cln_stripe__charges"),
    (swap("stg_stripe__invoices", "amount_due", "amount_paid"), "stripe.invoices.amount_due", "cln_stripe__invoices"),
    (swap("stg_stripe__subscriptions", "ended_at", "trial_end"), "stripe.subscriptions.ended_at", "cln_stripe__sub"),
    (swap("stg_stripe__refunds", "reason", "status"), "stripe.refunds.reason", "cln_stripe__refunds"),
    (swap("stg_erp__customers", "phone", "mobile"), "erp.customers.phone", "cln_erp__customers"),
    (swap("stg_erp__invoices", "issued_on", "due_on"), "erp.invoices.issued_on", "cln_erp__invoices"),
    (swap("stg_erp__payments", "invoice_id", "customer_id"), "erp.payments.invoice_id", "cln_erp__payments"),
    (swap("stg_erp__stock", "quantity", "reserved"), "erp.stock.quantity", "cln_erp__stock"),
    (swap("stg_spreadsheets__people", "email", "email_2"), "spreadsheets.people.email", "cln_spreadsheets__people"),
    (swap("stg_spreadsheets__people", "street", "city"), "spreadsheets.people.city", "cln_spreadsheets__people"),
    (drop("hubspot", "contacts", "email", "email"), "hubspot.contacts.email", "cln_hubspot__contacts"),
    (drop("salesforce", "contacts", "department", "department"), "salesforce.contacts.department", "stg_salesforce"),
    (drop("stripe", "customers", "address.city", "city"), "stripe.customers.address.city", "cln_stripe__customers"),
    (drop("erp", "invoices", "paid_on", "paid_date"), "erp.invoices.paid_on", "cln_erp__invoices"),
    (drop("salesforce", "leads", "fax", "ignored"), "raw_salesforce.leads has the field fax", mapping.SEED),
    (add_field("hubspot", "contacts", "shoe_size"), "raw_hubspot.contacts has the field shoe_size", mapping.SEED),
    (add_field("erp", "payments", "iban"), "raw_erp.payments has the field iban", mapping.SEED),
]


@pytest.mark.parametrize(("edit", "field", "place"), EDITS, ids=[f"{place}-{field}" for _, field, place in EDITS])
def test_an_edit_that_parts_seed_and_sql_is_told(compiled_project, compiled, rows, landed, edit, field, place):
    system, name = re.match(r"(?:raw_)?(\w+)\.(\w+)", field).groups()  # what the other objects say stays true
    compiled = dict(compiled)
    rows = [row for row in rows if (row["source_system"], row["source_object"]) == (system, name)]
    landed = {(system, name): list(landed[system, name])}
    edit(compiled, rows, landed)
    told = [one for one in mapping.problems(Lineage(compiled, compiled_project.columns), rows, landed) if field in one]
    assert any(place in one for one in told), told
    assert all(re.search(r": (correct|add) ", one) for one in told), "the remedy is named"
