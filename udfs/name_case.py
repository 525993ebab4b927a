"""Capital letters of names that were shouted or whispered; what is written in mixed case stays as it is."""

from __future__ import annotations

import re

from udfs.reference import fold, written_words

_WORD = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f]+[^\W\d_]*)*")
_INITIALS = re.compile(r"^(?:[^\W\d_]\.?-?){1,2}$|^(?:[^\W\d_]\.)+$")
_MAC = re.compile(
    "^mac(?:donald|donnell|dougall|kenzie|leod|lean|lellan|gregor|arthur|intyre|intosh|kay|neil|neill|pherson|farlane|"
    "millan|kinnon|kinley|allister|alister|innes|bride|namara|aulay|auley|beth|callum|cormack|duff|ewan|ewen|gill|"
    "gillivray|iver|lachlan|laren|laughlin|manus|master|mullen|naughton|nab|phail|quarrie|queen|rae|ritchie|tavish|"
    "vicar|william|adam|alpine|andrew|askill|carthy|conachie|corquodale|crae|culloch|diarmid|eachern|fadyen|guire|"
    "killop|kellar|nee|nicol|nair|niven|rory|sween|taggart|whirter|dowell|dermott|bean)s?$"
)
_TURKISH = re.compile("[ŞşĞğİı]")
_CAP_AFTER_APOSTROPHE = 4  # letters of the longest prefix that an apostrophe cuts: Dell'Orto


def recase(part: str, *, family: bool = False, turkish: bool = False) -> str:
    """`part` of a name with a capital each, when it is all capitals or all small; particles of a family stay small."""
    letters = [character for character in part if character.isalpha()]
    if not letters or not part[:400]:
        return part
    upper, lower = part.replace("ß", "") == part.replace("ß", "").upper(), part == part.lower()
    if upper == lower or (upper and _is_initials(part)):
        return _mixed(part)
    words = part.split(" ")
    return " ".join(_word(word, at, words, family, upper, turkish) for at, word in enumerate(words))


def _is_initials(part: str) -> bool:
    return all(
        _INITIALS.match(word) and (len(word) == 1 or "." in word or not re.search("[AEIOUY]", word))
        for word in part.split()
    )


def _mixed(part: str) -> str:
    """John McDONALD: words in capitals within a name that otherwise was written with care."""
    if not any(word.isupper() and len(word) > 3 for word in part.split()):
        return re.sub(r"\b(Mc|Mac|O['’])([A-Z]{3,})\b", lambda m: m.group(1) + m.group(2).capitalize(), part)
    return " ".join(
        _word(word, 1, [word], False, True, False) if word.isupper() and len(word) > 3 and "." not in word else word
        for word in part.split(" ")
    )


def _word(word: str, at: int, words: list[str], family: bool, upper: bool, turkish: bool) -> str:
    small = _lower(word, turkish)
    if family and small in written_words("particle_small") and len(words) > 1 and at < len(words) - 1:
        follows = _lower(words[at + 1], turkish)
        if not (at == 0 and small in ("la", "las", "los", "i", "e", "y", "in", "a")) or follows in written_words(
            "particle_small"
        ):
            return small
    if (
        family
        and not upper
        and small in ("al", "el", "di", "della", "le", "bin", "ben", "abu")
        and len(words) > 1
        and at == 0
    ):
        return small if small in ("al", "el", "bin") else _capital(small, turkish)
    if small[:3] in ("al-", "el-") and not upper:
        return small[:3] + _pieces(small[3:], turkish)
    if family and at > 0 and small.startswith(("d'", "d’")) and len(small) > 3:
        return small[:2] + _pieces(small[2:], turkish)
    if small.startswith(("'t", "’t", "'s", "’s")) and len(small) == 2:
        return small
    return _pieces(small, turkish)


def _pieces(small: str, turkish: bool) -> str:
    return _WORD.sub(lambda match: _piece(match, small, turkish), small)


def _piece(match: re.Match[str], small: str, turkish: bool) -> str:
    piece, at = match.group(), match.start()
    if at > 0 and small[at - 1] in "'’‘ʼ`":
        before = re.search(r"[^\W\d_]+$", small[: at - 1])
        if piece[0] > "\u036f" and before and before.group() not in ("о", "д"):
            return piece  # Дем’янюк, but О’Коннор
        if (before and len(before.group()) > _CAP_AFTER_APOSTROPHE) or piece in ("s", "t", "i", "a", "e", "ye"):
            return piece
    if piece.startswith("mc") and len(piece) > 3:
        return "Mc" + _capital(piece[2:], turkish)
    if _MAC.match(fold(piece)):
        return "Mac" + _capital(piece[3:], turkish)
    if piece.startswith("ij") and len(piece) > 3:
        return "IJ" + piece[2:]
    return _capital(piece, turkish)


def _capital(word: str, turkish: bool) -> str:
    if turkish and word[:1] == "i":
        return "İ" + word[1:]
    return word[:1].upper() + word[1:] if len(word[:1].upper()) == 1 else word.capitalize()


def _lower(word: str, turkish: bool) -> str:
    if turkish:
        word = word.replace("I", "ı")
    return word.replace("İ", "i").lower()


def is_turkish(text: str) -> bool:
    """Whether `text` has letters that only Turkish (and its kin) writes, so that its I is dotless."""
    return _TURKISH.search(text) is not None
