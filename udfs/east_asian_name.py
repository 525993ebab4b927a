"""Chinese, Japanese and Korean names in their own script: family name first, with or without a space."""

from __future__ import annotations

import functools
import re

from udfs.lists import read_words
from udfs.reference import name_words

_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff々]")
_ALL_EAST_ASIAN = re.compile("^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff々ー・·•\\s\uff65]+$")
_KATAKANA = re.compile("^[\u30a0-\u30ffー]+$")
_KANA = re.compile("[\u3040-\u30ff々]")
_HANGUL = re.compile("^[\uac00-\ud7af]+$")
_DOTS = re.compile("[・·•\uff65]")

Split = tuple[str | None, str | None]  # family name, given name


def is_east_asian(text: str) -> bool:
    """Whether `text` is written in Chinese, Japanese or Korean script."""
    return _EAST_ASIAN.search(text) is not None


def is_wholly_east_asian(text: str) -> bool:
    """Whether nothing else than that script is in `text`."""
    return _ALL_EAST_ASIAN.match(text) is not None


def without_honorific(text: str) -> tuple[str, bool]:
    """`text` without さん, 先生, 님 ... at its end, and whether there was one."""
    for honorific in _honorifics():
        bare = text.removesuffix(honorific)
        if bare == text or not bare.strip():
            continue
        spaced = bare.endswith((" ", "\u3000"))
        bare = bare.strip()
        if not spaced and not _may_end_here(bare, honorific):
            continue
        return bare, True
    return text, False


def split_east_asian(text: str, honoured: bool) -> Split | None:
    """Family and given name of `text`, or None where the parting is not sure; `honoured`: an honorific followed it."""
    if _DOTS.search(text):  # a foreigner's name in this script keeps the order of his language
        words = [word for word in _DOTS.split(text) if word.strip()]
        return (words[-1].strip(), " ".join(word.strip() for word in words[:-1])) if len(words) > 1 else None
    words = text.split()
    if len(words) == 2:
        return _two_words(*words)
    if len(words) != 1:
        return None
    if _HANGUL.match(text):
        return _korean(text, honoured)
    if _KATAKANA.match(text):
        return (text, None) if honoured else (None, text)
    return _han(text, honoured)


def _two_words(first: str, second: str) -> Split:
    korean = _HANGUL.match(first) and _HANGUL.match(second)
    if korean and second in _family_names("ko") and first not in _family_names("ko") and len(second) == 1:
        return second, first
    return first, second


def _korean(text: str, honoured: bool) -> Split | None:
    known = _family_names("ko")
    if len(text) >= 3 and text[:2] in known and len(text) <= 4:
        return text[:2], text[2:]
    if text[0] not in known or len(text) > 4:
        return None
    if len(text) == 1:
        return text, None
    if len(text) == 2 and text in known:
        return text, None
    return text[0], text[1:]


def _han(text: str, honoured: bool) -> Split | None:
    chinese, japanese = _family_names("zh"), _family_names("ja")
    if honoured and (text in japanese or text in chinese):
        return text, None
    if len(text) > 2 and text[:2] in chinese and not _KANA.search(text):
        return text[:2], text[2:]
    if len(text) > 6:
        return None
    for size in (3, 2):
        if len(text) > size and text[:size] in japanese and not (len(text) == 3 and size == 3):
            return text[:size], text[size:]
    if text in japanese and len(text) >= 2 and text not in chinese:
        return (text, None) if not (len(text) == 2 and text[0] in chinese and not honoured) else (text[0], text[1])
    if _KANA.search(text):
        return _with_kana(text, japanese)
    if text[0] in chinese and 2 <= len(text) <= 3:
        return text[0], text[1:]
    if len(text) == 1 and text in chinese:
        return text, None
    if len(text) in (3, 4) and text[0] in japanese:
        return text[0], text[1:]
    if len(text) == 4 and text[0] in chinese:
        return None  # two family names of a married woman, or a Japanese whose name is not listed
    return (text[:2], text[2:]) if len(text) == 4 else None


def _with_kana(text: str, japanese: frozenset[str]) -> Split | None:
    """A Japanese name with kana in it: the family name is what is written in Chinese characters before them."""
    found = re.match("^([\u3400-\u9fff々]{1,3})([\u3040-\u309f]+|[\u30a0-\u30ffー]+)$", text)
    if found:
        return found.group(1), found.group(2)
    return (text[0], text[1:]) if text[0] in japanese else None


def _may_end_here(bare: str, honorific: str) -> bool:
    """Whether an honorific written without a space can be one: 김군 and 이양 may be names, 王总 hardly."""
    if honorific in ("님", "씨", "さん", "様", "さま", "殿", "くん", "ちゃん", "氏", "サン", "サマ"):
        return True
    if honorific in (
        "君",
        "总",
        "總",
        "군",
        "양",
        "의원",
        "원장",
        "대표",
        "대리",
        "이사",
        "여사",
        "귀하",
        "嬢",
        "교수",
        "사장",
        "과장",
    ):
        return any(bare in _family_names(culture) for culture in ("zh", "ja", "ko"))
    return len(honorific) > 1


@functools.cache
def _honorifics() -> tuple[str, ...]:
    words = [word for word in name_words("after") if _EAST_ASIAN.search(word)]
    return tuple(sorted(words, key=len, reverse=True))


@functools.cache
def _family_names(culture: str) -> frozenset[str]:
    return frozenset(row["family_name"] for row in read_words("family_names") if row["culture"] == culture)
