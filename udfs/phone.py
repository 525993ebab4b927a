"""Phone numbers, decided by `phonenumbers`; around it, what a cell of a customer list has besides one number.

A cell is cut into candidate numbers with their extensions (`_candidates`), and each candidate is read in the ways
that its plan allows (`phone_number`): the first reading in use wins. Nothing is composed from two numbers, but for
an alternate ending ("030 1234567/68"), which replaces the last digits of the number before it.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from urllib.parse import unquote

import phonenumbers
from phonenumbers import PhoneNumberType

from udfs.lists import read_words
from udfs.phone_number import SHORTEST_NUMBER, Reading, has_trunk_prefix, read_number

FIELDS = (
    "e164", "extension", "phone_type", "match_key", "issue", "second_e164", "second_extension", "second_type",
)  # fmt: skip


LONGEST_CELL = 300  # characters; what is longer is a text with a number in it, not a number
LONGEST_ENDING = 4  # digits that are always an alternate ending of the number before
NANP_LENGTH = 10
SPELLED_TYPES = {
    PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.UAN,
}  # fmt: skip

PLAIN = re.compile(r"\+?[\d(][\d ()-]{5,22}\d")
WHOLE_FLOAT = re.compile(r"(\+?-?\d{5,15})[.,]0+")
GROUPED = re.compile(r"\d{1,3}(?:,\d{3}){2,4}(?:\.0+)?")
SCIENTIFIC = re.compile(r"\+?\d[.,]?\d*[eE]\+?\d{1,2}")
URI = re.compile(r"^(?:tel|callto|sip|sips|sms|fax|skype|whatsapp)\s*:\s*/*(?:send\?phone=)?(?=[\d+(%])", re.I)
WHATSAPP_LINK = re.compile(
    r"^(?:https?://)?(?:wa\.me/|(?:api\.whatsapp\.com/|whatsapp://)send/?\?phone=)\+?(?=\d{8})", re.I
)
CARRIER_PLACEHOLDER = re.compile(r"(?<![a-z\d])0\s*-?xx\s*-?", re.I)
# Clock times, ordinals and list numbers: digits of remarks, which would else glue to the number beside them.
REMARK_DIGITS = re.compile(
    r"\(?\b\d{1,2}(?:[:.h]\d{2})?\s*(?:-|to|until|bis)\s*\d{1,2}(?:[:.h]\d{2})?\s*(?:[ap]\.?m\b\.?|uhr\b|hrs?\b|h\b)\)?"
    r"|\b\d{1,2}(?:[:.h]\d{2})?\s*(?:[ap]\.?m\b\.?|uhr\b|hrs?\b|hours\b|heures\b|horas\b|h\b|o'clock\b)"
    r"|(?<![\d:])\d{1,2}:\d{2}(?![\d:])|"
    r"\b24\s*/\s*7\b|\b\d{1,2}(?:st|nd|rd|th)\b|(?:(?<=\d)|(?<=\d ))\(\d{1,2}\s*-\s*\d{1,2}\)"
    r"|(?:(?<=^)|(?<=\s))\d\)(?=\s*[+(\d])",
    re.I,
)
OFFICE_HOURS = re.compile(r"\s(?:[01]?\d|2[0-4])\s?-\s?(?:[01]?\d|2[0-4])$")
# Dates, amounts, coordinates and web addresses: digits enough for the longest plans, and no number.
NO_PHONE = re.compile(
    r"(?:19|20)\d{2}([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?:[T ].*)?"
    r"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:19|20)\d{2}(?: .*)?"
    r"|-?\d{1,3}(?:,\d{3})+\.\d{1,2}|-?\d{1,3}(?:\.\d{3})+,\d{1,2}|-?\d{1,7}\.\d{2}"
    r"|-?\d{1,3}\.\d{4,}\s*[,;]\s*-?\d{1,3}\.\d{4,}"
    r"|(?:https?://|www\.)(?!wa\.me|api\.whatsapp).*|(?!sips?:)[^\s@]+@[^\s@]+\.[a-z]{2,}",
    re.I | re.S,
)
VANITY = re.compile(r"[^\w+(]*(\+?1?[\s.-]*\(?\d{2,4}\)?[\s.-]*(?:\d{1,4}[\s.-]*)?)([a-z][a-z\d .-]*?)[\s.!?]*", re.I)


@dataclass
class Candidate:
    """A run of phone characters, what joined it to the one before it, and the extension behind it."""

    text: str
    joined_by: str | None  # "/", "-", "separator", or None when anything else stood between
    extension: str | None = None

    @property
    def digits(self) -> str:
        return re.sub(r"\D", "", self.text)


def parse_phone(raw: str | None, region: str | None) -> dict[str, str | None]:
    """Parse a phone as typed. `region` is ISO alpha-2 and decides numbers without a country code.

    Returns the fields of `FIELDS`: `e164` with `+`, only when the number is valid; `extension` as dialled;
    `phone_type` fixed, mobile, toll_free or unknown; `match_key`, the same as e164, or the form of a merely
    possible number (evidence for matching, never shown); `issue`, why e164 is empty; `second_*`, the next
    valid number in the cell. Never raises.
    """
    if raw is None or not raw.strip():
        return dict.fromkeys(FIELDS)
    if len(raw) > LONGEST_CELL:
        return _empty("too long for a phone number")
    region = _region(region)
    if PLAIN.fullmatch(raw) and not NO_PHONE.fullmatch(raw):
        reading = read_number(raw, region)
        if reading.e164:
            return _answer([(reading, None)])
    if NO_PHONE.fullmatch(raw.strip()):
        return _empty("not a phone number")
    text, issue = _unwrap(raw)
    if issue:
        return _empty(issue)
    candidates = _candidates(text)
    found, problem = _first_two(candidates, region)
    if not found:
        found = _otherwise_cut(text, region)
    if not found and (reading := _spelled(text, region)):
        extension = next((c.extension for c in candidates if c.extension), None)
        found = [(reading, extension)]
    if found:
        return _answer(found)
    if problem is None:
        return _empty("not a phone number")
    return {**_empty(problem.issue or "not a phone number"), "match_key": problem.possible}


def _otherwise_cut(text: str, region: str | None) -> list[tuple[Reading, str | None]]:
    """The cell cut at dashes between blanks, when each part has a number; or its slashes taken for blanks."""
    parts = re.split(r"\s[-–]\s", text)
    if len(parts) > 1:
        firsts = [_first_two(_candidates(part), region)[0] for part in parts]
        if all(firsts):
            return [first[0] for first in firsts if first[0][0].e164 != firsts[0][0][0].e164 or first is firsts[0]][:2]
    if re.fullmatch(r"\+?[\d\s()./-]+", text) and "/" in text:
        return _first_two([Candidate(text.replace("/", " "), None)], region)[0]
    return []


def _answer(found: list[tuple[Reading, str | None]]) -> dict[str, str | None]:
    (first, extension), (second, second_extension) = (*found, (None, None))[:2]
    return {
        "e164": first.e164,
        "extension": extension,
        "phone_type": first.phone_type,
        "match_key": first.e164,
        "issue": None,
        "second_e164": second.e164 if second else None,
        "second_extension": second_extension,
        "second_type": second.phone_type if second else None,
    }


def _empty(issue: str) -> dict[str, str | None]:
    return {**dict.fromkeys(FIELDS), "issue": issue}


def _region(region: str | None) -> str | None:
    code = (region or "").strip().upper()
    code = "GB" if code == "UK" else code
    return code if code in phonenumbers.SUPPORTED_REGIONS else None


# ---------- the cell


def _unwrap(raw: str) -> tuple[str, str | None]:
    """The cell in plain ASCII digits and without the wrapping of URIs and spreadsheets, or the issue with it."""
    text = unicodedata.normalize("NFKC", raw)
    text = "".join(_plain_character(character) for character in text).strip()
    text = re.sub(r"^=?[\"']+|[\"']+$", "", text).strip()
    if SCIENTIFIC.fullmatch(text):
        return _without_exponent(text)
    if whole := WHOLE_FLOAT.fullmatch(text):
        return whole.group(1), None
    if GROUPED.fullmatch(text):
        return re.sub(r",|\..*", "", text), None
    if link := WHATSAPP_LINK.match(text):
        return "+" + re.sub(r"\D.*", "", text[link.end() :]), None
    if uri := URI.match(text):
        return _of_uri(unquote(text[uri.end() :])), None
    text = re.sub(r"[\[{]", "(", re.sub(r"[\]}]", ")", text))
    return CARRIER_PLACEHOLDER.sub("0", text), None


def _plain_character(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else "\n" if character in "\n\r\v\f" else " "
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category == "Pd" or character == "\u2212":
        return "-"
    if category in ("Cf", "Cs", "Co", "Cc", "Cn"):
        return "\n" if character == "\x85" else ""
    return (
        " " if character.isspace() else {"、": ",", "،": ",", "؛": ";", "・": ".", "·": "."}.get(character, character)
    )


def _without_exponent(text: str) -> tuple[str, str | None]:
    try:
        value = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return "", "not a phone number"
    mantissa = re.sub(r"\D", "", re.split("[eE]", text)[0])
    if value != value.to_integral_value() or len(mantissa) < len(f"{value:f}"):
        return "", "digits lost in a spreadsheet"
    return f"{value:f}", None


def _of_uri(text: str) -> str:
    number, *parameters = text.split(";")
    number = re.split(r"[@?]", number)[0]
    named = dict(parameter.partition("=")[::2] for parameter in parameters)
    context = named.get("phone-context", "")
    if context.startswith("+") and not number.startswith("+"):
        number = f"{context} {number}"
    return f"{number} ext {named['ext']}" if named.get("ext") else number


@functools.cache
def _words() -> dict[str, frozenset[str]]:
    meanings: dict[str, set[str]] = {}
    for row in read_words("phone_words"):
        meanings.setdefault(row["meaning"], set()).add(row["word"])
    return {meaning: frozenset(words) for meaning, words in meanings.items()}


@functools.cache
def _known_words() -> frozenset[str]:
    return frozenset().union(*(_words()[meaning] for meaning in ("label", "extension", "separator")))


@functools.cache
def _tokens() -> re.Pattern[str]:
    def any_of(meaning: str) -> str:
        return "|".join(re.escape(word) for word in sorted(_words()[meaning], key=len, reverse=True))

    whole = r"(?<![^\W\d_])(?:{})(?![^\W\d_])"
    postfix = "|".join(re.escape(word) for word in _words()["extension"] if len(word) > 3)
    numbered = r"\.?\s*(?:no|nr|n|num|number)?[.°º]?\s*[:=.-]?\s*"
    return re.compile(
        rf"(?P<extension>(?:{whole.format(any_of('extension'))}{numbered}|\#\s*|(?<=\d)(?:,|,,+\s?)(?=\d{{1,6}}\#?\s*$)|"
        rf"(?<=\d)\s*[pw](?=\d{{1,6}}\s*$))(?P<dialled>\d{{1,7}})\#?(?:(?=-\d{{1,5}}\s*\)?$)|(?!\d|[ -]?\d{{3}})))"
        rf"|(?<![\d .-]) *(?P<postfixed>\d{{1,5}})(?:-?[a-z]{{2}})?\s*(?:{postfix})\b(?![\s.:]*\d)"
        r"|(?P<number>[(+ ]*\d(?:[\d ).~-]|\((?=[\d .+/-]*\))|(?<=\d)/(?=\d{1,3}-))*)"
        rf"|(?P<separator>[;|&\n]|{whole.format(any_of('separator'))}\.?(?=[\s(+]|(?<=[^\x00-\u024f])))"
        r"|(?P<slash>/)"
        r"|(?P<comma>,)"
        rf"|(?P<other>{whole.format(any_of('other number'))})"
        r"|(?P<word>[^\W\d_]+\.?)"
        r"|(?P<rest>\S)",
        re.I,
    )


def _candidates(text: str) -> list[Candidate]:
    """Cut a cell into candidate numbers, the digits of remarks and other numbers left out."""
    text = REMARK_DIGITS.sub(" @ ", text)
    candidates: list[Candidate] = []
    joined_by: str | None = None
    waiting: str | None = None  # an extension that stands before its number
    last_kind = "separator"
    skip_next = False
    for token in _tokens().finditer(text):
        kind = {"dialled": "extension", "postfixed": "extension"}.get(token.lastgroup, token.lastgroup)
        if kind == "extension":
            is_short = len(re.match(r"[^\W\d_]*", token.group()).group()) in (1, 2) and token.group()[0].isascii()
            dialled = token.group("dialled") or token.group("postfixed")
            if not candidates:
                waiting = dialled
            elif candidates[-1].extension is None and not (is_short and last_kind == "word"):
                candidates[-1].extension = dialled
        elif kind == "number":
            number = token.group().strip()
            if skip_next or _is_part_of_a_code(text, token.start()):
                skip_next = False
            elif candidates and last_kind == "number" and re.fullmatch(r"\+\d{1,4}", number):
                candidates.append(Candidate(number[1:], "slash"))  # "2034567+68"
            elif candidates and last_kind in ("slash", "comma") and _is_unfinished(candidates[-1]):
                candidates[-1].text += " " + number
            else:
                candidates.append(Candidate(number, joined_by, waiting))
                waiting = None
            joined_by = None
        elif kind in ("slash", "comma", "separator"):
            joined_by = kind if last_kind in ("number", "extension") else joined_by
        elif kind == "rest" and token.group() == "-" and last_kind in ("slash", "comma"):
            joined_by = "dash"
        elif kind == "other":
            skip_next, joined_by = True, None
        elif kind == "word":
            joined_by = None
        if kind != "rest" or token.group() not in ").-":
            last_kind = kind
    return candidates


def _is_part_of_a_code(text: str, start: int) -> bool:
    """Whether the digits stand right behind letters that are no label: "NL91ABNA0417164300", "A1234567"."""
    if text[start] in "(+ ":
        return False
    letters = re.search(r"[A-Za-z]+$", text[:start])
    return letters is not None and letters.group().lower() not in _known_words()


def _is_unfinished(candidate: Candidate) -> bool:
    """Whether the digits so far can only be an area code ("0711/", "+49 (0)7031/")."""
    digits = candidate.digits
    if candidate.text.startswith(("+", "00")):
        return len(digits) < 8
    return len(digits) < 6


def _first_two(
    candidates: list[Candidate], region: str | None
) -> tuple[list[tuple[Reading, str | None]], Reading | None]:
    """The first two different numbers in use, and else the most telling problem."""
    found: list[tuple[Reading, str | None]] = []
    problem: Reading | None = None
    previous: Candidate | None = None
    for candidate in candidates:
        before, previous = previous, None
        for text, reading in _readings_of(candidate, before, region):
            if not reading.e164:
                if problem is None or (reading.possible and not problem.possible):
                    problem = reading
                continue
            if all(reading.e164 != known.e164 for known, _ in found):
                found.append((reading, candidate.extension))
            previous = Candidate(text, None, candidate.extension)
        if len(found) > 1:
            break
    return found[:2], problem


def _readings_of(candidate: Candidate, previous: Candidate | None, region: str | None) -> Iterator[tuple[str, Reading]]:
    """The readings of one run: as an ending of `previous` where it is one, as a number, as two by a blank."""
    length = len(candidate.digits)
    is_ending = length <= LONGEST_ENDING or not candidate.text.startswith(("+", "0", "("))
    if previous is not None and candidate.joined_by and is_ending:
        if candidate.joined_by == "dash":
            yield from _with_ending(previous.text.rpartition("-")[0] or previous.text, candidate.text, region)
            return
        if previous.extension and length <= LONGEST_ENDING:
            return  # "ext. 33 or 34": another extension
        if (
            length <= LONGEST_ENDING
            and candidate.joined_by == "comma"
            and length != len(re.split(r"\D+", previous.text)[-1])
        ):
            return  # ", 45" may be anything
        if length <= LONGEST_ENDING:
            yield from _with_ending(re.sub(r"[^\d+]", "", previous.text)[:-length], candidate.digits, region)
            return
        if length < len(previous.digits) - 1 and has_trunk_prefix(region):
            yield from _in_the_same_area(previous.text, candidate.digits, region)
            return
    if length < SHORTEST_NUMBER:
        return
    reading = read_number(candidate.text, region)
    if reading.e164 is None and (hours := OFFICE_HOURS.search(candidate.text)):
        reading = read_number(candidate.text[: hours.start()], region)
    if reading.e164 is None and length >= 14 and (halves := _halves(candidate.text, region)):
        yield from halves
        return
    yield candidate.text, reading


def _with_ending(kept: str, ending: str, region: str | None) -> Iterator[tuple[str, Reading]]:
    yield kept + ending, read_number(kept + ending, region)


def _in_the_same_area(text: str, local: str, region: str | None) -> Iterator[tuple[str, Reading]]:
    """A local number behind a whole one takes its area code, where the writing of `text` shows which that is."""
    groups = [boundary.end() for boundary in re.finditer(r"\d\D+(?=\d)", text)]
    if not groups and len(local) == 7 and len(text) >= NANP_LENGTH:
        groups = [len(text) - 7]
    for end in groups:
        replaced = len(re.sub(r"\D", "", text[end:]))
        if abs(replaced - len(local)) < 2 and (reading := read_number(text[:end] + local, region)).e164:
            yield text[:end] + local, reading
            return


def _halves(text: str, region: str | None) -> list[tuple[str, Reading]] | None:
    """Two numbers that stand side by side: the one cut at a blank with a number in use on both sides."""
    cuts = []
    for blank in re.finditer(r"[\s-]+(?=[+0(1-9])", text):
        left, right = text[: blank.start()].strip(" -"), text[blank.end() :].strip(" -")
        if min(len(re.sub(r"\D", "", side)) for side in (left, right)) < 7:
            continue
        readings = [(left, read_number(left, region)), (right, read_number(right, region))]
        if all(reading.e164 for _, reading in readings):
            cuts.append(readings)
    return cuts[0] if len(cuts) == 1 else None


def _spelled(text: str, region: str | None) -> Reading | None:
    """A number with letters ("1-800-FLOWERS"), by the keypad of ITU-T E.161; letters beyond its length are cut."""
    text = re.sub(r"\s*\b(?:ext|extension|x)\b\.?\s*\d{1,7}$", "", text, flags=re.I)
    found = VANITY.fullmatch(text)
    if not found or sum(character.isalpha() for character in found.group(2)) < 3:
        return None
    digits = re.sub(r"[^\d+]", "", phonenumbers.convert_alpha_characters_in_number("".join(found.groups())))
    is_nanp = region in ("US", "CA") or digits.startswith("+1")
    if is_nanp and " " not in found.group(2).strip():
        digits = re.sub(r"^(\+?1?)(?=[2-9])", "", digits)[:NANP_LENGTH]
        digits = "+1" + digits
    reading = read_number(digits, region)
    if not reading.e164:
        return None
    is_spelled = is_nanp or phonenumbers.number_type(phonenumbers.parse(reading.e164)) in SPELLED_TYPES
    return reading if is_spelled else None
