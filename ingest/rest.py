"""HTTP for API sources: one client with the manners every vendor expects, and errors in plain words.

Waits for rate limits (429 with Retry-After), tries server errors and broken connections five times,
and turns everything else into a UserError that names source, object, cause and remedy.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client import RESTClient
from requests import RequestException, Response
from requests.exceptions import SSLError

from ingest.settings import SourceSettings
from operate.errors import UserError

ATTEMPTS = 5
BACKOFF_SECONDS = 0.5  # doubled after each attempt
LONGEST_RETRY_DELAY_SECONDS = 60
DEFAULT_RETRY_AFTER_SECONDS = 5.0
LONGEST_RATE_LIMIT_WAIT_SECONDS = 900.0
SERVER_ERRORS = tuple(range(500, 600))


class ApiFailure(UserError):
    """The API refused a request. `status` is the HTTP status, `body` the text of the answer."""

    def __init__(self, message: str, status: int, body: str) -> None:
        super().__init__(message)
        self.status, self.body = status, body


def seconds_to_wait(response: Response) -> float | None:
    """How long a 429 asks to wait; None for every other answer."""
    return _retry_after(response) if response.status_code == 429 else None


@dataclass
class Api:
    """A vendor's API. `get` and `post` return the parsed JSON object of a successful answer.

    source, name         for messages: `hubspot`, `contacts`
    requests_per_second  None for as fast as it goes
    ca_file              PEM of the certificate authority to trust instead of the public ones
    remedies             what to do about a status code, per vendor
    rate_limit           seconds to wait when an answer says that a limit is reached, else None
    """

    source: str
    name: str
    base_url: str
    headers: dict[str, str]
    requests_per_second: float | None = None
    ca_file: str | None = None
    remedies: dict[int, str] = field(default_factory=dict)
    rate_limit: Callable[[Response], float | None] = seconds_to_wait

    def __post_init__(self) -> None:
        # A proxy from the environment never leads to this machine itself.
        trust = {"trust_env": not _is_loopback(self.base_url)}
        session = Client(
            raise_for_status=False,
            status_codes=SERVER_ERRORS,
            request_max_attempts=ATTEMPTS,
            request_backoff_factor=BACKOFF_SECONDS,
            request_max_retry_delay=LONGEST_RETRY_DELAY_SECONDS,
            session_attrs=trust,
        ).session
        self._client = RESTClient(self.base_url, headers=self.headers, session=session)
        self._next_request = 0.0

    def get(self, path: str, params: dict[str, Any]) -> dict[str, Any]:
        """GET `path`. Raises UserError naming source, object, cause and remedy."""
        return self._call("GET", path, params=params)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST `body` as JSON to `path`. Raises UserError as `get` does."""
        return self._call("POST", path, json=body)

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        waited = 0.0
        while True:
            response = self._send(method, path, **request)
            delay = self.rate_limit(response)
            if delay is None:
                return self._parsed(response, path)
            waited += delay
            if waited > LONGEST_RATE_LIMIT_WAIT_SECONDS:
                raise self._error(
                    path,
                    f"{response.status_code}, asked to wait for more than "
                    f"{LONGEST_RATE_LIMIT_WAIT_SECONDS / 60:.0f} minutes",
                    "lower requests_per_second in sources.yml, or see what else uses up the account's limit",
                )
            time.sleep(delay)

    def _send(self, method: str, path: str, **request: Any) -> Response:
        if self.requests_per_second:
            time.sleep(max(0.0, self._next_request - time.monotonic()))
            self._next_request = time.monotonic() + 1 / self.requests_per_second
        try:
            return self._client.request(path, method=method, verify=self.ca_file or True, **request)
        except SSLError as error:
            raise self._error(
                path, f"the certificate is not trusted ({error})", "check ca_file and address in sources.yml"
            ) from error
        except RequestException as error:
            raise self._error(
                path,
                f"no answer ({type(error).__name__}) in {ATTEMPTS} attempts",
                "check the address in sources.yml and the network",
            ) from error

    def _parsed(self, response: Response, path: str) -> dict[str, Any]:
        status = response.status_code
        if status in SERVER_ERRORS:
            raise self._error(path, f"{status} in {ATTEMPTS} attempts", "the vendor has trouble: run again later")
        if status >= 400:
            remedy = self.remedies.get(status, "check the address and the credentials in sources.yml")
            cause = f"{status} {response.reason}: {' '.join(response.text[:300].split())}"
            raise ApiFailure(str(self._error(path, cause, remedy)), status, response.text)
        try:
            body = response.json()
        except ValueError as error:
            raise self._error(
                path,
                f"the answer is not valid JSON ({error}; it begins {response.text[:60]!r})",
                "check that the address leads to the API; if it does, run again later",
            ) from error
        if not isinstance(body, dict):
            raise self._error(path, "the answer is no JSON object", "check that the address leads to the API")
        return body

    def _error(self, path: str, cause: str, remedy: str) -> UserError:
        return UserError(f"{self.source} {self.name}: {cause}, at {self.base_url}{path}; {remedy}")


def api_for(settings: SourceSettings, name: str, headers: dict[str, str], remedies: dict[int, str], **more: Any) -> Api:
    """The API of a source as sources.yml describes it; `name` is the object read, for messages."""
    return Api(
        source=settings.name,
        name=name,
        base_url=settings.resolve("address").rstrip("/"),
        headers=headers,
        requests_per_second=settings.requests_per_second,
        ca_file=settings.resolve("ca_file") if settings.ca_file else None,
        remedies=remedies,
        **more,
    )


def _retry_after(response: Response) -> float:
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return DEFAULT_RETRY_AFTER_SECONDS


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
