"""One phone number by its numbering plan: as written, else the one other reading that it has today."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, ValidationResult

from udfs.lists import read_words

SHORTEST_NUMBER = 5  # digits: Saint Helena has five; below are short codes and rests of remarks
NANP, MEXICO = 1, 52  # country codes whose plan does not tell fixed from mobile
TYPES = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
}
ASCENDING = "01234567890"


class Reading(NamedTuple):
    """One candidate as its plan has it: `e164` only when in use, `possible` when the length would do."""

    e164: str | None
    phone_type: str | None
    possible: str | None
    issue: str | None


def read_number(text: str, region: str | None) -> Reading:
    """One number of ASCII phone characters by its plan: as written, else the one other reading it has."""
    digits = re.sub(r"\D", "", text)
    if len(digits) < SHORTEST_NUMBER:
        return Reading(None, None, None, "not a phone number")
    if _is_placeholder(digits, 7 if digits[0] != "0" else 10) or _is_placeholder(digits.lstrip("0"), 9):
        return Reading(None, None, None, "placeholder")
    number, issue = _parse(text, region)
    reading = _reading(number) if number else Reading(None, None, None, issue)
    if reading.phone_type == "fixed" and "+" not in text and _may_be_local(digits, region):
        return Reading(None, None, None, "no area code")
    if number and len(digits) > 11 and "+" not in text and (mobile := _with_country_code(digits, number, region)):
        return mobile
    if reading.e164 or reading.issue == "placeholder":
        return reading
    for other in _other_readings(text, digits, number, region):
        if other is not None and (again := _reading(other)).e164:
            return again
    return reading


def _parse(text: str, region: str | None) -> tuple[PhoneNumber | None, str | None]:
    try:
        return phonenumbers.parse(text, region), None
    except phonenumbers.NumberParseException as problem:
        without_country = problem.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE and not region
        return None, "no country to read it by" if without_country and "+" not in text else "not a phone number"


def _reading(number: PhoneNumber) -> Reading:
    national = phonenumbers.national_significant_number(number)
    if _is_placeholder(national, 9):
        return Reading(None, None, None, "placeholder")
    e164 = f"+{number.country_code}{national}"
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        length = phonenumbers.is_possible_number_with_reason(number)
        if length != ValidationResult.IS_POSSIBLE:
            return Reading(None, None, None, "impossible length")
        return Reading(None, None, e164, "not in use in its number plan")
    name = TYPES.get(kind, "unknown")
    if number.country_code in (NANP, MEXICO) and name != "toll_free":
        name = "unknown"
    return Reading(e164, name, e164, None)


def _with_country_code(digits: str, number: PhoneNumber, region: str | None) -> Reading | None:
    """The mobile that a long run of digits without plus or trunk prefix is, where the plan also takes it as local."""
    code = str(number.country_code)
    if not digits.startswith(code):
        return None
    other = _parse("+" + digits, region)[0]
    reading = _reading(other) if other else None
    return reading if reading and reading.phone_type == "mobile" else None


def _other_readings(
    text: str, digits: str, number: PhoneNumber | None, region: str | None
) -> Iterator[PhoneNumber | None]:
    """What a number that is not in use as written may be, the likeliest first."""
    if "(0)" in text:
        yield _parse(text.replace("(0)", " "), region)[0]
    if digits.startswith("00"):
        yield _parse("+" + digits.lstrip("0"), None)[0]
    elif digits.startswith("011") and len(digits) > 12:
        yield _parse("+" + digits[3:], None)[0]
    if "+" in text and digits.startswith("0"):
        yield _parse(digits, region)[0]
    if number is not None:
        yield from _migrated(number)
        is_with_code = "+" not in text and digits.startswith(str(number.country_code)) and len(digits) > 9
        if is_with_code and (with_code := _parse("+" + digits, None)[0]):
            yield with_code
            yield from _migrated(with_code)
    if digits.startswith("0") and region and not digits.startswith("00"):
        yield _parse(digits[1:], region)[0]


@functools.cache
def _migrations() -> dict[int, list[tuple[re.Pattern[str], str]]]:
    rules: dict[int, list[tuple[re.Pattern[str], str]]] = {}
    for row in read_words("phone_migrations"):
        code = phonenumbers.country_code_for_region(row["country"])
        rules.setdefault(code, []).append((re.compile(row["old_number"]), row["new_number"]))
    return rules


def _migrated(number: PhoneNumber) -> Iterator[PhoneNumber | None]:
    national = phonenumbers.national_significant_number(number)
    for old, new in _migrations().get(number.country_code, ()):
        if found := old.fullmatch(national) or old.fullmatch(national.removeprefix("0")):
            yield _parse(f"+{number.country_code}{found.expand(new)}", None)[0]


def _is_placeholder(digits: str, shortest_row: int) -> bool:
    """All the same digit, a row up or down ("01 234 5678" is Dublin), or a number that ends in eight of one digit."""
    if len(digits) < 7:
        return False
    if len(set(digits)) == 1 or len(digits) >= 8 and len(set(digits[-8:])) == 1:
        return True
    return len(digits) >= shortest_row and (digits in ASCENDING or digits[::-1] in ASCENDING)


@functools.cache
def has_trunk_prefix(region: str | None) -> bool:
    return bool(region and phonenumbers.ndd_prefix_for_region(region, True))


@functools.cache
def _longest_local(region: str | None) -> int:
    """How many digits a number without its area code may have, where its length does not tell it from a whole one."""
    if not region or phonenumbers.ndd_prefix_for_region(region, True) != "0":
        return 0
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    lengths = len(metadata.fixed_line.possible_length or metadata.general_desc.possible_length)
    return 8 if lengths >= 5 else 7 if lengths >= 3 else 0


def _may_be_local(digits: str, region: str | None) -> bool:
    return len(digits) < 9 and digits[0] != "0" and len(digits) <= _longest_local(region)
