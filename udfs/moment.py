"""Dates and times as written to UTC. A format settles day and month order; without one, doubt is an issue.

`date_format` is iso, rfc2822, epoch_s, epoch_ms, epoch_us, excel_1900, excel_1904 or a strptime pattern. Without one,
ISO 8601 and every other writing with one reading is understood ("25/12/2024", "12 Dec 2024").
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError

FIELDS = ("value", "issue")

LONGEST_TEXT = 120  # characters; a JavaScript date with its zone's name has about 70
EPOCH_UNITS = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}
EXCEL_FORMATS = ("excel_1900", "excel_1904")
NAMED_FORMATS = ("iso", "rfc2822", *EPOCH_UNITS, *EXCEL_FORMATS)
PLACEHOLDER_BIRTHS = {
    date(1, 1, 1), date(1111, 11, 11), date(1601, 1, 1), date(1753, 1, 1), date(1800, 1, 1), date(1899, 12, 30),
    date(1899, 12, 31), date(1900, 1, 1), date(1904, 1, 1), date(1970, 1, 1),
}  # fmt: skip
PLACEHOLDER_YEARS = (1, 9999)
GREGORIAN_SINCE = 1583  # earlier years are mostly those of another calendar (1403 in Iran) or typing errors
# The latest is a constant, so that an answer never depends on the day; a test tells when to move it. It also catches
# two-digit years ("45" is 2045 to strptime).
EARLIEST_BIRTH, LATEST_BIRTH = date(1900, 1, 2), date(2030, 12, 31)
MONTH_LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "is", "pl", "cs", "sk", "hu", "ro", "bg", "hr",
    "sl", "sr", "sr_Latn", "uk", "ru", "el", "tr", "et", "lv", "lt", "id", "ms", "vi", "ca", "he", "ar", "fa", "hi",
)  # fmt: skip
# RFC 5322 4.3, and the abbreviations that mean one offset all over the world.
ZONES = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8,
    "PDT": -7, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3, "WET": 0, "WEST": 1, "MSK": 3, "SAST": 2,
    "JST": 9, "KST": 9, "HKT": 8, "SGT": 8, "AWST": 8, "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12,
    "NZDT": 13, "AKST": -9, "AKDT": -8, "HST": -10,
}  # fmt: skip
SEVERAL_MEANINGS = ("CST", "CDT")  # United States by RFC 5322, elsewhere China or Cuba
# IERS Bulletin C: the days that ended with 23:59:60 UTC.
LEAP_SECOND_DAYS = {
    *(date(year, 6, 30) for year in (1972, 1981, 1982, 1983, 1985, 1992, 1993, 1994, 1997, 2012, 2015)),
    *(date(year, 12, 31) for year in (1972, 1973, 1974, 1975, 1976, 1977, 1978, 1979, 1987, 1989, 1990, 1995, 1998)),
    *(date(year, 12, 31) for year in (2005, 2008, 2016)),
}

DAY = re.compile(
    r"(?P<year>\d{4})(?:-W(?P<week>\d{2})-(?P<weekday>[1-7])|W(?P<week2>\d{2})(?P<weekday2>[1-7])"
    r"|-(?P<ordinal>\d{3})(?!\d)|(?P<ordinal2>\d{3})(?=$|[T\s])"
    r"|(?P<separator>[-/.])(?P<month>\d{1,2})(?P=separator)(?P<day>\d{1,2})(?!\d)|(?P<month2>\d{2})(?P<day2>\d{2})(?!\d))",
    re.I,
)
CLOCK = re.compile(
    r"(?:(?P<hour>\d{1,2})[:hH](?P<minute>\d{2})(?::(?P<second>\d{2}))?|(?P<hour2>\d{2})(?P<minute2>\d{2})(?P<second2>\d{2})?"
    r"|(?P<hour3>\d{1,2}))(?:[.,](?P<fraction>\d+))?\s*(?P<half>[AP]\.?M\b\.?)?",
    re.I,
)
OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+\u2212-])(\d{1,2})(?::?(\d{2}))?(?::?\d{2})?", re.I)
ZONE_NAME = re.compile(r"[A-Za-z]+(?:/[A-Za-z0-9_+-]+){1,2}|[A-Z]{3}\d[A-Z]{3}")
WEEKDAY = re.compile(r"^[^\W\d_]{2,12}\.?,?\s+(?=\S)")
SLASHED = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?!\d)")
DAY_MONTH_NAME = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|er|\.?[oa]\b|\.)?[\s-]*(?:de |of |d')?\s*([^\W\d_]+\.?)"
    r"[\s,./-]*(?:de |del )?(\d{4})(?!\d)"
    r"(?:\s*(?:г|р|r|roku|року|года|год|god)\b\.?)?",
    re.I,
)
MONTH_NAME_DAY = re.compile(r"([^\W\d_]+)\.?[\s-]*(\d{1,2})(?:st|nd|rd|th)?[\s,-]+(\d{4})(?!\d|:)", re.I)
YEAR_MONTH_NAME = re.compile(r"(\d{4})[\s.,-]*([^\W\d_]+)\.?[\s.-]*(\d{1,2})(?!\d)\.?", re.I)
ASCTIME = re.compile(
    r"([A-Za-z]{3,9})\s+(\d{1,2})\s+(\d{2}:\d{2}:\d{2})\s+(?:([A-Za-z]{2,5}|[+-]\d{4})\s+)?(\d{4})", re.I
)
EAST_ASIAN = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日号號일]")
EAST_ASIAN_CLOCK = re.compile(r"(\d{1,2})\s*[時时点點시]\s*(?:(\d{1,2})\s*[分분]\s*(?:(\d{1,2})\s*[秒초])?)?")
DOTTED_YEAR_FIRST = re.compile(r"(\d{4})\.\s*(\d{1,2})\.\s*(\d{1,2})(?!\d)\.?")  # Hungarian, Korean
JSON_DATE = re.compile(r"\\?/Date\((-?\d+)(?:[+-]\d{4})?\)\\?/")
RFC2822 = re.compile(
    r"(?:[A-Za-z]{3,9}(?:\s*,\s*|\s+))?(\d{1,2})[\s-]+([A-Za-z]{3,9})[\s-]+(\d{2,4})\s+"
    r"(\d{1,2})\s*:\s*(\d{2})(?:\s*:\s*(\d{2}))?\s*([+-]\d{4}|[A-Za-z]{1,5})?"
)
ENGLISH_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
TIME_DIRECTIVES = re.compile(r"[\sT,]*%[HIMSpfzZ].*$")


class Unreadable(ValueError):
    """A text that gives no date-time; the message is the issue."""


@dataclass(frozen=True)
class Written:
    """A date-time as written: naive, or with the zone that the text itself tells."""

    moment: datetime
    zone: tzinfo | None = None
    issue: str | None = None


def parse_datetime(raw: str | None, date_format: str | None, timezone: str | None) -> dict[str, str | None]:
    """A UTC instant (`value`, ISO 8601 with a space, microseconds, no offset) or the reason (`issue`) for none.

    An offset in the text wins over `timezone` (an IANA name or an offset); a naive text without any zone is read as
    UTC and says so. A local time that a clock change skipped is empty; one that came twice is the first. Never raises.
    """
    text = _plain(raw)
    if not text:
        return {"value": None, "issue": None}
    try:
        written = _read(text, date_format, timezone)
        zone, issue = written.zone, written.issue
        if zone is None and timezone and timezone.strip():
            zone = _source_zone(timezone.strip())
            if zone is None:
                raise Unreadable(f"unknown time zone {timezone[:40]}")
        if zone is None:
            issue = "no time zone given, read as UTC"
        instant = _instant(written.moment, zone or UTC)
    except Unreadable as problem:
        return {"value": None, "issue": str(problem)}
    except (ValueError, OverflowError, TypeError, InvalidOperation, re.error):
        return {"value": None, "issue": f"not a date-time in the format {date_format or 'iso'}"}
    return {"value": instant.isoformat(sep=" ", timespec="microseconds"), "issue": issue}


def parse_date(raw: str | None, date_format: str | None) -> dict[str, str | None]:
    """A date of birth (`value`, ISO 8601) or the reason (`issue`) why there is none; placeholders are empty.

    The date is the one written, whatever time and offset stand behind it. Never raises.
    """
    text = _plain(raw)
    if not text:
        return {"value": None, "issue": None}
    try:
        day = _birth(text, date_format)
    except Unreadable as problem:
        return {"value": None, "issue": str(problem)}
    except (ValueError, OverflowError, TypeError, InvalidOperation, re.error):
        return {"value": None, "issue": f"not a date in the format {date_format or 'iso'}"}
    if day in PLACEHOLDER_BIRTHS or day.year in PLACEHOLDER_YEARS:
        return {"value": None, "issue": "placeholder"}
    if not EARLIEST_BIRTH <= day <= LATEST_BIRTH:
        return {"value": None, "issue": "implausible date of birth"}
    return {"value": day.isoformat(), "issue": None}


def _birth(text: str, date_format: str | None) -> date:
    try:
        return _read(text, date_format, None, is_date=True).moment.date()
    except Unreadable:
        raise
    except (ValueError, OverflowError, TypeError, InvalidOperation, re.error):
        # A file has one format for all its columns: its dates of birth may lack the time, or be plain ISO.
        if date_format and "%" in date_format and TIME_DIRECTIVES.search(date_format):
            return datetime.strptime(text, TIME_DIRECTIVES.sub("", date_format)).date()
        if date_format and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
        raise


def _plain(raw: str | None) -> str:
    if raw is None:
        return ""
    if raw.isascii():
        return raw.strip() if raw.isprintable() else " ".join(raw.replace("\x00", " ").split())
    if len(raw) > LONGEST_TEXT:
        return raw[: LONGEST_TEXT + 1]
    text = unicodedata.normalize("NFKC", raw).replace("\u2212", "-")
    digits = (str(unicodedata.digit(c)) if unicodedata.category(c) == "Nd" else c for c in text)
    return " ".join("".join(c for c in digits if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn")).split())


# ---------- zones


@functools.lru_cache(maxsize=4_096)
def _zone(name: str) -> tzinfo | None:
    """An offset ("+0530", "GMT+2"), an abbreviation with one meaning or an IANA name, else None."""
    if (hours := ZONES.get(name.upper().rstrip("."))) is not None:
        return timezone(timedelta(hours=hours))
    if offset := OFFSET.fullmatch(name):
        sign, hour, minute = offset.groups()
        if int(hour) > 15 or int(minute or 0) > 59:
            raise Unreadable("impossible offset")
        size = timedelta(hours=int(hour), minutes=int(minute or 0))
        return timezone(size if sign == "+" else -size)
    return _iana(name)


@functools.lru_cache(maxsize=4_096)
def _source_zone(name: str) -> tzinfo | None:
    """The zone of a source: IANA's first ("CET" has summer time there), then what a text may say."""
    return _iana(name) or _zone(name)


def _iana(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(_zone_names()[name.casefold()])
    except (ValueError, OSError, LookupError):
        return None


@functools.cache
def _zone_names() -> dict[str, str]:
    return {name.casefold(): name for name in sorted(available_timezones())}


def _zone_behind(text: str, local: datetime, source_zone: str | None) -> tzinfo | None:
    """The zone that stands behind a clock time; an abbreviation that the source's own zone uses means that zone."""
    text = re.sub(r"^(?:uhr|h|hrs|час\.?|ч\.?)\b\.?\s*", "", text.strip(), flags=re.I)
    text = re.sub(r"\s*\([^()]*\)$", "", text)
    if named := re.search(r"\[!?([^\[\]]+)\]$", text):  # RFC 9557
        text = text[: named.start()] or named.group(1)
    if not text:
        return None
    if source_zone and text.isalpha() and (own := _source_zone(source_zone.strip())):
        for fold in (0, 1):
            if local.replace(tzinfo=own, fold=fold).tzname() == text.upper():
                return timezone(local.replace(tzinfo=own, fold=fold).utcoffset())
    if text.upper() in SEVERAL_MEANINGS:
        raise Unreadable(f"{text.upper()} is several time zones")
    zone = _zone(text) if OFFSET.fullmatch(text) or text.isalpha() or ZONE_NAME.fullmatch(text) else None
    if zone is None:
        raise Unreadable(f"unknown time zone {text[:40]}" if text[0].isalpha() else "not a date-time")
    return zone


def _instant(moment: datetime, zone: tzinfo) -> datetime:
    local = moment.replace(tzinfo=zone, fold=0)
    utc = local.astimezone(UTC)
    if utc.astimezone(zone).replace(tzinfo=None) != moment:
        raise Unreadable("local time skipped by a clock change")
    if utc.year in PLACEHOLDER_YEARS or moment.year in PLACEHOLDER_YEARS:
        raise Unreadable("placeholder")
    if moment.year < GREGORIAN_SINCE:
        raise Unreadable("before the Gregorian calendar")
    return utc.replace(tzinfo=None)


# ---------- formats


def _read(text: str, date_format: str | None, source_zone: str | None, is_date: bool = False) -> Written:
    if len(text) > LONGEST_TEXT:
        raise Unreadable("too long for a date-time")
    name = (date_format or "").strip()
    named = name.lower() if name.lower() in NAMED_FORMATS else name
    if named in ("", "iso"):
        try:
            return _iso(text, source_zone)
        except Unreadable:
            raise
        except ValueError:
            if named == "iso":
                raise
            return _unambiguous(text, source_zone)
    if named == "rfc2822":
        return _rfc2822(text)
    if named in EPOCH_UNITS:
        microseconds = _number(text) * (1_000_000 // EPOCH_UNITS[named])
        return Written(datetime(1970, 1, 1) + timedelta(microseconds=int(microseconds)), UTC)
    if named in EXCEL_FORMATS:
        return Written(_excel(_number(text.replace(",", ".")), named))
    return _pattern(text, name)


def _number(text: str) -> Decimal:
    if not re.fullmatch(r"[+-]?\d+(?:\.\d*)?(?:[eE]\+?\d{1,2})?", text):
        raise ValueError(text)
    value = Decimal(text)
    if "e" in text.lower() and len(re.sub(r"\D", "", re.split("[eE]", text)[0])) < value.adjusted() + 1:
        raise Unreadable("digits lost in a spreadsheet")
    return value


def _excel(serial: Decimal, system: str) -> datetime:
    """Microsoft's serials. The 1900 system counts a day 60, 1900-02-29, that never was."""
    if serial < (1 if system == "excel_1900" else 0):
        raise Unreadable("a time without a date" if serial >= 0 else "not an Excel date")
    if system == "excel_1904":
        start = datetime(1904, 1, 1)
    elif serial < 60:
        start = datetime(1899, 12, 31)
    elif serial < 61:
        raise Unreadable("1900-02-29 never was")
    else:
        start = datetime(1899, 12, 30)
    milliseconds = int((serial * 86_400_000).to_integral_value())  # the fraction of a day has no more digits than that
    return start + timedelta(milliseconds=milliseconds)


def _pattern(text: str, pattern: str) -> Written:
    if not re.search(r"%[dejxcDF]", pattern) or not re.search(r"%[yYGcxDF]", pattern):
        raise Unreadable(f"the format {pattern[:40]} has no full date")
    zone = None
    if pattern.endswith("%Z"):
        text, _, name = text.rpartition(" ")
        pattern, zone = pattern[:-2].rstrip(), _zone(name)
        if zone is None:
            raise Unreadable(f"unknown time zone {name[:40]}")
    moment = datetime.strptime(text, pattern)
    return Written(moment.replace(tzinfo=None), zone or moment.tzinfo)


def _rfc2822(text: str) -> Written:
    while (bare := re.sub(r"\([^()]*\)", " ", text)) != text:
        text = bare
    if asctime := ASCTIME.search(text):
        month, day, clock, zone, year = asctime.groups()
        text = f"{day} {month} {year} {clock} {zone or ''}"
    found = RFC2822.fullmatch(text.strip())
    if not found:
        raise ValueError(text)
    day, month, year, hour, minute, second, zone = found.groups()
    years = int(year)
    if len(year) == 2:
        years += 2000 if years < 50 else 1900
    elif len(year) == 3:
        years += 1900
    moment = datetime(years, ENGLISH_MONTHS.index(month.lower()[:3]) + 1, int(day), int(hour), int(minute))
    if zone is None:
        return _with_seconds(Written(moment), int(second or 0))
    known = _zone(zone) if len(zone) > 1 or zone in "Zz" else UTC  # 4.3: military letters are to be taken as -0000
    return _with_seconds(Written(moment, known or UTC), int(second or 0))


def _with_seconds(written: Written, seconds: int) -> Written:
    if seconds < 60:
        return replace(written, moment=written.moment.replace(second=seconds))
    utc = written.moment.replace(tzinfo=written.zone or UTC).astimezone(UTC)
    if seconds == 60 and utc.date() in LEAP_SECOND_DAYS and (utc.hour, utc.minute) == (23, 59):
        return replace(written, moment=written.moment + timedelta(minutes=1))  # POSIX counts it as the next second
    raise Unreadable("no such second")


def _iso(text: str, source_zone: str | None) -> Written:
    found = DAY.match(text)
    if not found:
        raise ValueError(text)
    return _with_clock(_day_of(found), text[found.end() :], source_zone)


def _day_of(found: re.Match[str]) -> date:
    part = found.groupdict()
    year = int(part["year"])
    if week := part["week"] or part["week2"]:
        return date.fromisocalendar(year, int(week), int(part["weekday"] or part["weekday2"]))
    if ordinal := part["ordinal"] or part["ordinal2"]:
        day = date(year, 1, 1) + timedelta(days=int(ordinal) - 1)
        if day.year != year:
            raise ValueError(ordinal)
        return day
    return date(year, int(part["month"] or part["month2"]), int(part["day"] or part["day2"]))


def _with_clock(day: date, behind: str, source_zone: str | None) -> Written:
    """A date and what stands behind it: nothing, or a clock time, perhaps with a zone."""
    midnight = datetime(day.year, day.month, day.day)
    if not behind.startswith(("T", "t")):  # "14.05" is a clock time in Finland; behind a T, ISO's fraction of the hour
        behind = re.sub(r"(?<![\d:.])(\d{1,2})\.(\d{2})(?:\.(\d{2}))?(?![\d.])", _with_colons, behind, count=1)
    behind = behind.strip(" \t")
    if not behind:
        return Written(midnight)
    behind = re.sub(r"^(?:[Tt_,]\s*|\s*(?:at|um|à|às|alle|ore|o|kl\.?|klo|в|の)\s+)+", "", behind, flags=re.I).lstrip(
        ", "
    )
    behind = re.sub(r"^(?:a las|a la|um)\s+", "", behind, flags=re.I)
    clock = CLOCK.match(behind)
    if not clock:
        return Written(midnight, _zone_behind(behind, midnight, source_zone))
    local, seconds = _clock_time(midnight, clock)
    zone = _zone_behind(behind[clock.end() :], local, source_zone)
    return _with_seconds(Written(local, zone), seconds) if seconds == 60 else Written(local, zone)


def _with_colons(clock: re.Match[str]) -> str:
    return ":".join(part for part in clock.groups() if part)


def _clock_time(midnight: datetime, clock: re.Match[str]) -> tuple[datetime, int]:
    part = clock.groupdict()
    hour = int(part["hour"] or part["hour2"] or part["hour3"])
    minute_text, second_text = part["minute"] or part["minute2"], part["second"] or part["second2"]
    minute, second = int(minute_text or 0), int(second_text or 0)
    if half := part["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(half)
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    elif not minute_text and part["hour3"] and len(part["hour3"]) < 2:
        raise ValueError(part["hour3"])
    unit = 1_000_000 if second_text else 60_000_000 if minute_text else 3_600_000_000
    fraction = int(Decimal("0." + part["fraction"]) * unit) if part["fraction"] else 0
    if hour == 24 and not minute and not second and not fraction:
        return midnight + timedelta(days=1), 0
    if second == 60:
        return midnight.replace(hour=hour, minute=minute), 60
    return midnight.replace(hour=hour, minute=minute, second=second) + timedelta(microseconds=fraction), second


# ---------- without a format


def _unambiguous(text: str, source_zone: str | None) -> Written:
    """Everything else that has one reading: the month is named, or the day is beyond twelve."""
    if found := JSON_DATE.fullmatch(text):
        return Written(datetime(1970, 1, 1) + timedelta(milliseconds=int(found.group(1))), UTC)
    if compact := re.fullmatch(r"(\d{8})(\d{6})(\.\d+)?", text):
        return _iso(f"{compact.group(1)}T{compact.group(2)}{compact.group(3) or ''}", source_zone)
    if found := DOTTED_YEAR_FIRST.match(text):
        return _with_clock(date(*map(int, found.groups())), text[found.end() :], source_zone)
    if found := EAST_ASIAN.match(text):
        clock = EAST_ASIAN_CLOCK.sub(lambda c: ":".join(f"{int(p or 0):02d}" for p in c.groups()), text[found.end() :])
        return _with_clock(date(*map(int, found.groups())), clock, source_zone)
    weekday = WEEKDAY.match(text)
    bare = text[weekday.end() :] if weekday and not _month(weekday.group()) else text
    if found := SLASHED.match(bare):
        return _with_clock(_slashed(found), bare[found.end() :], source_zone)
    if found := ASCTIME.match(bare):
        month, day, clock, zone, year = found.groups()
        return _with_clock(_named_date(year, month, day), f"{clock} {zone or ''}", source_zone)
    for pattern, order in ((DAY_MONTH_NAME, "dmy"), (MONTH_NAME_DAY, "mdy"), (YEAR_MONTH_NAME, "ymd")):
        if (found := pattern.match(bare)) and _month(found.group(order.index("m") + 1)):
            part = dict(zip(order, found.groups(), strict=True))
            return _with_clock(_named_date(part["y"], part["m"], part["d"]), bare[found.end() :], source_zone)
    if re.fullmatch(r"[\d.,/\s-]+", text):
        short = re.fullmatch(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}", text)
        raise Unreadable("day, month and year cannot be told apart" if short else "not a date-time")
    raise Unreadable("not a date-time")


def _slashed(found: re.Match[str]) -> date:
    first, second, year = int(found.group(1)), int(found.group(3)), int(found.group(4))
    if first <= 12 and second <= 12 and first != second:
        raise Unreadable("day and month cannot be told apart")
    day, month = (first, second) if second <= 12 else (second, first)
    return date(year, month, day)


def _named_date(year: str, month: str, day: str) -> date:
    number = _month(month)
    if number is None:
        raise ValueError(month)
    return date(int(year), number, int(day))


def _month(name: str) -> int | None:
    return _months().get(_folded(name))


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold().replace("ı", "i"))
    return "".join(c for c in plain if c.isalnum())


@functools.cache
def _months() -> dict[str, int]:
    """Month names and abbreviations of CLDR; what is October here and November there (listopad) is left out."""
    meanings: dict[str, set[int]] = {}
    for language in MONTH_LANGUAGES:
        try:
            months = Locale.parse(language).months
        except (UnknownLocaleError, ValueError):
            continue
        for context in months.values():
            for width in ("wide", "abbreviated"):
                for number, name in context.get(width, {}).items():
                    if len(_folded(name)) > 2 and not name.isdigit():
                        meanings.setdefault(_folded(name), set()).add(number)
    meanings["sept"] = {9}
    return {name: next(iter(numbers)) for name, numbers in meanings.items() if len(numbers) == 1}
