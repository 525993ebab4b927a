"""An address cell to structured fields: a street line alone, or a whole address with what people put around it.

The United States by us_address.py, Chinese, Japanese and Korean script by asian_address.py, all others by
world_address.py. What is not understood gives no part, an issue, and a key of the whole line: nothing is guessed.
"""

from __future__ import annotations

import functools
import re

from udfs import asian_address, us_address, world_address
from udfs.address_countries import COUNTRIES, TELLING_CODES, country_lines, postal_pattern
from udfs.address_text import LONGEST, Parts, address_key, clean, fold, is_not_address, segments
from udfs.country import parse_country

FIELDS = (
    "house_number", "street", "unit", "address_key", "issue", "city", "region", "postal_code", "postal_code_suffix",
    "country",
)  # fmt: skip
TELLING = {
    country: re.compile(pattern, re.I if country in ("NL", "GB", "CA", "IE") else 0)
    for country, pattern in TELLING_CODES.items()
}
CITY_COUNTRIES = frozenset({"SG", "LU", "MC", "HK", "SM", "VA", "PA", "GT", "KW", "DJ"})
SPELLED_LIKE_A_STATE = {"georgia", "jersey"}


def parse_address(raw: str | None, country: str | None, otherwise: str | None = None) -> dict[str, str | None]:
    """The parts of an address as FIELDS; every one is None when `raw` is empty.

    `country` is ISO alpha-2 or empty; then a country line, the shape of a postal code, a script or a state with
    ZIP code decide, then `otherwise`, and without any of them the issue is `country unknown`. `address_key` is the
    spelling-proof form for matching: house number, street without differences of its type's spelling, unit.
    Never raises; a text of more than 1,000 characters gives the issue `too long`.
    """
    if raw is None or not raw.strip():
        return dict.fromkeys(FIELDS)
    if len(raw) > LONGEST:
        return {**dict.fromkeys(FIELDS), "issue": "too long", "country": country or None}
    text = clean(raw)
    pieces = segments(text)
    if not pieces or is_not_address(text):
        return _result(Parts(issue="not an address"), text, country or None)
    pieces, named = _cut_country(pieces, country or None)
    decided = named or country or _country_by_shape(text, pieces) or otherwise
    if not decided:
        return _result(Parts(issue="country unknown"), text, None)
    if not pieces:
        return _result(Parts(issue="no street"), text, decided)
    if decided in ("US", "PR", "GU", "VI", "AS", "MP"):
        parts, decided = us_address.parse(pieces), "US" if decided == "US" else decided
    elif asian_address.is_asian(text):
        parts = asian_address.parse(pieces, decided)
    elif decided in ("JP", "KR", "CN", "TW"):
        parts = asian_address.parse_latin(pieces, decided)
    else:
        parts = world_address.parse(pieces, decided)
    return _result(parts, text, decided)


def _result(parts: Parts, text: str, country: str | None) -> dict[str, str | None]:
    line = " ".join(filter(None, (parts.house_number, parts.street, parts.unit))) if parts.street else ""
    key = asian_address.key(parts) if line and asian_address.is_asian(line) else address_key(line or text)
    return {
        "house_number": parts.house_number if parts.street and parts.house_number else None,
        "street": parts.street or None,
        "unit": parts.unit or None,
        "address_key": key,
        "issue": None if parts.street else parts.issue or "not understood",
        "city": parts.city or None,
        "region": parts.region or None,
        "postal_code": parts.postal_code or None,
        "postal_code_suffix": parts.postal_code_suffix or None,
        "country": country,
    }


def _cut_country(pieces: list[str], given: str | None) -> tuple[list[str], str | None]:
    """Cut a country line off the end (or the front, as in Russia); it decides the country when it fits the rest."""
    for cut in (_behind_last_words(pieces, given), _own_piece(pieces, given, -1), _own_piece(pieces, given, 0)):
        if cut:
            return cut
    return pieces, None


def _behind_last_words(pieces: list[str], given: str | None) -> tuple[list[str], str | None] | None:
    """`75008 Paris France`: a country without a separator before it."""
    words = pieces[-1].split()
    for count in (1, 2, 3):
        if words[-count:] and words[-count:][0].lower() in ("de", "del", "of", "da"):
            continue  # Ciudad de México
        rest, named = " ".join(words[:-count]).rstrip(" -–"), _named(" ".join(words[-count:]))
        if not named or named in CITY_COUNTRIES or given not in (None, named) or not re.search(r"\d", rest):
            continue
        is_name = re.search(r"\b(?:new|de)$", rest, re.I)  # New Mexico, Ciudad de México
        if not is_name and (given or _fits([rest], named) or us_address.last_line(rest)):
            return [*pieces[:-1], rest], named
    return None


def _own_piece(pieces: list[str], given: str | None, place: int) -> tuple[list[str], str | None] | None:
    name = re.sub(r"^\((.*)\)$", r"\1", pieces[place]).strip(" .")
    named = parse_country(name) if name in (given, "NZ") else _named(name)
    if not named or re.search(r"\d", name) or (place == 0 and len(pieces) == 1):
        return None
    rest = pieces[:-1] if place == -1 else pieces[1:]
    if named in CITY_COUNTRIES and not _fits(rest, named):
        # The name of the city too, and without it the address had none
        return (pieces, named) if named == given or (given is None and place == -1) else None
    if named == given:
        return rest, named
    if given is None:
        return (rest, named) if name.lower() not in SPELLED_LIKE_A_STATE else None
    ends_in_state = bool(us_address.last_line(", ".join(rest)))
    is_other = ends_in_state if named == "US" else named in COUNTRIES and _fits(rest, named) and not ends_in_state
    return (rest, named) if is_other and place == -1 else None


@functools.lru_cache(maxsize=4096)
def _named(name: str) -> str | None:
    return country_lines().get(fold(name)) or (parse_country(name) if len(name) > 3 else None)


def _fits(pieces: list[str], country: str) -> bool:
    pattern = postal_pattern(country)
    return bool(pattern and any(pattern.search(piece) for piece in pieces))


def _country_by_shape(text: str, pieces: list[str]) -> str | None:
    if found := asian_address.country_of_script(text):
        return found
    if us_address.ends_in_state(pieces):
        return "US"
    told = [country for country, pattern in TELLING.items() if pattern.search(text)]
    return told[0] if len(told) == 1 else None
