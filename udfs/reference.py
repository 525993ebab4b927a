"""What the name and company functions share: words, folding for look-ups, and tidying of what was typed."""

from __future__ import annotations

import functools
import html
import re
import unicodedata

from udfs.lists import read_seed, read_words

# Latin, Greek and Cyrillic accents only: a mark of another script (dakuten, a vowel sign) is a letter of its word.
_ACCENTS = re.compile("[\u0300-\u036f]+")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff"
    "\u2122\u00ae\u00a9\u2300-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\U0001f000-\U0001faff\U000e0000-\U000e0fff\ue000-\uf8ff]+"
)
_BLANKS = re.compile(r"\s+")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3000: " ", 0x3231: "(株)", 0x3232: "(有)", 0x321C: "(주)", 0x00B4: "’", 0x0060: "'",
}  # fmt: skip


def fold(text: str) -> str:
    """Lower case without accents: the form in which words are looked up, never shown."""
    if text.isascii():
        return text.lower()
    plain = _ACCENTS.sub("", unicodedata.normalize("NFD", text.casefold())).replace("ı", "i").replace("ł", "l")
    return unicodedata.normalize("NFC", plain)


def tidy(raw: str | None, longest: int) -> str:
    """`raw` in one line: invisible characters and pictures gone, full-width forms plain, one space between words.

    No more than `longest` characters are looked at, so that no input is slow.
    """
    text = (raw or "")[: longest + 1]
    if not (text.isascii() and text.isprintable()):
        text = _BLANKS.sub(" ", text)
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text).translate(_FULL_WIDTH))
    if "&" in text:
        text = html.unescape(text)
        text = _INVISIBLE.sub("", text)
    return _BLANKS.sub(" ", text).strip()


@functools.cache
def placeholders(kind: str) -> frozenset[str]:
    """Folded values that stand for nothing in a column of `kind` (name or company)."""
    return frozenset(fold(row["value"]) for row in read_seed("placeholders") if row["kind"] in ("any", kind))


@functools.cache
def name_words(kind: str) -> frozenset[str]:
    """Words of names by what they do (title, credential, particle, role, company ...), as `word_key` gives them."""
    return frozenset(word_key(row["word"]) for row in read_words("name_words") if row["kind"] == kind)


@functools.cache
def written_words(kind: str) -> frozenset[str]:
    """As `name_words`, but with dots, hyphens and apostrophes as written, only folded (`'t`, `u.`)."""
    return frozenset(fold(row["word"]) for row in read_words("name_words") if row["kind"] == kind)


_WORD_BREAKS = re.compile(r"[.\-\s/_:]+")
_QUOTES = re.compile("['’‘`\"“”„«»״׳]+")


@functools.lru_cache(maxsize=65536)
def word_key(word: str) -> str:
    """How a word or phrase is looked up: folded, dots and hyphens as spaces, quotes gone (`Dipl.-Ing.`: dipl ing)."""
    return _WORD_BREAKS.sub(" ", _QUOTES.sub("", fold(word))).strip(" ,;!*")


_MASH = re.compile(r"^(?:(.)\1{2,}|(?:asd|qwe|zxc|jkl|dfg|sdf|fgh|hjk)[a-z]*|[bcdfghjklmnpqrstvwxz]{6,})$")


def is_placeholder(text: str, kind: str) -> bool:
    """Whether `text` stands for nothing: a word for "unknown", a mashed keyboard, a repeated letter."""
    key = fold(text).strip()
    known = placeholders(kind)
    if key in known or key.strip(" .,;:!*-_()[]<>{}\"'#") in known:
        return True
    words = re.split(r"[\s,.\-_]+", key.strip(" ,.-_"))
    return all(word in known or _MASH.match(word) or not word for word in words)
