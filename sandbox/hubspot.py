"""HubSpot's CRM API, as the vendor's SDK has it, over the world.

    GET  /crm/v3/objects/{type}                pages of at most 100 by `after`; archived=true: the archived ones
    GET  /crm/v3/objects/{type}/{id}           an id that was merged away answers with the record it became
    POST /crm/v3/objects/{type}/batch/read     at most 100 ids
    POST /crm/v3/objects/{type}/search         filters, text, sorts: see sandbox/hubspot_search.py
    POST /crm/v3/objects/{type}/merge          makes a new id; both old ones resolve to it
    GET  /crm/v3/properties/{type}             names and types; property values are always strings
    GET  /crm/v4/objects/{type}/{id}/associations/{to}, POST /crm/v4/associations/{type}/{to}/batch/read, .../labels

Types are contacts, companies and deals, associated with each other.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse

from operate import clock
from operate.environment import Environment
from sandbox.deals import ENDS
from sandbox.hubspot_objects import ASSOCIATION_TYPES, OTHER_TYPES, UNIQUE, ObjectType, object_type
from sandbox.hubspot_search import Search, add_functions
from sandbox.records import merge_records
from sandbox.serving import ApiError, Vendor, json_body, versions_served, whole_number
from sandbox.serving import make_app as app_of
from sandbox.world import World, iso

CREDENTIAL = "access_token"
SERVED = ("contacts", "companies", "deals", "associations")
SETTINGS: dict[str, str] = {}
LIST_LIMIT, SEARCH_LIMIT, SEARCH_CAP, BATCH_LIMIT, ASSOCIATION_LIMIT = 100, 200, 10_000, 100, 500
ASSOCIATION_BATCH_LIMIT = 1000
HISTORY_LIMIT = 50  # records a page that come with the history of their properties
_LARGEST = 2**63 - 1


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
        wrong_method=lambda request: _error(405, "METHOD_NOT_ALLOWED", f"{request.method} is not allowed here"),
    )
    add_functions(world.connection)
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
    found = object_type(wanted)
    if found is None:
        raise _invalid(f"Unable to infer object type from: {wanted}")
    return found


def _pair(request: Request) -> tuple[ObjectType, ObjectType]:
    kind, to = _type(request), _type(request, "to")
    if (kind.name, to.name) not in ASSOCIATION_TYPES:
        raise _invalid(f"No association types exist between {kind.name} and {to.name}")
    return kind, to


def current(world: World, kind: ObjectType, source_id: str):
    """The record that `source_id` leads to, over however many merges; None is unknown."""
    row = world.record("hubspot", kind.name, source_id)
    while row is not None and row["state"] == "merged":
        row = world.record("hubspot", kind.name, row["merged_into"])
    return row


class Records:
    """The object endpoints. Each takes a request and returns the body of the answer, or raises ApiError."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor, self.world = vendor, vendor.world

    async def list(self, request: Request) -> dict:
        kind, query = _type(request), request.query_params
        most = HISTORY_LIMIT if query.get("propertiesWithHistory") else LIST_LIMIT
        limit = whole_number("limit", query.get("limit"), 10, 1, most, _invalid)
        after = whole_number("after", query.get("after"), 0, 0, _LARGEST, _invalid)
        rows = self.world.rows(
            "select * from records where system = 'hubspot' and object = ? and state = ? and seq > ?"
            " order by seq limit ?",
            (kind.name, "archived" if _flag(query, "archived") else "live", after, limit + 1),
        )
        body: dict = {"results": self._asked(kind, rows[:limit], query)}
        if len(rows) > limit:
            last = str(rows[limit - 1]["seq"])
            body["paging"] = {"next": {"after": last, "link": str(request.url.include_query_params(after=last))}}
        return body

    async def get(self, request: Request) -> dict:
        kind, query = _type(request), request.query_params
        source_id = request.path_params["id"]
        [row] = self._found(kind, [source_id], query.get("idProperty"), query).values()
        if row is None:
            raise _error(404, "OBJECT_NOT_FOUND", f"Object not found.  objectId are usually numeric: {source_id}")
        return self._asked(kind, [row], query)[0]

    async def batch_read(self, request: Request) -> JSONResponse:
        kind, body = _type(request), await json_body(request, _invalid)
        history = body.get("propertiesWithHistory") or []
        ids = _ids_of(body, HISTORY_LIMIT if history else BATCH_LIMIT)
        rows = self._found(kind, ids, body.get("idProperty"), request.query_params)
        found = {row["source_id"]: row for row in rows.values() if row is not None}
        missing = [key for key, row in rows.items() if row is None]
        answer = _batch(self.vendor, self._shown(kind, found.values(), body.get("properties") or [], history))
        if missing:
            answer |= {"numErrors": 1, "errors": [_not_found(missing)]}
        return JSONResponse(answer, 207 if missing else 200)

    async def search(self, request: Request) -> dict:
        kind, body = _type(request), await json_body(request, _invalid)
        limit = whole_number("limit", body.get("limit"), 10, 1, SEARCH_LIMIT, _invalid)
        after = whole_number("after", body.get("after"), 0, 0, _LARGEST, _invalid)
        if after + limit > SEARCH_CAP:
            raise _invalid(
                f"The requested offset of {after + limit} exceeds the limit of {SEARCH_CAP} results per query"
            )
        query = Search(kind, self.vendor.standing(), _invalid)
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

    def _asked(self, kind: ObjectType, rows, query: QueryParams) -> list[dict]:
        """Records with the properties, histories and associations that a query asks for."""
        shown = self._shown(kind, rows, query.getlist("properties"), query.getlist("propertiesWithHistory"))
        for name in _names(query.getlist("associations")):
            self._add_associations(kind, shown, name)
        return shown

    def _shown(self, kind: ObjectType, rows, asked: list[str], with_history: list[str] = ()) -> list[dict]:
        faults = self.vendor.standing()
        known = kind.by_name(faults)
        history = [name for name in _names(with_history) if name in known]
        asked = [*_names(asked), *history]
        names = [name for name in _names(asked) if name in known]  # unknown ones are ignored, as HubSpot does
        # Whatever is asked for, these three come too.
        names = list(dict.fromkeys([*names, "createdate", "hs_object_id", kind.modified])) if _names(asked) else [
            name for name in kind.defaults if name in known
        ]  # fmt: skip
        return [kind.show(row, names, faults, history) for row in versions_served(self.vendor, rows)]

    def _next_moment(self) -> str:
        """Now, or a millisecond after the newest change where the clock stands still: no two changes share a time."""
        newest = self.world.rows("select max(updated_at) from records where system = 'hubspot'")[0][0]
        after = datetime.fromisoformat(newest) + timedelta(milliseconds=1)
        return iso(max(clock.now(self.vendor.environment), after))

    def _found(self, kind: ObjectType, ids: list[str], id_property: str | None, query: QueryParams) -> dict:
        """id as asked for -> its record, or None; archived ones when the query says so, else live ones."""
        wanted = "archived" if _flag(query, "archived") else "live"
        unique, field = UNIQUE.get(kind.name, ("", ""))
        if id_property not in (None, "", "hs_object_id", unique):
            raise _invalid(f"Property {id_property!r} is not a unique identifier of {kind.name}")
        if id_property and id_property == unique:
            return {key: self._by_value(kind, field, key, wanted) for key in ids}
        rows = {key: current(self.world, kind, key) for key in ids}
        return {key: row if row is not None and row["state"] == wanted else None for key, row in rows.items()}

    def _by_value(self, kind: ObjectType, field: str, value: str, state: str):
        rows = self.world.rows(
            "select * from records where system = 'hubspot' and object = ? and state = ?"
            f" and json_extract(fields, '$.{field}') = ? collate folded order by seq limit 1",
            (kind.name, state, value),
        )
        return rows[0] if rows and value else None

    def _live(self, kind: ObjectType, source_id: str):
        row = current(self.world, kind, source_id)
        if row is None or row["state"] != "live":
            raise _invalid(f"{kind.singular} {source_id!r} does not exist")
        return row

    def _add_associations(self, kind: ObjectType, shown: list[dict], to: str) -> None:
        other = object_type(to)
        if other is None and to.lower() not in OTHER_TYPES:
            raise _invalid(f"Unable to infer object type from: {to}")
        if other is None or (kind.name, other.name) not in ASSOCIATION_TYPES:
            return  # nothing is associated
        to = other.name
        found = associated(self.world, kind.name, to, [one["id"] for one in shown])
        label = f"{kind.singular}_to_{other.singular}"
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
        (kind, to), source_id = _pair(request), request.path_params["id"]
        limit = whole_number("limit", request.query_params.get("limit"), 500, 1, ASSOCIATION_LIMIT, _invalid)
        after = whole_number("after", request.query_params.get("after"), 0, 0, _LARGEST, _invalid)
        row = current(self.world, kind, source_id)
        if row is None or row["state"] != "live":
            raise _error(404, "OBJECT_NOT_FOUND", f"Object not found.  objectId are usually numeric: {source_id}")
        links = list(associated(self.world, kind.name, to.name, [row["source_id"]]).get(row["source_id"], {}).items())
        results = [_link(kind.name, to.name, *link) for link in links[after : after + limit]]
        body: dict = {"results": results}
        if after + limit < len(links):
            following = str(after + limit)
            link = str(request.url.include_query_params(after=following))
            body["paging"] = {"next": {"after": following, "link": link}}
        return body

    async def batch_read(self, request: Request) -> JSONResponse:
        kind, to = _pair(request)
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
        kind, to = _pair(request)
        plain, primary = ASSOCIATION_TYPES[kind.name, to.name]
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
    if not isinstance(asked, list | tuple):
        raise _invalid("properties must be a list of names")
    return [name.strip() for text in asked for name in str(text).split(",") if name.strip()]
