"""Addresses outside the United States: one reading for all countries, by the rules of address_countries.py.

The locality (postal code, city, region) is cut off first; then the pieces left are told apart: post-office box,
unit, thoroughfare with its house number, and the rest (recipient, building, district), which has no column.
A line that does not look like a thoroughfare of its country gives no street: nothing is guessed.
"""

from __future__ import annotations

import re

from udfs.address_countries import COUNTRIES, DEFAULT, Country
from udfs.address_languages import BOX, DISTRICT, NO_NUMBER, unit_pattern
from udfs.address_locality import REMARK, cut_locality
from udfs.address_numbers import (
    ENGLISH_ONLY,
    NUMBER,
    NUMBER_LAST,
    NUMBER_ONLY,
    ORDINAL,
    leading_number,
    looks_like_street,
)
from udfs.address_text import DASHES, Parts, is_recipient

NUMBER_THEN_UNIT = re.compile(rf"^(?P<number>{NUMBER})\s+(?P<more>.+)$", re.I)
PHONE = re.compile(
    r"^(?:tel|phone|tél|téléphone|telefon|telefono|teléfono|fax|e-?mail|mob(?:ile)?|тел)\b[.:\s]*\+?[\d(]|"
    r"^(?:e-?mail|tel|fax|phone)\s*:",
    re.I,
)
DUTCH_ADDITION = r"(?:\s?[-/]?\s?(?:hs|huis|bis|rood|zwart|[1-9]?hoog|[IVX]{1,4}|[A-Z]{1,2}\d?)(?!\w))"
DUTCH_LAST = re.compile(
    rf"^(?P<street>.*?[^\W\d_].*?)\s+(?P<number>\d{{1,5}}(?:\s?-\s?\d+)?{DUTCH_ADDITION}(?:\s?-?\d+)?)$", re.I
)
BRASILIA = re.compile(
    r"^(?:S[QHCBGAEIDM][NSWLI]\w?|CL[NS]W?|SHIS|SHIN|SGAS|SGAN|SRTV[SN]|SAUS|SAUN|SAS|SAN|SDN|SDS|Q[A-Z]{2,3})\b.*\d",
    re.I,
)
TURKISH_LINE = re.compile(
    r"^(?P<line>.*?\bno\s*[:.]?\s*\d+\S*(?:\s+(?:d|k|da|daire|"
    r"kat)\s*[:.]?\s*\d+\S*)*)\s+(?P<place>[^\W\d_]{3}[^\d:]*)$",
    re.I,
)
BRAZILIAN_LINE = re.compile(
    r"^(?P<line>(?:.*[^\W\d_]\s+)?\d+[a-z]?(?:\s\d{1,2}º andar)?)\s+(?P<city>[^\W\d_]{3}[^\d]*)$", re.I
)
HUNGARIAN_LINE = re.compile(r"^(?P<city>\d{4}\s+[^\W\d_]+)\s+(?P<street>[^\d]+\s\d.*)$")
BUILDING_PARTS = re.compile(
    r"^(?P<number>.+?)?[\s,]*(?P<more>(?:(?:корпус|корп|кор|к|строение|стр|владение|вл|литера|лит|korp|korpus|str|"
    r"k)\b\.?\s?[\w]+[\s,]*)+)$",
    re.I,
)
SPLIT_BY_DASH = frozenset({
    "BR", "IT", "FR", "PT", "IN", "ES", "AR", "MX", "CL", "DE", "AT", "CH", "AE", "SA", "IL", "TR", "RO", "PK", "BD",
    "LU", "MY", "CO", "PE", "GR", "RU", "UA",
})  # fmt: skip
AUSTRALIAN_UNIT = re.compile(
    r"^(?P<unit>(?:unit|u|flat|f|shop|level|lvl|floor|office|suite|apartment|apt|villa)\.?\s?\w+)(?:/|\s+|,\s*)"
    r"(?P<rest>\d.*)$",
    re.I,
)
MANNHEIM = re.compile(r"^[A-U]\s?\d{1,2}$")


def parse(pieces: list[str], country: str) -> Parts:
    """The parts of an address of `country` whose pieces stood between commas or line breaks."""
    rule = COUNTRIES.get(country, DEFAULT)
    prefix = f"{country}|{rule.prefix}" if rule.prefix else country
    pieces = [re.sub(rf"(?<!\S)({prefix})\s[-–]\s(?=\d{{4,6}}\b)", r"\1-", piece) for piece in pieces]
    if country in ("IN", "PK", "BD", "LK"):
        pieces = [re.sub(r"(?<=[^\W\d_])-(?=\d{3}\s?\d{1,3}$)", " - ", piece) for piece in pieces]
    if country in SPLIT_BY_DASH:
        pieces = [part.strip(" ,") for piece in pieces for part in DASHES.split(piece) if part.strip(" ,")]
    parts = Parts()
    pieces = [piece for piece in pieces if not PHONE.match(piece)]
    pieces = cut_locality(_whole_lines(pieces, country, rule), country, rule, parts)
    pieces = _parted_units([piece for piece in pieces if not is_recipient(piece)], rule)
    _read_pieces(pieces, country, rule, parts)
    if not parts.street:
        parts.house_number = ""
        parts.issue = "no street" if parts.city or parts.postal_code else "not understood"
        if parts.issue == "not understood":
            return Parts(issue=parts.issue)
    return parts


def _whole_lines(pieces: list[str], country: str, rule: Country) -> list[str]:
    """The pieces with what a comma parted put together, and what stands together without one parted."""
    lines: list[str] = []
    if country == "TR":
        pieces = [part for piece in pieces for part in _parted_in_turkish(piece)]
    elif country == "BR":
        pieces = _parted_in_brazilian(pieces)
    elif country == "HU" and len(pieces) == 1 and (found := HUNGARIAN_LINE.match(pieces[0])):
        pieces = [found["city"], found["street"]]
    whole_unit = unit_pattern(rule.languages, "whole")
    number_only = ENGLISH_ONLY if rule.languages[0] == "en" else NUMBER_ONLY
    for piece in pieces:
        if country in ("SG", "MY", "HK"):
            piece = re.sub(r"^(?:blk|block)\.?\s+(?=\d)", "", piece, flags=re.I)
        previous = lines[-1] if lines else ""
        if previous and re.match(r"^km\.?\s?\d", piece, re.I) and looks_like_street(previous, rule):
            lines[-1] = f"{previous}, {piece}"
        elif whole_unit.match(piece) and not ENGLISH_ONLY.match(piece):
            lines.append(piece)
        elif (found := number_only.match(previous)) and _number_leads(lines, piece, rule):
            lines[-1] = f"{found['number']} {piece}"
        else:
            lines.append(piece)
    found = number_only.match(lines[0]) if len(lines) > 2 and rule.number_first else None
    if found and whole_unit.match(lines[1]) and looks_like_street(lines[2], rule) and not re.match(r"\d", lines[2]):
        lines[:3] = [lines[1], f"{found['number']} {lines[2]}"]  # `12/4, 2nd Floor, Anna Salai`
    return lines


def _parted_units(pieces: list[str], rule: Country) -> list[str]:
    """`Via Dante` and `15 scala B`: the number and the unit behind it in pieces of their own."""
    lines: list[str] = []
    for piece in pieces:
        found = NUMBER_THEN_UNIT.match(piece) if lines and not re.search(r"\d", lines[-1]) else None
        is_parted = found and unit_pattern(rule.languages, "whole").match(found["more"])
        lines += [found["number"], found["more"]] if is_parted else [piece]
    return lines


def _parted_in_brazilian(pieces: list[str]) -> list[str]:
    """`Rua Augusta 12 Belo Horizonte` before `MG`: the city in a piece of its own."""
    for place in range(1, len(pieces)):
        if re.fullmatch(r"[A-Z]{2}", pieces[place]) and (found := BRAZILIAN_LINE.match(pieces[place - 1])):
            return [*pieces[: place - 1], found["line"], found["city"], *pieces[place:]]
    return pieces


def _parted_in_turkish(piece: str) -> list[str]:
    """`Lale Sok. No:7 D:3 Kadıköy İstanbul` parted behind its numbers, the neighbourhood in front cut."""
    piece = re.sub(r"^.*?\b(?:mah(?:allesi|\.)?|mh\.)\s+(?=\S)", "", piece, flags=re.I) or piece
    found = TURKISH_LINE.match(piece)
    return [found["line"], found["place"]] if found else [piece]


def _number_leads(lines: list[str], piece: str, rule: Country) -> bool:
    """Whether a number in a piece of its own belongs to the street behind it and not to the one before."""
    if re.match(r"\d", piece) and not ORDINAL.match(piece):
        return False
    if len(lines) > 1 and looks_like_street(lines[-2], rule) and not re.search(r"\d", lines[-2]):
        return False
    return looks_like_street(piece, rule) or (rule.number_first and len(lines) == 1)


def _read_pieces(pieces: list[str], country: str, rule: Country, parts: Parts) -> None:
    whole_unit = unit_pattern(rule.languages, "whole")
    units: list[tuple[int, str]] = []
    numbers: list[int] = []
    lines: list[tuple[int, str]] = []
    for place, piece in enumerate(pieces):
        if (
            BOX.match(piece)
            and not (country == "SE" and not re.match(r"box\s*\d", piece, re.I))
            or (
                country == "DE"
                and MANNHEIM.match(piece)
                and place + 1 < len(pieces)
                and NUMBER_ONLY.match(pieces[place + 1])
            )
        ):
            lines.append((place, piece))
        elif NO_NUMBER.fullmatch(" " + piece):
            continue
        elif lines and NUMBER_ONLY.match(piece) and not numbers and not _is_numbered(lines[-1][1], rule):
            numbers.append(place)
        elif whole_unit.match(piece):
            units.append((place, piece))
        elif (
            (found := unit_pattern(rule.languages, "lead").match(piece))
            and not looks_like_street(piece, rule)
            and not rule.code_first
        ):
            units.append((place, found["unit"]))
            lines.append((place, piece[found.end() :].strip(" ,")))
        else:
            lines.append((place, piece))
    chosen = _best_line(lines, numbers, country, rule)
    if chosen is None:
        parts.unit = ", ".join(unit for _, unit in units) if parts.city or parts.postal_code else ""
        return
    place, line = chosen
    if BOX.match(line):
        parts.street = line
        return
    number = next((NUMBER_ONLY.match(pieces[n])["number"] for n in numbers if n == place + 1), "")
    _read_street(line, number, country, rule, parts)
    if number or parts.house_number:
        units += [
            (other, piece)
            for other, piece in lines
            if other == place + 1 + bool(number)
            and re.fullmatch(r"\d{1,3}\s?[-.ºª°]?\s?[A-Z]{0,2}|[A-Z]\d{0,3}", piece)
        ]
    own = [parts.unit] if parts.unit else []
    parts.unit = ", ".join([*own, *(unit for _, unit in sorted(units))])
    parts.house_number = _part_number(parts.house_number, country, parts)
    _more_of_russian_house(lines, place, country, parts)


def _is_numbered(line: str, rule: Country) -> bool:
    return bool(
        NUMBER_LAST.match(line) and not MANNHEIM.match(line) and not (rule.number_first and rule.languages[0] == "en")
    )


def _more_of_russian_house(lines: list[tuple[int, str]], place: int, country: str, parts: Parts) -> None:
    if country not in ("RU", "UA", "BY", "KZ"):
        return
    for other, piece in lines:
        if other > place and parts.house_number and (found := BUILDING_PARTS.match(piece)) and not found["number"]:
            parts.house_number += f" {piece}"


def _best_line(lines: list[tuple[int, str]], numbers: list[int], country: str, rule: Country) -> tuple[int, str] | None:
    """The piece that is most surely the thoroughfare; None when none is."""
    best, best_score = None, 0
    for place, line in lines:
        score = _score(line, place + 1 in numbers, country, rule)
        if score and score >= best_score:
            if score == best_score and BOX.match(line):
                continue
            best, best_score = (place, line), score
    return best


def _score(line: str, number_follows: bool, country: str, rule: Country) -> int:
    if BOX.match(line):
        return 3
    if REMARK.match(line):
        return 0
    if DISTRICT.search(line) and not looks_like_street(line, rule):
        return 0
    if country == "DE" and MANNHEIM.match(line):
        return 9
    bare = unit_pattern(rule.languages, "last").sub("", line)
    numbered = bool(number_follows or NUMBER_LAST.match(bare) or NO_NUMBER.search(line))
    leads = bool(leading_number(line, rule))
    typed = looks_like_street(line, rule)
    if typed:
        return 6 + 2 * (numbered or leads) + (leads if rule.number_first else numbered)
    if rule.number_first:
        return 4 if leads and not re.search(r"\b(?:km|miles?)\b", line) else 0
    return 5 if numbered else 0


def _read_street(line: str, number: str, country: str, rule: Country, parts: Parts) -> None:
    units: list[str] = []
    line, had_none = NO_NUMBER.subn("", line)
    had_none = had_none or (country == "BR" and bool(BRASILIA.match(line)))
    line = re.sub(r"\s*\([^)]*\)$", "", line).strip(" ,")
    pattern = AUSTRALIAN_UNIT if country in ("AU", "NZ") else unit_pattern(rule.languages, "first")
    found = pattern.match(line) if rule.number_first else None
    if found and (not NUMBER_ONLY.match(found["unit"]) or (country == "CA" and found["unit"][0] == "#")):
        units.append(found["unit"])
        line = found["rest"]
    last = unit_pattern(rule.languages, "last")
    while (found := last.search(line)) and re.search(r"[^\W\d_]", line[: found.start()]):
        ahead = line[: found.start()].strip(" ,/-")
        if not (number or had_none or re.search(r"\d", ahead)) and not re.search(r"[^\W\d_]{3}", found["unit"]):
            break
        units.insert(0, found["unit"])
        line = ahead
    line = line.strip(" ,-")
    if number or had_none:
        parts.house_number, parts.street = number, line
    else:
        parts.house_number, parts.street, more = _number_and_street(line, rule)
        if more:
            units.insert(0, more)
    parts.unit = (
        " ".join(units) if country not in ("ES", "AR", "RO") else ", ".join(units) if "," in line else " ".join(units)
    )


def _number_and_street(line: str, rule: Country) -> tuple[str, str, str]:
    """House number, street and a unit found between, in the order of the country or the one that the line shows."""
    leads = leading_number(line, rule)
    ends = NUMBER_LAST.match(line) or (DUTCH_LAST.match(line) if rule.languages[0] == "nl" else None)
    if rule.number_first:
        if leads:
            return leads["number"], leads["rest"], ""
        if ends and rule.languages[0] != "en" and looks_like_street(line, rule):
            return ends["number"], ends["street"].strip(" ,"), ""
        return "", line, ""
    if ends and not re.search(r"\bkm\.?\s*[\d.,]*$", ends["street"], re.I):
        return ends["number"], ends["street"].strip(" ,"), ""
    if leads and looks_like_street(leads["rest"], rule):
        return leads["number"], leads["rest"], ""
    return "", line, ""


def _is_polish_range(number: str) -> bool:
    """Whether `65/79` is a building over several numbers and not a flat: one side of the street, rising."""
    first, last = (int(digits) for digits in re.findall(r"\d+", number))
    return 20 <= first < last <= first + 20 and (last - first) % 2 == 0


# A unit written with the house number: what of the two groups is the unit, and where.
NUMBER_AND_UNIT = {
    "AT": r"^(?P<number>\d+[a-zA-Z]?(?:-\d+)?)/(?P<unit>.+)$",
    "PL": r"^(?P<number>\d+\s?[a-zA-Z]?)/(?P<unit>\d+[a-zA-Z]?)$",
    "FI": r"^(?P<number>\d+)\s+(?P<unit>[A-Z])$",
    **dict.fromkeys(("LV", "LT", "EE"), r"^(?P<number>\d+[a-zA-Z]?)\s?-\s?(?P<unit>\d+)$"),
    **dict.fromkeys(("AU", "NZ"), r"^(?P<unit>\d+[a-zA-Z]?)/(?P<number>\d.*)$"),
    "CA": r"^(?P<unit>\d+[a-zA-Z]?)\s?-\s?(?P<number>\d+[a-zA-Z]?(?: 1/[234])?)$",
}


def _part_number(number: str, country: str, parts: Parts) -> str:
    """The house number alone; a unit that its country writes with it goes to the unit."""
    number = number.strip(" ,.")
    found = re.match(NUMBER_AND_UNIT[country], number) if country in NUMBER_AND_UNIT else None
    if not found or (country == "PL" and _is_polish_range(number)):
        return number
    if country not in ("AU", "NZ", "CA") or not parts.unit:
        parts.unit = " ".join(filter(None, (found["unit"], parts.unit)))
    return found["number"]
