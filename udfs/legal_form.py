"""Legal forms of companies (Inc., GmbH & Co. KG, 株式会社), found at the ends of a name and never inside its words."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

from udfs.lists import read_seed
from udfs.reference import name_words

# Marks of Indic, Thai, Arabic, Hebrew script and of kana belong to the word, though Python's \w leaves them out.
_LETTER = r"(?:[^\W_]|[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e\u0eb1-\u0ecd\u3099\u309a])"
_ATOM = re.compile(rf"{_LETTER}+(?:['’]{_LETTER}+)*|[&+]")
_HEBREW_QUOTE = re.compile("(?<=[א-ת])[\"״׳'](?=[א-ת])")
_CYRILLIC = re.compile("[\u0400-\u052f]")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SPECIAL = str.maketrans(
    {
        "ß": "ss",
        "ø": "o",
        "æ": "ae",
        "ł": "l",
        "ı": "i",
        "œ": "oe",
        "þ": "th",
        "ð": "d",
        "đ": "d",
        "ħ": "h",
        "’": "",
        "'": "",
    }
)
CONNECTORS = frozenset(("&", "+", "and", "und", "et", "og", "och", "ve", "и", "та", "και", "و"))
LOWER_CONNECTORS = frozenset(("y", "e", "u"))  # a letter of a name as well, so only in small letters
LONGEST_FORM = 10
# Forms that companies also write as a word (Bianchi Sas), which in a person's name would be a name.
WITH_ONE_CAPITAL = frozenset(
    ("SAS", "S.A.S.", "S.a.s.", "SRL", "S.R.L.", "S.r.l.", "S.A.U.", "S.L.U.", "S.A.C.", "ASA", "SIA", "SNC", "S.n.c.")
    + ("d.o.o.", "d.d.", "S.A.A.", "v.o.s.", "Bt.", "hf.", "Tmi", "Kkt.", "Cyf", "Sh.a.")
)
# After a form spelled out they make it a part of the name: Société Anonyme des Bains de Mer.
_PREPOSITIONS = frozenset(("de", "des", "du", "of", "für", "fur", "di", "del", "dei", "da", "do", "for"))
_SPAS = frozenset(
    ("day", "nail", "beauty", "health", "pet", "med", "hair", "wellness", "salon", "massage", "and", "&", "skin")
)
# Forms that are no word of any language, so that they count within a name too.
BEFORE_THE_SEAT = frozenset(
    ("GmbH", "GmbH & Co. KG", "d.o.o.", "s.r.o.", "LLC", "Ltd", "Pty Ltd", "Pte Ltd", "Sdn Bhd", "Kft.", "Zrt.")
    + ("Sp. z o.o.", "ApS", "д.о.о.", "UAB", "OÜ", "S.A. de C.V.", "Ltda", "Lda", "SARL", "Ltd. Şti.", "Inc.")
)
# Names that have a form at both ends; elsewhere a form at the back makes what looks like one in front a part of the
# name (SAS Institute Inc., AB InBev NV).
ALSO_AT_THE_BACK = {
    "Oy": ("Ab", "AB"),
    "AB": ("Oy",),
    "Ab": ("Oy",),
    "PT": ("Tbk", "(Persero) Tbk", "(Persero)"),
    "S.C.": ("SRL", "SA", "S.r.l.", "S.R.L.", "S.A."),
    "شركة": (
        "ش.م.م",
        "ذ.م.م",
        "ش.م.ع",
        "ش.م.ك",
        "ش.م.ل",
        "ش.م.ب",
        "ش.م.ق",
        "ش.ذ.م.م",
        "ش.م.ع.ع",
        "المحدودة",
        "شركة مساهمة",
    ),
}


@dataclass(frozen=True)
class Atom:
    """A word of a company name: as written, its comparable `key`, and what was written before it."""

    raw: str
    key: str
    before: str

    @property
    def is_connector(self) -> bool:
        return self.key in CONNECTORS or (self.key in LOWER_CONNECTORS and self.raw == self.key)


@dataclass(frozen=True)
class _Form:
    canonical: str
    words: tuple[str, ...]
    letters: str
    position: str
    written: str
    dotted: bool = False

    def bounds(self) -> set[int]:
        return _bounds(self.words)


def comparable(word: str) -> str:
    """A word in the form in which two spellings are the same: lower case, ligatures and accents resolved."""
    if word.isascii():
        return word.lower().replace("'", "")
    word = unicodedata.normalize("NFC", word).replace("İ", "i").lower()
    if _CYRILLIC.search(word):  # й and ї are letters of their own, though Unicode takes them for accented ones
        return word.replace("ё", "е").translate(_SPECIAL)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", word))).translate(_SPECIAL)


def atoms(text: str) -> list[Atom]:
    """The words of `text`, connectors included; dots and hyphens part words."""
    found, end = [], 0
    text = _HEBREW_QUOTE.sub("", text)
    for match in _ATOM.finditer(text):
        key = unicodedata.normalize("NFC", comparable(match.group()))
        found.append(Atom(match.group(), key, text[end : match.start()]))
        end = match.end()
    return found


def strip_forms(words: list[Atom], *, strict: bool = False) -> tuple[list[Atom], list[str]]:
    """`words` without the legal forms at the back, before a bracket, comma or dash, else at the front.

    Returns the words that remain (never none) and the forms in their usual spelling, as they followed each other.
    `strict`: `words` may be a person's name, so that short forms count only as they are usually spelled.
    """
    given, forms = words, list[str]()
    end_of_part = [at for at in range(len(words) - 1, 0, -1) if re.search(r"[(,\[]|\s[-–—/|]", words[at].before)]
    for end in [len(words), *end_of_part]:
        while (size := _match_back(words, min(end, len(words)), forms, strict)) and len(words) > size:
            end = min(end, len(words))
            words = words[: end - size] + words[end:]
            end -= size
    words = _without_middle(words, forms)
    size, form = _match_front(words)
    if form and (not forms or form == "Firma" or forms[0] in ALSO_AT_THE_BACK.get(form, ())):
        words, forms = words[size:], [form, *forms]
    while len(words) > 1 and forms and words[-1].is_connector:
        words = words[:-1]
    if forms and _is_sure_form(words):
        return given, []  # Co., Ltd.: nothing but forms
    return words, forms


def strip_unspaced_forms(key: str) -> tuple[str, list[str]]:
    """Chinese, Japanese, Korean and Thai names write their form without a space: cut from both ends of `key`."""
    forms: list[str] = []
    if not _UNSPACED.search(key):
        return key, forms
    for spelled, form in _unspaced():
        if f" {spelled} " in key:
            key = key.replace(f" {spelled} ", " ", 1)
            forms.append(form.canonical)
    again = True
    while again:
        again = False
        for spelled, form in _unspaced():
            for cut in (key.removesuffix(spelled), key.removeprefix(spelled)):
                if cut != key and len(cut.strip(" ()")) > 0 and not again:
                    key, again = cut.strip(), True
                    forms.append(form.canonical)
    return key, forms


def has_legal_form(text: str) -> bool:
    """Whether `text` is a company by its form."""
    words = atoms(text)
    if not _may_have_form(words):
        return False
    if strip_forms(words, strict=True)[1]:
        return True
    return bool(strip_unspaced_forms(unicodedata.normalize("NFC", text))[1])


def _may_have_form(words: list[Atom]) -> bool:
    known = _letters_in_forms()
    return any(word.key in known or len(word.key) == 1 or not word.key.isascii() for word in words)


@functools.cache
def _forms() -> dict[str, tuple[_Form, ...]]:
    """Forms by their letters without spaces: `gmbh&cokg`."""
    table: dict[str, list[_Form]] = {}
    for row in read_seed("legal_forms"):
        words = tuple("&" if word.is_connector else word.key for word in atoms(row["form"]))
        raw = "".join(character for character in row["form"] if character.isalnum())
        spellings = {words} if words[0] == "&" else {words, tuple(word for word in words if word != "&")}
        for spelling in spellings:
            form = _Form(row["canonical"], spelling, raw, row["position"], row["written"], "." in row["form"])
            table.setdefault("".join(spelling), []).append(form)
    return {key: tuple(forms) for key, forms in table.items()}


@functools.cache
def _letters_in_forms() -> frozenset[str]:
    return frozenset(
        word for forms in _forms().values() for form in forms for word in (*form.words, "".join(form.words))
    )


@functools.cache
def _unspaced() -> tuple[tuple[str, _Form], ...]:
    spelled = []
    for row in read_seed("legal_forms"):
        if _UNSPACED.search(row["form"]):
            form = _Form(row["canonical"], (), "", row["position"], row["written"])
            spelled.append((row["form"], form))
    return tuple(sorted(spelled, key=lambda pair: -len(pair[0])))


def _bounds(words: tuple[str, ...]) -> set[int]:
    ends, at = set(), 0
    for word in words[:-1]:
        at += len(word)
        ends.add(at)
    return ends


def _match_back(words: list[Atom], end: int, forms: list[str], strict: bool) -> int:
    """How many words before `end` are a legal form; its name is put in front of `forms`."""
    for size in range(min(LONGEST_FORM, end - 1), 0, -1):
        first = end - size
        if words[first].before == "." or (end < len(words) and words[end].before == "."):
            continue  # within A.B.C.
        form = _recognise(words[first:end], "back", _is_lower(words), strict)
        if form in ("S.p.A.", "SpA") and first and words[first].raw == "Spa" and words[first - 1].key in _SPAS:
            continue
        if form and any(not word.is_connector for word in words[:first]):
            forms.insert(0, form)
            return size
    return 0


def _without_middle(words: list[Atom], forms: list[str]) -> list[Atom]:
    """`words` without a form that the seat follows: Delta Holding d.o.o. Beograd."""
    if forms:
        return words
    for first in range(1, len(words) - 1):
        for size in range(min(LONGEST_FORM, len(words) - first - 1), 0, -1):
            after = first + size
            if words[first].before == "." or words[after].before == "." or len(words) - after > 3:
                continue
            form = _recognise(words[first:after], "back", _is_lower(words))
            if form in BEFORE_THE_SEAT and not words[after].is_connector:
                forms.append(form)
                return words[:first] + words[after:]
    return words


def _match_front(words: list[Atom]) -> tuple[int, str | None]:
    for size in range(min(LONGEST_FORM, len(words) - 1), 0, -1):
        rest = words[size:]
        if not re.search(r"[\s\"«“„(]", rest[0].before) or rest[0].is_connector:
            continue
        if len(rest) == 1 and rest[0].key in name_words("company"):
            continue  # "SAS Institute", "AB Bank": what is left would name nobody
        form = _recognise(words[:size], "front", _is_lower(words))
        if form and not (size > 1 and len(words[0].key) > 3 and rest[0].key in _PREPOSITIONS):
            return size, form
    return 0, None


def _is_sure_form(words: list[Atom]) -> bool:
    letters = "".join("&" if word.is_connector else word.key for word in words)
    return any(form.written == "any" for form in _forms().get(letters, ()))


def _is_lower(words: list[Atom]) -> bool:
    return not any(character.isupper() for word in words for character in word.raw)


def _recognise(words: list[Atom], position: str, all_lower: bool, strict: bool = True) -> str | None:
    keys = tuple("&" if word.is_connector else word.key for word in words)
    for form in _forms().get("".join(keys), ()):
        if form.position not in (position, "both"):
            continue
        if not (_bounds(keys) <= form.bounds() or all(len(key) == 1 for key in keys)):
            continue
        if form.written == "any" or _written_as_form(words, form, all_lower, strict):
            return form.canonical
    return None


def _written_as_form(words: list[Atom], form: _Form, all_lower: bool, strict: bool) -> bool:
    """Short forms are words and names too ("as", "Sa"), so they must be dotted or spelled as a form."""
    dotted = len(words) > 1 and all(re.search(r"[./]", word.before) for word in words[1:])
    if dotted:
        return True
    raw = "".join(word.raw for word in words)
    if form.written == "exact":
        return raw == form.letters
    if strict and form.dotted and raw.istitle():
        return False
    if form.letters.isascii() and not raw.isascii():
        return False  # the family name Sá
    lenient = not strict and form.canonical in WITH_ONE_CAPITAL
    return form.written == "case" and (raw == form.letters or raw.isupper() or all_lower or lenient)
