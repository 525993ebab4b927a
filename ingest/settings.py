"""`sources.yml`: which sources an environment has, where they are and how often they are read.

A value may be `${NAME}` (an environment variable) or `${sandbox:a.b}` (a value of the environment's
sandbox.json). Both are looked up only when the source is read, so one missing secret never stops
another source.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from operate.environment import Environment
from operate.errors import UserError

SOURCES_FILE = Path(__file__).with_name("sources.yml")
SOURCES_VARIABLE = "C360_SOURCES"  # another sources.yml, kept outside the checkout
SOURCE_NAMES = ("salesforce", "hubspot", "stripe", "erp", "spreadsheets")  # in landing order
_COMMON = {"enabled", "cadence", "address", "reconcile", "off_peak"}
_OF_APIS = {"credentials", "ca_file", "lag", "requests_per_second"}
SETTINGS = {  # what sources.yml may say of each source; a setting that nothing reads is refused
    "salesforce": _COMMON | _OF_APIS | {"api_version"},
    "hubspot": _COMMON | _OF_APIS,
    "stripe": _COMMON | _OF_APIS,
    "erp": _COMMON | {"lag", "timezone"},
    "spreadsheets": {"enabled", "cadence"},
}
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
REFERENCE = re.compile(r"\$\{(sandbox:)?([A-Za-z0-9_.]+)\}")
EVERY_RUN = timedelta(0)


@dataclass(frozen=True)
class SourceSettings:
    """One source of one environment, as written; `resolved()` looks up addresses and secrets.

    Durations are timedeltas; `reconcile` is None for never and zero for every run.
    """

    environment: Environment
    name: str
    enabled: bool = False
    address: str | None = None
    credentials: dict[str, str] = field(default_factory=dict)
    ca_file: str | None = None
    cadence: timedelta | None = None
    lag: timedelta | None = None
    reconcile: timedelta | None = None
    requests_per_second: float | None = None
    api_version: str | None = None
    timezone: str | None = None
    off_peak: str | None = None

    def resolve(self, key: str) -> str:
        """The value of `address`, `ca_file` or `credentials.<name>` with its references filled in.

        Raises UserError naming the source, the key and the remedy when it is missing.
        """
        value: Any = self.credentials.get(key.partition(".")[2]) if "." in key else getattr(self, key)
        if not value:
            raise UserError(f"{self.name}: no {key} is set; add it to {self._place()}")
        return REFERENCE.sub(lambda match: self._look_up(key, match), str(value))

    def _look_up(self, key: str, match: re.Match[str]) -> str:
        from_sandbox, name = match.groups()
        if not from_sandbox:
            if os.environ.get(name):
                return os.environ[name]
            raise UserError(
                f"{self.name}: {key} needs the environment variable {name}, which is not set; "
                f"export it, or change {self._place()}"
            )
        value = _sandbox_value(self.environment, name)
        if value is None:
            raise UserError(
                f"{self.name}: {key} needs {name} of {self.environment.sandbox_contract}, which is not "
                "there; start the emulators with `c360 sandbox start --detach`"
            )
        return value

    def _place(self) -> str:
        return f"`{self.environment.name}: {self.name}:` in {sources_file()}"


@dataclass(frozen=True)
class Sources:
    """What sources.yml says of one environment."""

    environment: Environment
    emulated: bool
    by_name: dict[str, SourceSettings]

    def enabled(self, names: list[str] | None = None) -> list[SourceSettings]:
        """The sources to land, in landing order; `names` narrows them.

        Raises UserError for a name that is unknown or switched off.
        """
        for name in names or []:
            if name not in self.by_name:
                raise UserError(f"unknown source {name!r}: take one of {', '.join(self.by_name)}")
            if not self.by_name[name].enabled:
                raise UserError(
                    f"source {name!r} is switched off in environment {self.environment.name!r}: "
                    f"set `enabled: true` in {sources_file()}"
                )
        wanted = names or list(self.by_name)
        return [source for name, source in self.by_name.items() if name in wanted and source.enabled]


def sources_file() -> Path:
    """The sources.yml in use."""
    return Path(os.environ.get(SOURCES_VARIABLE) or SOURCES_FILE)


def load_sources(environment: Environment) -> Sources:
    """Read sources.yml for `environment` (its own entry, else `default`).

    Raises UserError naming the file, the source and the setting when something is not understood.
    """
    path = sources_file()
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"cannot read {path}: {error}") from error
    entry = dict((document or {}).get(environment.name) or (document or {}).get("default") or {})
    emulated = bool(entry.pop("emulated", False))
    unknown = set(entry) - set(SOURCE_NAMES)
    if unknown:
        raise UserError(
            f"{path}: unknown source {sorted(unknown)[0]!r} for {environment.name!r}; "
            f"known are {', '.join(SOURCE_NAMES)}"
        )
    by_name = {name: _source(environment, name, entry.get(name) or {}) for name in SOURCE_NAMES}
    return Sources(environment, emulated, by_name)


def _source(environment: Environment, name: str, entry: dict[str, Any]) -> SourceSettings:
    unknown = set(entry) - SETTINGS[name]
    if unknown:
        raise UserError(
            f"{sources_file()}: {name}: unknown setting {sorted(unknown)[0]!r}; known are "
            f"{', '.join(sorted(SETTINGS[name]))}"
        )
    values = dict(entry)
    for key in ("cadence", "lag", "reconcile"):
        if key in values:
            values[key] = parse_duration(values[key], f"{sources_file()}: {name}.{key}")
    return SourceSettings(environment, name, **values)


def parse_duration(text: object, place: str) -> timedelta:
    """`15m`, `24h`, `30s`, `7d` or `every run` (zero). Raises UserError naming `place`."""
    if text == "every run":
        return EVERY_RUN
    match = DURATION.fullmatch(str(text).strip())
    if not match:
        raise UserError(f"{place}: {text!r} is not a duration; write 30s, 15m, 24h or 7d")
    return timedelta(**{UNITS[match[2]]: float(match[1])})


def _sandbox_value(environment: Environment, name: str) -> str | None:
    """`hubspot.base_url` is sources.hubspot.base_url; `ca_file` stands at the top."""
    try:
        contract = json.loads(environment.sandbox_contract.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    for start in (contract.get("sources", {}), contract):
        value: Any = start
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, str | int | float):
            return str(value)
    return None
