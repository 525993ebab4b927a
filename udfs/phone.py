"""Phone numbers, decided by `phonenumbers`; pre-steps understand extensions, remarks and two numbers in a cell."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

FIELDS = ("e164", "extension", "phone_type", "match_key", "issue")

EXTENSION = re.compile(
    r"[\s,;/-]*(?:\(?\s*(?:ext(?:ension)?|extn|x|poste|durchwahl|ramal|int|app|#)\.?\s*[:.]?\s*)(\d{1,7})\)?",
    re.I,
)
SEPARATOR = re.compile(r"\s*(?:;|,|\n|\bor\b|\bou\b|\boder\b|/(?=\s*[+0(]))\s*", re.I)
ALL_SAME_DIGIT = re.compile(r"^\+?\d{0,3}?(\d)\1{6,}$")
TYPES = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
}


def parse_phone(raw: str | None, region: str | None) -> dict[str, str | None]:
    """Parse a phone as typed. `region` is ISO alpha-2 and decides numbers without a country code.

    Returns the fields of `FIELDS`: `e164` with `+`, only when the number is valid; `match_key`, the same
    form when it is merely possible (evidence for matching, never shown); `issue`, why e164 is empty.
    """
    if raw is None or not raw.strip():
        return dict.fromkeys(FIELDS)
    first_problem = None
    for text in SEPARATOR.split(raw.strip()):
        result = _parse_one(text, (region or "").upper() or None)
        if result["e164"]:
            return result
        if first_problem is None or (result["match_key"] and not first_problem["match_key"]):
            first_problem = result
    return first_problem or _empty("not a phone number")


def _parse_one(text: str, region: str | None) -> dict[str, str | None]:
    extension = None
    found = EXTENSION.search(text)
    if found and len(re.sub(r"\D", "", text[: found.start()])) >= 6:
        extension, text = found.group(1), text[: found.start()]
    digits = re.sub(r"\D", "", text)
    if len(digits) < 5:
        return _empty("not a phone number")
    if ALL_SAME_DIGIT.match(digits):
        return _empty("placeholder")
    if text.lstrip().startswith("00") and region not in ("US", "CA"):
        text = "+" + text.lstrip()[2:]
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return _empty("no country to read it by" if region is None else "not a phone number")
    if not phonenumbers.is_possible_number(number):
        return _empty("impossible length")
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if not phonenumbers.is_valid_number(number):
        return {**_empty("not in use in its number plan"), "match_key": e164}
    return {
        "e164": e164,
        "extension": extension or number.extension,
        "phone_type": TYPES.get(phonenumbers.number_type(number), "unknown"),
        "match_key": e164,
        "issue": None,
    }


def _empty(issue: str) -> dict[str, str | None]:
    return {**dict.fromkeys(FIELDS), "issue": issue}
