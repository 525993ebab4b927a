"""United States addresses by USPS Publication 28: the last line, the delivery line, the secondary unit.

Rules read what the publication fixes (states, ZIP codes, boxes, routes, unit designators, a number before a name
that ends in a suffix). `usaddress` decides what has no separator: where a street ends and a city begins.
"""

from __future__ import annotations

import functools
import re

import usaddress

from udfs.address_text import Parts, is_recipient, us_suffixes

STATES = {
    "alabama": "AL", "alaska": "AK", "american samoa": "AS", "arizona": "AZ", "arkansas": "AR", "california": "CA",
    "colorado": "CO", "connecticut": "CT", "delaware": "DE", "district of columbia": "DC", "florida": "FL",
    "georgia": "GA", "guam": "GU", "hawaii": "HI", "idaho": "ID", "illinois": "IL", "indiana": "IN", "iowa": "IA",
    "kansas": "KS", "kentucky": "KY", "louisiana": "LA", "maine": "ME", "maryland": "MD", "massachusetts": "MA",
    "michigan": "MI", "minnesota": "MN", "mississippi": "MS", "missouri": "MO", "montana": "MT", "nebraska": "NE",
    "nevada": "NV", "new hampshire": "NH", "new jersey": "NJ", "new mexico": "NM", "new york": "NY",
    "north carolina": "NC", "north dakota": "ND", "northern mariana islands": "MP", "ohio": "OH", "oklahoma": "OK",
    "oregon": "OR", "pennsylvania": "PA", "puerto rico": "PR", "rhode island": "RI", "south carolina": "SC",
    "south dakota": "SD", "tennessee": "TN", "texas": "TX", "utah": "UT", "vermont": "VT", "virginia": "VA",
    "virgin islands": "VI", "u.s. virgin islands": "VI", "us virgin islands": "VI", "washington": "WA",
    "west virginia": "WV", "wisconsin": "WI", "wyoming": "WY",
}  # fmt: skip
MILITARY_STATES = ("AA", "AE", "AP")
FREELY_ASSOCIATED = ("FM", "MH", "PW")
OLD_ABBREVIATIONS = {
    "ala": "AL", "ariz": "AZ", "ark": "AR", "calif": "CA", "colo": "CO", "conn": "CT", "del": "DE", "fla": "FL",
    "ill": "IL", "ind": "IN", "kans": "KS", "mass": "MA", "mich": "MI", "minn": "MN", "miss": "MS", "mont": "MT",
    "nebr": "NE", "neb": "NE", "nev": "NV", "okla": "OK", "ore": "OR", "penna": "PA", "penn": "PA", "tenn": "TN",
    "tex": "TX", "wash": "WA", "wis": "WI", "wisc": "WI", "wyo": "WY", "w va": "WV", "n mex": "NM", "n dak": "ND",
    "s dak": "SD",
}  # fmt: skip
STATE_CODES = frozenset((*STATES.values(), *MILITARY_STATES, *FREELY_ASSOCIATED))
STATE_WORDS = {**STATES, **OLD_ABBREVIATIONS, **{code.lower(): code for code in STATE_CODES}}

_CODE = "|".join(f"{code[0]}\\.?\\s?{code[1]}" for code in sorted(STATE_CODES))
_NAME = "|".join(re.escape(name) for name in sorted(STATES, key=len, reverse=True))
_OLD = "|".join(name.replace(" ", "\\.?\\s?") for name in sorted(OLD_ABBREVIATIONS, key=len, reverse=True))
_ZIP = r"(?P<zip>\d{5})(?:\s?[-–]?\s?(?P<plus>\d{4}))?"
LAST_LINE = re.compile(rf"(?:^|(?<=[\s,]))(?P<state>{_NAME}|(?:{_CODE}|{_OLD})\.?)[\s,]*(?:{_ZIP})[.\s]*$", re.I)
STATE_LAST = re.compile(rf"(?:^|(?P<comma>,\s*)|\s)(?P<state>{_NAME}|(?:{_CODE}|{_OLD})\.?)$", re.I)
ZIP_LAST = re.compile(rf"(?:^|(?<=[\s,])){_ZIP}$")
MILITARY_CITIES = ("APO", "FPO", "DPO")
MILITARY_CITY = re.compile(r"\b([AFD]PO)$", re.I)

DIRECTION = (
    r"(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West|North\s?east|North\s?west|South\s?east|South\s?west|"
    r"[NS]\.\s?[EW])\.?"
)
NUMBER_WORD = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
HOUSE = (
    r"(?:[NSEW]\s?\d+\s?[NSEW]\s?\d+|[NSEW]\d+[A-Z]?|\d+[A-Z]?-[A-Z]?\d*[A-Z]?(?=[\s,])|[A-Z]-?\d+|"
    r"\d+(?:[\s-]+\d/\d+|\s?[½¼¾])|\d+[A-Z]?|\d+\.\d+)(?!\w)"
)
NUMBERED = re.compile(
    rf"^(?:No\.?\s+|Number\s+)?(?P<number>{HOUSE}|{NUMBER_WORD}(?=\s+\S)),?\s+(?P<rest>.*[^\W\d_].*|\S+)$", re.I
)
ORDINAL = re.compile(r"^\d*(?:1st|2nd|3rd|\dth)\b", re.I)
BOX = re.compile(
    r"^(?:(?:p\.?\s?o\.?|post\s+office|postal)\s?(?:box|bx|drawer)\b[\s.:]*#?\s?\w|p\.?\s?o\.?\s?b\.?\s?#?\s?\d|"
    r"(?:box|drawer|"
    r"caller|bin|lock\s?box|"
    r"firm caller)\s+#?\s?\d|apartado\b)",
    re.I,
)
ROUTE_BOX = re.compile(
    r"^(?:r\.?\s?r\.?|r\.?\s?d\.?|r\.?f\.?d\.?|rural\s+(?:route|rt|delivery)|rte?\.?|route|h\.?\s?c\.?(?:\s?r\.?)?|"
    r"highway contract(?: route)?|star route|s\.?r\.?)\s*(?:no\.?\s*|#\s?)?\d+[a-z]?\b,?\s*(?:(?:box|bx|"
    r"#)\.?\s*#?\s?[\w-]+)",
    re.I,
)
BARE_ROUTE = re.compile(r"^(?:r\.?\s?r\.?|rural\s+route|r\.?f\.?d\.?|h\.?c\.?)\s*#?\s?\d+[a-z]?$", re.I)
MILITARY = re.compile(r"^(?:psc|cmr|unit|opc|umr)\s+\d+[a-z]?,?\s+(?:box|bx)\s+[\w-]+$|^(?:psc|cmr)\s+\d+", re.I)
GENERAL_DELIVERY = re.compile(r"^(?:general delivery|gen(?:eral)?\.? del(?:ivery)?\.?)$", re.I)
_ID = r"(?:#\s?)?(?:[\w/-]*\d[\w/-]*|[a-z]{1,2}(?:-[\w]+)?|one|two|three|four|five|six|seven|eight|nine|ten)"
_STRONG = (
    r"apartments?|apartamento|aptos?|apt|unit|suites?|ste|bldg|building|room|rm|floor|flr|fl|dept|department|pmb|"
    r"mail\s?stops?|msc|"
    r"mailcode|lot|trailer|trlr|space|spc|sp|hangar|hanger|hngr|slip|pier|stop|key|tower|wing|office|ofc|box|studio|"
    r"stall|no|num|"
    r"penthouse|ph|flat|condo|cabin|bay|dock|gate|door|side|bsmt|basement|lobby|front|rear|mezzanine|level|lvl|block|"
    r"villa|wg|twr"
)
_WEAK = (
    "basement|bsmt|front|frnt|lobby|lbby|lower|lowr|office|ofc|penthouse|ph|rear|side|upper|uppr|mezzanine|"
    "upstairs|downstairs|garage"
)
_WORDY = "apt|apartment|suite|ste|unit|bldg|building|tower|wing|floor|room|rm"
UNIT = (
    rf"(?:(?:{_STRONG})\b\.?[\s:]*(?:no\.?\s+)?{_ID}|(?:bsmt|basement|garage|rear|front|upper|lower)\s+(?:apt|"
    rf"apartment|unit|level)|(?:apt|unit|suite|ste|bldg|room|rm|lot|spc|trlr|fl)\d+[a-z]?|"
    rf"#\s?[\w/-]+|\d+(?:st|nd|rd|th)\.?\s+(?:floor|fl|flr)\.?|"
    rf"(?:ground|first|second|third|fourth|fifth|sixth|top|main|lower|upper)\s+(?:floor|level|fl|unit)|"
    rf"(?:{_WORDY})\b\.?\s+(?:north|south|east|west|upper|lower|rear|front|[a-z]{{1,3}}))"
)
UNIT_LAST = re.compile(rf"(?:^|[\s,]+)(?P<unit>{UNIT})[.,]?$", re.I)
WEAK_LAST = re.compile(rf"[\s,]+(?P<unit>(?:{_WEAK})\.?)$", re.I)
UNIT_THEN_CITY = re.compile(
    r"^(?P<line>\S*\d.*?[\s,](?:(?:apt|apartment|ste|suite|unit|bldg|building|rm|room|fl|floor|lot|ph|"
    r"pmb)\b\.?\s*#?\s?[a-z]?-?\d\S*|"
    r"#\s?\w+|\d+(?:st|nd|rd|th)\s+(?:floor|fl)\.?))[\s,]+(?P<city>[^\W\d_][^\d]*)$",
    re.I,
)
BEHIND_STREET = re.compile(
    r"(?:rear|bsmt|frnt|lowr|uppr|lbby|basement|penthouse)\.?", re.I
)  # in no name of a street or city
UNIT_ONLY = re.compile(rf"^(?:{UNIT}|{_WEAK})(?:[\s,&]+(?:{UNIT}|{_WEAK}))*\.?$", re.I)
UNIT_FIRST = re.compile(
    rf"^(?P<unit>(?:apt|apartment|unit|suite|ste|room|rm|floor|fl|flat|#)\b\.?\s*#?\s?(?:[\w-]*\d[\w-]*|[a-z]\b)|"
    rf"\d+(?:st|nd|rd|th) floor)(?:\s+-\s+|\s+)(?P<rest>(?:{HOUSE})\s+.+)$",
    re.I,
)
_STATE_NAMES = "|".join(sorted(STATES, key=len, reverse=True))
_ROAD_KIND = (
    r"(?:u\.?\s?s\.?|state|county|co|old|business|bus|alt|interstate|cr|sr|us|fm|rm|farm to market|"
    r"ranch(?: to market)?|township|twp|tr|"
    rf"forest(?: service)?|indian|[a-z]{{2}}|{_STATE_NAMES})?\.?\s*(?:highway|hwy|hiway|route|rte|rt|road|rd|"
    rf"interstate|ih|i|sr|cr|fm|rm|us|sh|trunk|"
    r"loop|spur|county|state|street|parish road|trail)\.?"
)
HIGHWAY = re.compile(
    rf"^(?:{DIRECTION}\s+)?(?:{_ROAD_KIND})[\s-]*(?:#\s?)?(?:\d+[a-z]?|[a-z]{{1,2}})(?:\s+(?:rd|road|byp|bypass|loop|"
    rf"bus|alt|frontage rd))?"
    rf"(?:\s+{DIRECTION})?$",
    re.I,
)
GRID = re.compile(rf"^{DIRECTION}\s+\d+(?:\s+{DIRECTION})?$|^\d+\s+{DIRECTION}$", re.I)
SPANISH = re.compile(
    r"^(?:calle|rue|ave(?:nida)?|av|camino|calzada|paseo|via|carr(?:etera)?|cll|callejon|camto|blvd|bo)\.?\s+\S", re.I
)
WITHOUT_SUFFIX = re.compile(
    rf"^(?:{DIRECTION}\s+)?(?:broadway|bowery|(?:grand )?concourse|embarcadero|esplanade|the\s\w+)(?:\s+{DIRECTION})?$",
    re.I,
)
LETTERED = re.compile(
    rf"^(?:{DIRECTION}\s+)?(?:avenue|ave|street|st|road|rd)\s+(?:[a-z]{{1,2}}|\d+)(?:\s+{DIRECTION})?$", re.I
)
SPANISH_BUILDING = re.compile(r"^(?:cond(?:ominio)?|edif(?:icio)?|res(?:idencial)?|coop|villas?)\b\.?\s", re.I)
REMARK = re.compile(
    r"^(?:the\s[a-z]|(?:at|in|near|behind|next to|across|call|ask|see|same|my|our|please|leave|ring)\b)"
)
CORNER = re.compile(
    r"^(?!\d+\s).*[^\W\d_].*(?:\s&\s|\s(?:and|at|y)\s|\s@\s|\s/\s).*|^(?:corner|intersection|cor\.?|ne corner|"
    r"nw corner|se corner|sw corner)\b"
    r"|^between\b.*\band\b",
    re.I,
)
UNIT_LABELS = frozenset({"OccupancyType", "OccupancyIdentifier", "SubaddressType", "SubaddressIdentifier"})
STREET_LABELS = frozenset({
    "StreetNamePreDirectional", "StreetNamePreModifier", "StreetNamePreType", "StreetName", "StreetNamePostType",
    "StreetNamePostDirectional",
})  # fmt: skip


@functools.cache
def _suffix_last() -> re.Pattern[str]:
    words = "|".join(sorted(us_suffixes(), key=len, reverse=True))
    return re.compile(rf"\s(?:{words})\.?(?:\s+{DIRECTION}){{0,2}}$", re.I)


@functools.cache
def _suffix_then_more() -> re.Pattern[str]:
    """The longest beginning that ends in a suffix that is none of the words cities start with, and what follows."""
    cities = {
        "fort",
        "ft",
        "mount",
        "mt",
        "port",
        "lake",
        "st",
        "point",
        "glen",
        "park",
        "spring",
        "union",
        "falls",
        "isle",
    }
    words = "|".join(sorted(set(us_suffixes()) - cities | {"st(?!\\.?\\s+\\S+\\s*$)"}, key=len, reverse=True))
    return re.compile(
        rf"^(?P<street>.+?\s(?:{words})\.?(?:\s+(?:N|S|E|W|NE|NW|SE|SW)\b\.?)?)[\s,]+(?P<more>\D.*)$", re.I
    )


def state_of(text: str) -> str | None:
    """The two-letter code of a state or possession, by code, name or old abbreviation."""
    folded = re.sub(r"\s+", " ", text.lower().strip(" ."))
    return (
        STATE_WORDS.get(folded)
        or STATE_WORDS.get(folded.replace(".", ""))
        or STATE_WORDS.get(re.sub(r"[.\s]", "", folded))
    )


def last_line(line: str) -> tuple[str, Parts] | None:
    """The text before state and ZIP code, and parts with both; None where the line does not end in them."""
    if found := LAST_LINE.search(line):
        parts = Parts(
            postal_code=found["zip"], postal_code_suffix=found["plus"] or "", region=state_of(found["state"]) or ""
        )
        return line[: found.start()].rstrip(" ,"), parts
    return None


def ends_in_state(pieces: list[str]) -> bool:
    """Whether pieces without country are surely American: state and ZIP code, or a state behind an American street.

    `WA` without ZIP code can be Western Australia.
    """
    if last_line(", ".join(pieces)):
        return True
    is_state = len(pieces) > 2 and pieces[-1] != "WA" and (pieces[-1] in STATE_CODES or pieces[-1].lower() in STATES)
    return is_state and any(_ends_as_street(piece) for piece in pieces[:-2])


def parse(pieces: list[str]) -> Parts:
    """The parts of an address whose pieces stood between commas or line breaks; an issue where there is none."""
    line = ", ".join(pieces)
    head, parts = _cut_last_line(line, len(pieces))
    pieces = [piece for piece in head.split(", ") if piece]
    if parts.postal_code or parts.region:
        pieces = _cut_city(pieces, parts)
    if not pieces:
        parts.issue = "no street"
        return parts
    _delivery(pieces, parts)
    return parts


def _cut_last_line(line: str, pieces: int) -> tuple[str, Parts]:
    if found := last_line(line):
        return found
    parts = Parts()
    if (
        pieces > 1
        and (found := ZIP_LAST.search(line))
        and not re.search(r"\b(?:box|unit|apt|#)\s*$", line[: found.start()], re.I)
    ):
        parts.postal_code, parts.postal_code_suffix = found["zip"], found["plus"] or ""
        line = line[: found.start()].rstrip(" ,")
    if found := STATE_LAST.search(line):
        written = found["state"]
        own_piece = found["comma"] is not None and pieces > 2
        coded = (
            pieces > 1
            and len(written) == 2
            and written.isupper()
            and re.search(r", *\D+$", line[: found.start()] + " ")
        )
        if pieces == 1 and len(written) == 2 and written.isupper():
            labels = [label for _, label in _labels(line)]
            coded = labels[-1:] == ["StateName"] and ("PlaceName" in labels or BOX.match(line))
        if own_piece or coded or (found["comma"] is not None and (len(written) == 2 or parts.postal_code)):
            parts.region = state_of(written) or ""
            line = line[: found.start()].rstrip(" ,")
    return line, parts


def _cut_city(pieces: list[str], parts: Parts) -> list[str]:
    """Take the city off the end: a piece of its own, or the words that usaddress calls a place."""
    if not pieces:
        return pieces
    last = pieces[-1]
    if found := MILITARY_CITY.search(last):
        parts.city = found[1]
        rest = last[: found.start()].strip(" ,")
        return [*pieces[:-1], rest] if rest else pieces[:-1]
    box = re.match(
        r"^((?:p\.?\s?o\.?|post office) (?:box|drawer) #?\s?[\w-]*\d[\w-]*|(?:rr|hc|rural route) \d+ box [\w-]+|"
        r"general delivery)\s+(.+)$",
        last,
        re.I,
    )
    if box and not re.search(r"\d", box[2]):
        parts.city = box[2]
        return [*pieces[:-1], box[1]]
    is_delivery = NUMBERED.match(last) or BOX.match(last) or UNIT_ONLY.match(last) or ROUTE_BOX.match(last)
    if len(pieces) > 1 and not is_delivery and not re.search(r"\d", last):
        parts.city = last
        return pieces[:-1]
    if len(pieces) == 1 and not re.search(r"\d", last):
        if not _suffix_last().search(last):
            parts.city = last
            return []
        return pieces
    street, city = _split_city(last, parts)
    parts.city = city
    return [*pieces[:-1], street] if street else pieces[:-1]


def _split_city(text: str, parts: Parts) -> tuple[str, str]:
    """`500 Main St Springfield` parted before its city, by usaddress, which sees the state and ZIP code too."""
    if BOX.match(text) or ROUTE_BOX.match(text) or MILITARY.match(text) or UNIT_ONLY.match(text):
        return text, ""
    if found := UNIT_THEN_CITY.match(text):
        return found["line"], found["city"]
    words = text.split()
    # Without the fraction of a house number, after which the library finds no street
    labelled = _labels(f"{re.sub(r' [0-9]/[0-9]+', '', text)}, {parts.region} {parts.postal_code}")
    places = [token.strip(",") for token, label in labelled if label == "PlaceName"]
    if places and words[-len(places) :] == places and len(places) < len(words):
        return _with_first_words(" ".join(words[: -len(places)]), places)
    if found := _suffix_then_more().match(text):
        more = UNIT_LAST.sub("", found["more"])
        if more == found["more"] and not re.search(r"\d", more):
            return found["street"], more
    return text, ""


def _with_first_words(street: str, places: list[str]) -> tuple[str, str]:
    """Street and city, with the words between them that the library gave to the wrong one."""
    is_street = UNIT_LAST.search(street) or _ends_as_street(street)
    if len(places) > 1 and (
        BEHIND_STREET.fullmatch(places[0]) or (places[0].lower() in ("st", "st.") and not is_street)
    ):
        street, places = f"{street} {places[0]}", places[1:]
    # `Main St Saint Louis`, `Oak Ave Fort Worth`, `King of Prussia`: the first words of a city
    first = re.match(r"^(.+\s\S+)\s+(st\.?|saint|ft\.?|fort|mt\.?|mount|lake|port|glen|new|\S+ of)$", street, re.I)
    if first and len(first[1].split()) > 2 and (UNIT_LAST.search(first[1]) or _ends_as_street(first[1])):
        return first[1], f"{first[2]} {' '.join(places)}"
    return street, " ".join(places)


def _ends_as_street(text: str) -> bool:
    found = NUMBERED.match(text)
    return bool(found) and _is_street(found["rest"])


def _labels(text: str) -> list[tuple[str, str]]:
    try:
        return [(token, label) for token, label in usaddress.parse(text)]
    except (ValueError, UnicodeError):
        return []


def _delivery(pieces: list[str], parts: Parts) -> None:
    """Find the delivery line (the last one that can be: Publication 28, 215), and read it and its units."""
    pieces = _joined_routes(pieces)
    units: dict[int, str] = {}
    chosen = -1
    for place, piece in enumerate(pieces):
        if _is_whole_box(piece) or (parts.city.upper() in MILITARY_CITIES and re.fullmatch(r"unit \d+", piece, re.I)):
            chosen = place
        elif UNIT_ONLY.match(piece):
            units[place] = piece
        elif SPANISH_BUILDING.match(piece) and (found := UNIT_LAST.search(piece)):
            units[place] = found["unit"]
        elif found := UNIT_FIRST.match(piece):
            chosen, units[place - 1], pieces[place] = place, found["unit"], found["rest"]
        elif NUMBERED.match(piece) and not ORDINAL.match(piece):
            is_better = chosen < 0 or _is_street(NUMBERED.match(piece)["rest"]) or is_recipient(pieces[chosen])
            chosen = place if is_better and not is_recipient(piece) else chosen
    if chosen < 0:
        chosen = _unnumbered(pieces, units, parts)
    if chosen < 0:
        return
    piece = pieces[chosen]
    if CORNER.match(piece):
        parts.issue = "an intersection"
        return
    if _is_whole_box(piece) or (parts.city.upper() in MILITARY_CITIES and UNIT_ONLY.match(piece)):
        parts.street = piece
        behind = UNIT_LAST.search(piece)
        if behind and ROUTE_BOX.fullmatch(piece[: behind.start()]):
            parts.street, parts.unit = piece[: behind.start()], behind["unit"]
    else:
        _read_street(piece, parts)
    found_units = [units[place] for place in sorted(units)]
    own = [parts.unit] if parts.unit else []
    before = [units[place] for place in sorted(units) if place < chosen]
    after = [unit for unit in found_units if unit not in before]
    parts.unit = " ".join([*own, *after, *before]) if own or after else " ".join(before)
    _trailing_city(pieces, chosen, units, parts)
    if not parts.street and not parts.issue:
        parts.issue = "no street"


def _is_whole_box(piece: str) -> bool:
    patterns = (BOX, ROUTE_BOX, BARE_ROUTE, MILITARY, GENERAL_DELIVERY)
    return any(pattern.match(piece) for pattern in patterns)


def _joined_routes(pieces: list[str]) -> list[str]:
    """`RR 5` and `Box 120`, or a street and its `N.W.`, as one piece where a comma parted them."""
    joined: list[str] = []
    for piece in pieces:
        if (
            joined
            and re.match(r"^(?:box|bx)\b", piece, re.I)
            and (BARE_ROUTE.match(joined[-1]) or re.match(r"(?:psc|cmr|unit)\s+\d+$", joined[-1], re.I))
        ):
            joined[-1] = f"{joined[-1]}, {piece}"
        elif joined and re.fullmatch(r"[NS]\.?\s?[EW]\.?|[NSEW]\.?", piece) and _suffix_last().search(joined[-1]):
            joined[-1] = f"{joined[-1]} {piece}"
        else:
            joined.append(piece)
    return joined


def _unnumbered(pieces: list[str], units: dict[int, str], parts: Parts) -> int:
    """The place of a street without house number, or of one behind other words; -1 with an issue if none."""
    open_places = [place for place in range(len(pieces)) if place not in units]
    for place in open_places:
        if CORNER.match(pieces[place]):
            parts.issue = "an intersection"
            return -1
    for place in reversed(open_places):
        piece = pieces[place]
        if REMARK.match(piece):
            continue
        inner = re.search(rf"\s(?P<line>(?:\d+[A-Z]?|\d+-\d+)\s+(?:{DIRECTION}\s+)?[^\W_].*)$", piece, re.I)
        if (
            inner
            and not re.match(r"\d", piece)
            and _is_street(UNIT_LAST.sub("", NUMBERED.sub(r"\g<rest>", inner["line"])))
        ):
            if _is_street(piece) and not is_recipient(piece) and HIGHWAY.match(piece):
                return place
            pieces[place] = inner["line"]
            return place
        if not is_recipient(piece) and (_is_street(UNIT_LAST.sub("", piece)) or HIGHWAY.match(piece)):
            return place
    parts.issue = "no street" if units and not open_places else "not understood"
    return -1


def _read_street(piece: str, parts: Parts) -> None:
    found = NUMBERED.match(piece)
    number, rest = (found["number"], found["rest"]) if found and not ORDINAL.match(piece) else ("", piece)
    rest = re.sub(r"\(([^)]*)\)", lambda remark: remark[1] if UNIT_ONLY.match(remark[1]) else "", rest)
    rest = re.sub(r"\s+", " ", rest).strip(" ,")
    units: list[str] = []
    while True:
        if HIGHWAY.match(rest) or LETTERED.match(rest):
            break
        peeled = UNIT_LAST.search(rest) or WEAK_LAST.search(rest)
        if not peeled or not rest[: peeled.start()].strip(" ,"):
            break
        ahead = rest[: peeled.start()]
        if peeled.re is WEAK_LAST and not _is_street(ahead) and not BEHIND_STREET.fullmatch(peeled["unit"]):
            break
        units.insert(0, peeled["unit"])
        rest = rest[: peeled.start()].strip(" ,-/")
    if (
        not units
        and (bare := re.match(r"^(?P<street>.+?)[\s,]+-?\s?(?P<unit>\d+[A-Z]?|[A-Z]\d+|[A-Z]-\d+)$", rest, re.I))
        and (
            _suffix_last().search(" " + bare["street"])
            and not HIGHWAY.match(rest)
            and not LETTERED.match(rest)
            and not GRID.match(rest)
            and not SPANISH.match(rest)
        )
    ):
        rest, units = bare["street"], [bare["unit"]]
    if not _is_street(rest):
        rest = _street_of_mixture(number, rest, parts)
    parts.house_number, parts.street = number, rest.strip(" ,-")
    parts.unit = " ".join(filter(None, (parts.unit, *units)))


def _is_street(text: str) -> bool:
    patterns = (HIGHWAY, GRID, SPANISH, LETTERED, WITHOUT_SUFFIX)
    return bool(_suffix_last().search(" " + text)) or any(pattern.match(text) for pattern in patterns)


def _street_of_mixture(number: str, rest: str, parts: Parts) -> str:
    """The street of a line with more behind it, by the labels of usaddress; the whole text where it sees no more."""
    labelled = _labels(f"{number} {rest}")
    words = [(token.strip(",;"), label) for token, label in labelled]
    street = [token for token, label in words if label in STREET_LABELS]
    others = [label for _, label in words if label not in STREET_LABELS and not label.startswith("AddressNumber")]
    if not street or not others or not _suffix_last().search(" " + " ".join(street)):
        return rest
    joined = " ".join(street)
    if not rest.startswith(joined):
        return rest
    place = " ".join(token for token, label in words if label == "PlaceName")
    if place and not parts.city and rest.endswith(place):
        parts.city = place
    unit = [token for token, label in words if label in UNIT_LABELS]
    if unit and not parts.unit and any(re.search(r"\d", token) for token in unit):
        parts.unit = " ".join(unit)
    return joined


def _trailing_city(pieces: list[str], chosen: int, units: dict[int, str], parts: Parts) -> None:
    """A cell without state and ZIP code may still end in its city."""
    if parts.city or parts.region or parts.postal_code:
        return
    last = len(pieces) - 1
    if last > chosen and last not in units and not re.search(r"\d", pieces[last]) and not is_recipient(pieces[last]):
        parts.city = pieces[last]
