"""Salesforce's sObjects: every standard field of six of them, two custom ones each, and their describe results.

A field is written `Name/type/value`. The value is a field of the world's record, `@` and a column of it, or `=` and
a constant; without one the field is always empty. Types and lengths are those of the Field Reference
(developer.salesforce.com/docs, salesforce-field-reference-*); labels are the names in words. The org has multiple
currencies switched on, and no person accounts, record types, divisions or territories.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sandbox.ids import salesforce_id

USER = salesforce_id("005")(1)
_AUDIT = f"""
CreatedDate/datetime/@created_at CreatedById/reference:User/={USER} LastModifiedDate/datetime/@updated_at
LastModifiedById/reference:User/={USER} SystemModstamp/datetime/@updated_at
"""
_USAGE = "LastActivityDate/date LastViewedDate/datetime LastReferencedDate/datetime"
_METRICS = "ActivityMetricId/reference:ActivityMetric ActivityMetricRollupId/reference:ActivityMetricRollup"
_CUSTOM = "Loyalty_Tier__c/picklist/loyalty_tier ERP_Customer_Number__c/string:40/erp_customer_number"
_PEOPLE = """
FirstCallDateTime/datetime FirstEmailDateTime/datetime EmailBouncedReason/string:255 EmailBouncedDate/datetime
IndividualId/reference:Individual Jigsaw/string:20 JigsawContactId/string:20 CleanStatus/picklist/=Pending
Pronouns/picklist GenderIdentity/picklist IsPriorityRecord/boolean/=false DoNotCall/boolean/=false
HasOptedOutOfEmail/boolean/email_optout HasOptedOutOfFax/boolean/=false
"""
_FILLED = ("address", "city", "region", "postal_code", "country")


def _address(prefix: str, filled: bool) -> str:
    street, city, state, code, country = (f"/{name}" if filled else "" for name in _FILLED)
    return f"""
    {prefix}Street/textarea:255{street} {prefix}City/string:40{city} {prefix}State/string:80{state}
    {prefix}PostalCode/string:20{code} {prefix}Country/string:80{country} {prefix}Latitude/double:18.15
    {prefix}Longitude/double:18.15 {prefix}GeocodeAccuracy/picklist {prefix}Address/address
    """


_CONTACT = f"""
Id/id/@source_id IsDeleted/boolean/@is_deleted MasterRecordId/reference:Contact/@merged_into
AccountId/reference:Account/account_id LastName/string:80/family_name FirstName/string:40/given_name
Salutation/picklist/salutation Name/string:121/@person_name {_address("Other", False)} {_address("Mailing", True)}
Phone/phone/phone Fax/phone MobilePhone/phone/mobile HomePhone/phone OtherPhone/phone AssistantPhone/phone
ReportsToId/reference:Contact Email/email/email Title/string:128/job_title Department/string:80/department
AssistantName/string:40 LeadSource/picklist/lead_source Birthdate/date/birth_date Description/textarea:32000
CurrencyIsoCode/picklist/=EUR OwnerId/reference:User/owner_id {_AUDIT} LastActivityDate/date
LastCURequestDate/datetime LastCUUpdateDate/datetime LastViewedDate/datetime LastReferencedDate/datetime
IsEmailBounced/boolean/=false PhotoUrl/url/@photo_url {_PEOPLE} {_METRICS} ContactSource/picklist
TitleType/picklist DepartmentGroup/picklist BuyerAttributes/multipicklist {_CUSTOM}
"""
_LEAD = f"""
Id/id/@source_id IsDeleted/boolean/@is_deleted MasterRecordId/reference:Lead/@merged_into
LastName/string:80/family_name FirstName/string:40/given_name Salutation/picklist/salutation
Name/string:121/@person_name Title/string:128/job_title Company/string:255/company_name {_address("", True)}
Phone/phone/phone MobilePhone/phone/mobile Fax/phone Email/email/email Website/url/website PhotoUrl/url/@photo_url
Description/textarea:32000 LeadSource/picklist/lead_source Status/picklist/status Industry/picklist/industry
Rating/picklist/rating CurrencyIsoCode/picklist/=EUR AnnualRevenue/currency:18.0 NumberOfEmployees/int:8
OwnerId/reference:User/owner_id IsConverted/boolean/is_converted ConvertedDate/date/converted_date
ConvertedAccountId/reference:Account/converted_account_id ConvertedContactId/reference:Contact/converted_contact_id
ConvertedOpportunityId/reference:Opportunity IsUnreadByOwner/boolean/=false {_AUDIT} {_USAGE}
CompanyDunsNumber/string:9 DandbCompanyId/reference:DandBCompany {_PEOPLE} {_METRICS} {_CUSTOM}
"""
_ACCOUNT = f"""
Id/id/@source_id IsDeleted/boolean/@is_deleted MasterRecordId/reference:Account/@merged_into
Name/string:255/company_name Type/picklist/type ParentId/reference:Account {_address("Billing", True)}
{_address("Shipping", False)} Phone/phone/phone Fax/phone AccountNumber/string:40/account_number Website/url/website
PhotoUrl/url/@photo_url Sic/string:20 Industry/picklist/industry AnnualRevenue/currency:18.0/annual_revenue
NumberOfEmployees/int:8/employees Ownership/picklist TickerSymbol/string:20 Description/textarea:32000
Rating/picklist/rating Site/string:80 CurrencyIsoCode/picklist/currency OwnerId/reference:User/owner_id {_AUDIT}
{_USAGE} Jigsaw/string:20 JigsawCompanyId/string:20 CleanStatus/picklist/=Pending AccountSource/picklist
DunsNumber/string:9 Tradestyle/string:255 NaicsCode/string:8 NaicsDesc/string:120 YearStarted/string:4
SicDesc/string:80 DandbCompanyId/reference:DandBCompany OperatingHoursId/reference:OperatingHours {_METRICS}
{_CUSTOM}
"""
_OPPORTUNITY = f"""
Id/id/@source_id IsDeleted/boolean/@is_deleted AccountId/reference:Account/account_id IsPrivate/boolean/=false
Name/string:120/opportunity_name Description/textarea:32000 StageName/picklist/stage Amount/currency:18.2/amount
Probability/percent:3.0/probability ExpectedRevenue/currency:18.2/expected_revenue
TotalOpportunityQuantity/double:18.2 CloseDate/date/close_date Type/picklist/type NextStep/string:255/next_step
LeadSource/picklist/lead_source IsClosed/boolean/is_closed IsWon/boolean/is_won
ForecastCategory/picklist/forecast_category ForecastCategoryName/picklist/forecast_category
CurrencyIsoCode/picklist/currency CampaignId/reference:Campaign HasOpportunityLineItem/boolean/=false
Pricebook2Id/reference:Pricebook2 OwnerId/reference:User/owner_id {_AUDIT} {_USAGE} LastActivityInDays/int:9
PushCount/int:9/push_count LastStageChangeDate/datetime FiscalQuarter/int:9/fiscal_quarter FiscalYear/int:9/fiscal_year
Fiscal/string:6/fiscal ContactId/reference:Contact ContractId/reference:Contract HasOpenActivity/boolean/=false
HasOverdueTask/boolean/=false LastAmountChangedHistoryId/reference:OpportunityHistory
LastCloseDateChangedHistoryId/reference:OpportunityHistory IsPriorityRecord/boolean/=false {_CUSTOM}
"""
_CAMPAIGN = f"""
Id/id/@source_id IsDeleted/boolean/@is_deleted Name/string:80/campaign_name ParentId/reference:Campaign
Type/picklist/type Status/picklist/status StartDate/date/start_date EndDate/date/end_date
CurrencyIsoCode/picklist/=EUR ExpectedRevenue/currency:18.0 BudgetedCost/currency:18.0/budget
ActualCost/currency:18.0 ExpectedResponse/percent:8.2 NumberSent/double:18.0 IsActive/boolean/is_active
Description/textarea:32000 NumberOfLeads/int:9 NumberOfConvertedLeads/int:9 NumberOfContacts/int:9
NumberOfResponses/int:9 NumberOfOpportunities/int:9 NumberOfWonOpportunities/int:9
AmountAllOpportunities/currency:18.0 AmountWonOpportunities/currency:18.0 HierarchyNumberOfLeads/int:9
HierarchyNumberOfConvertedLeads/int:9 HierarchyNumberOfContacts/int:9 HierarchyNumberOfResponses/int:9
HierarchyNumberOfOpportunities/int:9 HierarchyNumberOfWonOpportunities/int:9
HierarchyAmountAllOpportunities/currency:18.0 HierarchyAmountWonOpportunities/currency:18.0
HierarchyNumberSent/double:18.0 HierarchyExpectedRevenue/currency:18.0 HierarchyBudgetedCost/currency:18.0
HierarchyActualCost/currency:18.0 OwnerId/reference:User/owner_id {_AUDIT} {_USAGE}
CampaignMemberRecordTypeId/reference:RecordType {_CUSTOM}
"""
_CAMPAIGN_MEMBER = f"""
Id/id/@source_id IsDeleted/boolean/@is_deleted CampaignId/reference:Campaign/campaign_id
LeadId/reference:Lead/lead_id ContactId/reference:Contact/contact_id Status/picklist/status
HasResponded/boolean/has_responded {_AUDIT} FirstRespondedDate/date/first_responded_date
CurrencyIsoCode/picklist/=EUR Salutation/picklist/salutation Name/string:255/@person_name
FirstName/string:40/given_name LastName/string:80/family_name Title/string:128/job_title
Street/textarea:255/address City/string:40/city State/string:80/region PostalCode/string:20/postal_code
Country/string:80/country Email/email/email Phone/phone/phone Fax/phone MobilePhone/phone/mobile
Description/textarea:32000 DoNotCall/boolean/=false HasOptedOutOfEmail/boolean/email_optout
HasOptedOutOfFax/boolean/=false LeadSource/picklist/lead_source CompanyOrAccount/string:255/company_name
Type/picklist/member_type LeadOrContactId/reference:Lead,Contact/@lead_or_contact
LeadOrContactOwnerId/reference:User/owner_id {_CUSTOM}
"""
PICKLISTS: dict[str, tuple[str, ...]] = {
    "LeadSource": ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"),
    "Salutation": ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."),
    "Industry": ("Construction", "Consulting", "Food & Beverage", "Technology", "Transportation"),
    "Rating": ("Hot", "Warm", "Cold"),
    "StageName": ("Prospecting", "Qualification", "Proposal/Price Quote", "Negotiation/Review", "Closed Won",
                  "Closed Lost"),
    "Loyalty_Tier__c": ("Bronze", "Silver", "Gold"),
    "CurrencyIsoCode": ("EUR", "USD", "GBP", "MXN"),
    "CleanStatus": ("Matched", "Different", "Acknowledged", "NotFound", "Inactive", "Pending", "SelectMatch",
                    "Skipped"),
}  # fmt: skip
_SOAP = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "date": "xsd:date", "datetime": "xsd:dateTime",
    "double": "xsd:double", "currency": "xsd:double", "percent": "xsd:double", "int": "xsd:int",
    "address": "urn:address",
}  # fmt: skip
_LENGTHS = {"id": 18, "reference": 18, "phone": 40, "email": 80, "url": 255, "picklist": 255, "multipicklist": 4099}
_REQUIRED = {"Contact.LastName", "Lead.LastName", "Lead.Company", "Lead.Status", "Account.Name", "Opportunity.Name",
             "Opportunity.StageName", "Opportunity.CloseDate", "Campaign.Name",
             "CampaignMember.CampaignId"}  # fmt: skip
_SYSTEM = {"Id", "IsDeleted", "MasterRecordId", "PhotoUrl", "CreatedDate", "CreatedById", "LastModifiedDate",
           "LastModifiedById", "SystemModstamp"}  # fmt: skip
# What the schema faults touch: the field that goes, is retyped or gets another name, per object.
DRIFTING = {"Contact": "Department", "Lead": "Industry", "Account": "Industry", "Opportunity": "NextStep",
            "Campaign": "Type", "CampaignMember": "LeadSource"}  # fmt: skip
NEW_FIELD = "Sandbox_New__c"
NEVER_NULL = ("source_id", "created_at", "updated_at")  # columns as they are, so that SQLite can use its indexes
# column of the world's record that is none: how it is read
_COLUMN_SQL = {
    "is_deleted": "(state <> 'live')",
    "person_name": "nullif(trim(coalesce(json_extract(fields, '$.given_name'), '') || ' ' ||"
    " coalesce(json_extract(fields, '$.family_name'), '')), '')",
    "photo_url": "('/services/images/photo/' || source_id)",
    "lead_or_contact": "coalesce(nullif(json_extract(fields, '$.lead_id'), ''),"
    " nullif(json_extract(fields, '$.contact_id'), ''))",
}


@dataclass(frozen=True)
class Field:
    """A field of an sObject. `kind` is its type in Salesforce, `size` its length, or (precision, scale).

    `source` is where the world has it (see the module); `targets` are the sObjects a reference leads to.
    """

    sobject: str
    name: str
    kind: str
    size: tuple[int, ...] = ()
    source: str = ""
    targets: tuple[str, ...] = ()

    @property
    def is_custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def relationship(self) -> str | None:
        """`Account` for AccountId: the name of the way to the parent."""
        return self.name.removesuffix("Id") if self.kind == "reference" else None

    @property
    def can_filter(self) -> bool:
        return self.kind != "address" and not (self.kind == "textarea" and self.size[0] > 255)

    @property
    def sql(self) -> str:
        """The value as SQL over table `records`."""
        if not self.source:
            return "null"
        if self.source.startswith("="):
            value = _constant(self.source)
            return str(int(value)) if isinstance(value, bool) else f"'{value}'"
        if self.source.startswith("@"):
            name = self.source[1:]
            return _COLUMN_SQL.get(name, name if name in NEVER_NULL else f"nullif({name}, '')")
        return f"nullif(json_extract(fields, '$.{self.source}'), '')"

    def value(self, record: Mapping[str, Any], content: Mapping[str, Any]) -> Any:
        """The value as the API shows it. `content` is the record's fields, read from JSON once for all fields."""
        if self.kind == "address":
            return _compound(self, content)
        if not self.source:
            return None
        if self.source.startswith("="):
            return _constant(self.source)
        value = _column(self.source[1:], record, content) if self.source[0] == "@" else content.get(self.source)
        if value in ("", None):
            return False if self.kind == "boolean" else None
        if self.kind == "datetime":
            return written_time(value)
        if self.kind in ("double", "currency", "percent"):
            return float(zlib.crc32(value.encode()) % 1000) if isinstance(value, str) else float(value)
        return value

    def describe(self) -> dict[str, Any]:
        """The field as `describe` shows it."""
        length = 0 if self.kind in ("double", "currency", "percent", "int") else self._length()
        precision, scale = (*self.size, 0)[:2] if self.kind in ("double", "currency", "percent") else (0, 0)
        is_name = self.name == "Name"
        editable = self.name not in _SYSTEM and not (is_name and self.source == "@person_name")
        nillable = not (self.kind == "boolean" or self.name in _SYSTEM - {"MasterRecordId", "PhotoUrl"}
                        or f"{self.sobject}.{self.name}" in _REQUIRED or is_name)  # fmt: skip
        values = [
            {"active": True, "defaultValue": False, "label": one, "validFor": None, "value": one}
            for one in (PICKLISTS.get(self.name, ()) if "picklist" in self.kind else ())
        ]
        return {
            "aggregatable": self.can_filter, "aiPredictionField": False, "autoNumber": False,
            "byteLength": length * 3 if self.kind not in ("id", "reference") else length, "calculated": False,
            "calculatedFormula": None, "cascadeDelete": False, "caseSensitive": False,
            "compoundFieldName": self._compound_name(), "controllerName": None, "createable": editable,
            "custom": self.is_custom, "defaultValue": False if self.kind == "boolean" else None,
            "defaultValueFormula": None, "defaultedOnCreate": self.kind == "boolean", "dependentPicklist": False,
            "deprecatedAndHidden": False, "digits": self.size[0] if self.kind == "int" else 0,
            "displayLocationInDecimal": False, "encrypted": False, "externalId": self.name.startswith("ERP_"),
            "extraTypeInfo": "plaintextarea" if self.kind == "textarea" else None, "filterable": self.can_filter,
            "filteredLookupInfo": None, "formulaTreatNullNumberAsZero": False, "groupable": self.can_filter,
            "highScaleNumber": False, "htmlFormatted": False, "idLookup": self.name in ("Id", "Email"),
            "inlineHelpText": None, "label": _label(self.sobject, self.name), "length": length, "mask": None,
            "maskType": None, "name": self.name, "nameField": is_name, "namePointing": len(self.targets) > 1,
            "nillable": nillable, "permissionable": editable and nillable, "picklistValues": values,
            "polymorphicForeignKey": len(self.targets) > 1, "precision": precision, "queryByDistance": False,
            "referenceTargetField": None, "referenceTo": list(self.targets), "relationshipName": self.relationship,
            "relationshipOrder": None, "restrictedDelete": False, "restrictedPicklist": self.name == "CleanStatus",
            "scale": scale, "searchPrefilterable": False, "soapType": _SOAP.get(self.kind, "xsd:string"),
            "sortable": self.can_filter, "type": self.kind, "unique": False, "updateable": editable,
            "writeRequiresMasterRead": False,
        }  # fmt: skip

    def _length(self) -> int:
        return self.size[0] if self.size else _LENGTHS.get(self.kind, 0)

    def _compound_name(self) -> str | None:
        if self.source in ("given_name", "family_name", "salutation") and self.sobject in ("Contact", "Lead"):
            return "Name"
        found = re.fullmatch(
            r"(.*)(Street|City|State|PostalCode|Country|Latitude|Longitude|GeocodeAccuracy)", self.name
        )
        if found and f"{found[1]}Address" in by_name(self.sobject):
            return f"{found[1]}Address"
        return None


@dataclass(frozen=True)
class SObject:
    """An sObject: its name, the world's name of its records, its fields by name."""

    name: str
    records: str
    prefix: str
    plural: str
    fields: Mapping[str, Field]
    merges: bool = False

    def field(self, name: str) -> Field | None:
        """The field of that name, whatever its capitals."""
        return self.fields.get(name) or next(
            (one for one in self.fields.values() if one.name.lower() == name.lower()), None
        )

    def summary(self, base: str) -> dict[str, Any]:
        """The sObject as the list of all sObjects shows it."""
        url = f"{base}/sobjects/{self.name}"
        yes = ("createable", "deletable", "feedEnabled", "layoutable", "mruEnabled", "queryable", "replicateable",
               "retrieveable", "searchable", "triggerable", "undeletable", "updateable")  # fmt: skip
        no = ("activateable", "custom", "customSetting", "deepCloneable", "deprecatedAndHidden", "hasSubtypes",
              "isInterface", "isSubtype")  # fmt: skip
        return {
            **dict.fromkeys(yes, True), **dict.fromkeys(no, False), "associateEntityType": None,
            "associateParentEntity": None, "keyPrefix": self.prefix, "label": _words(self.name),
            "labelPlural": self.plural, "mergeable": self.merges, "name": self.name,
            "urls": {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"},
        }  # fmt: skip

    def describe(self, base: str) -> dict[str, Any]:
        """The whole describe result."""
        children = [
            {"cascadeDelete": False, "childSObject": other, "deprecatedAndHidden": False, "field": one.name,
             "junctionIdListNames": [], "junctionReferenceTo": [], "relationshipName": None, "restrictedDelete": False}
            for other in SOBJECTS for one in by_name(other).values() if self.name in one.targets
        ]  # fmt: skip
        none = dict.fromkeys(("defaultImplementation", "extendedBy", "extendsInterfaces", "implementedBy",
                              "implementsInterfaces", "networkScopeFieldName", "sobjectDescribeOption",
                              "listviewable", "lookupLayoutable"))  # fmt: skip
        return {
            **self.summary(base), **none, "actionOverrides": [], "childRelationships": children,
            "compactLayoutable": True, "fields": [field.describe() for field in self.fields.values()],
            "namedLayoutInfos": [], "recordTypeInfos": [], "searchLayoutable": True,
            "supportedScopes": [{"label": "All", "name": "everything"}, {"label": "Mine", "name": "mine"}],
        }  # fmt: skip


def _read(sobject: str, text: str) -> dict[str, Field]:
    fields = {}
    for entry in text.split():
        name, kind, source = (*entry.split("/"), "")[:3]
        kind, _, detail = kind.partition(":")
        targets = tuple(detail.split(",")) if kind == "reference" else ()
        size = tuple(int(part) for part in detail.split(".")) if detail and not targets else ()
        fields[name] = Field(sobject, name, kind, size, source, targets)
    return fields


SOBJECTS: dict[str, SObject] = {
    name: SObject(name, records, prefix, plural, _read(name, text), merges)
    for name, records, prefix, plural, text, merges in (
        ("Contact", "contacts", "003", "Contacts", _CONTACT, True),
        ("Lead", "leads", "00Q", "Leads", _LEAD, True),
        ("Account", "accounts", "001", "Accounts", _ACCOUNT, True),
        ("Opportunity", "opportunities", "006", "Opportunities", _OPPORTUNITY, False),
        ("Campaign", "campaigns", "701", "Campaigns", _CAMPAIGN, False),
        ("CampaignMember", "campaign_members", "00v", "Campaign Members", _CAMPAIGN_MEMBER, False),
    )
}


def by_name(sobject: str) -> Mapping[str, Field]:
    """The fields of an sObject without faults."""
    return SOBJECTS[sobject].fields


def shown_sobject(name: str, faults: Mapping[str, float]) -> SObject | None:
    """The sObject of that name (whatever its capitals) as the standing schema faults leave it; None is unknown."""
    found = next((one for one in SOBJECTS.values() if one.name.lower() == name.lower()), None)
    schema = tuple(sorted(fault for fault in faults if fault.startswith("schema_")))
    return _drifted(found.name, schema) if found and schema else found


@cache
def _drifted(name: str, schema: tuple[str, ...]) -> SObject:
    found = SOBJECTS[name]
    fields, drifting = dict(found.fields), DRIFTING[name]
    if "schema_retyped" in schema:
        fields[drifting] = replace(fields[drifting], kind="double", size=(18, 0))
    if "schema_renamed" in schema:  # only a custom field can get another name, so it goes and comes as one
        old = fields.pop(drifting)
        fields[f"{drifting}__c"] = replace(old, name=f"{drifting}__c")
    if "schema_dropped" in schema:
        fields.pop(drifting, None)
    if "schema_new" in schema:
        fields[NEW_FIELD] = Field(name, NEW_FIELD, "string", (40,), "=new")
    return replace(found, fields=fields)


def written_time(moment: str) -> str:
    """A time of the world as Salesforce writes it: whole seconds, `2026-01-05T06:00:00.000+0000`."""
    return f"{moment[:19]}.000+0000"


def time_text(moment: datetime) -> str:
    """A UTC time as the world writes it, to the second, to compare with."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _constant(source: str) -> Any:
    return {"=false": False, "=true": True}.get(source, source[1:])


def _column(name: str, record: Mapping[str, Any], content: Mapping[str, Any]) -> Any:
    if name == "is_deleted":
        return record["state"] != "live"
    if name == "person_name":
        return f"{content.get('given_name') or ''} {content.get('family_name') or ''}".strip()
    if name == "photo_url":
        return f"/services/images/photo/{record['source_id']}"
    if name == "lead_or_contact":
        return content.get("lead_id") or content.get("contact_id")
    return record[name]


def _compound(field: Field, content: Mapping[str, Any]) -> dict[str, Any] | None:
    prefix = field.name.removesuffix("Address")
    fields = by_name(field.sobject)
    parts = {part: content.get(fields[prefix + part].source) or None for part in
             ("City", "Country", "PostalCode", "State", "Street")}  # fmt: skip
    if not any(parts.values()):
        return None
    named = {part[0].lower() + part[1:]: value for part, value in parts.items()}
    return named | {"geocodeAccuracy": None, "latitude": None, "longitude": None}


def _label(sobject: str, name: str) -> str:
    return f"{_words(sobject)} ID" if name == "Id" else _words(name.removesuffix("__c").replace("_", ""))


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).replace(" Id", " ID")


def content_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record of the world."""
    return json.loads(record["fields"])
