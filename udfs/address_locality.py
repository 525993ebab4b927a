"""The end of an address outside the United States: postal code, city and region, wherever its country puts them."""

from __future__ import annotations

import re

from udfs.address_countries import HAS_REGIONS, Country, postal_code, postal_pattern, region_of
from udfs.address_languages import BOX, DISTRICT, NO_NUMBER, last_word_pattern, street_pattern, unit_pattern
from udfs.address_numbers import NUMBER, NUMBER_ONLY, looks_like_street
from udfs.address_text import Parts, is_recipient

REMARK = re.compile(
    r"^(?:behind|near|next to|opposite|opp\b|call|ask|please|leave|ring|beside|across|see|above|below|entrance|"
    r"hinter dem|neben|gegenüber|"
    r"bitte|derrière|à côté|en face|frente|al lado|junto|cerca|atrás|dietro|vicino|accanto|naast|tegenover|achter|"
    r"за |около|рядом|напротив)(?!\w)",
    re.I,
)
CITY_MARK = re.compile(
    r"^(?:г\.|гор\.|город\s|м\.|місто\s|с\.|пос\.|пгт\.?\s|дер\.|д\.\s(?=[А-Я])|гр\.|g\.|c\.p\.\s|мун\.|or\.|com\.|"
    r"comuna\s|oraș(?:ul)?\s|municipiul\s|mun\.)\s*",
    re.I,
)
SLASH_BEFORE_REGION = frozenset({"TR", "BR", "IN", "MX", "AR"})
CODE_ANYWHERE = frozenset({"IL", "LV", "UA", "BR"})
REGION_BEHIND_CITY = frozenset({"CA", "AU", "BR", "IT", "IN", "MX", "TR"})
CITY_WITH_NUMBER = re.compile(r"^[^\W\d_][^\d]*\s(?:\d{1,3}|[A-Z]{1,2}\d?)(?:\s?[-–]\s?[^\d]+)?$")


def cut_locality(pieces: list[str], country: str, rule: Country, parts: Parts) -> list[str]:
    _cut_regions_behind(pieces, country, rule, parts)
    if country in ("RU", "UA", "BY", "KZ", "BG"):
        pieces = _cut_marked(pieces, country, parts)
    pattern = postal_pattern(country)
    for place in range(len(pieces) - 1, -1, -1) if pattern else ():
        piece = pieces[place]
        for found in reversed(list(pattern.finditer(piece))):
            before, after = piece[: found.start()].strip(" ,-–"), piece[found.end() :].strip(" ,-–")
            if _is_locality(before, after, place, pieces, country, rule):
                parts.postal_code = postal_code(country, found["code"])
                return _take_city(pieces, place, before, after, country, rule, parts)
    return _take_city_without_code(pieces, country, rule, parts)


def _cut_marked(pieces: list[str], country: str, parts: Parts) -> list[str]:
    """Cut what says what it is, wherever it stands: `г. Москва`, `Московская обл.`, `Адмиралтейский р-н`."""
    rest = []
    for piece in pieces:
        if not parts.region and (region := region_of(country, piece)) and not re.search(r"\d", piece):
            parts.region = region
        elif not parts.city and (mark := CITY_MARK.match(piece)) and not re.search(r"\d", piece):
            parts.city = piece[mark.end() :].strip(" .")
        else:
            rest.append(piece)
    return rest


def _is_locality(before: str, after: str, place: int, pieces: list[str], country: str, rule: Country) -> bool:
    """Whether digits between `before` and `after` can be a postal code and not a house or box number."""
    if not before and not after:
        return len(pieces) > 1
    if not before:
        is_city = not looks_like_street(after, rule) or (rule.code_first and len(pieces) > 1)
        return is_city and not re.match(r"\d", after)
    if after:
        if not rule.code_first and country not in CODE_ANYWHERE and not region_of(country, after):
            return False
        is_unit = unit_pattern(rule.languages, "whole").match(before)
        is_line_before = is_unit or re.search(r"\d", before) or looks_like_street(before, rule) or BOX.match(before)
        return bool(is_line_before and not re.search(r"\d{3}", after))
    if _is_box_word(before):
        return False
    if rule.code_first:  # `München 80331`: the order of another country
        is_plain = country == "AR" or rule.postal in (r"\d{4}", r"\d{5}")
        return not looks_like_street(before, rule) and not re.search(r"\d", before) and (place > 0 or not is_plain)
    if re.search(r"\b(?:no|nr|unit|flat|box|bag|level|lot)\.?$", before, re.I):
        return False
    return place > 0 or bool(re.search(r"\d", before) or region_of(country, before.split()[-1]))


def _is_box_word(text: str) -> bool:
    found = BOX.match(f"{text} 1")
    return bool(found) and found.start("number") >= len(text)


def _take_city(
    pieces: list[str], place: int, before: str, after: str, country: str, rule: Country, parts: Parts
) -> list[str]:
    """Fill city and region from around a postal code in piece `place`; the pieces that are left."""
    rest, behind = pieces[:place], pieces[place + 1 :]
    city, line = _city_beside_code(before, after, rest, country, rule, parts)
    if line:
        rest.append(line)
    city = _without_region(city, country, parts)
    is_behind = bool(behind) and _can_be_city(behind[0], rule) and (parts.region or not region_of(country, behind[0]))
    if not city and not parts.city and is_behind and (rule.code_first or rest):
        city = _without_region(behind.pop(0), country, parts)
    while behind and not parts.region and (region := region_of(country, behind[-1])):
        parts.region = region
        behind.pop()
    if not city and not parts.city:
        city = _last_city(rest, country, rule, parts, is_needed=True)
    rest += behind
    if not city and not parts.city and len(rest) > 1 and _can_be_city(rest[0], rule):
        city = rest.pop(0)  # code and city stand in front of the street, as in Russia
    parts.city = parts.city or _tidy_city(city, country)
    return rest


def _city_beside_code(
    before: str, after: str, rest: list[str], country: str, rule: Country, parts: Parts
) -> tuple[str, str]:
    """The city in the piece of the postal code, and a street line that stands there too."""
    is_region_after = bool(before and after and not rule.code_first and region_of(country, after))
    if after and not is_region_after:
        return after, before
    if before and rest and (region := region_of(country, before)) and _is_city_before(rest, rule):
        parts.region = parts.region or region
        return "", ""
    unit = unit_pattern(rule.languages, "lead").match(before)
    if unit and before[unit.end() :] and not re.search(r"\d", before[unit.end() :]):
        return before[unit.end() :].strip(" ,"), unit["unit"]
    is_city = not re.search(r"\d", before) or CITY_WITH_NUMBER.match(before)
    if before and is_city and not (rule.number_first and re.match(r"\d", before)) and not BOX.match(before):
        parts.region = parts.region or (after and region_of(country, after)) or ""
        return before, ""
    if not before:
        return "", ""
    street, city = _split_street_and_city(before, country, rule, parts)
    return city, street


def _tidy_city(city: str, country: str) -> str:
    if country == "SG" and city.lower().endswith(" singapore"):
        city = city[-9:]
    return re.sub(r"(?<![A-Z])\.$", "", CITY_MARK.sub("", city).strip(" ,"))


def _is_city_before(rest: list[str], rule: Country) -> bool:
    return bool(rest) and _can_be_city(rest[-1], rule) and (len(rest) > 1 or not looks_like_street(rest[-1], rule))


def _take_city_without_code(pieces: list[str], country: str, rule: Country, parts: Parts) -> list[str]:
    if parts.city:
        return pieces
    if (
        len(pieces) > 1
        and country in ("RU", "UA", "HU")
        and _can_be_city(pieces[0], rule)
        and (CITY_MARK.match(pieces[0]) or country == "HU")
    ):
        parts.city = CITY_MARK.sub("", pieces.pop(0))
        return pieces
    if len(pieces) == 1 and not BOX.match(pieces[0]):
        street, city = _split_street_and_city(pieces[0], country, rule, parts)
        is_unit = unit_pattern(rule.languages, "whole").match(city)
        if (
            not is_unit
            and re.fullmatch(r"[^\W\d_]{4,}", city)
            and city[0].isupper()
            and looks_like_street(street, rule)
        ):
            parts.city = city
            return [street]
    if len(pieces) > 1 and (_has_street(pieces[:-1], rule) or parts.region):
        parts.city = _tidy_city(_last_city(pieces, country, rule, parts, is_needed=False), country)
    return pieces


def _has_street(pieces: list[str], rule: Country) -> bool:
    return any(looks_like_street(piece, rule) or BOX.match(piece) or re.search(r"\d", piece) for piece in pieces)


def _last_city(rest: list[str], country: str, rule: Country, parts: Parts, *, is_needed: bool) -> str:
    """Take the last piece that can be a city (not a district, unit or street), and the region behind it."""
    while (
        len(rest) > 1 and not parts.region and (region := region_of(country, rest[-1])) and _can_be_city(rest[-2], rule)
    ):
        parts.region = region
        rest.pop()
    for place in range(len(rest) - 1, -1 if is_needed else 0, -1):
        if _can_be_city(rest[place], rule) and (place > 0 or not looks_like_street(rest[place], rule)):
            return _without_region(rest.pop(place), country, parts)
        if not DISTRICT.search(rest[place]):
            break
    if is_needed and rest and re.match(r"^\d", rest[-1]) and rule.number_first:
        street, city = _split_street_and_city(rest[-1], country, rule, parts)
        if city:
            rest[-1] = street
        return city
    return ""


def _can_be_city(text: str, rule: Country) -> bool:
    if (
        REMARK.match(text)
        or unit_pattern(rule.languages, "whole").match(text)
        or DISTRICT.search(text)
        or BOX.match(text)
        or is_recipient(text)
    ):
        return False
    if re.search(r"\d", text):
        return bool(CITY_WITH_NUMBER.match(text)) and not looks_like_street(text, rule)
    if NUMBER_ONLY.match(text) or NO_NUMBER.search(" " + text):
        return False
    is_street = street_pattern(rule.languages).search(text)
    return (
        not is_street
        or len(text.split()) == 1
        or not rule.number_first
        and not is_street.group().strip().lower().startswith("c/")
    )


def _cut_regions_behind(pieces: list[str], country: str, rule: Country, parts: Parts) -> None:
    """A region as the last piece, or behind the city in its piece (`Curitiba/PR`, `Fitzroy VIC`)."""
    if country not in HAS_REGIONS:
        return
    while len(pieces) > 1 and not parts.region and (region := region_of(country, pieces[-1])):
        pattern = postal_pattern(country)
        before = pieces[:-1]
        has_city = (
            any(pattern.search(piece) for piece in before)
            if pattern and rule.code_first
            else (len(before) > 1 and _can_be_city(before[-1], rule) and not (looks_like_street(before[-1], rule)))
        )
        if not has_city:
            return
        parts.region = region
        pieces.pop()


def _without_region(city: str, country: str, parts: Parts) -> str:
    """The city of a text that ends in a region: in parentheses, behind a slash or dash, or as a code or name."""
    if found := re.match(r"^(?P<city>.*?)\s*\((?P<region>[^()]+)\)$", city):
        parts.region = parts.region or region_of(country, found["region"]) or found["region"]
        return found["city"]
    slash = re.match(r"^(?P<city>.+?)\s*[/–-]\s*(?P<region>[^/–-]+)$", city) if country in SLASH_BEFORE_REGION else None
    if slash and (country == "TR" or region_of(country, slash["region"])):
        parts.region = parts.region or region_of(country, slash["region"]) or slash["region"]
        return slash["city"]
    if country not in HAS_REGIONS or country == "IE":
        return city
    words = city.split()
    for count in (3, 2, 1):
        tail = " ".join(words[-count:])
        is_code = country not in ("CA", "BR", "IT") or count > 1 or tail.isupper() or len(tail) > 3
        is_apart = len(words) > count and country in REGION_BEHIND_CITY and _is_region_apart(tail, country)
        if is_apart and is_code and (region := region_of(country, tail)):
            parts.region = parts.region or region
            return " ".join(words[:-count]).rstrip(" ,-/")
    return city


def _is_region_apart(text: str, country: str) -> bool:
    """Whether words behind a city are its region and not the end of its name (`Reggio Emilia`, `Mexico City`)."""
    if country == "IT":
        return len(text) == 2 and text.isupper()
    if country == "MX":
        return bool(re.fullmatch(r"(?:[A-Z][a-z]{1,5}\.|[A-Z]{2,4}|(?:[A-Z]\.\s?){2,})", text))
    return text.lower() != "delhi"


def _split_street_and_city(text: str, country: str, rule: Country, parts: Parts) -> tuple[str, str]:
    """`10 Downing Street London` parted behind the street type; a text that cannot be parted is a street."""
    text = _without_region(text, country, parts)
    if found := last_word_pattern(rule.languages).match(text):
        street, more = found["street"], found["more"].strip(" ,")
        while unit := unit_pattern(rule.languages, "lead").match(more):
            street, more = f"{street} {unit['unit']}", more[unit.end() :].strip(" ,")
        # `12 Hay St St Kilda`: the second St is the first word of the city
        saint = re.match(r"^(?P<street>.*)\s(?P<saint>St\.?)$", street)
        if saint and street_pattern(rule.languages).search(re.sub(r"^\S+\s", "", saint["street"])):
            street, more = saint["street"], f"{saint['saint']} {more}"
        if not re.search(r"\d", more):
            return street, more
    if found := re.match(r"^(?P<street>\d.*\s(?:Est|Ouest|Nord|Sud))\s+(?P<city>[^\W\d_][^\d]*)$", text):
        return found["street"], found["city"]
    if unit := unit_pattern(rule.languages, "middle").match(text):
        return f"{unit['street']} {unit['unit']}", unit["city"]
    if box := re.match(r"^(?P<box>.*?(?:box|bag|bp|bag x)\s*\w*\d+)\s+(?P<city>[^\d]+)$", text, re.I):
        return box["box"], box["city"]
    if not rule.number_first and (
        found := re.match(rf"^(?P<street>.*[^\W\d_].*?\s{NUMBER})\s+(?P<city>[^\W\d_][^\d]+)$", text)
    ):
        return found["street"], found["city"]
    return text, ""
