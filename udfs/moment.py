"""Dates and times as written to UTC. A format settles day and month order; without one, doubt is an issue."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FIELDS = ("value", "issue")

EPOCH_UNITS = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}
EXCEL_EPOCHS = {"excel_1900": datetime(1899, 12, 30), "excel_1904": datetime(1904, 1, 1)}
ISO_LIKE = re.compile(r"^\d{4}-?\d{2}-?\d{2}")
SLASHED = re.compile(r"^(\d{1,2})[/.](\d{1,2})[/.](\d{4})$")
PLACEHOLDER_BIRTHS = {date(1900, 1, 1), date(1970, 1, 1), date(1, 1, 1), date(9999, 12, 31), date(9999, 9, 9)}
EARLIEST_BIRTH = date(1900, 1, 2)


def parse_datetime(raw: str | None, date_format: str | None, timezone: str | None) -> dict[str, str | None]:
    """A UTC instant (`value`, ISO 8601 without offset) or the reason (`issue`) why there is none.

    An offset in the text wins over `timezone` (an IANA name); a naive text without any zone is read as
    UTC and says so. A local time that a clock change skipped is empty; one that came twice is the first.
    """
    if raw is None or not raw.strip():
        return {"value": None, "issue": None}
    try:
        moment = _read(raw.strip(), date_format or "iso")
    except (ValueError, OverflowError, TypeError):
        return {"value": None, "issue": "not a date-time in the format " + (date_format or "iso")}
    issue = None
    if moment.tzinfo is None and timezone:
        try:
            local = moment.replace(tzinfo=ZoneInfo(timezone), fold=0)
        except (ZoneInfoNotFoundError, ValueError):
            return {"value": None, "issue": f"unknown time zone {timezone}"}
        moment = local.astimezone(UTC)
        if moment.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
            return {"value": None, "issue": "local time skipped by a clock change"}
    elif moment.tzinfo is None:
        issue = "no time zone given, read as UTC"
        moment = moment.replace(tzinfo=UTC)
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return {"value": utc.isoformat(sep=" ", timespec="microseconds"), "issue": issue}


def parse_date(raw: str | None, date_format: str | None) -> dict[str, str | None]:
    """A date of birth (`value`, ISO 8601) or the reason (`issue`) why there is none; placeholders are empty."""
    if raw is None or not raw.strip():
        return {"value": None, "issue": None}
    text = raw.strip()
    slashed = SLASHED.match(text)
    if slashed and not date_format:
        first, second = int(slashed.group(1)), int(slashed.group(2))
        if first <= 12 and second <= 12 and first != second:
            return {"value": None, "issue": "day and month cannot be told apart"}
        date_format = "%d/%m/%Y" if first > 12 or first == second else "%m/%d/%Y"
        text = "/".join(slashed.groups())
    try:
        day = _read(text, date_format or "iso").date()
    except (ValueError, OverflowError, TypeError):
        return {"value": None, "issue": "not a date in the format " + (date_format or "iso")}
    if day in PLACEHOLDER_BIRTHS or day.year == 9999:
        return {"value": None, "issue": "placeholder"}
    if day < EARLIEST_BIRTH:
        return {"value": None, "issue": "implausible date of birth"}
    return {"value": day.isoformat(), "issue": None}


def _read(text: str, date_format: str) -> datetime:
    if date_format == "iso":
        if not ISO_LIKE.match(text):
            raise ValueError(text)
        return datetime.fromisoformat(text.replace(" ", "T", 1))
    if date_format == "rfc2822":
        return parsedate_to_datetime(text)
    if date_format in EPOCH_UNITS:
        unit = EPOCH_UNITS[date_format]
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(text) * (1_000_000 // unit))
    if date_format in EXCEL_EPOCHS:
        return EXCEL_EPOCHS[date_format] + timedelta(days=float(text))
    return datetime.strptime(text, date_format)
