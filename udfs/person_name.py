"""Names written in one column: first what kind of thing it names, then, for a person, its parts."""

from __future__ import annotations

import re

from udfs.east_asian_name import is_east_asian, is_wholly_east_asian, split_east_asian, without_honorific
from udfs.name_case import is_turkish, recase
from udfs.name_kind import given_names, is_company, is_given, is_role, pair_kind
from udfs.name_split import is_particle, joined_given, move_particles, parts_of
from udfs.name_words import is_remark, is_title, set_aside, strip_endings, strip_titles, suffix_of
from udfs.reference import fold, is_placeholder, name_words, tidy, word_key, written_words

FIELDS = ("person_kind", "given_name", "middle_name", "family_name", "name_suffix", "nickname", "issue")

LONGEST = 200
MOST_WORDS = 10
_EMAIL = re.compile(r"<?(?:mailto:)?[^\s<>@,;()]+@[^\s<>@,;()]+\.[^\s<>@,;()]+>?", re.I)
_PHONE = re.compile(r"(?:(?:tel|phone|ph|mobile|cell|fax|t|m)\.?:?\s*)?\+?\(?\d[\d\s().\-/]{5,}\d\b", re.I)
_THAI_TITLE = re.compile("^(?:เด็กชาย|เด็กหญิง|ด\\.ช\\.|ด\\.ญ\\.|นางสาว|นาง|นาย|คุณ|ดร\\.?|น\\.ส\\.)(?=[\u0e00-\u0e7f])")

Result = dict[str, str | None]


def parse_person_name(raw: str | None) -> Result:
    """Say what a name cell names and, for a person, split it; every field of `FIELDS` may be None.

    `person_kind`: person, company, couple, role or unknown; only a person has parts. `given_name` is the first given
    name, `middle_name` the others, `family_name` with its particles (van, de la, bin), `name_suffix` Jr, Sr, II, III,
    `nickname` what stood in quotes or brackets. Titles, credentials and remarks are left out. The family name is first
    in Chinese, Japanese and Korean script, before a comma, in capitals before a name that is not, and in Russian names
    that end in a patronymic; otherwise the words are read in written order. `issue` says why parts are missing.
    """
    text = tidy(raw, LONGEST)
    if len(text) > LONGEST:
        return _only("unknown", "too long for a name")
    rest = _EMAIL.sub(" ", text) if "@" in text else text
    if any(character.isdigit() for character in rest):
        rest = _PHONE.sub(" ", rest)
    contact = rest != text
    if contact:
        rest = rest.strip(" ,;:-/|()<>[]")
    if not any(character.isalpha() for character in rest):
        return _only("unknown", _no_letters(text or (raw or "").strip()))
    if is_placeholder(rest, "name"):
        return _only("unknown", "placeholder")
    result = _read(rest)
    if contact and result["issue"] is None:
        result["issue"] = "e-mail or phone in the name"
    return result


def _only(kind: str, issue: str | None = None, nickname: str | None = None) -> Result:
    return {**dict.fromkeys(FIELDS), "person_kind": kind, "issue": issue, "nickname": nickname}


def _no_letters(text: str) -> str | None:
    if not text:
        return None
    if "@" in text:
        return "e-mail address"
    return "phone number or digits" if any(character.isdigit() for character in text) else "placeholder"


def _read(text: str) -> Result:
    if is_role(text):
        return _only("role")
    if is_east_asian(text) and is_company(text, titled=False):
        return _only("company")
    around = set_aside(text)
    name = around.text
    if name != text and is_placeholder(name, "name"):
        return _only("unknown", "placeholder")
    if name != text and is_role(name):
        return _only("role")
    if is_wholly_east_asian(name):
        return _east_asian(name, around.nickname)
    words = name.split()
    untitled, _ = strip_titles(words)
    titled = len(untitled) < len(words)
    if is_company(_without_credentials(name), titled):
        return _only("company")
    kind = pair_kind(name, is_title)
    if kind:
        return _only(kind, "two persons" if kind == "couple" else None)
    if len(words) > MOST_WORDS:
        return _only("unknown", "too many words for a name")
    if len(name.strip(".")) == 1 and name.isascii():
        return _only("unknown", "placeholder")
    if "@" in name or (len(words) == 1 and any(character.isdigit() for character in name)):
        return _only("unknown", "not a name")
    if not untitled:
        return _only("unknown", "no name beside the title") if titled else _only("unknown", "placeholder")
    return _person(name, around.nickname)


def _without_credentials(name: str) -> str:
    """`name` without credentials behind a comma, some of which look like legal forms (P.A., S.C.)."""
    head, comma, tail = name.partition(",")
    words = tail.split()
    if comma and words and (not strip_endings(words, after_comma=True, shouted=name.isupper())[0]):
        return head
    return name


def _east_asian(name: str, nickname: str | None) -> Result:
    bare, honoured = without_honorific(name)
    if (
        re.search(r"[と&和]", bare)
        and pair_kind(bare, is_title) == "couple"
        or re.search("(?:ご夫妻|夫妻|夫婦|부부)$", name)
    ):
        return _only("couple", "two persons")
    split = split_east_asian(bare, honoured)
    if split is None:
        return _only("person", "order of names not sure", nickname)
    family, given = split
    return {**_only("person", None, nickname), "given_name": given or None, "family_name": family or None}


def _person(name: str, nickname: str | None) -> Result:
    name = _THAI_TITLE.sub("", name)
    segments = [segment.strip() for segment in name.split(",")]
    shouted = name.upper() == name.replace("ß", "SS")
    suffix, head, tail = None, segments[0].split(), list[str]()
    for at, segment in enumerate(segments[1:]):
        words, found = strip_endings(segment.split(), after_comma=True, shouted=shouted)
        suffix = suffix or found
        if words and not (_is_aside(words) and (at or len(head) > 1)):
            tail += words
    head, meaning = strip_titles(head, keep=bool(tail))
    head, found = strip_endings(head, after_comma=False, shouted=shouted)
    suffix = suffix or found
    tail, tail_meaning = strip_titles(tail)
    tail, found = strip_endings(tail, after_comma=False, shouted=shouted)
    suffix = suffix or found
    if tail and _is_place(head, tail):
        tail = []
    comma_form = len(segments) > 1 and (bool(tail) or (tail_meaning is not None and len(segments[0].split()) == 1))
    head, tail = ([re.sub(r"\d+$", "", word) or word for word in words] for words in (head, tail))
    given, middle, family = _parts(_without_fillers(head), tail, comma_form, meaning, shouted, name)
    if not given and not family:
        return _only("unknown", "no name beside the title")
    turkish = is_turkish(name)
    return {
        "person_kind": "person",
        "given_name": recase(" ".join(given), turkish=turkish) or None,
        "middle_name": recase(" ".join(middle), turkish=turkish) or None,
        "family_name": recase(" ".join(family), family=True, turkish=turkish) or None,
        "name_suffix": suffix,
        "nickname": nickname,
        "issue": None,
    }


def _parts(
    head: list[str], tail: list[str], comma_form: bool, meaning: str | None, shouted: bool, name: str
) -> tuple[list[str], list[str], list[str]]:
    if comma_form:
        given, family = move_particles(tail, head)
        given = joined_given(given)
        return given[:1], given[1:], family
    if not head:
        return [], [], []
    fallen, head = _drop_fillers(head)
    if len(head) == 1:
        as_family = fallen or (meaning == "family")
        return ([], [], head) if as_family else (head, [], [])
    if meaning == "family" and len(head) > 1 and _is_family_alone(head):
        return [], [], head
    return parts_of(head, is_mixed_case=not shouted and name != name.lower())


def _is_family_alone(words: list[str]) -> bool:
    """Herr von Goethe, Mevr. van der Berg: after a title, what begins with a particle is a family name alone."""
    return is_particle(words[0]) and all(is_particle(word) for word in words[:-1])


def _without_fillers(words: list[str]) -> list[str]:
    kept = [
        word
        for at, word in enumerate(words)
        if at == 0 or fold(word).strip("()[]") not in written_words("filler") or word.istitle()
    ]
    return kept or words


def _drop_fillers(words: list[str]) -> tuple[bool, list[str]]:
    """Whether a filler stood for the given name (Unknown Smith), and the words without it."""
    if len(words) > 1 and fold(words[0]).strip("()[]") in written_words("filler"):
        return True, words[1:]
    return False, words


def _is_aside(words: list[str]) -> bool:
    """What may follow a comma without being a given name: a post, a remark, a company, a title."""
    text = " ".join(words)
    if is_remark(text) or word_key(text) in name_words("role") or (len(words) > 1 and is_role(text)):
        return not is_given(words[0])
    return len(words) > 1 and not is_given(words[0]) and is_company(text, titled=False)


def _is_place(head: list[str], tail: list[str]) -> bool:
    """John Smith, London: a known given name before the comma and an unknown single word after it."""
    if len(head) < 2 or len(tail) != 1 or suffix_of(tail[0]) or is_particle(head[0]):
        return False
    return (
        fold(head[0]) in given_names()
        and fold(tail[0]) not in given_names()
        and not is_given(head[-1])
        and len(tail[0]) > 3
    )
