"""The words of a person's name to given, middle and family name, by the order and the particles of its language."""

from __future__ import annotations

import functools
import re

from udfs.lists import read_words
from udfs.name_kind import given_names, is_given
from udfs.reference import fold, name_words

Parts = tuple[list[str], list[str], list[str]]  # given, middle, family

_PATRONYMIC = re.compile(r"(?:ович|евич|ьевич|ич|овна|евна|ична|инична|ьевна|івна|ївна|йович|ьович|евич|євич)$", re.I)
_SURE_PATRONYMIC = re.compile(r"(?:овна|евна|ична|инична|івна|ївна|ович|евич|йович|ьич)$", re.I)
_LATIN_PATRONYMIC = re.compile(
    r"(?:ovich|evich|yevich|ovna|evna|yevna|ichna|ovych|ivna|evych|yovych|owitsch|ovitch|evitch|oviç)$", re.I
)
_RUSSIAN_FAMILY = re.compile(
    r"(?:ov|ova|ev|eva|yov|in|ina|yn|yna|sky|skiy|skij|skaya|skaia|enko|uk|yuk|chuk|ko|ykh|ikh|oy|aya|iy|yi|man|ts|ian|yan|ich)$",
    re.I,
)
_FOREIGN_CLAN = re.compile(r"^(?:оглы|оглу|кызы|улы|уулу|oglu|ogly|oğlu|kyzy|qizi|kizi|uly|uulu)$", re.I)
_INITIAL = re.compile(r"^(?:[^\W\d_]\.?-?){1}$|^(?:[^\W\d_]\.-?)+$")
_ARTICLE = re.compile(
    r"^(?:al|el|ul|ur|ar|as|ash|ad|an|az|at)[-‐](?:din|deen|dine|islam|haq|haqq|rahman|rahim|aziz|karim|hamid|malik|majid|rashid|qadir|nasser|nasir|latif|jabbar|razzaq|salam|wahab|wahhab|hadi|fattah|ghani|halim|hakim|kader|rauf|sattar|samad|basit|khaliq|dawla|zaman|mulk|nour|nur)$",
    re.I,
)
_IBERIAN_LINKS = frozenset(("y", "i", "e"))


def parts_of(words: list[str], *, is_mixed_case: bool) -> Parts:
    """Given, middle and family name of words in the order of their language; one word is a given name."""
    if any(word[0] > "\u036f" for word in words if word):
        words = _joined_arabic(words)
        cyrillic = _cyrillic(words)
        if cyrillic:
            return cyrillic
    words = _joined_given(words)
    if len(words) == 1:
        return words, [], []
    if is_mixed_case and (capitals := _by_capitals(words)):
        return capitals
    if len(words) == 3 and _LATIN_PATRONYMIC.search(words[2]) and _starts_with_family(words):
        return [words[1]], [words[2]], [words[0]]
    if _is_iberian_family_first(words):
        return [words[2]], words[3:], words[:2]
    start = _family_start(words)
    return [words[0]], words[1:start], words[start:]


def move_particles(given: list[str], family: list[str]) -> tuple[list[str], list[str]]:
    """`Berg, Jan van den`: particles at the end of the given names begin the family name."""
    moved: list[str] = []
    while len(given) > 1 and is_particle(given[-1]) and given[-1][:1].islower():
        moved.insert(0, given[-1])
        given = given[:-1]
    return given, moved + family


def joined_given(words: list[str]) -> list[str]:
    """Given names that are one name of two words (Abdul Rahman, María del Carmen) as one."""
    return _joined_given(_joined_arabic(words))


@functools.lru_cache(maxsize=8192)
def is_particle(word: str) -> bool:
    """Whether a word introduces a family name: van, de, bin, Ó; St. only with its dot."""
    key = fold(word)
    if key.startswith("st") and len(key) <= 4:
        return key in ("st.", "ste.")
    if len(key.rstrip(".")) == 1 and word not in ("Ó", "ó"):
        return False  # an initial
    return key.rstrip(".'’") in _particles()


@functools.cache
def _particles() -> frozenset[str]:
    words = {fold(row["word"]) for row in read_words("name_words") if row["kind"] in ("particle", "noble")}
    return frozenset(
        words - {"y de", "am", "an", "ap", "as", "at", "ar", "ad", "az", "su", "tot", "bat", "bas", "mag", "im"}
    )


@functools.cache
def _iberian_family() -> frozenset[str]:
    return frozenset(fold(row["family_name"]) for row in read_words("family_names") if row["culture"] == "iberian")


@functools.cache
def _vietnamese() -> frozenset[str]:
    return frozenset(fold(row["family_name"]) for row in read_words("family_names") if row["culture"] == "vi")


def _joined_arabic(words: list[str]) -> list[str]:
    """عبد الرحمن is one name, and so is أبو بكر in front."""
    joined: list[str] = []
    at = 0
    while at < len(words):
        if words[at] == "عبد" and at + 1 < len(words):
            joined.append(f"{words[at]} {words[at + 1]}")
            at += 2
        else:
            joined.append(words[at])
            at += 1
    return joined


def _joined_given(words: list[str]) -> list[str]:
    joined: list[str] = []
    at = 0
    while at < len(words):
        size = _compound_size(words, at)
        joined.append(" ".join(words[at : at + size]))
        at += size
    return joined


def _compound_size(words: list[str], at: int) -> int:
    """How many words from `at` on are one given name."""
    key, left = fold(words[at]), len(words) - at
    if left < 2:
        return 1
    follows = fold(words[at + 1])
    if key in name_words("servant_of"):
        return 3 if left > 2 and follows in ("al", "el", "ul", "ar") else 2
    if at == 0 and key in ("abu", "abou", "umm", "أبو", "ابو", "أم") and left > 2:
        return 2
    if _ARTICLE.match(words[at + 1]) and left > 2 and at == 0:
        return 2
    if (
        at == 0
        and key in ("maria", "ma", "ma.", "mª", "jose", "rosa", "ana", "juan", "luz")
        and left > 3 - (follows == "del")
    ):
        third = fold(words[at + 2]) if left > 2 else ""
        if follows in ("del", "do", "da") and third in name_words("devotion") and left > 3:
            return 3
        if (
            follows == "de"
            and third in ("los", "la", "las", "el")
            and left > 4
            and fold(words[at + 3]) in name_words("devotion")
        ):
            return 4
        if follows in ("de", "das", "dos") and third in name_words("devotion") and left > 3:
            return 3
    return 1


def _cyrillic(words: list[str]) -> Parts | None:
    """Russian order by the patronymic: in the middle it follows the given name, at the end the family name is first."""
    if not any("\u0400" <= word[0] <= "\u04ff" for word in words):
        return None
    if len(words) == 4 and _FOREIGN_CLAN.match(words[3]):
        return [words[1]], words[2:], [words[0]]
    if len(words) == 3:
        if _SURE_PATRONYMIC.search(words[2]) and not (
            _SURE_PATRONYMIC.search(words[1]) or _PATRONYMIC.search(words[1])
        ):
            return [words[1]], [words[2]], [words[0]]
        if _PATRONYMIC.search(words[1]):
            return [words[0]], [words[1]], [words[2]]
        if _PATRONYMIC.search(words[2]) and fold(words[1]) in given_names():
            return [words[1]], [words[2]], [words[0]]
        if _INITIAL.match(words[1]) and _INITIAL.match(words[2]) and not _INITIAL.match(words[0]):
            return [words[1]], [words[2]], [words[0]]
    if len(words) == 2:
        first_known, second_known = (fold(word) in given_names("slavic") for word in words)
        if re.search("(?:овна|евна|ична|івна|ївна)$", fold(words[1])) and first_known:
            return [words[0]], [words[1]], []
        if _INITIAL.match(words[1]) and len(words[0]) > 2:
            initials = re.findall(r"[^\W\d_]\.?", words[1])
            return [initials[0]], initials[1:], [words[0]]
        if (
            second_known
            and not first_known
            and re.search("(?:ов|ова|ев|ева|ёв|ёва|ин|ина|ский|ская|цкий|цкая|енко|чук|юк)$", words[0].lower())
        ):
            return [words[1]], [], [words[0]]
    return None


def _starts_with_family(words: list[str]) -> bool:
    first = fold(words[0])
    if first in given_names():
        return False
    return bool(_RUSSIAN_FAMILY.search(first)) or is_given(words[1])


def _by_capitals(words: list[str]) -> Parts | None:
    """DUPONT Jean, Jean-Pierre DE LA TOUR: the family name is what is in capitals."""
    capitals = [_is_capital_word(word) for word in words]
    if all(capitals) or not any(
        _counts_as_family(word) for word, capital in zip(words, capitals, strict=True) if capital
    ):
        return None
    if capitals[0]:
        end = next(at for at, capital in enumerate(capitals) if not capital)
        if any(capitals[end:]) or (end == 1 and not _counts_as_family(words[0])):
            return None
        if end == 1 and len(words[0]) <= 4 and is_given(words[0]) and not is_given(words[1]):
            return None
        return [words[end]], words[end + 1 :], words[:end]
    start = capitals.index(True)
    if not all(capitals[start:]):
        return None
    while start > 1 and is_particle(words[start - 1]):
        start -= 1
    return [words[0]], words[1:start], words[start:]


def _is_capital_word(word: str) -> bool:
    letters = [character for character in word if character.isalpha()]
    if not letters or any(character.islower() for character in letters):
        return bool(re.match(r"^(?:Mc|Mac|O['’]|D['’])[A-Z]{3,}$", word))
    return len(letters) > 1 and "." not in word.rstrip(".") and word.upper() != word.lower()


def _counts_as_family(word: str) -> bool:
    letters = "".join(character for character in word if character.isalpha())
    return (
        len(letters) > 2
        or bool(re.match("^[B-DF-HJ-NP-TV-XZ][AEIOUY]$", letters))
        and letters not in ("JO", "DJ", "JR", "BO", "TY", "CY", "MO")
    )


def _family_start(words: list[str]) -> int:
    """The index at which the family name begins; at least one word is the given name."""
    last = len(words) - 1
    vietnamese = fold(words[0]) in _vietnamese() or fold(words[last]) in _vietnamese()
    for at in range(1, last):
        if "-" in words[at] and is_particle(words[at].rpartition("-")[2]) and words[at][-1].islower():
            return at  # Jansen-de Wit
        if not is_particle(words[at]) or (vietnamese and fold(words[at]) in ("van", "thi", "le", "do", "mai", "ho")):
            continue
        if fold(words[at]) == "ben" and (len(words) > 3 or fold(words[0]) in given_names("western")):
            continue
        if (
            fold(words[at]) in ("in", "op", "al", "su", "over", "bar")
            and words[at][0].isupper()
            and len(words) == 3
            and fold(words[at]) != "al"
        ):
            continue
        return _with_iberian_before(words, at)
    if last >= 3 and fold(words[last - 1]) in _IBERIAN_LINKS:
        return last - 2
    return _iberian_start(words) or last


def _with_iberian_before(words: list[str], at: int) -> int:
    """Calderón de la Barca: a family name before the particle belongs to it."""
    while at > 1:
        before = fold(words[at - 1])
        if before in _IBERIAN_LINKS and at > 2:
            at -= 2
        elif (
            before in _iberian_family()
            and (before not in given_names() or at > 2)
            or words[at].lower().startswith(("d'", "d’"))
            and before not in given_names()
            and at == len(words) - 1
        ):
            at -= 1
        else:
            break
    return at


def _is_iberian_family_first(words: list[str]) -> bool:
    """PÉREZ GARCÍA JUAN: two names that only are family names before what only are given names."""
    keys = [fold(word) for word in words]
    family, iberian = _iberian_family(), given_names("iberian")
    return (
        3 <= len(keys) <= 4
        and all(key in family and key not in given_names() for key in keys[:2])
        and all(key in iberian for key in keys[2:])
    )


def _iberian_start(words: list[str]) -> int | None:
    """Two family names, where the words before the last are sure: García Márquez."""
    last = len(words) - 1
    if last < 2:
        return None
    keys = [fold(word) for word in words]
    family, iberian = _iberian_family(), given_names("iberian")
    before = keys[last - 1].split("-")[0]
    if before not in family and not (len(before) > 4 and before.endswith("ez") and keys[0] in iberian):
        return None
    if before not in given_names():
        sure = keys[last].split("-")[0] in family or keys[0] in iberian
        return last - 1 if sure else None
    if keys[last] in family and last >= 3 and keys[0] in iberian and keys[last - 2] in iberian:
        return last - 1
    return None
