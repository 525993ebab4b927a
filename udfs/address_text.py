"""What every address parser shares: clean text, its lines, the parts that come out, and the key to match by."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

from udfs.lists import read_words

LONGEST = 1000  # characters; no postal address is longer, and regular expressions stay quick
SEPARATORS = re.compile(r"\s*[\n;|•,，、؛،]+\s*|\s+//\s+")
DASHES = re.compile(r"\s+[-–—]+\s+")
INVISIBLE = re.compile(
    r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd\ud800-\udfff]|[\U0001f000-\U0001faff]"
)
PLACEHOLDER = re.compile(
    r"(?:n[./]?\s?a\.?|none|null|nil|unknown|unbekannt|inconnue?|desconocid[oa]|desconhecid[oa]|sconosciut[oa]|onbekend"
    r"|not (?:known|provided|available|applicable|given)|no (?:fixed )?(?:address|abode)|address|adresse|test|tbd|tba"
    r"|k\.?\s?a\.?|x+|same|as above|see (?:above|notes?)|siehe oben|[\W_]+|\d+)",
    re.I,
)
NOT_POSTAL = re.compile(r"[\w.+-]+@[\w-]+\.\w|https?://|www\.", re.I)
RECIPIENT = re.compile(
    r"(?:c/o|℅|care of|attn|attention|att|fao|f\.a\.o|for the attention of|z\.?\s?hd|z\.?\s?h|zu h[aä]nden(?: von)?|"
    r"per adresse|p\.\s?a"
    r"|à l['’]attention de|at\.te|a/c|a la atenci[oó]n de|atte|p/a|presso|t\.a\.v|v/|att\.nr|firma|fa|ship to|"
    r"bill to|deliver to|вниманию|кому)\s*[.:]?(?:\s|$)|℅"
    r"|(?:company|recipient|name|an|to|cc)\s*:",
    re.I,
)
COMPANY = re.compile(
    r"\b(?:inc|incorporated|llc|l\.l\.c|ltd|limited|corp|corporation|company|plc|llp|gmbh|mbh|ag|kg|ohg|e\.?\s?v|"
    r"s\.?a\.?r\.?l|sas"
    r"|s\.?a\.?s|s\.l|s\.?r\.?l|s\.?p\.?a|b\.v|n\.v|oy|oyj|ab|a/s|aps|pty|kft|zrt|s\.r\.o|sp\. z o\.?\s?o|d\.o\.o|"
    r"ооо|оао|зао|пао"
    r"|k\.k|pvt|sdn bhd|pte|s\.a\. de c\.v)\b\.?\s*$",
    re.I,
)
COMPOUND = re.compile(r"(?<=\w{3})(?:strasse|straat|str)$")


@dataclass
class Parts:
    """The parts of one address as written; an empty text for a part that it does not have."""

    house_number: str = ""
    street: str = ""
    unit: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    postal_code_suffix: str = ""
    issue: str = ""


def clean(raw: str) -> str:
    """The text without invisible characters, one blank between words, lines parted by line breaks."""
    text = unicodedata.normalize("NFC", INVISIBLE.sub("", raw.replace("\xa0", " ").replace("\u202f", " ")))
    text = re.sub(r"<br\s*/?>|\\r\\n|\\n|\r\n?|[\u2028\u2029\x0b\x0c]", "\n", text, flags=re.I)
    text = re.sub(r"[^\S\n]+|[\x00-\x09\x0e-\x1f\x7f]+", " ", text)
    return re.sub(r" ?\n[\n ]*", "\n", text).strip(' \n,;|"')


def segments(text: str) -> list[str]:
    """The pieces of an address between line breaks, commas and semicolons, without empty ones."""
    pieces = (piece.strip(' ,;"') for piece in SEPARATORS.split(text))
    return [piece for piece in pieces if piece]


def is_not_address(text: str) -> bool:
    """Whether a whole cell is a placeholder, an e-mail or web address, or has no letter in it."""
    return bool(PLACEHOLDER.fullmatch(text) or NOT_POSTAL.search(text))


def is_recipient(piece: str) -> bool:
    """Whether a piece names who receives: care of, attention, or a company with its legal form."""
    return bool(RECIPIENT.match(piece) or COMPANY.search(piece))


@functools.cache
def us_suffixes() -> dict[str, str]:
    """Street suffixes as people write them, in lower case, to the abbreviation of USPS Publication 28 (Appendix C1)."""
    return _pairs("us_street_suffixes")


@functools.cache
def _standard_words() -> dict[str, str]:
    return {word: standard.lower() for word, standard in (us_suffixes() | _pairs("address_key_words")).items()}


def _pairs(name: str) -> dict[str, str]:
    return {row["written"]: row["standard"] for row in read_words(name)}


def fold(text: str) -> str:
    """Lower case without accents and punctuation, one blank between words: how names are looked up."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c)).split())


def address_key(text: str) -> str | None:
    """The form that two spellings of one address line share: no case, accents, street type or unit word."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in folded if not unicodedata.combining(character))
    standard = _standard_words()
    words = (COMPOUND.sub("str", word) for word in re.sub(r"[^\w\s]", " ", plain).split())
    return "".join(standard.get(word, word) for word in words) or None
