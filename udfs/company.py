"""Company names: as written but tidy, and a key that two spellings of one company share."""

from __future__ import annotations

import functools
import re
import unicodedata

from udfs.legal_form import Atom, atoms, strip_forms, strip_unspaced_forms
from udfs.reference import is_placeholder, name_words, tidy, word_key

FIELDS = ("company_name", "company_key", "legal_form", "issue")

LONGEST = 300
_OTHER_NAME = re.compile(
    r"[\s,;(]+(?:t/a|trading\s+as|d/?b/?a|d\.b\.a\.|doing\s+business\s+as|c/o|f/?k/?a|formerly(?:\s+known\s+as)?|"
    r"a/?k/?a|also\s+known\s+as|operating\s+as|o/a|vormals|ehemals|vorm\.|attn\.?:?|z\.\s?hd\.?|care\s+of|"
    r"previously|now\s+known\s+as|nombre\s+comercial|sous\s+l['’]enseigne|h/o|handelend\s+onder(?:\s+de\s+naam)?)[\s:.]+",
    re.I,
)
_REMARK_PART = re.compile(r"\s*(?:\(([^()]*)\)|\[([^\[\]]*)\]|\*+([^*]+)\*+)\s*")
_DASHED = re.compile(r"\s+[-–—|]+\s*|\s*[-–—|]+\s+")
_CONTACT = re.compile(r"^\S+@\S+\.\S+$|^(?:https?://|www\.)\S+$", re.I)
# Words for "and" that are other words elsewhere ("en" in Spanish), so only before sons and partners.
_WEAK_CONNECTORS = frozenset(("en", "i", "ve", "ja", "a", "es", "si", "dan", "s"))


def clean_company(raw: str | None) -> dict[str, str | None]:
    """Tidy a company name and give its key; every field of `FIELDS` may be None.

    `company_name` is what was written in one line. `company_key` is readable lower case without legal form, case,
    accents, punctuation, a leading The, `&`/and, remarks and other names (t/a, dba, c/o); a hyphen parts words,
    an apostrophe does not, dotted or spaced initials are one word (`A. B. C.`: abc). `legal_form` is the usual
    spelling. `issue` says why nothing is given (placeholder, not a name) or what was cut (longer than 300 characters).
    """
    text = tidy(raw, LONGEST)
    issue = None
    if len(text) > LONGEST:
        text, issue = text[:LONGEST].rstrip(), "cut at 300 characters"
    name = _unquoted(text)
    if not name:
        return {**dict.fromkeys(FIELDS), "issue": "no letters" if raw and raw.strip() else None}
    if is_placeholder(name, "company"):
        return {**dict.fromkeys(FIELDS), "issue": "placeholder"}
    if not any(character.isalpha() for character in name) and not name.isdigit() or _CONTACT.match(name):
        return {**dict.fromkeys(FIELDS), "issue": "not a company name"}
    key, forms = _key(_legal_part(name))
    if not key:
        return {**dict.fromkeys(FIELDS), "issue": "no letters"}
    return {"company_name": name, "company_key": key, "legal_form": " ".join(forms) or None, "issue": issue}


def _unquoted(text: str) -> str:
    text = text.strip(" ,;:*|_#~^=<>\\")
    pairs = (('"', '"'), ("'", "'"), ("“", "”"), ("„", "“"), ("«", "»"), ("‘", "’"), ("[", "]"))
    for left, right in pairs:
        if len(text) > 2 and text.startswith(left) and text.endswith(right) and text.count(left) <= 2:
            text = text[1:-1].strip()
    return text.lstrip(" -–—.,").rstrip(" -–—,")


def _legal_part(name: str) -> str:
    """The registered name alone: without remarks and without what it trades as."""
    head = _OTHER_NAME.split(" " + name + " ")
    name = next((part for part in head if part.strip(" .,()")), name).strip()
    remarks = name_words("remark")

    def without_remark(match: re.Match[str]) -> str:
        inside = next(group for group in match.groups() if group is not None)
        return " " if word_key(inside) in remarks else match.group()

    name = _REMARK_PART.sub(without_remark, name).strip()
    parts = _DASHED.split(name)
    if len(parts) > 1:
        kept = [part for part in parts if word_key(part) not in remarks]
        if kept and len(kept) < len(parts):
            name = " - ".join(kept)
    return name.strip(" *!") or name


def _key(name: str) -> tuple[str, list[str]]:
    words, forms = strip_forms(atoms(name))
    if len(words) > 1 and words[0].key == "the" and not words[1].is_connector:
        words = words[1:]
    if len(words) > 1 and words[-1].key == "the":  # Dow Chemical Company (The)
        words = words[:-1]
    key = _joined(words)
    key, more = strip_unspaced_forms(_bracketed_forms(name, key))
    return key, more + forms


def _bracketed_forms(name: str, key: str) -> str:
    """(株) and (주) lose their brackets among the words; they come back so that they are found as forms."""
    found = re.search(r"\((株|有|同|資|名|주|유|사|재)\)", name)
    if not found:
        return key
    letter = found.group(1)
    pieces = [piece.strip() for piece in name.split(found.group(), 1)]
    cut = " ".join(piece for piece in pieces if piece)
    return (_joined(strip_forms(atoms(cut))[0]) + f"({letter})") if cut else key


def _joined(words: list[Atom]) -> str:
    kept: list[str] = []
    initials = False
    for at, word in enumerate(words):
        if 0 < at < len(words) - 1 and _does_not_count(words, at):
            initials = False
            continue
        joins = initials and _continues_initials(word)
        if joins or (kept and _no_space_between(kept[-1][-1], word)):
            kept[-1] += word.key
        elif word.key:
            kept.append(word.key)
        initials = joins or (len(word.key) == 1 and word.key.isalpha())
    return unicodedata.normalize("NFC", " ".join(kept).replace("&", "").replace("+", "").strip())


def _does_not_count(words: list[Atom], at: int) -> bool:
    word = words[at]
    if word.is_connector and (word.key in "&+" or word.before.endswith(" ")):
        return True
    if word.key in ("y", "e") and word.raw.isupper() and min(len(words[at - 1].key), len(words[at + 1].key)) > 2:
        return not any(character.islower() for other in words for character in other.raw)
    return word.key in _WEAK_CONNECTORS and words[at + 1].key in name_words("firm_relation")


def _continues_initials(word: Atom) -> bool:
    if len(word.key) == 1:
        return word.key.isalpha() and word.before in (".", ". ", " ")
    return word.before == "." and (word.raw.islower() or (len(word.key) == 2 and word.raw.isupper()))  # F.lli, E.ON


def _no_space_between(last: str, word: Atom) -> bool:
    return _is_unspaced(last) and bool(word.key) and _is_unspaced(word.key[0])


@functools.lru_cache(maxsize=4096)
def _is_unspaced(character: str) -> bool:
    return "\u3040" <= character <= "\u30ff" or "\u3400" <= character <= "\u9fff"
