"""Street lines to structured fields: `usaddress` for the United States, the order of the country elsewhere."""

from __future__ import annotations

import re
from collections import defaultdict

import usaddress

FIELDS = ("house_number", "street", "unit", "address_key", "issue")

HOUSE_NUMBER_FIRST = {"US", "CA", "GB", "IE", "AU", "NZ", "FR", "ZA", "IN", "LU", "MC"}
NUMBER_FIRST = re.compile(r"^(\d+[\w/-]{0,5}?(?:\s?(?:bis|ter|quater))?),?\s+(.+)$", re.I)
NUMBER_LAST = re.compile(r"^(.*?\D)\s*,?\s*(?:n[º°o]\.?\s*)?(\d+(?:\s?[-/]\s?\d+)?\s?[a-z]?)(?:[,\s]+(.+))?$", re.I)
UNIT = re.compile(
    r"[,\s]+((?:apt|apartment|unit|suite|ste|flat|floor|fl|room|rm|no|appt|wohnung|piso|depto|interior|int|#)\.?\s*"
    r"[\w-]{1,6}|\d{1,2}(?:st|nd|rd|th) floor)$",
    re.I,
)
LEADING_UNIT = re.compile(r"^((?:flat|unit|studio|apartment|suite)\s+[\w-]{1,6}),?\s+(.+)$", re.I)
STREET_TYPES = {
    "street": "st", "str": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr", "lane": "ln",
    "court": "ct", "way": "wy", "boulevard": "blvd", "place": "pl", "circle": "cir", "terrace": "ter",
    "trail": "trl", "parkway": "pkwy", "square": "sq", "highway": "hwy", "strasse": "str", "straße": "str",
    "north": "n", "south": "s", "east": "e", "west": "w",
}  # fmt: skip
US_STREET_PARTS = (
    "StreetNamePreDirectional", "StreetNamePreModifier", "StreetNamePreType", "StreetName",
    "StreetNamePostType", "StreetNamePostDirectional",
)  # fmt: skip
US_UNIT_PARTS = ("OccupancyType", "OccupancyIdentifier", "SubaddressType", "SubaddressIdentifier")
PO_BOX_PARTS = ("USPSBoxType", "USPSBoxID")


def parse_address(raw: str | None, country: str | None) -> dict[str, str | None]:
    """Parse a street line. `country` is ISO alpha-2 and decides the order of its parts.

    `address_key` is the spelling-proof form for matching (number, street without its type, unit). What is
    not understood gives no part, an `issue`, and a key of the whole line: nothing is guessed.
    """
    if raw is None or not raw.strip():
        return dict.fromkeys(FIELDS)
    line = re.sub(r"\s+", " ", raw.replace("\n", ", ")).strip(" ,")
    parts = _united_states(line) if country in ("US", None) else _elsewhere(line, country)
    if parts is None:
        return {**dict.fromkeys(FIELDS), "address_key": _key(line), "issue": "not understood"}
    number, street, unit = parts
    return {
        "house_number": number or None,
        "street": street or None,
        "unit": unit or None,
        "address_key": _key(" ".join(filter(None, (number, street, unit)))),
        "issue": None if street else "no street",
    }


def _united_states(line: str) -> tuple[str, str, str] | None:
    found: dict[str, list[str]] = defaultdict(list)
    for token, label in usaddress.parse(line):
        found[label].append(token.strip(",;"))

    def together(labels: tuple[str, ...]) -> str:
        return " ".join(token for label in labels for token in found.get(label, ()))

    street = together(PO_BOX_PARTS) or together(US_STREET_PARTS)
    if not street:
        return None
    return (
        together(("AddressNumberPrefix", "AddressNumber", "AddressNumberSuffix")),
        street,
        together(US_UNIT_PARTS),
    )


def _elsewhere(line: str, country: str) -> tuple[str, str, str] | None:
    unit = ""
    if leading := LEADING_UNIT.match(line):
        unit, line = leading.groups()
    elif trailing := UNIT.search(line):
        unit, line = trailing.group(1), line[: trailing.start()].strip(" ,")
    if country in HOUSE_NUMBER_FIRST:
        found = NUMBER_FIRST.match(line)
        return (found.group(1), found.group(2), unit) if found else ("", line, unit)
    found = NUMBER_LAST.match(line)
    if not found:
        return "", line, unit
    return found.group(2).strip(), found.group(1).strip(" ,"), unit or (found.group(3) or "")


def _key(text: str) -> str | None:
    words = re.sub(r"[^\w\s]", " ", text.casefold()).split()
    kept = [STREET_TYPES.get(word, word) for word in words if word not in ("apt", "apartment", "unit", "suite", "ste")]
    return "".join(kept) or None
