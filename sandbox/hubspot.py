"""HubSpot's CRM API, as the vendor's SDK has it, over the world.

    GET  /crm/v3/objects/{type}                pages of at most 100 by `after`; archived=true: the archived ones
    GET  /crm/v3/objects/{type}/{id}           an id that was merged away answers with the record it became
    POST /crm/v3/objects/{type}/batch/read     at most 100 ids
    POST /crm/v3/objects/{type}/search         filterGroups, sorts, at most 200 a page and 10,000 a query
    POST /crm/v3/objects/{type}/merge          makes a new id; both old ones resolve to it
    GET  /crm/v3/properties/{type}             names and types; property values are always strings
    GET  /crm/v4/objects/{type}/{id}/associations/{to}, POST /crm/v4/associations/{type}/{to}/batch/read, .../labels

Types are contacts, companies and deals, associated with each other.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse

from operate import clock
from operate.environment import Environment
from sandbox.deals import ENDS
from sandbox.hubspot_objects import ASSOCIATION_TYPES, TYPES, ObjectType
from sandbox.records import merge_records
from sandbox.serving import ApiError, Vendor, json_body, versions_served, whole_number
from sandbox.serving import make_app as app_of
from sandbox.world import World, iso

CREDENTIAL = "access_token"
SERVED = ("contacts", "companies", "deals", "associations")
SETTINGS: dict[str, str] = {}
LIST_LIMIT, SEARCH_LIMIT, SEARCH_CAP, BATCH_LIMIT, ASSOCIATION_LIMIT = 100, 200, 10_000, 100, 500
ASSOCIATION_BATCH_LIMIT = 1000
_OPERATORS = {"EQ": "=", "NEQ": "<>", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}


def _error(status: int, category: str, message: str, headers: dict[str, str] | None = None, **more) -> ApiError:
    body = {"status": "error", "message": message, "correlationId": str(uuid.uuid4()), "category": category, **more}
    return ApiError(status, body, headers)


def _invalid(message: str) -> ApiError:
    return _error(400, "VALIDATION_ERROR", message)


def _limited(seconds: float) -> ApiError:
    headers = {"Retry-After": str(max(1, round(seconds)))}
    message = "You have reached your ten_secondly_rolling limit."
    return _error(429, "RATE_LIMITS", message, headers, policyName="TEN_SECONDLY_ROLLING")


def make_app(environment: Environment, world: World, token: str) -> Starlette:
    """The API over `world`, for bearers of `token`."""

    def authorise(request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise _error(
                401,
                "INVALID_AUTHENTICATION",
                "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can "
                "find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            )

    vendor = Vendor(
        source="hubspot",
        environment=environment,
        world=world,
        authorise=authorise,
        not_found=lambda request: _error(404, "OBJECT_NOT_FOUND", f"resource not found: {request.url.path}"),
        errors={
            "401": lambda _: _error(401, "INVALID_AUTHENTICATION", "The access token is expired or revoked"),
            "429": _limited,
            "500": lambda _: _error(500, "INTERNAL_ERROR", "internal error"),
            "expired_cursor": lambda _: _invalid("The paging cursor `after` is not valid any more"),
        },
        has_cursor=_has_cursor,
    )
    crm, links = Records(vendor), Associations(vendor)
    objects = "/crm/v3/objects/{type}"
    return app_of(
        vendor,
        [
            ("GET", objects, crm.list),
            ("POST", f"{objects}/search", crm.search),
            ("POST", f"{objects}/merge", crm.merge),
            ("POST", f"{objects}/batch/read", crm.batch_read),
            ("GET", f"{objects}/{{id}}", crm.get),
            ("GET", "/crm/v3/properties/{type}", crm.properties),
            ("GET", "/crm/v3/properties/{type}/{name}", crm.property),
            ("GET", "/crm/v4/objects/{type}/{id}/associations/{to}", links.list),
            ("POST", "/crm/v4/associations/{type}/{to}/batch/read", links.batch_read),
            ("GET", "/crm/v4/associations/{type}/{to}/labels", links.labels),
        ],
    )


async def _has_cursor(request: Request) -> bool:
    """A list page behind the first. A search is windowed by its filters: each page is a query of its own."""
    return "after" in request.query_params


def _type(request: Request, name: str = "type") -> ObjectType:
    wanted = request.path_params[name]
    # The API also takes the object type ids.
    wanted = {"0-1": "contacts", "0-2": "companies", "0-3": "deals"}.get(wanted, wanted)
    found = TYPES.get(wanted) or next((one for one in TYPES.values() if one.singular == wanted), None)
    if found is None:
        raise _invalid(f"Unable to infer object type from: {wanted}")
    return found


class Records:
    """The object endpoints. Each takes a request and returns the body of the answer, or raises ApiError."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor, self.world = vendor, vendor.world

    async def list(self, request: Request) -> dict:
        kind, query = _type(request), request.query_params
        limit = whole_number("limit", query.get("limit"), 10, 1, LIST_LIMIT, _invalid)
        after = whole_number("after", query.get("after"), 0, 0, None, _invalid)
        rows = self.world.rows(
            "select * from records where system = 'hubspot' and object = ? and state = ? and seq > ?"
            " order by seq limit ?",
            (kind.name, "archived" if _flag(query, "archived") else "live", after, limit + 1),
        )
        body: dict = {"results": self._shown(kind, rows[:limit], query.getlist("properties"))}
        for name in _names(query.getlist("associations")):
            self._add_associations(kind, body["results"], name)
        if len(rows) > limit:
            last = str(rows[limit - 1]["seq"])
            body["paging"] = {"next": {"after": last, "link": str(request.url.include_query_params(after=last))}}
        return body

    async def get(self, request: Request) -> dict:
        kind, query = _type(request), request.query_params
        source_id = request.path_params["id"]
        row = self._current(kind, source_id)
        if row is None or row["state"] != ("archived" if _flag(query, "archived") else "live"):
            raise _error(404, "OBJECT_NOT_FOUND", f"Object not found.  objectId are usually numeric: {source_id}")
        [shown] = self._shown(kind, [row], query.getlist("properties"))[:1]
        for name in _names(query.getlist("associations")):
            self._add_associations(kind, [shown], name)
        return shown

    async def batch_read(self, request: Request) -> JSONResponse:
        kind, body = _type(request), await json_body(request, _invalid)
        ids = _ids_of(body, BATCH_LIMIT)
        rows = {source_id: self._current(kind, source_id) for source_id in ids}
        wanted = "archived" if _flag(request.query_params, "archived") else "live"
        found = {row["source_id"]: row for row in rows.values() if row is not None and row["state"] == wanted}
        missing = [key for key, row in rows.items() if row is None or row["state"] != wanted]
        answer = _batch(self.vendor, self._shown(kind, found.values(), body.get("properties") or []))
        if missing:
            answer |= {"numErrors": 1, "errors": [_not_found(missing)]}
        return JSONResponse(answer, 207 if missing else 200)

    async def search(self, request: Request) -> dict:
        kind, body = _type(request), await json_body(request, _invalid)
        limit = whole_number("limit", body.get("limit"), 10, 1, SEARCH_LIMIT, _invalid)
        after = whole_number("after", body.get("after"), 0, 0, None, _invalid)
        if after + limit > SEARCH_CAP:
            raise _invalid(
                f"The requested offset of {after + limit} exceeds the limit of {SEARCH_CAP} results per query"
            )
        query = _Search(kind, self.vendor.standing())
        where, values = query.where(body)
        count = self.world.rows(f"select count(*) from records where {where}", values)[0][0]
        rows = self.world.rows(
            f"select * from records where {where} order by {query.order(body)} limit ? offset ?",
            (*values, limit, after),
        )
        answer: dict = {"total": count, "results": self._shown(kind, rows, body.get("properties") or [])}
        if after + len(rows) < count:
            answer["paging"] = {"next": {"after": str(after + len(rows))}}
        return answer

    async def merge(self, request: Request) -> dict:
        kind, body = _type(request), await json_body(request, _invalid)
        with self.world.transaction():
            primary, secondary = (
                self._live(kind, str(body.get(name, ""))) for name in ("primaryObjectId", "objectIdToMerge")
            )
            if primary["source_id"] == secondary["source_id"]:
                raise _invalid(f"A {kind.singular} cannot be merged with itself")
            moment = self._next_moment()
            new_id = merge_records(self.world, primary, secondary, moment, self.world.day or 1)
        return self._shown(kind, [self.world.record("hubspot", kind.name, new_id)], [])[0]

    async def properties(self, request: Request) -> dict:
        kind = _type(request)
        if _flag(request.query_params, "archived"):
            return {"results": []}
        known = kind.by_name(self.vendor.standing()).values()
        return {"results": [one.definition(f"{kind.singular}information") for one in known]}

    async def property(self, request: Request) -> dict:
        kind, name = _type(request), request.path_params["name"]
        known = kind.by_name(self.vendor.standing())
        if name not in known:
            raise _error(404, "OBJECT_NOT_FOUND", f"Property {name} does not exist for {kind.name}")
        return known[name].definition(f"{kind.singular}information")

    def _shown(self, kind: ObjectType, rows, asked: list[str]) -> list[dict]:
        faults = self.vendor.standing()
        known = kind.by_name(faults)
        names = [name for name in _names(asked) if name in known]  # unknown ones are ignored, as HubSpot does
        # Whatever is asked for, these three come too.
        names = list(dict.fromkeys([*names, "createdate", "hs_object_id", kind.modified])) if _names(asked) else [
            name for name in kind.defaults if name in known
        ]  # fmt: skip
        return [kind.show(row, names, faults) for row in versions_served(self.vendor, rows)]

    def _next_moment(self) -> str:
        """Now, or a millisecond after the newest change where the clock stands still: no two changes share a time."""
        newest = self.world.rows("select max(updated_at) from records where system = 'hubspot'")[0][0]
        after = datetime.fromisoformat(newest) + timedelta(milliseconds=1)
        return iso(max(clock.now(self.vendor.environment), after))

    def _current(self, kind: ObjectType, source_id: str):
        """The record that `source_id` leads to, over however many merges."""
        row = self.world.record("hubspot", kind.name, source_id)
        while row is not None and row["state"] == "merged":
            row = self.world.record("hubspot", kind.name, row["merged_into"])
        return row

    def _live(self, kind: ObjectType, source_id: str):
        row = self._current(kind, source_id)
        if row is None or row["state"] != "live":
            raise _invalid(f"{kind.singular} {source_id!r} does not exist")
        return row

    def _add_associations(self, kind: ObjectType, shown: list[dict], to: str) -> None:
        if (kind.name, to) not in ASSOCIATION_TYPES:
            return  # unknown ones are ignored
        found = associated(self.world, kind.name, to, [one["id"] for one in shown])
        label = f"{kind.singular}_to_{TYPES[to].singular}"
        for one in shown:
            ids = found.get(one["id"], {})
            if ids:
                results = [{"id": key, "type": label} for key in ids]
                one.setdefault("associations", {})[to] = {"results": results}


class Associations:
    """The v4 associations endpoints."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor, self.world = vendor, vendor.world

    async def list(self, request: Request) -> dict:
        kind, to, source_id = _type(request), _type(request, "to"), request.path_params["id"]
        limit = whole_number("limit", request.query_params.get("limit"), 500, 1, ASSOCIATION_LIMIT, _invalid)
        after = whole_number("after", request.query_params.get("after"), 0, 0, None, _invalid)
        row = self.world.record("hubspot", kind.name, source_id)
        if row is None or row["state"] != "live":
            raise _error(404, "OBJECT_NOT_FOUND", f"Object not found.  objectId are usually numeric: {source_id}")
        links = list(associated(self.world, kind.name, to.name, [source_id]).get(source_id, {}).items())
        results = [_link(kind.name, to.name, *link) for link in links[after : after + limit]]
        body: dict = {"results": results}
        if after + limit < len(links):
            following = str(after + limit)
            link = str(request.url.include_query_params(after=following))
            body["paging"] = {"next": {"after": following, "link": link}}
        return body

    async def batch_read(self, request: Request) -> JSONResponse:
        kind, to = _type(request), _type(request, "to")
        if (kind.name, to.name) not in ASSOCIATION_TYPES:
            raise _invalid(f"No associations from {kind.name} to {to.name}")
        ids = _ids_of(await json_body(request, _invalid), ASSOCIATION_BATCH_LIMIT)
        found = associated(self.world, kind.name, to.name, ids)
        results = [
            {"from": {"id": key}, "to": [_link(kind.name, to.name, *link) for link in found[key].items()]}
            for key in ids
            if key in found
        ]
        answer = _batch(self.vendor, results)
        without = [key for key in ids if key not in found]
        if without:
            errors = [
                {
                    "status": "error",
                    "category": "OBJECT_NOT_FOUND",
                    "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                    "message": f"No {to.singular} is associated with {kind.singular} {key}.",
                    "context": {"fromObjectId": [key]},
                    "errors": [],
                    "links": {},
                }
                for key in without
            ]
            answer |= {"numErrors": len(errors), "errors": errors}
        return JSONResponse(answer, 207 if without else 200)

    async def labels(self, request: Request) -> dict:
        plain, primary = ASSOCIATION_TYPES[_type(request).name, _type(request, "to").name]
        results = [{"category": "HUBSPOT_DEFINED", "typeId": plain, "label": None}]
        if primary:
            results.append({"category": "HUBSPOT_DEFINED", "typeId": primary, "label": "Primary"})
        return {"results": results}


def associated(world: World, kind: str, to: str, ids: list[str]) -> dict[str, dict[str, bool]]:
    """id -> {id of the associated record: whether it is the primary one}, both live."""
    mine, theirs = ENDS[kind], ENDS[to]
    marks = ", ".join("?" * len(ids))
    rows = world.rows(
        f"select json_extract(fields, '$.{mine}'), json_extract(fields, '$.{theirs}'),"
        " json_extract(fields, '$.is_primary') from records where system = 'hubspot' and object = 'associations'"
        f" and state = 'live' and json_extract(fields, '$.{mine}') in ({marks})"
        f" and json_extract(fields, '$.{theirs}') <> '' order by seq",
        ids,
    )
    found: dict[str, dict[str, bool]] = {}
    for own, other, primary in rows:
        mine_of = found.setdefault(own, {})
        mine_of[other] = mine_of.get(other, False) or bool(primary)
    return found


def _link(kind: str, to: str, other: str, is_primary: bool) -> dict:
    plain, primary = ASSOCIATION_TYPES[kind, to]
    types = [{"category": "HUBSPOT_DEFINED", "typeId": plain, "label": None}]
    if is_primary and primary:
        types.insert(0, {"category": "HUBSPOT_DEFINED", "typeId": primary, "label": "Primary"})
    return {"toObjectId": other, "associationTypes": types}


def _batch(vendor: Vendor, results: list[dict]) -> dict:
    moment = iso(clock.now(vendor.environment))
    return {"status": "COMPLETE", "results": results, "requestedAt": moment, "startedAt": moment, "completedAt": moment}


def _not_found(ids: list[str]) -> dict:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": "Could not get some objects, they may be deleted or not exist. Check that ids are valid.",
        "context": {"ids": ids},
        "errors": [],
        "links": {},
    }


def _ids_of(body: dict, most: int) -> list[str]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, dict) and one.get("id") for one in inputs):
        raise _invalid("inputs must be a list of objects with an id")
    if len(inputs) > most:
        raise _invalid(f"The maximum number of inputs supported in a batch request is {most}, got {len(inputs)}")
    return list(dict.fromkeys(str(one["id"]) for one in inputs))


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "false").lower() == "true"


def _names(asked: list[str]) -> list[str]:
    """Names by comma or by repetition."""
    return [name.strip() for text in asked for name in str(text).split(",") if name.strip()]


class _Search:
    """A search body as SQL over the world."""

    def __init__(self, kind: ObjectType, faults: Mapping[str, float]) -> None:
        self.kind, self.properties = kind, kind.by_name(faults)

    def where(self, body: dict) -> tuple[str, list]:
        """SQL condition: filters of a group all hold, of the groups at least one."""
        groups, values = [], []
        for group in body.get("filterGroups") or []:
            parts = []
            for one in group.get("filters") or []:
                sql, parameters = self._condition(one)
                parts.append(sql)
                values += parameters
            if parts:
                groups.append("(" + " and ".join(parts) + ")")
        where = f"system = 'hubspot' and object = '{self.kind.name}' and state = 'live'"
        return (f"{where} and ({' or '.join(groups)})" if groups else where), values

    def order(self, body: dict) -> str:
        """One sort rule, as HubSpot allows; equal values by id. Without a rule by id."""
        sorts = body.get("sorts") or []
        if len(sorts) > 1:
            raise _invalid("Only one sort rule is supported per search")
        for sort in sorts:
            rule = {"propertyName": sort.lstrip("-"), "direction": ""} if isinstance(sort, str) else sort
            descending = rule.get("direction") == "DESCENDING" or (isinstance(sort, str) and sort.startswith("-"))
            return f"{self._expression(rule.get('propertyName'))} {'desc' if descending else 'asc'}, seq"
        return "seq"

    def _condition(self, one: dict) -> tuple[str, list]:
        name, operator = one.get("propertyName"), one.get("operator")
        column = self._expression(name)
        if operator == "HAS_PROPERTY":
            return f"coalesce({column}, '') <> ''", []
        if operator == "NOT_HAS_PROPERTY":
            return f"coalesce({column}, '') = ''", []
        if operator in ("IN", "NOT_IN"):
            values = [self._value(name, value) for value in one.get("values") or []]
            if not values:
                raise _invalid(f"{operator} on {name!r} needs a list `values`")
            inside = f"{column} collate nocase in ({', '.join('?' * len(values))})"
            return (inside if operator == "IN" else f"not {inside}"), values
        if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
            pattern = "%" + str(one.get("value", "")).strip("*") + "%"
            return f"{column} {'' if operator == 'CONTAINS_TOKEN' else 'not '}like ?", [pattern]
        if operator == "BETWEEN":
            bounds = [self._value(name, one.get(key)) for key in ("value", "highValue")]
            return f"{column} between ? and ?", bounds
        if operator not in _OPERATORS:
            raise _invalid(f"operator {operator!r} is not supported")
        if one.get("value") is None:
            raise _invalid(f"{operator} on {name!r} needs a `value`")
        return f"{column} {_OPERATORS[operator]} ? collate nocase", [self._value(name, one["value"])]

    def _expression(self, name: object) -> str:
        if name not in self.properties:
            raise _invalid(f"Property {name!r} does not exist")
        found = self.properties[name]
        if name == "hs_object_id":
            return "seq"
        if found.source == "constant":
            return "'default'"
        column = found.source if found.is_column else f"json_extract(fields, '$.{found.source}')"
        return f"cast(nullif({column}, '') as real)" if found.kind == "number" else column

    def _value(self, name: str, value: object) -> object:
        """A filter's value as the column holds it: datetimes also come as milliseconds since 1970."""
        text, kind = str(value), self.properties[name].kind
        if kind == "datetime":
            try:
                if text.lstrip("-").isdigit():
                    return iso(datetime.fromtimestamp(int(text) / 1000, UTC))
                moment = datetime.fromisoformat(text)
            except (ValueError, OverflowError, OSError) as error:
                raise _invalid(f"{text!r} is not a time: take ISO 8601 or milliseconds since 1970") from error
            return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        if kind == "number":
            try:
                return int(text) if name == "hs_object_id" else float(text)
            except ValueError as error:
                raise _invalid(f"{text!r} is not a number") from error
        return text
