"""Words around a name that are no part of it: titles, credentials, suffixes, honorifics, nicknames, remarks."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from udfs.lists import read_words
from udfs.name_kind import given_names, is_given
from udfs.reference import fold, name_words, word_key, written_words

SUFFIXES = ("Jr", "Sr", "II", "III", "IV", "VI", "VII", "VIII")

_NICKNAME = re.compile(
    r"\"([^\"]{1,40})\"|“([^”“]{1,40})[”“]|„([^“”\"]{1,40})[“”\"]|«([^»]{1,40})»|(?:(?<=\s)|^)'([^']{2,40})'(?=[\s,]|$)|"
    r"(?:(?<=\s)|^)‘([^’‘]{2,40})’(?=[\s,]|$)|(?:(?<=\s)|^)’([^’‘]{2,40})’(?=[\s,]|$)|「([^」]{1,40})」|『([^』]{1,40})』"
)
_BRACKETS = re.compile(
    r"\(([^()]*)\)|\[([^\[\]]*)\]|\{([^{}]*)\}|<([^<>]*)>|（([^（）]*)）|【([^【】]*)】|\*+([^*]+)\*+"
)
_ALIAS = re.compile(
    r"[\s,(]+(?:aka|a\.k\.a\.?|a/k/a|alias|genannt|gen\.|dit|dite|zwany|zwana|known as|goes by|прозвище|lakap)\s+(.+)$",
    re.I,
)
_BIRTH_NAME = re.compile(
    r"[\s,]+(?:née|nee|né|geb\.|geb|geborene?r?|born|z\s+domu|roz\.|rozená|f\.\s?(?=[A-ZÅÄÖ])|født|född|o\.s\.|os\.|ur\.|"
    r"nata|nacida|nascida|урожд\.|урождённая|урожденная|născută|született|szül\.|geboren|o/s|maiden name)\s+[^,]*",
    re.I,
)
_LEADING_REMARK = re.compile(
    r"^(?:c/o|attn\.?|attention|fao|f\.a\.o\.?|for the attention of|care of|"
    r"z\.\s?h(?:d|änden)?\.?|zu\s+h(?:ä|ae)nden(?:\s+von)?|"
    r"à\s+l['’]attention\s+de|a\s+l['’]attention\s+de|t\.?a\.?v\.?|a/a|a\s+la\s+atención\s+de|att\.?|at\.?te\.?|a/c|p/c|"
    r"c\.o\.|u/d|to|dear|hi|hello|sehr\s+geehrte[rs]?|lieber?|ch[eè]re?|estimad[oa]|querid[oa]|geachte|"
    r"estate\s+of(?:\s+the\s+late)?|the\s+late|late|vorm\.|chez|i\.h\.v\.|"
    r"alla\s+c\.?a\.?|c\.a\.|all['’]attenzione\s+di|do\s+r(?:ąk|\.?\s?w\.?)|к\s+вниманию|вниманию|кому)(?:\s*[:.]\s*|\s+)(?=\S{2})",
    re.I,
)
_TRAILING_REMARK = re.compile(
    r"\s+(?:c/o|attn\.?|z\.\s?hd\.?|care of|t\.a\.v\.|fao|℅|p/o|per adr\.?|i\.a\.|i\.v\.|i\.V\.|"
    r"o\.b\.o\.|on behalf of|fbo|as trustee.*|"
    r"ttee|trustee|et\s+al\.?|w/|via)(?:[\s:.]+.*)?$",
    re.I,
)
_SEPARATED = re.compile(r"\s+[-–—|/•·~>]+\s*|\s*[-–—|•~]+\s+|\s*[;|~•]\s*|\s*(?:--|—|–)\s*|:\s+")
_SHOUT_MARKS = re.compile(r"[!*#=_^~]+")
_TRAILING_NUMBER = re.compile(r"(?:\s+[#(]?\d{1,6}\)?)+$")
_GLUED_TITLE = re.compile(
    r"\b(Dr|Prof|Mr|Mrs|Ms|Ing|Sra?|Mag|Dott|Avv|Sig|Mme|Mlle|Dipl|д-р|проф|Mgr|Bc|Drs|Ir|Rev|St)\.(?=[^\W\d_]{2,})",
    re.I,
)

# Nothing to set aside in a text of nothing but words, unless one of them begins a remark.
_PLAIN = re.compile(r"^[^\W\d_]+(?:(?:[. ]+|[-'’])[^\W\d_]+)*\.?$")


@dataclass
class Around:
    """What was found around a name."""

    text: str
    nickname: str | None = None


def set_aside(text: str) -> Around:
    """`text` without nicknames, brackets, remarks; the text is whole again where nothing else would remain."""
    around = Around(text)
    if _PLAIN.match(text) and not written_words("remark_signal").intersection(fold(text).split()):
        around.text = _GLUED_TITLE.sub(r"\1. ", _without_loud_remarks(text)) if "." in text or len(text) > 8 else text
        return around
    around.text = _SHOUT_MARKS.sub(" ", _BRACKETS.sub(lambda match: _bracketed(match, around, text), text))
    around.text = _NICKNAME.sub(lambda match: _quoted(match, around), around.text)
    alias = _ALIAS.search(around.text)
    if alias and around.text[: alias.start()].strip():
        around.nickname = around.nickname or alias.group(1).strip(" ()\"'“”") or None
        around.text = around.text[: alias.start()]
    for pattern in (_BIRTH_NAME, _TRAILING_REMARK, _TRAILING_NUMBER):
        shorter = pattern.sub("", around.text)
        if shorter.strip(" ,.-"):
            around.text = shorter
    shorter = _LEADING_REMARK.sub("", around.text.strip())
    if shorter.strip(" ,.-"):
        around.text = shorter
    around.text = _without_remarks(around.text)
    around.text = re.sub(r"\s+", " ", _GLUED_TITLE.sub(r"\1. ", around.text)).strip(' ,;:-–—|/\\"“”')
    if not any(character.isalpha() for character in around.text):
        around.text = re.sub(r"[()\[\]{}<>*\"“”【】（）]+", " ", text).strip(" '")
    return around


def _bracketed(match: re.Match[str], around: Around, text: str) -> str:
    inside = next((group for group in match.groups() if group), "").strip(" \"'“”‘’.,")
    plain = inside and re.match(r"^[^\W\d_][\w'’.\- ]{0,24}$", inside) and len(inside.split()) <= 2
    if plain and inside[0].isupper() == text[:1].isupper() and not _is_no_nickname(inside) and around.nickname is None:
        around.nickname = inside
    return " "


def _is_no_nickname(inside: str) -> bool:
    key = word_key(inside)
    kinds = ("remark", "role", "company", "title", "credential")
    return any(key in name_words(kind) for kind in kinds) or suffix_of(inside) is not None or key.split(" ")[0] in (
        "nee", "geb", "born", "geborene", "ne", "roz",
    )  # fmt: skip


def _quoted(match: re.Match[str], around: Around) -> str:
    inside = next(group for group in match.groups() if group).strip(" .,")
    if around.text.strip() == match.group().strip():
        return inside
    if around.nickname is None and not _is_no_nickname(inside):
        around.nickname = inside or None
    return " "


def _without_remarks(text: str) -> str:
    """Parts parted by a dash, bar or semicolon that are remarks, and remarks in capitals at either end (VIP, OLD)."""
    parts = [part.strip(" ,.") for part in _SEPARATED.split(text)]
    if len(parts) > 1:
        kept = [part for part in parts if part and not is_remark(part)]
        text = kept[0] if kept and len(kept) < len([part for part in parts if part]) and len(kept) == 1 else text
        if len(kept) > 1:
            text = _one_of(kept, text)
    return _without_loud_remarks(text)


def _without_loud_remarks(text: str) -> str:
    text = _without_small_remark(text)
    words = text.split()
    all_capitals = text.isupper()
    while len(words) > 1 and _is_loud_remark(words[-1], all_capitals):
        words.pop()
    while len(words) > 1 and _is_loud_remark(words[0], all_capitals):
        words.pop(0)
    kept = " ".join(words)
    return kept if kept == text else _without_small_remark(kept)


def _one_of(parts: list[str], text: str) -> str:
    """John Smith - Head of Sales at Acme: the first part is the name when it looks like one by a given name."""
    first = parts[0].split()
    if 2 <= len(first) <= 4 and any(is_given(word) for word in first) and not re.search(r"\s[-–—]\s*[^\W\d_]+$", text):
        return parts[0]
    return text


def is_remark(part: str) -> bool:
    key = word_key(part)
    if key in name_words("remark"):
        return True
    words = key.split()
    return len(words) > 1 and (
        words[0]
        in (
            "do",
            "dont",
            "please",
            "bitte",
            "nicht",
            "ne",
            "no",
            "call",
            "see",
            "prefers",
            "ask",
            "moved",
            "left",
            "use",
        )
        or (len(words) > 2 and " ".join(words[:2]) in name_words("remark"))
    )


def _is_loud_remark(word: str, all_capitals: bool) -> bool:
    key = word_key(word)
    if key in (
        "vip",
        "dnc",
        "dnu",
        "gdpr",
        "duplicate",
        "deceased",
        "inactive",
        "verstorben",
        "decede",
        "fallecido",
        "overleden",
    ):
        return True
    return not all_capitals and word.isupper() and len(key) > 2 and key in name_words("remark") and not is_given(word)


@functools.cache
def _ends_of_remarks() -> frozenset[str]:
    long = [remark.split() for remark in name_words("remark") if " " in remark]
    return frozenset(word for words in long for word in (words[0], words[-1]))


def _without_small_remark(text: str) -> str:
    """Remarks of several small words at the end: "do not call", "ne pas appeler", "nicht anrufen"."""
    words = text.split()
    if len(words) < 3 or not {word_key(words[0]), word_key(words[-1])} & _ends_of_remarks():
        return text
    for size in (5, 4, 3, 2):
        if len(words) > size and word_key(" ".join(words[-size:])) in name_words("remark"):
            return " ".join(words[:-size]).rstrip(" ,-")
        if len(words) > size and word_key(" ".join(words[:size])) in name_words("remark"):
            return " ".join(words[size:]).lstrip(" ,-:")
    return text


@functools.cache
def _titles() -> frozenset[str]:
    return name_words("title") | name_words("title_given")


@functools.cache
def _accented_titles() -> frozenset[str]:
    rows = read_words("name_words")
    return frozenset(row["word"] for row in rows if row["kind"].startswith("title") and not row["word"].isascii())


@functools.lru_cache(maxsize=16384)
def is_title(word: str) -> bool:
    """Whether one word or abbreviation, as written, is a title for sure."""
    key = word_key(word)
    if not key or (len(key) == 1 and key.isascii()):
        return key == "m" and word == "M."
    if key in _titles():
        if "." in word or len(key.replace(" ", "")) > 3:
            return True
        return key in name_words("title_undotted") or word.lower() in _accented_titles() or not key.isascii()
    pieces = key.split()
    return len(pieces) > 1 and all(piece in _titles() and len(piece) > 1 for piece in pieces)


def strip_titles(words: list[str], *, keep: bool = False) -> tuple[list[str], str | None]:
    """`words` without the titles in front, and what they mean for a name of one word: None, `family` or `given`.

    `keep`: the last word stays, as a family name that also is a title (Graf, Steffi).
    """
    meaning = None
    while words:
        size = _title_at_front(words)
        if not size or (keep and size == len(words) and not words[-1].endswith(".")):
            break
        key = word_key(" ".join(words[:size]))
        given = key in name_words("title_given") or key in name_words("title_if_given")
        meaning = "given" if given and meaning != "family" else "family"
        words = words[size:]
    return words, meaning


def _title_at_front(words: list[str]) -> int:
    for size in (4, 3, 2):
        if len(words) >= size and word_key(" ".join(words[:size])) in _titles():
            return size
    first = words[0]
    key = word_key(first)
    if len(words) > 1 and re.match(r"^\d(?:st|nd|rd|th)$", key) and is_title(words[1]):
        return 1  # 1st Lt.
    if first in ("DI", "RA", "PD", "StB") and len(words) > 2 and not words[1].isupper():
        return 1  # Austrian and German degrees and posts, which are written large
    if key in ("m", "d") and first.endswith("."):
        return int(_is_single_letter_title(key, words))
    if is_title(first) and not (len(words) == 1 and not first.endswith(".") and len(key) > 3 and key in given_names()):
        return 1
    if len(words) > 1 and key in _titles() and len(key) > 1 and is_title(words[1]):
        return 1  # RA Dr. Peter Schulz
    if key == "pan" and len(words) > 2 and re.search("[ąćęłńśźżřěščžůýďťň]", " ".join(words)):
        return 1  # Mr in Polish and Czech, a family name in Chinese
    if key in name_words("title_if_given") and len(words) > 2 - int(first.endswith(".")):
        follows = words[1]
        if len(follows.strip(".")) > 1 and (
            is_given(follows) or _is_son_of(words) or first.endswith(".") and len(key) > 2
        ):
            return 1
    return 0


def _is_son_of(words: list[str]) -> bool:
    return any(fold(word) in ("bin", "bint", "binti", "ibn", "al") for word in words[2:])


def _is_single_letter_title(key: str, words: list[str]) -> bool:
    """M. Dupont and D. Juan Pérez, but not M. Night Shyamalan and D. H. Lawrence."""
    if len(words) < 2 or len(words[1].strip(".")) == 1:
        return False
    if key == "m":
        return len(words) == 2 or fold(words[1]).split("-")[0] in given_names("western")
    return len(words) > 2 and fold(words[1]) in given_names("iberian")


def suffix_of(word: str) -> str | None:
    """Jr, Sr, II, III, IV ... as they are stored, for any spelling of them."""
    return _suffixes().get(word_key(word))


@functools.cache
def _suffixes() -> dict[str, str]:
    found = {}
    for kind in SUFFIXES:
        found.update(dict.fromkeys(name_words(f"suffix_{kind}"), kind))
    return found


def strip_endings(words: list[str], *, after_comma: bool, shouted: bool) -> tuple[list[str], str | None]:
    """`words` without suffix, credentials and honorifics (-san, Bey) at their end, and the suffix."""
    suffix = None
    least = 0 if after_comma else 1
    while len(words) > least:
        last = words[-1]
        pair = word_key(" ".join(words[-2:])) if len(words) > least + 1 else ""
        if pair in _suffixes() or (pair.replace(" ", "") in _credentials() and "." in last):
            suffix = suffix or _suffixes().get(pair)
            words = words[:-2]
            continue
        found = _suffix_here(words, after_comma)
        if found:
            suffix = suffix or found
        elif not _is_credential(words, after_comma, shouted) and not _is_honorific(words):
            break
        words = words[:-1]
    return _without_hyphened_honorific(words), suffix


@functools.cache
def _credentials() -> frozenset[str]:
    return frozenset(word.replace(" ", "") for word in name_words("credential"))


def _suffix_here(words: list[str], after_comma: bool) -> str | None:
    last = words[-1]
    found = suffix_of(last)
    if not found:
        return None
    if not after_comma and len(words) == 2 and (is_title(words[0]) or found == "VI"):
        return None
    if word_key(last) in ("sen", "ml", "jun") and not last.endswith("."):
        return None
    return found


def _is_credential(words: list[str], after_comma: bool, shouted: bool) -> bool:
    last = words[-1]
    key = word_key(last)
    if key.replace(" ", "") not in _credentials() and not _all_credentials(last):
        return False
    if after_comma and len(words) == 1:
        return not (last.istitle() and len(key) <= 3 and "." not in last)
    if (
        len(words) < 3
        and not after_comma
        and key.replace(" ", "") not in name_words("credential_sure")
        and not _all_credentials(last)
    ):
        return False
    if "." in last.rstrip(".") or (last[1:] != last[1:].lower() and not shouted):
        return True
    return key.replace(" ", "") in name_words("credential_sure") or (after_comma and last.isupper())


def _all_credentials(word: str) -> bool:
    pieces = [piece for piece in re.split(r"[/,-]", word) if piece]
    return len(pieces) > 1 and all(word_key(piece).replace(" ", "") in _credentials() for piece in pieces)


def _is_honorific(words: list[str]) -> bool:
    key = word_key(words[-1])
    if len(words) < 2 or key not in name_words("after"):
        return False
    return key not in ("san", "chan", "kun", "ji", "jee", "sama", "dono", "nim", "ssi", "abi") or words[-1].islower()


def _without_hyphened_honorific(words: list[str]) -> list[str]:
    if not words:
        return words
    bare = re.sub(r"-(?:san|sama|sensei|kun|chan|dono|ssi|nim|ji)$", "", words[-1], flags=re.I)
    return [*words[:-1], bare]
