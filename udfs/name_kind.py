"""What a name names: a company, a couple, a role, nothing, or else a person."""

from __future__ import annotations

import functools
import re

from udfs.east_asian_name import is_east_asian
from udfs.legal_form import has_legal_form
from udfs.lists import read_words
from udfs.reference import fold, name_words, word_key, written_words

_HOUSEHOLD = re.compile(
    r"^(?:the\s+.+\s+(?:family|household)|"
    r"(?:familie|familien|familjen|famille|familia|família|famiglia|fam\.?|"
    r"family|rodzina|rodina|eheleute|ehepaar|obitelj|porodica|perhe|"
    r"les\s+époux|państwo|sres\.?|messrs\.?|señores|mm\.|mmes\.?|signori|sigg\.?|senhores|geschwister|manželé|manželia|époux|семья|сім['’]я|родина|οικ\.?|"
    r"οικογένεια|عائلة|משפחת|gia đình|keluarga|hnos\.)\s+.+|"
    r".+\s+(?:family|household|ailesi|család|perhe)|.+(?:ご夫妻|夫妻|ご家族|家族|부부|가족))$",
    re.I,
)
_DOMAIN = re.compile(
    r"^(?:www\.)?[\w-]{2,}(?:\.[\w-]+)*\.(?:com|net|org|io|co|biz|info|de|fr|it|es|nl|uk|eu|ch|at|se|jp|cn|ru|br|mx|pl|be|dk|no|fi|shop|app|ai)$",
    re.I,
)
_POSSESSIVE = re.compile(r"^(?:[^\W\d_]+\s){0,2}[^\W\d_]{2,}['’]s(?:\s|$)", re.I)
_CAMEL = re.compile(
    r"^(?!(?:Mc|Mac|Di|De|La|Le|Van|Von|Fitz|Du|Del|Da|Des|St|Ben|Abd|El|Al|Ter|Jo|Ja|Sha|O|D|Mary|Ann|Mo|An|Mar|Ro|Ke|Ta)[A-Z])[A-Za-z]*[a-z][A-Z][A-Za-z]*$"
)
_LETTER_AND_DIGIT = re.compile(r"(?:[^\W\d_]\d|\d[^\W\d_])")
_ORDINAL = re.compile(r"^(?:2nd|3rd|4th|1st)$", re.I)


@functools.cache
def given_names(culture: str | None = None) -> frozenset[str]:
    """Folded given names that are known; `culture`: iberian, western, slavic, other."""
    rows = read_words("given_names")
    return frozenset(fold(row["given_name"]) for row in rows if culture is None or culture in row["cultures"].split())


def is_given(word: str) -> bool:
    """Whether a word is a known given name (a double one by its first half) or an initial."""
    key = fold(word.strip(".,"))
    return key in given_names() or ("-" in key and key.split("-")[0] in given_names())


def _is_initial(word: str) -> bool:
    return len(word.strip(".")) == 1 and word[0].isalpha()


def is_role(text: str) -> bool:
    """Whether every word of `text` is of a post or department: Accounts Payable, Service Client, 経理部."""
    roles, links = name_words("role"), name_words("role_link")
    key = word_key(text)
    if key in roles or key in name_words("role_en-alone"):
        return True
    if is_east_asian(text):
        return _is_east_asian_role(text.replace(" ", ""), roles)
    words = [word for word in re.split(r"[\s,()\-/.:&]+", key) if word]
    at, found, plain = 0, 0, 0
    while at < len(words):
        size = next((n for n in range(min(4, len(words) - at), 0, -1) if " ".join(words[at : at + n]) in roles), 0)
        if size:
            found, at = found + 1, at + size
        elif len(words[at]) > 9 and words[at].endswith(tuple(name_words("role_ending"))):
            found, at = found + 1, at + 1
        elif words[at] in links or words[at].isdigit() or re.match(r"^[dl]['’]", words[at]):
            plain, at = plain + 1, at + 1
        elif words[at][:1] in "dl" and words[at][1:] in roles and len(words[at]) > 4:  # l'accueil without its quote
            found, at = found + 1, at + 1
        else:
            return False
    return found > 0


def _is_east_asian_role(text: str, roles: frozenset[str]) -> bool:
    if text in roles or text.removesuffix("様") in roles or text.removesuffix("御中") in roles:
        return True
    for ending in name_words("role_suffix"):
        stem = text.removesuffix(ending)
        if stem != text and (
            stem in roles or any(len(role) > 1 and is_east_asian(role) and role in stem for role in roles)
        ):
            return True
    return False


def is_company(text: str, titled: bool) -> bool:
    """Whether `text` names a company: by a legal form, a word such as Bank or Bäckerei, `Smith & Sons`, a domain."""
    words = text.split()
    if _DOMAIN.match(text) and "@" not in text:
        return True
    if titled:  # Dr. Müller GmbH is a company, Dr. Kim Co is not
        company = has_legal_form(text) and not _is_weak_form(words)
        return len(words) > 2 and (company or _has_company_word(words[1:], titled=True))
    if has_legal_form(text) and not _is_weak_form(words) and not _is_shouted_given_name(words):
        return True
    if is_east_asian(text) and any(part in text for part in name_words("company_part")):
        return True
    if _has_company_word(words):
        return True
    if _POSSESSIVE.match(text) or _is_firm_by_comma(text) or _begins_as_company(words):
        return True
    if len(words) > 1 and is_given(words[0]) and re.match(r"^[^\W\d_]{3,}\d{1,3}$", words[-1]):
        return False  # a second record of a person: John Smith2
    if any(_LETTER_AND_DIGIT.search(word) and not _ORDINAL.match(word) for word in words):
        return len(words) > 1 or text.isupper() or text[0].isdigit()
    if words[0].isdigit() and len(words) > 1 and words[1][0].isalpha():
        return True
    return len(words) == 1 and (_is_acronym(text) or bool(_CAMEL.match(text)))


def _is_acronym(word: str) -> bool:
    return (
        word.isascii()
        and word.isalpha()
        and word.isupper()
        and 2 <= len(word) <= 4
        and not is_given(word)
        and (
            not re.search("[AEIOUY]", word)
            or fold(word)
            in (
                "ibm",
                "ups",
                "axa",
                "ubs",
                "bae",
                "ikea",
                "nasa",
                "ing",
                "usps",
                "cia",
                "fbi",
                "un",
                "who",
                "aol",
                "rbs",
                "adac",
                "aok",
                "seat",
                "fiat",
            )
        )
    )


def _is_weak_form(words: list[str]) -> bool:
    """Kim Co, Mehmet Ay: a short form in small letters after a given name is a family name."""
    last = words[-1]
    return (
        len(words) == 2
        and 2 <= len(last) <= 3
        and last.istitle()
        and is_given(words[0])
        and last not in ("Ltd", "Inc", "Llc", "Plc")
    )


def _begins_as_company(words: list[str]) -> bool:
    """The Beatles, United Nations, Friends of the Earth: words that begin no person's name, or `of` within one."""
    if len(words) < 2 or words[0].endswith((",", ".")) or is_given(words[0]) or _HOUSEHOLD.match(" ".join(words)):
        return False
    first = words[0].lower()
    if first == "the" or first in written_words("company_start") and not is_given(words[1]):
        return True
    return any(word in ("of", "for", "without", "against") for word in words[1:-1])


def _is_shouted_given_name(words: list[str]) -> bool:
    """SAM HARPER: what looks like a form in front is a given name."""
    return len(words) == 2 and fold(words[0]) in given_names() and not has_legal_form("X " + words[1])


def _has_company_word(words: list[str], *, titled: bool = False) -> bool:
    known = name_words("company")
    keys = [word_key(word) for word in words]
    for size in (3, 2, 1):
        for at in range(len(keys) - size + 1):
            phrase = " ".join(keys[at : at + size])
            if titled and phrase in name_words("company_soft"):
                continue
            if phrase in known and not (size == 1 and _is_somebody(words, at, phrase)):
                return True
    return False


def _is_somebody(words: list[str], at: int, key: str) -> bool:
    """Charlotte Church, David Lodge: some words of trade are family names after a given name."""
    if len(words) == 1:
        return key in ("san", "ad", "auto") or key in given_names()
    if len(words) <= 3 and at == 0 and (key in given_names() or words[0].endswith(",") and is_given(words[1])):
        return True
    if at == 1 and len(words) == 2 and words[0].endswith(",") and key in given_names():
        return True
    if key in name_words("company_soft"):
        return len(words) <= 3 and at > 0 and (is_given(words[0]) or _is_initial(words[0]))
    return False


def _is_firm_by_comma(text: str) -> bool:
    """Baker, Smith & Jones."""
    if "," not in text or not re.search(r"\s(?:&|and|und|et)\s", text):
        return False
    head, _, tail = text.partition(",")
    names = re.split(r"\s(?:&|and|und|et)\s", tail.strip())
    if len(names) == 2 and all(is_given(name.split()[0]) or _is_initial(name) for name in names if name.split()):
        return False
    return len(head.split()) == 1 and all(len(name.split()) == 1 for name in names)


def pair_kind(text: str, is_title: object) -> str | None:
    """`couple` or `company` for a text of two names joined by `&`, and, und, et, y ...; None for anything else."""
    if _HOUSEHOLD.match(text):
        return "couple"
    text = re.sub(r"(?<=[^\W\d_.])\s*([&+])\s*(?=[^\W\d_])", r" \1 ", text)
    halves = re.split(r"\s*(?:;|\s/\s)\s*", text)
    if len(halves) == 2 and all(len(half.split()) > 1 and is_given(half.split()[0]) for half in halves):
        return "couple"
    slashed = re.match(r"^([^\W\d_]+)/([^\W\d_]+)\s+[^\W\d_]", text)
    if slashed and all(is_given(word) for word in slashed.groups()):
        return "couple"
    if text.count(",") == 1 and _two_whole_names(*text.split(",")):
        return "couple"
    words = text.replace(",", " , ").split()
    for at in range(1, len(words) - 1):
        word = words[at].lower()
        if word == "und" and words[at - 1].lower() == "von":
            continue  # von und zu
        if word in written_words("and") or word in written_words("and_also_word"):
            kind = _kind_of_halves(words[:at], words[at + 1 :], word in written_words("and"), word in "&+", is_title)
            if kind:
                return kind
    return None


def _two_whole_names(left: str, right: str) -> bool:
    lefts, rights = left.split(), right.split()
    if len(lefts) != 2 or len(rights) != 2 or not is_given(lefts[0]) or not is_given(rights[0]):
        return False
    return fold(lefts[1]) == fold(rights[1]) or not (is_given(lefts[1]) or is_given(rights[1]))


def _kind_of_halves(left: list[str], right: list[str], strong: bool, sign: bool, is_title) -> str | None:
    if all(is_title(word) for word in left) and (is_title(right[0]) or (strong and len(right) > 1)):
        return "couple"
    if is_title(right[0]) and (len(right) > 1 or strong or is_title(left[0])):
        return "couple"
    if "," in left:
        left = left[left.index(",") + 1 :] or left
    left = [word for word in left if not is_title(word)] or left
    known_left, known_right = is_given(left[0]), is_given(right[0])
    if _is_initial(left[0]) and _is_initial(right[0]) and (len(right) > 1 or len(left) > 1):
        return "couple"
    if not strong:
        return "couple" if known_left and known_right and (len(left) == 1 or len(right) > 1 or strong) else None
    if len(left) == 1 and len(right) == 1:
        return "couple" if known_left and known_right else "company"
    if known_left or (known_right and len(right) > 1):
        return "couple"
    if not left[0].isascii() and not sign:
        return "couple"
    return "company"
