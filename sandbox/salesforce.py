"""Salesforce's REST API, as its developer guide has it, over the world. Any version from v20.0 to v66.0 is answered.

    GET /services/data                                      the versions; .../vXX.0 its resources
    GET /services/data/vXX.0/limits                         the day's requests and what is left of them
    GET /services/data/vXX.0/sobjects                       all sObjects; .../{name}, .../{name}/describe
    GET /services/data/vXX.0/sobjects/{name}/{id}           one record; deleted or unknown: 404
    GET /services/data/vXX.0/sobjects/{name}/deleted        ids deleted between start and end; .../updated likewise
    GET /services/data/vXX.0/query?q=SOQL                   live records (see sandbox/soql.py)
    GET /services/data/vXX.0/queryAll?q=SOQL                those of the recycle bin, too
    GET /services/data/vXX.0/query/{locator}                the next page of a result

A result larger than a page is a snapshot of ids: a record that changes meanwhile is shown as it is now, in the old
place. A campaign member's name and address are those its person had when it joined; Salesforce shows today's.
Not served: writing, relationships but parents, aggregates but COUNT, GROUP BY, Bulk API, tooling, search.
"""

from __future__ import annotations

import hmac
import itertools
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from operate import clock
from operate.environment import Environment
from sandbox.ids import with_checksum
from sandbox.salesforce_objects import (
    SOBJECTS,
    Field,
    SObject,
    content_of,
    shown_sobject,
    time_text,
    written_time,
)
from sandbox.serving import ApiError, Vendor, versions_served
from sandbox.serving import make_app as app_of
from sandbox.soql import Compiler, Query, Token, error, parse
from sandbox.world import World

CREDENTIAL = "access_token"
SERVED = ("contacts", "leads", "accounts", "opportunities", "campaigns", "campaign_members")
SETTINGS = {"api_version": "v63.0"}
VERSIONS = range(20, 67)
LEAST_BATCH, MOST_BATCH = 200, 2000
DAILY_REQUESTS = 100_000
MOST_FIELDS_ROWS = 200  # of FIELDS(ALL) and FIELDS(CUSTOM)
_OPEN_LOCATORS = 50  # the oldest is forgotten
_IDS_PER_READ = 900


def _refused(status: int, code: str, message: str) -> ApiError:
    return ApiError(status, [{"message": message, "errorCode": code}])


def _not_found(_: object = None) -> ApiError:
    return _refused(404, "NOT_FOUND", "The requested resource does not exist")


def _wrong_method(request: Request) -> ApiError:
    return _refused(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{request.method}' not allowed. Allowed are GET")


def _bad_session(_: float = 0) -> ApiError:
    return _refused(401, "INVALID_SESSION_ID", "Session expired or invalid")


def _bad_locator(_: float = 0) -> ApiError:
    return _refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")


ERRORS = {
    "401": _bad_session,
    "429": lambda _: _refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "500": lambda _: _refused(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId"),
    "expired_cursor": _bad_locator,
}


def make_app(environment: Environment, world: World, token: str) -> Starlette:
    """The API over `world`, for bearers of `token`."""

    def authorise(request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not any(hmac.compare_digest(given.encode(), f"{scheme} {token}".encode()) for scheme in ("Bearer", "OAuth")):
            raise _bad_session()

    async def has_locator(request: Request) -> bool:
        return "locator" in request.path_params

    vendor = Vendor(
        "salesforce", environment, world, authorise, _not_found, ERRORS, has_locator, wrong_method=_wrong_method
    )
    api = Api(vendor)
    base = "/services/data/{version}"
    paths = {
        "/services/data": api.versions, base: api.resources, f"{base}/limits": api.limits,
        f"{base}/sobjects": api.sobjects, f"{base}/sobjects/{{name}}": api.sobject,
        f"{base}/sobjects/{{name}}/describe": api.describe, f"{base}/sobjects/{{name}}/deleted": api.deleted,
        f"{base}/sobjects/{{name}}/updated": api.updated, f"{base}/sobjects/{{name}}/{{id}}": api.record,
        f"{base}/query": api.query, f"{base}/queryAll": api.query_all,
        f"{base}/query/{{locator}}": api.more, f"{base}/queryAll/{{locator}}": api.more,
    }  # fmt: skip
    return app_of(vendor, [("GET", path + end, handler) for path, handler in paths.items() for end in ("", "/")])


@dataclass(frozen=True)
class Selected:
    """A field asked for; of a parent when `link` is the field that leads to it."""

    field: Field
    link: Field | None = None


@dataclass
class Result:
    """A result with more than one page: what was asked, and the ids in their order."""

    sobject: str
    select: tuple[str, ...]
    ids: list[str]
    version: str


class Api:
    """The endpoints. Each takes a request and returns the body of the answer, or raises ApiError."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor, self.world = vendor, vendor.world
        self.results: OrderedDict[str, Result] = OrderedDict()
        self.numbers = itertools.count(1)
        self.requests = 0

    # ---------- what there is
    async def versions(self, _: Request) -> Response:
        labels = ("Spring", "Summer", "Winter")
        return JSONResponse([
            {"label": f"{labels[number % 3]} '{(number + 13) // 3:02d}", "url": f"/services/data/v{number}.0",
             "version": f"{number}.0"} for number in VERSIONS
        ])  # fmt: skip

    async def resources(self, request: Request) -> dict:
        base = self._base(request)
        return {name: f"{base}/{name}" for name in ("limits", "query", "queryAll", "sobjects")}

    async def limits(self, request: Request) -> dict:
        self._base(request)
        return {
            "DailyApiRequests": {"Max": DAILY_REQUESTS, "Remaining": max(0, DAILY_REQUESTS - self.requests)},
            "DataStorageMB": {"Max": 10_240, "Remaining": 9_000},
        }

    async def sobjects(self, request: Request) -> Response:
        base = self._base(request)
        shown = [SOBJECTS[name].summary(base) for name in sorted(SOBJECTS)]
        return self._answer({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown})

    async def sobject(self, request: Request) -> Response:
        shown = self._sobject(request)
        return self._answer({"objectDescribe": shown.summary(self._base(request)), "recentItems": []})

    async def describe(self, request: Request) -> Response:
        return self._answer(self._sobject(request).describe(self._base(request)))

    # ---------- records
    async def record(self, request: Request) -> Response:
        base, shown = self._base(request), self._sobject(request)
        names = [name.strip() for name in request.query_params.get("fields", "").split(",") if name.strip()]
        fields = [shown.field(name) for name in names] if names else list(shown.fields.values())
        if None in fields:
            raise _no_column(names[fields.index(None)], shown)
        wanted = request.path_params["id"]
        found = self.world.record("salesforce", shown.records, with_checksum(wanted) if len(wanted) == 15 else wanted)
        if found is None:
            raise _not_found()
        if found["state"] != "live":
            raise _refused(404, "ENTITY_IS_DELETED", "entity is deleted")
        [row] = versions_served(self.vendor, [dict(found) | {"previous": ""}])
        return self._answer(_shown(shown, row, [Selected(one) for one in fields], base, {}))

    async def deleted(self, request: Request) -> Response:
        shown, start, end = self._sobject(request), *self._period(request)
        rows = self.world.rows(
            "select source_id, ended_at from records where system = 'salesforce' and object = ?"
            " and state in ('merged', 'deleted') and ended_at >= ? and ended_at < ? order by ended_at, source_id",
            (shown.records, time_text(start), time_text(end)),
        )
        records = [{"id": row["source_id"], "deletedDate": written_time(row["ended_at"])} for row in rows]
        earliest = self._now() - timedelta(days=15)
        return self._answer({
            "deletedRecords": records, "earliestDateAvailable": written_time(time_text(earliest)),
            "latestDateCovered": written_time(time_text(min(end, self._now()))),
        })  # fmt: skip

    async def updated(self, request: Request) -> Response:
        shown, start, end = self._sobject(request), *self._period(request)
        rows = self.world.rows(
            "select source_id from records where system = 'salesforce' and object = ? and state = 'live'"
            " and updated_at >= ? and updated_at < ? order by updated_at, source_id",
            (shown.records, time_text(start), time_text(end)),
        )
        covered = written_time(time_text(min(end, self._now())))
        return self._answer({"ids": [row["source_id"] for row in rows], "latestDateCovered": covered})

    # ---------- queries
    async def query(self, request: Request) -> Response:
        return self._query(request, ("live",))

    async def query_all(self, request: Request) -> Response:
        return self._query(request, ("live", "merged", "deleted"))

    async def more(self, request: Request) -> Response:
        self._base(request)
        locator, _, start = request.path_params["locator"].rpartition("-")
        result = self.results.get(locator)
        if result is None or not start.isdigit() or int(start) >= len(result.ids):
            raise _bad_locator()
        return self._page(request, result, locator, int(start))

    def _query(self, request: Request, states: tuple[str, ...]) -> Response:
        base, text = self._base(request), request.query_params.get("q")
        if not text:
            raise _refused(400, "MALFORMED_QUERY", "A query string has to be specified")
        query = parse(text)
        shown = shown_sobject(query.sobject.text, self.vendor.standing())
        if shown is None:
            message = (f"sObject type '{query.sobject.text}' is not supported. If you are attempting to use a custom "
                       "object, be sure to append the '__c' after the entity name. Please reference your WSDL or the "
                       "describe call for the appropriate names.")  # fmt: skip
            raise error("INVALID_TYPE", message, text, query.sobject.at)
        select = self._select(query, shown)
        for name in select:
            self._selected(shown, name)
        ids = self._ids(query, shown, states)
        if query.function == "count":
            if not query.select:
                return self._answer({"totalSize": len(ids), "done": True, "records": []})
            counted = {"attributes": {"type": "AggregateResult"}, "expr0": len(ids)}
            return self._answer({"totalSize": 1, "done": True, "records": [counted]})
        result = Result(shown.name, tuple(name.text for name in select), ids, base)
        locator = f"0r8xx{next(self.numbers):013d}"
        if len(ids) > self._batch_size(request):
            self.results[locator] = result
            while len(self.results) > _OPEN_LOCATORS:
                self.results.popitem(last=False)
        return self._page(request, result, locator, 0)

    def _select(self, query: Query, shown: SObject) -> tuple[Token, ...]:
        if query.function in ("all", "custom") and not 0 < (query.limit or 0) <= MOST_FIELDS_ROWS:
            message = f"The SOQL FIELDS function must have a LIMIT of at most {MOST_FIELDS_ROWS}"
            raise error("MALFORMED_QUERY", message)
        if query.function in ("all", "standard", "custom"):
            chosen = [one for one in shown.fields.values()
                      if query.function == "all" or one.is_custom == (query.function == "custom")]  # fmt: skip
            return tuple(Token("word", one.name, 0) for one in chosen)
        seen = [name.text.lower() for name in query.select]
        for name in query.select:
            if seen.count(name.text.lower()) > 1:
                raise error("INVALID_FIELD", f"duplicate field selected: {name.text}", query.text, name.at)
        return query.select

    def _selected(self, shown: SObject, name: Token, text: str = "") -> Selected:
        """The field that a name in a query means: of the object, or `Account.Name` of a parent."""
        relationship, _, rest = name.text.rpartition(".")
        if not relationship or relationship.lower() == shown.name.lower():
            found = shown.field(rest)
            if found is None:
                raise _no_column(rest, shown, text, name)
            return Selected(found)
        link = next(
            (one for one in shown.fields.values() if (one.relationship or "").lower() == relationship.lower()), None
        )
        parent = shown_sobject(link.targets[0], self.vendor.standing()) if link else None
        if parent is None:
            message = f"Didn't understand relationship '{relationship}' in field path. If you are attempting to use a \
custom relationship, be sure to append the '__r' after the custom relationship name."
            raise error("INVALID_FIELD", message, text, name.at)
        found = parent.field(rest)
        if found is None:
            raise _no_column(rest, parent, text, name)
        return Selected(found, link)

    def _ids(self, query: Query, shown: SObject, states: tuple[str, ...]) -> list[str]:
        def resolve(name: Token) -> tuple[Field, str]:
            one = self._selected(shown, name, query.text)
            if one.link is None:
                return one.field, one.field.sql
            parent = SOBJECTS[one.field.sobject].records
            link = one.link.sql.replace("fields", "child.fields")
            return one.field, (f"(select {one.field.sql} from records where system = 'salesforce' and"
                               f" object = '{parent}' and source_id = {link})")  # fmt: skip

        ahead = timedelta(seconds=self.vendor.standing().get("clock_skew", 0))
        compiler = Compiler(query, resolve, self._now(), ahead)
        where = f" and {compiler.condition(query.where)}" if query.where else ""
        limit = f" limit {-1 if query.limit is None else query.limit} offset {query.offset}"
        rows = self.world.connection.execute(
            f"select source_id from records as child where system = 'salesforce' and object = ?"
            f" and state in ({', '.join('?' * len(states))}){where} order by {compiler.order()}{limit}",
            (shown.records, *states, *compiler.parameters),
        )
        return [row[0] for row in rows]

    def _page(self, request: Request, result: Result, locator: str, start: int) -> Response:
        shown = shown_sobject(result.sobject, self.vendor.standing())
        select = [self._selected(shown, Token("word", name, 0)) for name in result.select]
        size = self._batch_size(request)
        ids = result.ids[start : start + size]
        rows = self._rows(shown.records, ids)
        parents = self._parents(select, rows.values())
        versions = versions_served(self.vendor, [rows[one] for one in ids if one in rows])
        body: dict[str, Any] = {"totalSize": len(result.ids), "done": start + size >= len(result.ids)}
        if not body["done"]:
            body["nextRecordsUrl"] = f"{result.version}/query/{locator}-{start + size}"
        body["records"] = [_shown(shown, row, select, result.version, parents) for row in versions]
        return self._answer(body)

    def _rows(self, name: str, ids: list[str]) -> dict[str, Any]:
        rows = {}
        for start in range(0, len(ids), _IDS_PER_READ):
            some = ids[start : start + _IDS_PER_READ]
            found = self.world.rows(
                "select * from records where system = 'salesforce' and object = ?"
                f" and source_id in ({', '.join('?' * len(some))})",
                (name, *some),
            )
            rows |= {row["source_id"]: row for row in found}
        return rows

    def _parents(self, select: list[Selected], rows) -> dict[tuple[str, str], Any]:
        """(link, id) -> the parent's record, for the parents that are asked for."""
        parents: dict[tuple[str, str], Any] = {}
        for link in {one.link for one in select if one.link}:
            ids = {link.value(row, content_of(row)) for row in rows} - {None}
            name = SOBJECTS[link.targets[0]].records
            parents |= {(link.name, key): row for key, row in self._rows(name, sorted(ids)).items()}
        return parents

    # ---------- requests
    def _base(self, request: Request) -> str:
        version = request.path_params["version"]
        found = re.fullmatch(r"v(\d+)\.0", version)
        if not found or int(found[1]) not in VERSIONS:
            raise _not_found()
        return f"/services/data/{version}"

    def _sobject(self, request: Request) -> SObject:
        self._base(request)
        shown = shown_sobject(request.path_params["name"], self.vendor.standing())
        if shown is None:
            raise _not_found()
        return shown

    def _period(self, request: Request) -> tuple[datetime, datetime]:
        times = []
        for name in ("start", "end"):
            text = request.query_params.get(name, "").replace(" ", "+")  # a plus sign that was not escaped
            try:
                times.append(datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None, second=0, microsecond=0))
            except ValueError as problem:
                raise _refused(400, "INVALID_REPLICATION_DATE", f"{name} is no date and time: {text}") from problem
        if times[0] >= times[1]:
            raise _refused(400, "INVALID_REPLICATION_DATE", "startDate before endDate is required")
        return times[0], times[1]

    def _batch_size(self, request: Request) -> int:
        found = re.search(r"batchSize\s*=\s*(\d+)", request.headers.get("sforce-query-options", ""))
        return min(MOST_BATCH, max(LEAST_BATCH, int(found[1]))) if found else MOST_BATCH

    def _now(self) -> datetime:
        return clock.now(self.vendor.environment).astimezone(UTC).replace(tzinfo=None)

    def _answer(self, body: dict) -> JSONResponse:
        self.requests += 1
        return JSONResponse(body, headers={"Sforce-Limit-Info": f"api-usage={self.requests}/{DAILY_REQUESTS}"})


def _shown(shown: SObject, row, select: list[Selected], base: str, parents: dict) -> dict[str, Any]:
    """A record as the API shows it: its attributes, and the fields asked for."""
    record = _attributes(shown.name, row, base)
    content = content_of(row)
    for one in select:
        if one.link is None:
            record[one.field.name] = one.field.value(row, content)
            continue
        name = one.link.relationship
        parent = parents.get((one.link.name, one.link.value(row, content)))
        if parent is None:
            record[name] = None
        else:
            held = record.setdefault(name, _attributes(one.field.sobject, parent, base))
            held[one.field.name] = one.field.value(parent, content_of(parent))
    return record


def _attributes(name: str, row, base: str) -> dict[str, Any]:
    return {"attributes": {"type": name, "url": f"{base}/sobjects/{name}/{row['source_id']}"}}


def _no_column(name: str, shown: SObject, text: str = "", token: Token | None = None) -> ApiError:
    message = (f"No such column '{name}' on entity '{shown.name}'. If you are attempting to use a custom field, be "
               "sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call "
               "for the appropriate names.")  # fmt: skip
    return error("INVALID_FIELD", message, text, token.at if token else None)
