"""What every emulated API has in common: routes, errors in the vendor's form, faults on demand.

An emulator is a Starlette app made by `make_app(vendor, routes)`. A handler takes a Request and returns the
body of the answer (or a Response), or raises ApiError. Faults that are true of any HTTP server are done here;
those of records (clock_skew, out_of_order, schema_*) are `Vendor.standing()`, for the emulator to show.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from operate.environment import Environment
from sandbox.faults import standing_faults, take_fault
from sandbox.world import World, iso

Handler = Callable[[Request], Awaitable[object]]
ANY_REQUEST = ("401", "429", "500", "slow", "truncated", "invalid_json")


class ApiError(Exception):
    """An error answer: HTTP status, body in the vendor's schema, headers."""

    def __init__(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        super().__init__(str(body))
        self.status, self.body, self.headers = status, body, headers or {}

    def response(self) -> JSONResponse:
        return JSONResponse(self.body, self.status, self.headers)


@dataclass
class Vendor:
    """One emulated API: what differs between vendors in answering.

    authorise    raises ApiError unless the request's credentials are right
    not_found    the error of a path that is not there
    wrong_method the error of a path that is there for another method; by default `not_found`
    errors       the vendor's form of the faults 401, 429, 500 and expired_cursor; 429 takes the seconds to wait
    has_cursor   whether a request asks for a page behind the first; only such a page can be an expired cursor or
                 come twice
    """

    source: str
    environment: Environment
    world: World
    authorise: Callable[[Request], None]
    not_found: Callable[[Request], ApiError]
    errors: dict[str, Callable[[float], ApiError]]
    has_cursor: Callable[[Request], Awaitable[bool]]
    wrong_method: Callable[[Request], ApiError] | None = None
    last_page: Response | None = field(default=None)

    def standing(self) -> dict[str, float]:
        """The faults of the source's state that stand now: kind -> seconds."""
        return standing_faults(self.environment, self.source)


def make_app(vendor: Vendor, routes: Iterable[tuple[str, str, Handler]]) -> Starlette:
    """The API of `vendor` with `routes`: (method, path, handler)."""

    async def missing(request: Request, _: Exception) -> Response:
        return vendor.not_found(request).response()

    async def refused(request: Request, _: Exception) -> Response:
        return (vendor.wrong_method or vendor.not_found)(request).response()

    return Starlette(
        routes=[Route(path, _answering(vendor, handler), methods=[method]) for method, path, handler in routes],
        exception_handlers={404: missing, 405: refused},
    )


def _answering(vendor: Vendor, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        behind = await vendor.has_cursor(request)
        kinds = (*ANY_REQUEST, "expired_cursor", "duplicate_page") if behind else ANY_REQUEST
        fault = take_fault(vendor.environment, vendor.source, kinds)
        kind = fault["kind"] if fault else None
        try:
            if kind in vendor.errors:
                raise vendor.errors[kind](fault["seconds"])
            vendor.authorise(request)
            if kind == "slow":
                await asyncio.sleep(fault["seconds"])
            if kind == "duplicate_page" and vendor.last_page is not None:
                return vendor.last_page
            body = await handler(request)
        except ApiError as error:
            return error.response()
        response = body if isinstance(body, Response) else JSONResponse(body)
        vendor.last_page = response
        return _cut(response, kind) if kind in ("truncated", "invalid_json") else response

    return answer


def _cut(response: Response, kind: str) -> Response:
    half = response.body[: max(1, len(response.body) // 2)]
    if kind == "invalid_json":
        return Response(half, media_type="application/json")

    async def broken() -> AsyncIterator[bytes]:
        yield half
        raise ConnectionResetError("the fault `truncated` breaks the connection here")

    headers = {"Content-Length": str(len(response.body))}
    return StreamingResponse(broken(), headers=headers, media_type="application/json")


async def json_body(request: Request, invalid: Callable[[str], ApiError]) -> dict:
    """The JSON object a request carries. Raises the error that `invalid` makes of a message."""
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise invalid(f"Invalid input JSON: {error}") from error
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON: an object is expected")
    return body


def whole_number(
    name: str, value: object, default: int, least: int, most: int | None, invalid: Callable[[str], ApiError]
) -> int:
    """`value` as a whole number from `least` to `most`; `default` when it is not given."""
    if value is None or value == "":
        return default
    try:
        number = int(str(value))
    except ValueError as error:
        raise invalid(f"{name} must be a whole number, not {value!r}") from error
    if number < least or (most is not None and number > most):
        raise invalid(f"{name} {number} is out of range: {least} to {most}")
    return number


def versions_served(vendor: Vendor, rows: Iterable) -> list:
    """World records as this request shows them: dicts, times ahead under `clock_skew`, and under `out_of_order`
    each record that changed once more in the version before, behind the newer one."""
    faults = vendor.standing()
    served = []
    for row in rows:
        shown = [dict(row)]
        before = json.loads(row["previous"]) if "out_of_order" in faults and row["previous"] else {}
        # Changed twice in one moment: nothing would tell the two versions apart, so no vendor shows both.
        if before.get("state") == row["state"] and before["updated_at"] < row["updated_at"]:
            shown.append(dict(row) | before)
        for record in shown:
            if "clock_skew" in faults:
                ahead = datetime.fromisoformat(record["updated_at"]) + timedelta(seconds=faults["clock_skew"])
                record["updated_at"] = iso(ahead)
            served.append(record)
    return served
