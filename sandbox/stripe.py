"""Stripe's API, version 2026-10-28.endive as the vendor's SDK has it, over the world.

    GET /v1/{customers,charges,invoices,subscriptions,refunds}   newest first, at most 100 a page, `starting_after` or
                             `ending_before` an id; created, created[gt|gte|lt|lte] and each object's own filters
    GET /v1/{...}/{id}       a deleted customer is {id, object, deleted}; a deleted invoice is not there
    GET /v1/events[/{id}]    what changed in the last 30 days; type, types[]
    GET /v1/balance

There is no time of change and no filter by one: who wants to know what changed reads the events.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse

from operate import clock
from operate.environment import Environment
from sandbox.serving import ApiError, Vendor, versions_served, whole_number
from sandbox.serving import make_app as app_of
from sandbox.stripe_objects import API_VERSION, NAMES, body_of, deleted_body, price_id
from sandbox.world import World, iso

CREDENTIAL = "api_key"
SERVED = ("customers", "charges", "invoices", "subscriptions", "refunds")
SETTINGS: dict[str, str] = {"api_version": API_VERSION}
LIST_LIMIT, DEFAULT_LIMIT = 100, 10
EVENTS_REACH_BACK = timedelta(days=30)
# object: parameter of its list -> field of the world's record
_FILTERS: dict[str, dict[str, str]] = {
    "customers": {"email": "email"},
    "charges": {"customer": "customer", "payment_intent": "payment_intent"},
    "invoices": {"customer": "customer", "status": "status", "subscription": "subscription"},
    "subscriptions": {"customer": "customer", "status": "status"},
    "refunds": {"charge": "charge", "payment_intent": "payment_intent"},
    "events": {"type": "type"},
}
# object: parameter of its list -> field with seconds since 1970 of the world's record
_TIMES = {
    "invoices": {"due_date": "due_date"},
    "subscriptions": {"current_period_end": "period_end", "current_period_start": "period_start"},
}
# object: parameter of its list -> SQL of the value, for what no field of the record says
_MADE = {
    "customers": {"test_clock": "null"},
    "charges": {"transfer_group": "null"},
    "invoices": {
        "collection_method": "iif(coalesce(json_extract(fields, '$.subscription'), '') = '', 'send_invoice',"
        " 'charge_automatically')",
        "customer_account": "null",
    },
    "subscriptions": {
        "automatic_tax[enabled]": "'false'", "collection_method": "'charge_automatically'", "customer_account": "null",
        "test_clock": "null",
    },
    "events": {"delivery_success": "'true'"},
}  # fmt: skip
_ALLOWED = {
    "collection_method": ("charge_automatically", "send_invoice"), "automatic_tax[enabled]": ("true", "false"),
    "delivery_success": ("true", "false"),
}  # fmt: skip
_STATUSES = {
    "invoices": ("draft", "open", "paid", "uncollectible", "void"),
    "subscriptions": ("active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "paused",
                      "trialing", "unpaid"),
}  # fmt: skip
_OVER = ("canceled", "incomplete_expired")  # subscriptions that are listed only when asked for
_PAGING = ("limit", "starting_after", "ending_before", "expand[]")
_BOUNDS = {"gt": (">=", 1), "gte": (">=", 0), "lt": ("<", 0), "lte": ("<", 1)}  # whole seconds: > 5 is >= 6
_NEW_FIELD = {"reference_code": "R-1"}  # what the schema_* faults add; the field they take away is `description`


def _headers() -> dict[str, str]:
    return {"Request-Id": f"req_{secrets.token_hex(7)}", "Stripe-Version": API_VERSION}


def _error(
    status: int, message: str, code: str = "", param: str = "", kind: str = "invalid_request_error", **headers: str
) -> ApiError:
    error = {"message": message, "type": kind}
    if code:
        error |= {"code": code, "doc_url": f"https://docs.stripe.com/error-codes/{code.replace('_', '-')}"}
    if param:
        error["param"] = param
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ApiError(status, {"error": error}, _headers() | named)


def _missing(name: str, source_id: str, param: str, status: int) -> ApiError:
    return _error(status, f"No such {NAMES[name]}: '{source_id}'", "resource_missing", param)


def _unknown_path(request: Request) -> ApiError:
    return _error(
        404,
        f"Unrecognized request URL ({request.method}: {request.url.path}). Please see https://stripe.com/docs or we "
        "can help at https://support.stripe.com/.",
    )


def make_app(environment: Environment, world: World, secret: str) -> Starlette:
    """The API over `world`, for users of the key `secret`."""

    def authorise(request: Request) -> None:
        given = _key_of(request.headers.get("authorization", ""))
        if not given:
            raise _error(
                401,
                "You did not provide an API key. You need to provide your API key in the Authorization header, using "
                "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            )
        if not hmac.compare_digest(given.encode(), secret.encode()):
            raise _error(401, f"Invalid API Key provided: {given[:8]}{'*' * 8}{given[-4:]}")

    async def has_cursor(request: Request) -> bool:
        return not {"starting_after", "ending_before"}.isdisjoint(request.query_params)

    vendor = Vendor(
        source="stripe",
        environment=environment,
        world=world,
        authorise=authorise,
        not_found=_unknown_path,
        errors={
            "401": lambda _: _error(401, "Expired API Key provided: sk_test_********", "api_key_expired"),
            "429": lambda seconds: _error(
                429, "Request rate limit exceeded.", "rate_limit", Retry_After=str(max(1, round(seconds)))
            ),
            "500": lambda _: _error(500, "An error occurred with our connection to Stripe.", kind="api_error"),
            "expired_cursor": lambda _: _missing("customers", "cus_gone", "starting_after", 400),
        },
        has_cursor=has_cursor,
    )
    world.connection.create_function("price_of", 2, price_id, deterministic=True)
    endpoints = _Endpoints(vendor)
    routes = [("GET", "/v1/balance", endpoints.balance)]
    for name in (*SERVED, "events"):
        routes += [
            ("GET", f"/v1/{name}", endpoints.list),
            ("GET", f"/v1/{name}/{{source_id}}", endpoints.get),
        ]
    return app_of(vendor, routes)


def _key_of(header: str) -> str:
    """The API key of an Authorization header: as bearer, or as the user of basic authentication."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except ValueError:
            return ""
    return ""


@dataclass
class _Query:
    """Condition of a list: parts that all hold, with their values. `shift` is how far the times shown are ahead."""

    shift: timedelta
    parts: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, part: str, *values: Any) -> None:
        self.parts.append(part)
        self.values += values

    def created(self, operator: str, text: str, param: str) -> None:
        """`created` against whole seconds since 1970."""
        try:
            seconds = int(text)
            moment = datetime.fromtimestamp(seconds, UTC) - self.shift
        except (ValueError, OverflowError, OSError) as error:
            raise _error(400, f"Invalid integer: {text}", "parameter_invalid_integer", param) from error
        sign, more = _BOUNDS[operator]
        self.add(f"created_at {sign} ?", iso(moment + timedelta(seconds=more)))

    def seconds(self, field_name: str, operator: str, text: str, param: str) -> None:
        """A field of seconds since 1970 against whole seconds."""
        if not re.fullmatch(r"-?\d{1,18}", text):
            raise _error(400, f"Invalid integer: {text}", "parameter_invalid_integer", param)
        sign, more = _BOUNDS[operator]
        self.add(f"json_extract(fields, '$.{field_name}') {sign} ?", int(text) + more)


class _Endpoints:
    """Each takes a request and returns the answer, or raises ApiError."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor, self.world = vendor, vendor.world

    async def list(self, request: Request) -> JSONResponse:
        """A page of an object, newest first."""
        name, params = request.url.path.rpartition("/")[2], request.query_params
        limit = whole_number("limit", params.get("limit"), DEFAULT_LIMIT, 1, LIST_LIMIT, _bad_limit)
        query = self._query(name, list(params.multi_items()))
        backwards = "ending_before" in params
        if backwards and "starting_after" in params:
            raise _error(400, "You may only specify one of these parameters: ending_before, starting_after.")
        for param, sign in (("starting_after", "<"), ("ending_before", ">")):
            if param in params:
                anchor = self._known(name, params[param])
                if anchor is None:
                    raise _missing(name, params[param], param, 400)
                query.add(f"(created_at, seq) {sign} (?, ?)", anchor["created_at"], anchor["seq"])
        order = "created_at, seq" if backwards else "created_at desc, seq desc"
        rows = self.world.rows(
            f"select * from records where system = 'stripe' and object = '{name}' and {' and '.join(query.parts)}"
            f" order by {order} limit ?",
            (*query.values, limit + 1),
        )
        page = rows[:limit][::-1] if backwards else rows[:limit]
        expand = {text.removeprefix("data.") for text in params.getlist("expand[]")}
        data = [self._shown(row, expand) for row in versions_served(self.vendor, page)]
        return _answer({"object": "list", "data": data, "has_more": len(rows) > limit, "url": f"/v1/{name}"})

    async def get(self, request: Request) -> JSONResponse:
        """One object; of a deleted customer its id."""
        _, _, name, source_id = request.url.path.split("/")
        row = self._known(name, source_id)
        if row is None:
            raise _missing(name, source_id, "id", 404)
        if row["state"] == "deleted":
            return _answer(deleted_body(row))
        return _answer(self._shown(dict(row), set(request.query_params.getlist("expand[]"))))

    async def balance(self, _: Request) -> JSONResponse:
        """What the account holds, the same every day."""
        amounts = [{"amount": 0, "currency": "usd", "source_types": {"card": 0}}]
        return _answer({"object": "balance", "available": amounts, "livemode": False, "pending": amounts})

    def _known(self, name: str, source_id: str) -> Any:
        """The record of an id that Stripe still knows: a deleted invoice is gone, an event after 30 days."""
        row = self.world.record("stripe", name, source_id)
        if row is None or (row["state"] != "live" and name != "customers"):
            return None
        if name == "events" and row["created_at"] < iso(self._oldest_event()):
            return None
        return row

    def _oldest_event(self) -> datetime:
        return clock.now(self.vendor.environment) - EVENTS_REACH_BACK

    def _query(self, name: str, params: list[tuple[str, str]]) -> _Query:
        """The condition that the filters of a list make."""
        query = _Query(timedelta(seconds=self._ahead() if name == "events" else 0), ["state = 'live'"])
        types: list[str] = []
        for param, value in params:
            bound = re.fullmatch(r"(\w+)(?:\[(gt|gte|lt|lte)\])?", param)
            if bound and bound[1] == "created":
                for operator in [bound[2]] if bound[2] else ("gte", "lte"):
                    query.created(operator, value, param)
            elif bound and bound[1] in _TIMES.get(name, {}):
                for operator in [bound[2]] if bound[2] else ("gte", "lte"):
                    query.seconds(_TIMES[name][bound[1]], operator, value, param)
            elif param in _MADE.get(name, {}):
                if value not in _ALLOWED.get(param, (value,)):
                    raise _error(400, f"Invalid {param}: must be one of {', '.join(_ALLOWED[param])}", "", param)
                query.add(f"{_MADE[name][param]} = ?", value)
            elif name == "subscriptions" and param in ("price", "plan"):
                query.add("price_of(json_extract(fields, '$.plan'), json_extract(fields, '$.currency')) = ?", value)
            elif param in _FILTERS[name]:
                self._filter(query, name, param, value)
            elif name == "events" and re.fullmatch(r"types\[\d*\]", param):
                types.append(value)
            elif param not in _PAGING and not re.fullmatch(r"expand\[\d*\]", param):
                raise _error(400, f"Received unknown parameter: {param}", "parameter_unknown", param)
        if name == "subscriptions" and not any(param == "status" for param, _ in params):
            query.add(f"json_extract(fields, '$.status') not in {_OVER}")
        if name == "events":
            query.add("created_at >= ?", iso(self._oldest_event()))
        if types:
            query.add(f"json_extract(fields, '$.type') in ({', '.join('?' * len(types))})", *types)
        return query

    def _filter(self, query: _Query, name: str, param: str, value: str) -> None:
        if param == "status":
            allowed = _STATUSES[name]
            if value not in allowed:
                raise _error(400, f"Invalid {param}: must be one of {', '.join(allowed)}", "", param)
            if value == "all":
                return
            if value == "ended":
                query.add(f"json_extract(fields, '$.status') in {_OVER}")
                return
        if name == "events" and value.endswith("*"):
            query.add("json_extract(fields, '$.type') glob ?", value)
            return
        query.add(f"json_extract(fields, '$.{_FILTERS[name][param]}') = ?", value)

    def _ahead(self) -> float:
        return self.vendor.standing().get("clock_skew", 0.0)

    def _shown(self, row: dict[str, Any], expand: set[str]) -> dict[str, Any]:
        body = body_of(row)
        if row["object"] == "events":
            body["created"] += int(self._ahead())
            return body
        if "customer" in expand and body.get("customer"):
            body["customer"] = body_of(self.world.record("stripe", "customers", body["customer"]))
        return self._drifted(body)

    def _drifted(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body as the faults of the schema that stand now show it."""
        faults = self.vendor.standing()
        if "schema_new" in faults:
            body |= _NEW_FIELD
        if "schema_retyped" in faults and body.get("description") is not None:
            body["description"] = {"text": body["description"]}
        if "schema_renamed" in faults:
            body["summary"] = body.pop("description")
        if "schema_dropped" in faults:
            body.pop("description", None)
        return body


def _bad_limit(message: str) -> ApiError:
    return _error(400, f"Invalid integer: {message}", "parameter_invalid_integer", "limit")


def _answer(body: dict[str, Any]) -> JSONResponse:
    return JSONResponse(body, headers=_headers())
