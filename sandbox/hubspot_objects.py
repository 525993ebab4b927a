"""What HubSpot's objects hold: properties with their types, and how a record of the world shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.world import START, iso


@dataclass(frozen=True)
class Property:
    """A CRM property. `source` is the world record's field, or its column where `is_column`."""

    name: str
    source: str
    label: str
    kind: str = "string"
    is_column: bool = False
    is_custom: bool = False

    def definition(self, group: str) -> dict:
        """As GET /crm/v3/properties/{objectType} shows it."""
        field_types = {"datetime": "date", "bool": "booleancheckbox", "number": "number", "enumeration": "select"}
        definition = {
            "name": self.name,
            "label": self.label,
            "type": self.kind,
            "fieldType": field_types.get(self.kind, "text"),
            "description": "" if self.is_custom else self.label,
            "groupName": group,
            "options": self._options(),
            "displayOrder": -1,
            "calculated": self.name.startswith(("num_", "hs_object_id", "hs_merged", "hs_calculated")),
            "externalOptions": False,
            "archived": False,
            "hasUniqueValue": False,
            "hidden": False,
            "hubspotDefined": not self.is_custom,
            "modificationMetadata": {
                "archivable": self.is_custom,
                "readOnlyDefinition": not self.is_custom,
                "readOnlyValue": self.is_column or self.name.startswith(("num_", "hs_calculated")),
            },
            "formField": not self.is_column,
            "createdAt": iso(START),
            "updatedAt": iso(START),
        }
        return definition | ({"createdUserId": "1", "updatedUserId": "1"} if self.is_custom else {})

    def _options(self) -> list[dict]:
        """What a value can be; HubSpot names none for enumerations whose values it makes itself."""
        values = ("true", "false") if self.kind == "bool" else OPTIONS.get(self.name, ())
        return [
            {
                "label": {"true": "Yes", "false": "No"}.get(value, value.replace("_", " ").capitalize()),
                "value": value,
                "displayOrder": place,
                "hidden": False,
            }
            for place, value in enumerate(values)
            if self.kind in ("bool", "enumeration")
        ]


@dataclass(frozen=True)
class ObjectType:
    """One kind of CRM record: contacts, companies, deals."""

    name: str
    singular: str
    properties: tuple[Property, ...]
    defaults: tuple[str, ...]
    modified: str

    def by_name(self, faults: Mapping[str, float]) -> dict[str, Property]:
        """The properties by name, as the schema faults leave them."""
        found = {one.name: one for one in self.properties}
        if "schema_new" in faults:
            found["new_property"] = Property(
                "new_property", "source_id", "New property", is_column=True, is_custom=True
            )
        if "schema_dropped" in faults:
            del found[DROPPED[self.name]]
        if "schema_retyped" in faults:
            old = found[RETYPED[self.name]]
            found[old.name] = Property(old.name, old.source, old.label, "number", old.is_column, old.is_custom)
        if "schema_renamed" in faults:
            old = found.pop(RENAMED[self.name])
            name = f"{old.name}_renamed"
            found[name] = Property(name, old.source, old.label, old.kind, old.is_column, True)
        return found

    def show(self, row: Mapping, names: list[str], faults: Mapping[str, float], history: list[str] = ()) -> dict:
        """A record as the API shows it. A property without a value is null, every other a string.

        `history` are the properties to show with their values so far, of which the world keeps the last two.
        """
        fields = json.loads(row["fields"])
        known = self.by_name(faults)
        shown = {
            "id": row["source_id"],
            "properties": {name: _value(known[name], row, fields) or None for name in names if name in known},
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
            "archived": row["state"] == "archived",
        }
        if shown["archived"]:
            shown["archivedAt"] = row["ended_at"]
        if history:
            shown["propertiesWithHistory"] = {name: _history(known[name], row, fields) for name in history}
        if "schema_retyped" in faults and RETYPED[self.name] in shown["properties"]:
            shown["properties"][RETYPED[self.name]] = 7
        return shown


# What the schema faults do, per object.
DROPPED = {"contacts": "website", "companies": "website", "deals": "dealtype"}
RETYPED = {"contacts": "jobtitle", "companies": "industry", "deals": "dealname"}
RENAMED = {"contacts": "company", "companies": "numberofemployees", "deals": "pipeline"}


# property: the values it can have
OPTIONS = {
    "lifecyclestage": ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer",
                       "evangelist", "other"),
    "industry": ("CONSTRUCTION", "LOGISTICS_AND_SUPPLY_CHAIN", "FOOD_BEVERAGES", "DESIGN", "COMPUTER_SOFTWARE"),
    "deal_currency_code": ("EUR", "GBP", "MXN", "USD"),
    "dealstage": ("appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin",
                  "contractsent", "closedwon", "closedlost"),
    "pipeline": ("default",),
    "dealtype": ("newbusiness", "existingbusiness"),
}  # fmt: skip
# what a search for a text looks at
SEARCHABLE = {
    "contacts": ("firstname", "lastname", "email", "phone", "hs_additional_emails", "mobilephone", "company"),
    "companies": ("website", "phone", "name", "domain"),
    "deals": ("dealname", "pipeline", "dealstage", "dealtype"),
}
# type: the property besides hs_object_id whose value is one record's alone
UNIQUE = {"contacts": ("email", "email")}


def _history(shown: Property, row: Mapping, fields: dict) -> list[dict]:
    """The values of a property with the time each was given, newest first."""
    previous = json.loads(row["previous"]) if row["previous"] else {}
    values = [(_value(shown, row, fields), row["updated_at"])]
    if previous and not shown.is_column:
        values.append((_value(shown, row, json.loads(previous["fields"])), previous["updated_at"]))
    if len(values) == 1 or values[0][0] == values[1][0]:
        values = [(values[0][0], row["created_at"])]
    if not values[-1][0]:
        values.pop()
    return [
        {"value": value, "timestamp": moment, "sourceType": "INTEGRATION", "sourceId": "1"} for value, moment in values
    ]


def _value(shown: Property, row: Mapping, fields: dict) -> str:
    if not shown.is_column:
        value = fields.get(shown.source)
        return "" if value is None else str(value)
    if shown.source == "constant":
        return "default"
    return str(row[shown.source])


def _system(modified: str) -> tuple[Property, ...]:
    return (
        Property("createdate", "created_at", "Create Date", "datetime", is_column=True),
        Property(modified, "updated_at", "Last Modified Date", "datetime", is_column=True),
        Property("hs_object_id", "source_id", "Record ID", "number", is_column=True),
        Property("hs_merged_object_ids", "merged_from", "Merged record IDs", "enumeration", is_column=True),
    )


CONTACTS = ObjectType(
    "contacts",
    "contact",
    (
        Property("firstname", "given_name", "First Name"),
        Property("lastname", "family_name", "Last Name"),
        Property("email", "email", "Email"),
        Property("hs_additional_emails", "email_2", "Additional email addresses", "enumeration"),
        Property("phone", "phone", "Phone Number"),
        Property("mobilephone", "mobile", "Mobile Phone Number"),
        Property("address", "address", "Street Address"),
        Property("city", "city", "City"),
        Property("state", "region", "State/Region"),
        Property("zip", "postal_code", "Postal Code"),
        Property("country", "country", "Country/Region"),
        Property("date_of_birth", "birth_date", "Date of birth"),
        Property("company", "company_name", "Company Name"),
        Property("jobtitle", "job_title", "Job Title"),
        Property("website", "website", "Website URL"),
        Property("lifecyclestage", "lifecycle_stage", "Lifecycle Stage", "enumeration"),
        Property("hs_email_optout", "email_optout", "Unsubscribed from all email", "bool"),
        Property("associatedcompanyid", "associated_company", "Primary Associated Company ID", "number"),
        Property("num_associated_deals", "deals", "Number of Associated Deals", "number"),
        *_system("lastmodifieddate"),
        Property("hs_calculated_merged_vids", "merged_vids", "Merged vids with timestamps"),
        Property("loyalty_number", "loyalty_number", "Loyalty number", is_custom=True),
    ),
    ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    "lastmodifieddate",
)
COMPANIES = ObjectType(
    "companies",
    "company",
    (
        Property("name", "company_name", "Company name"),
        Property("domain", "domain", "Company Domain Name"),
        Property("phone", "phone", "Phone Number"),
        Property("address", "address", "Street Address"),
        Property("city", "city", "City"),
        Property("state", "region", "State/Region"),
        Property("zip", "postal_code", "Postal Code"),
        Property("country", "country", "Country/Region"),
        Property("website", "website", "Website URL"),
        Property("industry", "industry", "Industry", "enumeration"),
        Property("numberofemployees", "employees", "Number of Employees", "number"),
        Property("num_associated_contacts", "contacts", "Number of Associated Contacts", "number"),
        Property("num_associated_deals", "deals", "Number of Associated Deals", "number"),
        *_system("hs_lastmodifieddate"),
        Property("account_number", "account_number", "ERP account number", is_custom=True),
    ),
    ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "hs_lastmodifieddate",
)
DEALS = ObjectType(
    "deals",
    "deal",
    (
        Property("dealname", "deal_name", "Deal Name"),
        Property("amount", "amount", "Amount", "number"),
        Property("deal_currency_code", "currency", "Currency", "enumeration"),
        Property("dealstage", "stage", "Deal Stage", "enumeration"),
        Property("pipeline", "constant", "Pipeline", "enumeration", is_column=True),
        Property("dealtype", "deal_type", "Deal Type", "enumeration"),
        Property("closedate", "close_date", "Close Date", "datetime"),
        Property("num_associated_contacts", "contacts", "Number of Associated Contacts", "number"),
        *_system("hs_lastmodifieddate"),
        Property("renewal_of", "renewal_of", "Renewal of", is_custom=True),
    ),
    ("amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id", "pipeline"),
    "hs_lastmodifieddate",
)
TYPES = {one.name: one for one in (CONTACTS, COMPANIES, DEALS)}
_TYPE_IDS = {"0-1": "contacts", "0-2": "companies", "0-3": "deals"}
# Other types of HubSpot's, with which no record of the sandbox is associated.
OTHER_TYPES = ("calls", "carts", "communications", "emails", "invoices", "leads", "line_items", "meetings", "notes",
               "orders", "products", "quotes", "subscriptions", "tasks", "tickets")  # fmt: skip


def object_type(name: str) -> ObjectType | None:
    """The type of that name, in the plural, in the singular or as HubSpot numbers it; capitals do not matter."""
    wanted = _TYPE_IDS.get(name, name).lower()
    return TYPES.get(wanted) or next((one for one in TYPES.values() if one.singular == wanted), None)


# (from, to): association type ids (plain, primary) as HubSpot defines them
ASSOCIATION_TYPES = {
    ("contacts", "companies"): (279, 1),
    ("companies", "contacts"): (280, 2),
    ("contacts", "deals"): (4, None),
    ("deals", "contacts"): (3, None),
    ("companies", "deals"): (342, 6),
    ("deals", "companies"): (341, 5),
}
