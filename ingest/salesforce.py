"""Salesforce: contacts, leads, accounts, opportunities, campaigns and their members, by the REST API.

Each run asks for the object's description, then for everything changed since the newest landed change minus the lag,
the recycle bin included: a deleted record's row says so, and the loser of a merge names its winner. Salesforce forgets
both after about 15 days. At the beat of `reconcile` the full list of ids tells what was forgotten or missed.

All fields are asked for by name, as the description has them: those of the contract land in their columns, custom
fields and standard ones of features that came later in `custom_fields`. Compound fields (MailingAddress) are not
asked for, since their parts are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from requests import Response

from ingest.drift import note_fields
from ingest.objects import CUSTOM_FIELDS, Cursor, Object, api_fields
from ingest.rest import Api, ApiFailure, api_for
from ingest.rows import add_rows
from ingest.task import ReadTask
from ingest.versions import Batch
from operate.errors import UserError

DEFAULT_VERSION = "v63.0"
BATCH_SIZE = 2000  # records a page: the most there is
LONGEST_QUERY = 15_000  # characters of an escaped query; Salesforce refuses an address of more than 16,384 bytes
IDS_PER_READ = 200
ASK_AGAIN = 3  # times a page that came twice is asked for again
QUOTA_WAITS = (1.0, 5.0, 30.0, 60.0)  # seconds between tries when the requests of the day are used up
QUOTA = "REQUEST_LIMIT_EXCEEDED"
EXPIRED = "INVALID_QUERY_LOCATOR"
REMEDIES = {
    401: "issue a new access token: the one named in sources.yml (credentials.access_token) is expired or wrong",
    403: "if the requests of the day are used up, spread the runs or raise the limit (Setup > Company Information "
    "shows it); else give the integration user the permission API Enabled and read access to the object",
    404: "check address and api_version in sources.yml, and that the integration user may read the object",
    400: "check that the integration user may read the object and its fields",
}
_COMPOUND = ("address", "location")  # types of fields whose parts are fields of their own


def _sobject(name: str, path: str, fields: str, merges: bool = True, compound: tuple[str, ...] = ()) -> Object:
    return Object(
        source="salesforce",
        name=name,
        path=path,
        key="Id",
        cursor=Cursor(field="SystemModstamp", column="system_modstamp"),
        deletes="row",
        merges="master_record_id" if merges else None,
        fields=(*api_fields(*fields.split()), CUSTOM_FIELDS),
        # IsDeleted is the version's own is_deleted.
        ignored=("attributes", "IsDeleted", *compound),
    )


CONTACTS = _sobject(
    "contacts",
    "Contact",
    """
    MasterRecordId AccountId LastName FirstName Salutation Name OtherStreet OtherCity OtherState OtherPostalCode
    OtherCountry OtherLatitude OtherLongitude OtherGeocodeAccuracy MailingStreet MailingCity MailingState
    MailingPostalCode MailingCountry MailingLatitude MailingLongitude MailingGeocodeAccuracy Phone Fax MobilePhone
    HomePhone OtherPhone AssistantPhone ReportsToId Email Title Department AssistantName LeadSource Birthdate
    Description CurrencyIsoCode OwnerId CreatedDate CreatedById LastModifiedDate LastModifiedById SystemModstamp
    LastActivityDate LastCURequestDate LastCUUpdateDate LastViewedDate LastReferencedDate IsEmailBounced PhotoUrl
    FirstCallDateTime FirstEmailDateTime EmailBouncedReason EmailBouncedDate IndividualId Jigsaw JigsawContactId
    CleanStatus Pronouns GenderIdentity IsPriorityRecord DoNotCall HasOptedOutOfEmail HasOptedOutOfFax
    ActivityMetricId ActivityMetricRollupId ContactSource TitleType DepartmentGroup BuyerAttributes
    """,
    compound=("OtherAddress", "MailingAddress"),
)
LEADS = _sobject(
    "leads",
    "Lead",
    """
    MasterRecordId LastName FirstName Salutation Name Title Company Street City State PostalCode Country Latitude
    Longitude GeocodeAccuracy Phone MobilePhone Fax Email Website PhotoUrl Description LeadSource Status Industry
    Rating CurrencyIsoCode AnnualRevenue NumberOfEmployees OwnerId IsConverted ConvertedDate ConvertedAccountId
    ConvertedContactId ConvertedOpportunityId IsUnreadByOwner CreatedDate CreatedById LastModifiedDate
    LastModifiedById SystemModstamp LastActivityDate LastViewedDate LastReferencedDate CompanyDunsNumber
    DandbCompanyId FirstCallDateTime FirstEmailDateTime EmailBouncedReason EmailBouncedDate IndividualId Jigsaw
    JigsawContactId CleanStatus Pronouns GenderIdentity IsPriorityRecord DoNotCall HasOptedOutOfEmail
    HasOptedOutOfFax ActivityMetricId ActivityMetricRollupId
    """,
    compound=("Address",),
)
ACCOUNTS = _sobject(
    "accounts",
    "Account",
    """
    MasterRecordId Name Type ParentId BillingStreet BillingCity BillingState BillingPostalCode BillingCountry
    BillingLatitude BillingLongitude BillingGeocodeAccuracy ShippingStreet ShippingCity ShippingState
    ShippingPostalCode ShippingCountry ShippingLatitude ShippingLongitude ShippingGeocodeAccuracy Phone Fax
    AccountNumber Website PhotoUrl Sic Industry AnnualRevenue NumberOfEmployees Ownership TickerSymbol Description
    Rating Site CurrencyIsoCode OwnerId CreatedDate CreatedById LastModifiedDate LastModifiedById SystemModstamp
    LastActivityDate LastViewedDate LastReferencedDate Jigsaw JigsawCompanyId CleanStatus AccountSource DunsNumber
    Tradestyle NaicsCode NaicsDesc YearStarted SicDesc DandbCompanyId OperatingHoursId ActivityMetricId
    ActivityMetricRollupId
    """,
    compound=("BillingAddress", "ShippingAddress"),
)
OPPORTUNITIES = _sobject(
    "opportunities",
    "Opportunity",
    """
    AccountId IsPrivate Name Description StageName Amount Probability ExpectedRevenue TotalOpportunityQuantity
    CloseDate Type NextStep LeadSource IsClosed IsWon ForecastCategory ForecastCategoryName CurrencyIsoCode CampaignId
    HasOpportunityLineItem Pricebook2Id OwnerId CreatedDate CreatedById LastModifiedDate LastModifiedById
    SystemModstamp LastActivityDate LastViewedDate LastReferencedDate LastActivityInDays PushCount
    LastStageChangeDate FiscalQuarter FiscalYear Fiscal ContactId ContractId HasOpenActivity HasOverdueTask
    LastAmountChangedHistoryId LastCloseDateChangedHistoryId IsPriorityRecord
    """,
    merges=False,
)
CAMPAIGNS = _sobject(
    "campaigns",
    "Campaign",
    """
    Name ParentId Type Status StartDate EndDate CurrencyIsoCode ExpectedRevenue BudgetedCost ActualCost
    ExpectedResponse NumberSent IsActive Description NumberOfLeads NumberOfConvertedLeads NumberOfContacts
    NumberOfResponses NumberOfOpportunities NumberOfWonOpportunities AmountAllOpportunities AmountWonOpportunities
    HierarchyNumberOfLeads HierarchyNumberOfConvertedLeads HierarchyNumberOfContacts HierarchyNumberOfResponses
    HierarchyNumberOfOpportunities HierarchyNumberOfWonOpportunities HierarchyAmountAllOpportunities
    HierarchyAmountWonOpportunities HierarchyNumberSent HierarchyExpectedRevenue HierarchyBudgetedCost
    HierarchyActualCost OwnerId CreatedDate CreatedById LastModifiedDate LastModifiedById SystemModstamp
    LastActivityDate LastViewedDate LastReferencedDate CampaignMemberRecordTypeId
    """,
    merges=False,
)
CAMPAIGN_MEMBERS = _sobject(
    "campaign_members",
    "CampaignMember",
    """
    CampaignId LeadId ContactId Status HasResponded CreatedDate CreatedById LastModifiedDate LastModifiedById
    SystemModstamp FirstRespondedDate CurrencyIsoCode Salutation Name FirstName LastName Title Street City State
    PostalCode Country Email Phone Fax MobilePhone Description DoNotCall HasOptedOutOfEmail HasOptedOutOfFax
    LeadSource CompanyOrAccount Type LeadOrContactId LeadOrContactOwnerId
    """,
    merges=False,
)
OBJECTS = (ACCOUNTS, CONTACTS, LEADS, OPPORTUNITIES, CAMPAIGNS, CAMPAIGN_MEMBERS)


def read(task: ReadTask) -> None:
    """Read the Salesforce objects that `task` wants and land each. Raises UserError."""
    for described in OBJECTS:
        if not task.wants(described):
            continue
        headers = {
            "Authorization": f"Bearer {task.settings.resolve('credentials.access_token')}",
            "Sforce-Query-Options": f"batchSize={BATCH_SIZE}",
        }
        api = api_for(task.settings, described.name, headers, REMEDIES, rate_limit=_Quota())
        due = task.reconcile_is_due(described)
        with task.batch(described) as batch:
            query = _describe(api, described, task, batch)
            for place, rows in query.changed(batch.read_from, task.read_until(batch)):
                _add(batch, rows, place)
            if due:
                _read_missed(query, batch)
            batch.judge()
            _note_merges(batch)
            merged = "incoming.master_record_id is not null" if described.merges else "false"
            batch.note_deleted_rows("IsDeleted is true", merged)
            if due:
                # Not even in the recycle bin: deleted for good.
                batch.end_missing("not in the full list of ids", listed="listed")
            task.land(batch, partial(task.note_reconciled, described) if due else None)


class _Quota:
    """How long to wait when the requests of the day are used up: longer each time, then no more."""

    def __init__(self) -> None:
        self.tries = 0

    def __call__(self, response: Response) -> float | None:
        if response.status_code != 403 or QUOTA not in response.text:
            self.tries = 0
            return None
        self.tries += 1
        return QUOTA_WAITS[self.tries - 1] if self.tries <= len(QUOTA_WAITS) else None


# -------------------------------------------------------------------- reading


def _describe(api: Api, described: Object, task: ReadTask, batch: Batch) -> _Queries:
    """Ask which fields the object has, note what changed about them, and choose those to read."""
    version = task.settings.resolve("api_version") if task.settings.api_version else DEFAULT_VERSION
    base = f"/services/data/{version}"
    body = api.get(f"{base}/sobjects/{described.path}/describe", {})
    found = body.get("fields")
    if not isinstance(found, list) or not all(isinstance(one, dict) and "name" in one for one in found):
        raise _unusable(api, "the description has no list `fields`")
    types = {one["name"]: str(one.get("type", "")) for one in found}
    for needed in (described.key, described.cursor.field, "IsDeleted"):
        if needed not in types:
            raise UserError(
                f"salesforce {described.name}: {described.path} has no field {needed}; give the integration user read "
                "access to it (field-level security)"
            )
    for line in note_fields(batch, types):
        task.say(line)
    fields = [name for name, kind in types.items() if kind not in _COMPOUND]
    left_out = []
    while len(quote(f"select {','.join(fields)}")) > LONGEST_QUERY - IDS_PER_READ * 10:
        left_out.append(fields.pop(max(i for i, name in enumerate(fields) if name.endswith("__c"))))
    if left_out:
        task.say(
            f"salesforce {described.name}: {len(left_out)} custom fields are not read, since their names do not fit "
            f"into one query: {', '.join(reversed(left_out))}; hide fields nobody needs from the integration user"
        )
    return _Queries(api, described, base, tuple(fields))


@dataclass(frozen=True)
class _Queries:
    """The queries of one object; each yields pages as (place, rows)."""

    api: Api
    described: Object
    base: str
    fields: tuple[str, ...]

    def changed(self, start: datetime | None, end: datetime | None) -> Iterator[tuple[str, list[Any]]]:
        """Records changed in [start, end), oldest first, the recycle bin included."""
        cursor, key = self.described.cursor.field, self.described.key
        until = [f"{cursor} < {_literal(end)}"] if end else []
        conditions = [f"{cursor} >= {_literal(start)}"] if start else []
        last: tuple[datetime, str] | None = None
        while True:
            seen = last
            soql = self._soql(self.fields, [*conditions, *until], f"{cursor}, {key}")
            for place, rows in self._pages(soql):
                if rows is not None:
                    yield place, rows
                    last = max([*map(_position, rows), last or _position(None)])
                    continue
                if last == seen or last == _position(None):
                    raise _unusable(self.api, f"a query cursor expired before its second page, at {place}")
                moment = _literal(last[0])
                conditions = [f"(({cursor} = {moment} AND {key} > '{last[1]}') OR {cursor} > {moment})"]
                break  # the cursor expired: on from the last record seen
            else:
                return

    def ids(self) -> Iterator[tuple[str, list[Any]]]:
        """Id and IsDeleted of every record, the recycle bin included."""
        key, conditions, last = self.described.key, [], ""
        while True:
            seen = last
            for place, rows in self._pages(self._soql((key, "IsDeleted"), conditions, key)):
                if rows is not None:
                    yield place, rows
                    last = max([last, *(str(row.get(key)) for row in rows if isinstance(row, dict))])
                    continue
                if last == seen:
                    raise _unusable(self.api, f"a query cursor expired before its second page, at {place}")
                conditions = [f"{key} > '{last}'"]
                break
            else:
                return

    def by_id(self, ids: list[str]) -> Iterator[tuple[str, list[Any]]]:
        """The records of these ids, the recycle bin included."""
        key = self.described.key
        while ids:
            count = IDS_PER_READ
            while True:
                listed = ", ".join(f"'{one}'" for one in ids[:count])
                soql = self._soql(self.fields, [f"{key} IN ({listed})"], key)
                if len(quote(soql)) <= LONGEST_QUERY or count == 1:
                    break
                count //= 2
            for place, rows in self._pages(soql):
                if rows is None:
                    raise _unusable(self.api, f"a query cursor expired, at {place}")
                yield place, rows
            ids = ids[count:]

    def _soql(self, fields: tuple[str, ...], conditions: list[str], order: str) -> str:
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {','.join(fields)} FROM {self.described.path}{where} ORDER BY {order}"

    def _pages(self, soql: str) -> Iterator[tuple[str, list[Any] | None]]:
        """Pages of a result as (place, rows); rows are None when the cursor expired, which is the end then."""
        place = soql.partition(" FROM ")[2][:200]
        body = self.api.get(f"{self.base}/queryAll", {"q": soql})
        asked, again = "", 0
        while True:
            rows, following = body.get("records"), body.get("nextRecordsUrl")
            if not isinstance(rows, list):
                raise _unusable(self.api, "the answer has no list `records`")
            if asked and following == asked:  # the page before came once more
                again += 1
                if again > ASK_AGAIN:
                    raise _unusable(self.api, f"a page came {again + 1} times instead of the next one, at {asked}")
            else:
                again = 0
                yield f"{place} {asked or 'first page'}", rows
                if body.get("done") is True:
                    return
                if not isinstance(following, str) or not following.startswith("/services/data/"):
                    raise _unusable(self.api, "the answer is neither done nor names its next page")
                asked = following
            try:
                body = self.api.get(asked, {})
            except ApiFailure as failure:
                if EXPIRED not in failure.body:
                    raise
                yield asked, None
                return


def _add(batch: Batch, rows: list[Any], place: str) -> None:
    add_rows(batch, rows, place, deleted=lambda row: row.get("IsDeleted") is True)


def _position(row: Any) -> tuple[datetime, str]:
    """(time of change, id) of a row; the earliest there is when it cannot be told."""
    try:
        return _utc(datetime.fromisoformat(row["SystemModstamp"])), str(row["Id"])
    except (TypeError, KeyError, ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC), ""


def _literal(moment: datetime) -> str:
    """A time as SOQL writes it; a naive one is UTC."""
    moment = _utc(moment)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unusable(api: Api, cause: str) -> UserError:
    return UserError(
        f"salesforce {api.name}: {cause}; check that the address leads to the REST API, and run again later"
    )


# -------------------------------------------------------------------- merges and the full list


def _note_merges(batch: Batch) -> None:
    """A loser's row names its winner; it ended itself, by IsDeleted."""
    if batch.object.merges:
        batch.connection.execute(
            f"""
            insert into record_merges
            select 'salesforce', '{batch.object.name}', source_id, master_record_id, min(source_updated_at),
                'MasterRecordId of ' || source_id
            from accepted where master_record_id is not null and is_deleted
            group by source_id, master_record_id
            """
        )


def _read_missed(query: _Queries, batch: Batch) -> None:
    """List all ids, and read the records that are not landed as the list has them."""
    batch.connection.execute("create table listed (source_id varchar, is_deleted boolean)")
    for _, rows in query.ids():
        usable = [row for row in rows if isinstance(row, dict) and isinstance(row.get("Id"), str)]
        batch.connection.register(
            "listed_rows",
            pa.table({"id": pa.array([row["Id"] for row in usable], pa.string()),
                      "gone": pa.array([row.get("IsDeleted") is True for row in usable], pa.bool_())}),
        )  # fmt: skip
        batch.connection.execute("insert into listed select id, gone from listed_rows")
        batch.connection.unregister("listed_rows")
    missed = batch.connection.execute(
        """
        select distinct source_id from listed left join latest using (source_id)
        where latest.is_deleted is distinct from listed.is_deleted
            and not exists (select 1 from incoming where incoming.source_id = listed.source_id)
            and not exists (select 1 from rejected where rejected.source_id = listed.source_id)
        order by 1
        """
    ).fetchall()
    for place, rows in query.by_id([key for (key,) in missed]):
        _add(batch, rows, place)
