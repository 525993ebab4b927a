"""Names written in one column: first what kind of thing it names, then, for a person, its parts."""

from __future__ import annotations

import re

FIELDS = ("person_kind", "given_name", "middle_name", "family_name", "name_suffix")

PLACEHOLDERS = {
    "",
    "test",
    "n/a",
    "na",
    "none",
    "null",
    "unknown",
    "-",
    ".",
    "tbd",
    "xxx",
    "customer",
    "no name",
}
LEGAL_FORM = re.compile(
    r"(?:^|[\s,(])(?:inc|llc|l\.l\.c|ltd|limited|corp|corporation|co|company|plc|llp|gmbh|mbh|ag|kg|ohg|ug|e\.?k|"
    r"s\.?a\.?r\.?l|sarl|s\.?a\.?s|sas|s\.?a|s\.?l|s\.?r\.?l|s\.?p\.?a|b\.?v|n\.?v|oy|ab|a/s|aps|as|pty|k\.k|sdn bhd|"
    r"s\.?a\.? de c\.?v|group|holdings?|associates|partners|bank|university|stiftung|e\.v)\.?(?:$|[\s,)])",
    re.I,
)
COMPANY_WORD = re.compile(r"\b(?:and sons|& sons|et fils|systems|solutions|services|industries|logistics)\b", re.I)
ROLE = re.compile(
    r"^(?:the\s+)?(?:accounts?(?: payable| receivable)?|sales|info|support|office|billing|admin|reception|"
    r"purchasing|team|help ?desk|customer (?:service|care)|front desk|buchhaltung|einkauf|vertrieb)$",
    re.I,
)
COUPLE = re.compile(r"\s(?:&|and|und|et|y)\s", re.I)
TITLE = re.compile(
    r"^(?:mr|mrs|ms|miss|mx|dr|prof|sir|herr|frau|m|mme|mlle|monsieur|madame|sr|sra|srta|señora?|dhr|mevr|drs|ing)\.?$",
    re.I,
)
SUFFIX = {"jr": "Jr", "sr": "Sr", "ii": "II", "iii": "III", "iv": "IV", "junior": "Jr", "senior": "Sr"}
CREDENTIAL = re.compile(r"^(?:phd|md|mba|cpa|esq|dds|rn|msc|bsc|dvm)\.?$", re.I)
PARTICLES = {"van", "von", "de", "der", "den", "del", "della", "di", "da", "dos", "du", "la", "le", "bin", "al", "el",
             "ter", "ten", "zu", "vom", "st", "mac", "y"}  # fmt: skip


def parse_person_name(raw: str | None) -> dict[str, str | None]:
    """Split a full name. `person_kind` is person, company, couple, role or unknown; only a person has parts.

    Understands `Family, Given`, titles, suffixes, credentials, nicknames in quotes or brackets, particles.
    """
    text = re.sub(r"\s+", " ", (raw or "").strip())
    if text.casefold() in PLACEHOLDERS:
        return {**dict.fromkeys(FIELDS), "person_kind": "unknown"}
    if ROLE.match(text):
        return {**dict.fromkeys(FIELDS), "person_kind": "role"}
    if LEGAL_FORM.search(text) and not SUFFIX.get(text.split()[-1].strip(".").casefold()) or COMPANY_WORD.search(text):
        return {**dict.fromkeys(FIELDS), "person_kind": "company"}
    if COUPLE.search(text):
        return {**dict.fromkeys(FIELDS), "person_kind": "couple"}
    text = re.sub(r"[\"“”(\[][^\"“”)\]]*[\"“”)\]]", " ", text)
    return {"person_kind": "person", **_split(text)}


def _split(text: str) -> dict[str, str | None]:
    head, _, tail = text.partition(",")
    tail_words = tail.split()
    suffix = None
    if tail_words and all(_suffix(word) or CREDENTIAL.match(word) for word in tail_words):
        suffix = next((_suffix(word) for word in tail_words if _suffix(word)), None)
        tail_words = []
    head_words = [word for word in head.split() if not TITLE.match(word) and not CREDENTIAL.match(word)]
    if len(head_words) > 1 and _suffix(head_words[-1]):
        suffix = _suffix(head_words.pop())
    if tail_words:  # Family, Given Middle
        given = [word for word in tail_words if not TITLE.match(word) and not CREDENTIAL.match(word)]
        if given and _suffix(given[-1]):
            suffix = _suffix(given.pop())
        return _parts(given, head_words, suffix)
    if len(head_words) == 1:
        return _parts([], head_words, suffix) if text.strip() != head_words[0] else _parts(head_words, [], suffix)
    start = max(1, len(head_words) - 1)
    while start > 1 and head_words[start - 1].casefold().rstrip(".") in PARTICLES:
        start -= 1
    return _parts(head_words[:start], head_words[start:], suffix)


def _suffix(word: str) -> str | None:
    return SUFFIX.get(word.strip(".,").casefold())


def _parts(given: list[str], family: list[str], suffix: str | None) -> dict[str, str | None]:
    return {
        "given_name": given[0] if given else None,
        "middle_name": " ".join(given[1:]) or None,
        "family_name": " ".join(family) or None,
        "name_suffix": suffix,
    }
