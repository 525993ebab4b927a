"""Countries to assigned ISO 3166-1 alpha-2 codes: `pycountry` for the standard, CLDR (`babel`) for names in the
languages of the world, and a seed of what people write besides."""

from __future__ import annotations

import functools
import re
import unicodedata

import pycountry
from babel import Locale, UnknownLocaleError

from udfs.lists import read_seed

LONGEST_NAME = 120  # characters; the longest official name of ISO 3166-1 has 66
KOSOVO = "XK"  # user-assigned, in general use
LANGUAGES = (
    "af", "am", "ar", "az", "be", "bg", "bn", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et",
    "eu", "fa", "fi", "fil", "fr", "ga", "gl", "gu", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja",
    "ka", "kk", "km", "kn", "ko", "ky", "lo", "lt", "lv", "mk", "ml", "mn", "mr", "ms", "mt", "my", "nb",
    "ne", "nl", "nn", "pa", "pl", "ps", "pt", "pt_PT", "ro", "ru", "si", "sk", "sl", "so", "sq", "sr",
    "sr_Latn", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "uz", "vi", "yue", "zh", "zh_Hant", "zu",
    "en_AU", "en_GB", "fr_CA", "es_MX", "es_419", "de_AT", "de_CH",
)  # fmt: skip
FLAG = re.compile("([\U0001f1e6-\U0001f1ff]{2})")
SUBDIVISION_FLAG = re.compile("\U0001f3f4([\U000e0061-\U000e007a]{5,6})\U000e007f")  # England, Scotland, Wales
LANGUAGE_TAG = re.compile(r"[a-z]{2,3}[-_](?:[A-Z][a-z]{3}[-_])?([A-Z]{2})")  # BCP 47, and the locales of POSIX
NUMERIC = re.compile(r"(\d{1,3})(?:\.0+)?")
NOTHING = {"n/a", "n.a.", "n.a", "#n/a", "n\\a", "(na)", "<na>"}
LEADING_BRACKET = re.compile(r"^[(\[]\s*([^()\[\]]*?)\s*[)\]]\s*(\S.*)$")
BRACKETED = re.compile(r"^(.*?)\s*[(\[]\s*(.*?)\s*[)\]]$")
PAIRED = re.compile(r"\s*(?:\s[-–—:|/]\s|[|/,;:–—]|(?<=^[A-Za-z]{2})-|(?<=^[A-Za-z]{3})-|-(?=[A-Z]{2,3}$))\s*")
LABEL = re.compile(r"^(?:country|land|pays|país|paese|kraj|страна|国)\s*[:=]\s*", re.I)
SAME_LETTERS = str.maketrans("ıىیکة", "iييكه")  # of one sound, typed by the keyboard at hand
FORMAL = re.compile(
    r"^(?:the )?(?:(?:federal|federative|democratic|islamic|arab|socialist|united|plurinational|"
    r"cooperative|co operative|oriental|eastern|peoples|people s) )*"
    r"(?:republic|rep|rb|kingdom|state|commonwealth|federation|union|sultanate|principality|grand duchy|republik|"
    r"koenigreich|konigreich|bundesrepublik|furstentum|republique|royaume|principaute|repubblica|regno|republica|reino|"
    r"republiek|koninkrijk|republiken|konungariket|kongeriget|kongeriket|republika|respublika|республика|королевство|"
    r"република)\s+(?:(?:of|de|du|des|d|di|del|della|do|da|der|von|van|e) )?(?:(?:the|la|el|le|il) )?(.+)$"
)
ARTICLES = ("the ", "la ", "le ", "les ", "l ", "el ", "los ", "las ", "die ", "der ", "de ", "het ", "o ", "os ", "a ")


def parse_country(raw: str | None) -> str | None:
    """The assigned alpha-2 code of a country as written, else None. Never raises.

    Understands alpha-2, alpha-3 and numeric codes, flags, names in English and the languages of CLDR, aliases,
    and two of these together when they agree ("Deutschland (DE)", "England, UK").
    """
    if raw is None or len(raw) > LONGEST_NAME or not raw.strip():
        return None
    text = unicodedata.normalize(
        "NFKC", "".join(c for c in raw if c.isprintable() or c.isspace() or _is_tag(c))
    ).strip()
    text = LABEL.sub("", text).strip("\"'`*.,;: ").strip() if len(text) > 2 else text
    if text.casefold() in NOTHING or raw.strip().casefold() in NOTHING:
        return None
    return _flag(text) or _code(text) or _named(text) or _pair(text)


def _is_tag(character: str) -> bool:
    return "\U000e0020" <= character <= "\U000e007f"


def _code(text: str) -> str | None:
    if len(text) == 2 and text.isalpha():
        code = text.upper()
        return code if pycountry.countries.get(alpha_2=code) or code == KOSOVO else _names().get(_fold(text))
    if tag := LANGUAGE_TAG.fullmatch(text):
        return _code(tag.group(1))
    if numeric := NUMERIC.fullmatch(text):
        country = pycountry.countries.get(numeric=numeric.group(1).zfill(3))
        return country.alpha_2 if country else None
    return None


def _flag(text: str) -> str | None:
    if subdivision := SUBDIVISION_FLAG.search(text):
        return _code("".join(chr(ord(tag) - 0xE0000) for tag in subdivision.group(1))[:2])
    flags = set(FLAG.findall(text))
    if len(flags) != 1:
        return None
    return _code("".join(chr(ord(letter) - 0x1F1E6 + ord("A")) for letter in flags.pop()))


def _named(text: str) -> str | None:
    folded = _fold(text)
    if not folded:
        return None
    names = _names()
    if folded in names:
        return names[folded]
    for spelled in (_key(text), folded, _turned(text)):
        if code := names.get(spelled) or _without_article(spelled) or _without_form_of_state(spelled):
            return code
    return None


def _without_article(folded: str) -> str | None:
    bare = (folded.removeprefix(article) for article in ARTICLES if folded.startswith(article))
    return next((_names()[name] for name in bare if name in _names()), None)


def _without_form_of_state(folded: str) -> str | None:
    formal = FORMAL.match(folded)
    return _names().get(formal.group(1)) if formal else None


def _turned(text: str) -> str:
    """ISO's order put straight: "Netherlands (the)", "Korea, Republic of", "Bahamas, The"."""
    head, comma, tail = text.replace("(", ",").replace(")", "").partition(",")
    return _fold(f"{tail} {head}") if comma and tail.strip() else ""


def _pair(text: str) -> str | None:
    """Two writings of one country. Of two countries, none."""
    bracketed = LEADING_BRACKET.match(text) or BRACKETED.match(text)
    parts = list(bracketed.groups()) if bracketed else PAIRED.split(text)
    if len(parts) == 1 and (words := text.split()) and len(words) > 1:
        ends = [(words[0], " ".join(words[1:])), (words[-1], " ".join(words[:-1]))]
        parts = next(([code, name] for code, name in ends if code.isupper() and len(code) in (2, 3)), [])
    if len(parts) < 2 or not all(parts):
        return None
    if len(parts) > 2:
        codes = {_code(part) or _named(part) for part in parts}
        return codes.pop() if len(codes) == 1 else None
    first, second = ((_code(part) or _named(part)) for part in parts)
    if bracketed and first and not second and not _is_code_like(parts[1]):
        return first
    if "," in text and second and not first and not _is_code_like(parts[0]) and len(parts[1]) > 2:
        return second  # "Paris, France", but not "Wilmington, DE"
    return first if first == second else None


def _is_code_like(text: str) -> bool:
    return len(text) <= 3 and text.isascii() and text.isalpha()


def _fold(text: str) -> str:
    """Lower case, no diacritics on Latin, Greek or Cyrillic, "&" a word, one blank for every other sign."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("&", " and ").translate(SAME_LETTERS))
    letters = "".join(
        "" if unicodedata.combining(c) and ord(c) < 0x700 or c in "'’‘`´ʻ" else c if c.isalnum() or _marks(c) else " "
        for c in plain
    )
    words = ["saint" if word in ("st", "ste", "sainte") else word for word in letters.split()]
    if len(words) > 1 and all(len(word) == 1 for word in words):
        return "".join(words)  # U. S. A.
    return " ".join(words)


def _key(name: str) -> str:
    """The folded name; of two or three letters ("Séc", "Áo") with its diacritics, without which it would be a code."""
    folded = _fold(name)
    if len(folded) > 3 or not folded.isascii() or name.isascii():
        return folded
    return unicodedata.normalize("NFC", name.casefold())


def _marks(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Mc")  # vowel signs of Indic scripts are letters, not accents


def _with_e(umlaut: re.Match[str]) -> str:
    return umlaut.group().translate(str.maketrans("äöüÄÖÜ", "aouAOU")) + "e"


@functools.cache
def _names() -> dict[str, str]:
    """Folded names to codes. A name of two countries in two languages means none, unless English or ISO has it."""
    assigned = {country.alpha_2 for country in pycountry.countries} | {KOSOVO}
    meanings: dict[str, set[str]] = {}
    for language in LANGUAGES:
        try:
            territories = Locale.parse(language).territories
        except (UnknownLocaleError, ValueError):
            continue
        for code, name in territories.items():
            if code in assigned:
                meanings.setdefault(_key(name), set()).add(code)
                if language.startswith("de"):  # Daenemark, as typed without umlauts
                    meanings.setdefault(_fold(re.sub("[äöüÄÖÜ]", _with_e, name)), set()).add(code)
    names = {name: next(iter(codes)) for name, codes in meanings.items() if len(codes) == 1 and name}
    for code, name in Locale.parse("en").territories.items():
        if code in assigned:
            names[_fold(name)] = code
    for country in pycountry.countries:
        written = (country.name, getattr(country, "common_name", ""), getattr(country, "official_name", ""))
        for name in written:
            names.update({_fold(name): country.alpha_2} if name else {})
        names[_fold(country.alpha_3)] = country.alpha_2
    names.update({_key(row["alias"]): row["country"] for row in read_seed("country_aliases")})
    return {name: code for name, code in names.items() if code}
