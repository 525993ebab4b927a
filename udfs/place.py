"""The parts of a place that sources keep in columns of their own, spelled as the postal operator does."""

from __future__ import annotations

import re

from udfs.address_countries import postal_code, postal_pattern, region_of
from udfs.reference import is_placeholder, tidy
from udfs.us_address import state_of

LONGEST_CODE, LONGEST_REGION = 20, 100  # characters
US_ZIP = re.compile(r"(?:US-?\s?)?(?:\w\w\s)?(\d{5})(?:[-\s]?\d{4})?")
# A spreadsheet takes the zero off New England's codes, and leaves `.0` behind.
US_WITHOUT_ZERO = re.compile(r"(\d{4})(?:\.0)?")


def clean_postal_code(raw: str | None, country: str | None) -> str | None:
    """A postal code as `country` (ISO alpha-2) writes it: prefixes such as D- cut, ZIP+4 as five digits.

    Empty when the country has no such code; as written, in upper case, when no country is known.
    """
    text = tidy(raw, LONGEST_CODE).strip(" ,;.")
    if not text or len(text) > LONGEST_CODE or is_placeholder(text, "any"):
        return None
    if country == "US":
        if found := US_ZIP.fullmatch(text):
            return found.group(1)
        found = US_WITHOUT_ZERO.fullmatch(text)
        return f"0{found.group(1)}" if found else None
    text = re.sub(r"(?<=\d)\.0$", "", text)
    pattern = postal_pattern(country) if country else None
    if pattern is None:
        return text.upper()
    found = pattern.fullmatch(text)
    return postal_code(country, found.group("code")) if found else None


def clean_region(raw: str | None, country: str | None) -> str | None:
    """A state or province: its code where the country writes codes on envelopes, else as written."""
    text = tidy(raw, LONGEST_REGION).strip(" ,;")
    if not text or len(text) > LONGEST_REGION or is_placeholder(text, "any"):
        return None
    if country == "US":
        return state_of(text) or text
    return (region_of(country, text) if country else None) or text
