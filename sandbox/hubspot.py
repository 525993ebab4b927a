"""HubSpot's CRM API for contacts, as the vendor's specification has it, over the world.

    GET  /crm/v3/objects/contacts            pages of at most 100 by `after`; archived=true: the archived
    GET  /crm/v3/objects/contacts/{id}       an id that was merged away answers with the contact it became
    POST /crm/v3/objects/contacts/search     filterGroups, sorts, at most 200 a page and 10,000 a query
    POST /crm/v3/objects/contacts/merge      makes a new id; both old ones resolve to it
    GET  /crm/v3/properties/contacts         names and types; property values are always strings

Companies and other associations are not served: `associations` is accepted and answered with nothing.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from operate import clock
from operate.environment import Environment
from sandbox.faults import take_fault
from sandbox.tick import merge_records
from sandbox.world import World, iso

LIST_LIMIT, SEARCH_LIMIT, SEARCH_CAP = 100, 200, 10_000
DEFAULT_PROPERTIES = ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname")

# HubSpot property -> (field of the world's record, label, type)
_CONTENT = {
    "firstname": ("given_name", "First Name", "string"),
    "lastname": ("family_name", "Last Name", "string"),
    "email": ("email", "Email", "string"),
    "hs_additional_emails": ("email_2", "Additional email addresses", "enumeration"),
    "phone": ("phone", "Phone Number", "string"),
    "mobilephone": ("mobile", "Mobile Phone Number", "string"),
    "address": ("address", "Street Address", "string"),
    "city": ("city", "City", "string"),
    "state": ("region", "State/Region", "string"),
    "zip": ("postal_code", "Postal Code", "string"),
    "country": ("country", "Country/Region", "string"),
    "date_of_birth": ("birth_date", "Date of birth", "string"),
    "company": ("company_name", "Company Name", "string"),
    "jobtitle": ("job_title", "Job Title", "string"),
    "website": ("website", "Website URL", "string"),
    "lifecyclestage": ("lifecycle_stage", "Lifecycle Stage", "enumeration"),
    "hs_email_optout": ("email_optout", "Unsubscribed from all email", "bool"),
}
_SYSTEM = {
    "createdate": ("created_at", "Create Date", "datetime"),
    "lastmodifieddate": ("updated_at", "Last Modified Date", "datetime"),
    "hs_object_id": ("seq", "Record ID", "number"),
    "hs_merged_object_ids": ("merged_from", "Merged record IDs", "enumeration"),
    "hs_calculated_merged_vids": ("merged_from", "Merged vids with timestamps", "string"),
}
PROPERTIES = {**_CONTENT, **_SYSTEM}
_OPERATORS = {"EQ": "=", "NEQ": "<>", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}


class ApiError(Exception):
    """An error answer in HubSpot's schema."""

    def __init__(self, status: int, category: str, message: str) -> None:
        super().__init__(message)
        self.status, self.category, self.message = status, category, message

    def response(self) -> JSONResponse:
        body = {
            "status": "error",
            "message": self.message,
            "correlationId": str(uuid.uuid4()),
            "category": self.category,
        }
        return JSONResponse(body, self.status)


def _invalid(message: str) -> ApiError:
    return ApiError(400, "VALIDATION_ERROR", message)


Handler = Callable[[Request], Awaitable[Response]]


def make_app(environment: Environment, world: World, token: str) -> Starlette:
    """The API over `world`, for bearers of `token`."""
    contacts = Contacts(environment, world)

    def guarded(handler: Callable[[Request], Awaitable[dict]]) -> Handler:
        async def answer(request: Request) -> Response:
            fault = await _answer_of_fault(environment)
            if fault is not None:
                return fault
            try:
                _check_token(request, token)
                return JSONResponse(await handler(request))
            except ApiError as error:
                return error.response()

        return answer

    base = "/crm/v3/objects/contacts"
    return Starlette(
        routes=[
            Route(base, guarded(contacts.list), methods=["GET"]),
            Route(f"{base}/search", guarded(contacts.search), methods=["POST"]),
            Route(f"{base}/merge", guarded(contacts.merge), methods=["POST"]),
            Route(f"{base}/{{contact_id}}", guarded(contacts.get), methods=["GET"]),
            Route("/crm/v3/properties/contacts", guarded(contacts.properties), methods=["GET"]),
        ],
        exception_handlers={404: _not_found, 405: _not_found},
    )


async def _not_found(request: Request, _: Exception) -> Response:
    return ApiError(404, "OBJECT_NOT_FOUND", f"resource not found: {request.url.path}").response()


def _check_token(request: Request, token: str) -> None:
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise ApiError(
            401,
            "INVALID_AUTHENTICATION",
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can "
            "find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        )


async def _answer_of_fault(environment: Environment) -> Response | None:
    """The answer a fault set by `c360 sandbox fault` wants, None for the usual one."""
    fault = take_fault(environment, "hubspot")
    if fault is None:
        return None
    if fault["kind"] == "slow":
        await asyncio.sleep(fault["seconds"])
        return None
    if fault["kind"] == "invalid_json":
        return Response('{"results": [{"id": "1", "properties": {', media_type="application/json")
    if fault["kind"] == "401":
        return ApiError(401, "INVALID_AUTHENTICATION", "The access token is expired or revoked").response()
    if fault["kind"] == "429":
        response = ApiError(429, "RATE_LIMITS", "You have reached your ten_secondly_rolling limit.").response()
        response.headers["Retry-After"] = str(max(1, round(fault["seconds"])))
        return response
    return ApiError(fault["status"], "INTERNAL_ERROR", "internal error").response()


class Contacts:
    """The endpoints. Each takes a request and returns the body of the answer, or raises ApiError."""

    def __init__(self, environment: Environment, world: World) -> None:
        self.environment, self.world = environment, world

    async def list(self, request: Request) -> dict:
        query = request.query_params
        limit = _whole("limit", query.get("limit"), 10, 1, LIST_LIMIT)
        after = _whole("after", query.get("after"), 0, 0, None)
        archived = query.get("archived", "false").lower() == "true"
        rows = self.world.rows(
            "select * from records where system = 'hubspot' and state = ? and seq > ? order by seq limit ?",
            ("archived" if archived else "live", after, limit + 1),
        )
        names = _requested(query.getlist("properties"))
        body: dict = {"results": [_contact(row, names) for row in rows[:limit]]}
        if len(rows) > limit:
            last = str(rows[limit - 1]["seq"])
            link = str(request.url.include_query_params(after=last))
            body["paging"] = {"next": {"after": last, "link": link}}
        return body

    async def get(self, request: Request) -> dict:
        contact_id = request.path_params["contact_id"]
        row = self.world.record("hubspot", contact_id)
        while row is not None and row["state"] == "merged":
            row = self.world.record("hubspot", row["merged_into"])
        archived = request.query_params.get("archived", "false").lower() == "true"
        if row is None or row["state"] != ("archived" if archived else "live"):
            raise ApiError(404, "OBJECT_NOT_FOUND", f"Object not found. objectId are usually numeric: {contact_id}")
        return _contact(row, _requested(request.query_params.getlist("properties")))

    async def properties(self, _: Request) -> dict:
        results = [
            {
                "name": name,
                "label": label,
                "type": kind,
                "fieldType": {"datetime": "date", "bool": "booleancheckbox", "number": "number"}.get(kind, "text"),
                "groupName": "contactinformation",
                "hubspotDefined": True,
                "archived": False,
            }
            for name, (_, label, kind) in PROPERTIES.items()
        ]
        return {"results": results}

    async def search(self, request: Request) -> dict:
        body = await _json_body(request)
        limit = _whole("limit", body.get("limit"), 10, 1, SEARCH_LIMIT)
        after = _whole("after", body.get("after"), 0, 0, None)
        if after + limit > SEARCH_CAP:
            raise _invalid(
                f"The requested offset of {after + limit} exceeds the limit of {SEARCH_CAP} results per query"
            )
        where, values = _where(body)
        count = self.world.rows(f"select count(*) from records where {where}", values)[0][0]
        rows = self.world.rows(
            f"select * from records where {where} order by {_order(body)} limit ? offset ?",
            (*values, limit, after),
        )
        names = _requested(body.get("properties") or [])
        answer: dict = {"total": count, "results": [_contact(row, names) for row in rows]}
        if after + len(rows) < count:
            answer["paging"] = {"next": {"after": str(after + len(rows))}}
        return answer

    async def merge(self, request: Request) -> dict:
        body = await _json_body(request)
        with self.world.transaction():
            primary, secondary = (
                self._live(str(body.get(name, ""))) for name in ("primaryObjectId", "objectIdToMerge")
            )
            if primary["source_id"] == secondary["source_id"]:
                raise _invalid("A contact cannot be merged with itself")
            moment = iso(clock.now(self.environment))
            new_id = merge_records(self.world, "hubspot", primary, secondary, moment, self.world.day)
        return _contact(self.world.record("hubspot", new_id), DEFAULT_PROPERTIES)

    def _live(self, contact_id: str):
        row = self.world.record("hubspot", contact_id)
        while row is not None and row["state"] == "merged":
            row = self.world.record("hubspot", row["merged_into"])
        if row is None or row["state"] != "live":
            raise _invalid(f"Contact {contact_id!r} does not exist")
        return row


async def _json_body(request: Request) -> dict:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise _invalid(f"Invalid input JSON: {error}") from error
    if not isinstance(body, dict):
        raise _invalid("Invalid input JSON: an object is expected")
    return body


def _whole(name: str, value: object, default: int, least: int, most: int | None) -> int:
    if value is None or value == "":
        return default
    try:
        number = int(str(value))
    except ValueError as error:
        raise _invalid(f"{name} must be a whole number, not {value!r}") from error
    if number < least or (most is not None and number > most):
        raise _invalid(f"{name} {number} is out of range: {least} to {most}")
    return number


def _requested(names: list[str]) -> tuple[str, ...]:
    """The properties asked for, by comma or by repetition, with those every answer holds."""
    asked = [name.strip() for text in names for name in str(text).split(",") if name.strip()]
    if not asked:
        return DEFAULT_PROPERTIES
    known = [name for name in asked if name in PROPERTIES]  # unknown ones are ignored, as HubSpot does
    return tuple(dict.fromkeys([*known, "createdate", "hs_object_id", "lastmodifieddate"]))


def _contact(row, names: tuple[str, ...]) -> dict:
    """A contact as the API shows it. A property without a value is null, every other a string."""
    fields = json.loads(row["fields"])
    values: dict[str, str] = {name: fields.get(field, "") for name, (field, _, _) in _CONTENT.items()}
    moment = int(datetime.fromisoformat(row["updated_at"]).timestamp() * 1000)
    merged = [old for old in row["merged_from"].split(";") if old]
    values |= {
        "createdate": row["created_at"],
        "lastmodifieddate": row["updated_at"],
        "hs_object_id": row["source_id"],
        "hs_merged_object_ids": ";".join(merged),
        "hs_calculated_merged_vids": ";".join(f"{old}:{moment}" for old in merged),
    }
    contact = {
        "id": row["source_id"],
        "properties": {name: values[name] or None for name in names},
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "archived": row["state"] == "archived",
    }
    if contact["archived"]:
        contact["archivedAt"] = row["ended_at"]
    return contact


def _expression(name: object) -> str:
    if name not in PROPERTIES:
        raise _invalid(f"Property {name!r} does not exist")
    column = PROPERTIES[name][0]
    return column if name in _SYSTEM else f"json_extract(fields, '$.{column}')"


def _value(name: str, value: object) -> object:
    """A filter's value as the column holds it: datetimes also come as milliseconds since 1970."""
    text = str(value)
    if PROPERTIES[name][2] == "datetime":
        try:
            if text.lstrip("-").isdigit():
                return iso(datetime.fromtimestamp(int(text) / 1000, UTC))
            moment = datetime.fromisoformat(text)
        except (ValueError, OverflowError, OSError) as error:
            raise _invalid(f"{text!r} is not a time: take ISO 8601 or milliseconds since 1970") from error
        return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if name == "hs_object_id":
        if not text.isdigit():
            raise _invalid(f"{text!r} is not a record id")
        return int(text)
    return text


def _where(body: dict) -> tuple[str, list]:
    """SQL condition of a search: filters of a group all hold, of the groups at least one."""
    groups, values = [], []
    for group in body.get("filterGroups") or []:
        parts = []
        for one in group.get("filters") or []:
            sql, parameters = _condition(one)
            parts.append(sql)
            values += parameters
        if parts:
            groups.append("(" + " and ".join(parts) + ")")
    where = "system = 'hubspot' and state = 'live'"
    return (f"{where} and ({' or '.join(groups)})" if groups else where), values


def _condition(one: dict) -> tuple[str, list]:
    name, operator = one.get("propertyName"), one.get("operator")
    column = _expression(name)
    if operator == "HAS_PROPERTY":
        return f"coalesce({column}, '') <> ''", []
    if operator == "NOT_HAS_PROPERTY":
        return f"coalesce({column}, '') = ''", []
    if operator == "IN":
        values = [_value(name, value) for value in one.get("values") or []]
        if not values:
            raise _invalid(f"IN on {name!r} needs a list `values`")
        return f"{column} collate nocase in ({', '.join('?' * len(values))})", values
    if operator not in _OPERATORS:
        raise _invalid(f"operator {operator!r} is not supported")
    if one.get("value") is None:
        raise _invalid(f"{operator} on {name!r} needs a `value`")
    return f"{column} {_OPERATORS[operator]} ? collate nocase", [_value(name, one["value"])]


def _order(body: dict) -> str:
    """One sort rule, as HubSpot allows; equal values by id. Without a rule by id."""
    sorts = body.get("sorts") or []
    if len(sorts) > 1:
        raise _invalid("Only one sort rule is supported per search")
    for sort in sorts:
        rule = {"propertyName": sort.lstrip("-"), "direction": ""} if isinstance(sort, str) else sort
        descending = rule.get("direction") == "DESCENDING" or (isinstance(sort, str) and sort.startswith("-"))
        return f"{_expression(rule.get('propertyName'))} {'desc' if descending else 'asc'}, seq"
    return "seq"
