"""E-mail addresses by RFC 5321, 5322 and 6531, taken out of what people and programs wrap around them. No DNS.

A cell is cut into candidates (`_candidates`); the first valid address is the answer, the next one its second.
A typing error is never corrected, only named in `issue`.
"""

from __future__ import annotations

import functools
import html
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

import idna

from udfs.lists import read_seed

FIELDS = ("email", "match_key", "domain", "issue", "is_role", "is_disposable", "second_email")

ROLES = "role_mailboxes"
DISPOSABLE = "disposable_domains"
FREE_MAIL = "free_mail_domains"

LONGEST_CELL = 2_000  # characters
LONGEST_LOCAL, LONGEST_DOMAIN, LONGEST_ADDRESS = 64, 253, 254  # octets, RFC 5321 4.5.3.1 and erratum 1690
GMAIL = ("gmail.com", "googlemail.com")
TAG_IGNORED = ("outlook.com", "hotmail.com", "icloud.com", "proton.me", "fastmail.com")
# The domains whose near misses are typing errors rather than somebody's own domain.
OFTEN_MISTYPED = (
    "gmail.com", "googlemail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "hotmail.co.uk",
    "yahoo.co.uk", "hotmail.fr", "yahoo.fr", "wanadoo.fr", "orange.fr", "laposte.net", "hotmail.de", "yahoo.de",
    "t-online.de", "freenet.de", "hotmail.it", "libero.it", "yahoo.it", "hotmail.es", "yahoo.es", "comcast.net",
    "verizon.net", "sbcglobal.net", "protonmail.com", "btinternet.com", "yandex.ru", "seznam.cz", "yahoo.com.br",
    "outlook.fr", "outlook.de", "fastmail.com", "hotmail.nl", "ziggo.nl", "telenet.be", "bluewin.ch",
)  # fmt: skip
ALSO_A_NAME = ("post", "mail", "sale", "boutique", "praxis", "handel", "laden", "prince", "bureau")
NO_TOP_LEVEL = {
    "con": "com", "cmo": "com", "ocm": "com", "comm": "com", "vom": "com", "xom": "com", "cim": "com", "cpm": "com",
    "ent": "net", "nte": "net", "dee": "de", "c0m": "com", "coom": "com", "ney": "net", "nett": "net",
    "ner": "net", "ogr": "org", "orgg": "org", "og": "org",
}  # fmt: skip

ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
PLAIN = re.compile(
    r"[A-Za-z0-9_+-]+(?:[.'][A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
)
ASCII_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])+"')
DOT_ATOM = re.compile(rf"{ATEXT}+(?:\.{ATEXT}+)*")
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31});")
SPELLED_AT = re.compile(r"\s*[\[({<]\s*(?:at|@|ät|arroba|arobase|chiocciola)\s*[\])}>]\s*", re.I)
SPELLED_DOT = re.compile(r"\s*[\[({<]\s*(?:dot|\.|punkt|point|punto|ponto)\s*[\])}>]\s*", re.I)
BRACKETS = re.compile(r"(?<!@)[(\[]([^()\[\]]*)[)\]]")
COMMENT = re.compile(r"\((?:[^()@\\]|\\.)*\)")
LABEL = re.compile(
    r"^(?:e[\s-]?mail|mail|courriel|correo|e-?post|contact)\b(?:\s+address)?\s*(?:[:=-]\s*|\s)(?=\S+@)", re.I
)
TAG = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>@]*)?/?>", re.I)  # of HTML, not "<jane@example.org>"
SEPARATOR_WORD = re.compile(r"\s+(?:[-–—•·+]|or|and|oder|und|ou|et|o|y|e|of|en|eller|och|og|lub|i|или|и)\s+", re.I)
TRAILING = " \t.,;:!?*\"'`»“”’>)]}/\\"
LEADING = " \t.,;:*\"'`«“”‘<([{"


class Address(NamedTuple):
    """A valid address: `local` as written, `domain` in lower case, `readable` the domain without punycode."""

    local: str
    domain: str
    readable: str

    @property
    def email(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def match_key(self) -> str:
        """One readable lower-case address per mailbox: what the provider ignores is cut."""
        local = self.local.lower()
        if QUOTED.fullmatch(local) and DOT_ATOM.fullmatch(local[1:-1]):
            local = local[1:-1]  # RFC 5321 4.1.2: quotes that are not needed mean nothing
        untagged = local.partition("+")[0]
        if self.readable in GMAIL:
            return f"{untagged.replace('.', '') or local}@gmail.com"
        return f"{(untagged or local) if self.readable in TAG_IGNORED else local}@{self.readable}"


def normalise_email(raw: str | None) -> dict[str, str | None]:
    """The first valid address of a cell.

    Returns the fields of `FIELDS`: `email`, the local part as written and the domain in lower case; `match_key`, one
    readable lower-case form per mailbox; `domain`; `issue`, why there is no address, or a suspected typing error in
    the one that is kept; `is_role` and `is_disposable`, 'true' or 'false'; `second_email`, the next valid one.
    Without a valid address all is empty but `issue`. Never raises.
    """
    if raw is None or not raw.strip():
        return dict.fromkeys(FIELDS)
    if len(raw) > LONGEST_CELL:
        return _empty("too long for an e-mail address")
    found: list[Address] = []
    if PLAIN.fullmatch(raw) and (address := _address(raw)):
        found.append(address)
    else:
        for candidate in _candidates(_unwrap(raw)):
            address = _address(candidate)
            if address and all(address.match_key != known.match_key for known in found):
                found.append(address)
    if not found:
        return _empty("not an e-mail address")
    first = found[0]
    return {
        "email": first.email,
        "match_key": first.match_key,
        "domain": first.domain,
        "issue": _typing_error(first.readable),
        "is_role": str(_is_role(first.local)).lower(),
        "is_disposable": str(_is_disposable(first.readable)).lower(),
        "second_email": found[1].email if len(found) > 1 else None,
    }


def _empty(issue: str) -> dict[str, str | None]:
    return {**dict.fromkeys(FIELDS), "issue": issue}


# ---------- the cell


def _unwrap(raw: str) -> str:
    """The cell without invisible characters, character references and percent codes of a mailto URI."""
    text = ENTITY.sub(lambda entity: html.unescape(entity.group()), raw)
    text = unicodedata.normalize("NFC", "".join(_visible(character) for character in text))
    if uri := re.search(r"mailto:[\s/]*([^\"'<>\s?)\]]+)", text, re.I):
        return ";".join(unquote(part, errors="replace") for part in uri.group(1).split(","))
    return SPELLED_DOT.sub(".", SPELLED_AT.sub("@", TAG.sub(";", text))).strip()


def _visible(character: str) -> str:
    if character.isascii():
        return (
            character
            if character.isprintable()
            else "\n"
            if character in "\r\n"
            else " "
            if character in "\t\v\f"
            else ""
        )
    if "\uff01" <= character <= "\uff5e":  # full-width forms of ASCII
        return chr(ord(character) - 0xFEE0)
    if character in "。｡":
        return "."
    category = unicodedata.category(character)
    return "" if category[0] == "C" else " " if category[0] == "Z" else character


def _candidates(text: str) -> Iterator[str]:
    for chunk in _chunks(text):
        if angled := re.findall(r"<\s*([^<>]*@[^<>]*?)\s*>", chunk):
            yield from (re.sub(r"\s*@\s*", "@", _trimmed(COMMENT.sub("", inner))) for inner in angled)
        elif "@" in BRACKETS.sub("", chunk) and "://" not in chunk:
            yield from _bare(chunk)
        else:  # "Jane Doe (jane@example.org)"
            yield from (_trimmed(inner) for inner in BRACKETS.findall(chunk) if "@" in inner)


def _chunks(text: str) -> Iterator[str]:
    """Cut a list of mailboxes at separators outside quotes, comments and angle brackets."""
    chunk, depth, is_quoted = "", 0, False
    for position, character in enumerate(text):
        following = text[position + 1 : position + 2]
        if character == '"' and (is_quoted or '"' in text[position + 1 :]):
            is_quoted = not is_quoted
        elif not is_quoted and character in "(<[":
            depth += 1
        elif not is_quoted and character in ")>]":
            depth = max(0, depth - 1)
        is_cut = not is_quoted and (
            character == "\n"
            or depth == 0
            and (
                character == ";" or "@" in chunk and character in "/|&," or character == "," and following in (" ", "")
            )
        )
        if is_cut:
            yield from SEPARATOR_WORD.split(chunk)
            chunk = ""
        else:
            chunk += character
    yield from SEPARATOR_WORD.split(chunk)


def _bare(chunk: str) -> Iterator[str]:
    """The address of a chunk without angle brackets: comments, a label with a colon and remarks behind cut."""
    text = LABEL.sub("", COMMENT.sub(" ", chunk).strip())
    if not text.startswith('"') or not re.match(r'"[^"]*"\s*@', text):
        text = re.sub(r"^[^@]*:(?!\s*$)", "", text)
    text = re.sub(r"\s*@\s*", "@", _trimmed(text))
    if QUOTED.match(text):
        yield text
        return
    words = text.split()
    if all("@" in word for word in words):
        yield from (_trimmed(word) for word in words)
    elif "@" in words[0] and words[0][-1].isalpha() and all(len(word) > 2 and word.isalpha() for word in words[1:]):
        yield _trimmed(words[0])


def _trimmed(text: str) -> str:
    if re.match(r'\s*"[^"]+"\s*@', text):
        return text.strip(" \t").rstrip(TRAILING)
    return text.lstrip(LEADING if not text.lstrip().startswith(".") else LEADING.replace(".", "")).rstrip(TRAILING)


# ---------- one address


def _address(text: str) -> Address | None:
    local, at, written = text.rpartition("@")
    if not at or not _is_local(local):
        return None
    domain = unicodedata.normalize("NFC", written.lower())
    readable = _readable(domain)
    if readable is None or len(local.encode()) + 1 + len(domain.encode()) > LONGEST_ADDRESS:
        return None
    return Address(local, domain, readable)


def _is_local(local: str) -> bool:
    if not local or len(local.encode()) > LONGEST_LOCAL:
        return False
    if QUOTED.fullmatch(local):
        return True
    if not local.isascii():  # RFC 6531: any character that is not ASCII, of which we take letters, marks and digits
        local = "".join("a" if not c.isascii() and unicodedata.category(c)[0] in "LMN" else c for c in local)
    return DOT_ATOM.fullmatch(local) is not None


@functools.lru_cache(maxsize=65_536)
def _readable(domain: str) -> str | None:
    """A domain name with its punycode decoded, or None when it is no fully qualified name."""
    labels = domain.split(".")
    if len(labels) < 2 or len(domain) > LONGEST_DOMAIN:
        return None
    readable = [_readable_label(label) for label in labels]
    if None in readable:
        return None
    top = readable[-1]
    if len(top) < 2 or not any(character.isalpha() for character in top) or top.isascii() and not top.isalpha():
        return None
    try:
        too_long = len(".".join(idna.encode(label).decode() if not label.isascii() else label for label in readable))
    except idna.IDNAError:
        return None
    return ".".join(readable) if too_long <= LONGEST_DOMAIN else None


def _readable_label(label: str) -> str | None:
    if label.isascii() and not label.startswith("xn--"):
        return label if ASCII_LABEL.fullmatch(label) else None
    try:
        return idna.decode(label if label.isascii() else idna.encode(label))
    except (idna.IDNAError, UnicodeError):
        return None


# ---------- what the address tells


@functools.cache
def _column(seed: str, name: str) -> frozenset[str]:
    return frozenset(row[name] for row in read_seed(seed))


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
    return "".join(character for character in plain if character.isalnum())


@functools.cache
def _roles() -> frozenset[str]:
    return frozenset(_folded(local) for local in _column(ROLES, "local_part"))


@functools.lru_cache(maxsize=65_536)
def _is_role(local: str) -> bool:
    """Whether the local part is a role, alone, numbered ("info2") or with a place or team behind ("sales.uk")."""
    untagged = local.strip('"').partition("+")[0]
    untagged = re.sub(r"^the[._-]", "", untagged, flags=re.I)
    words = [word for word in re.split(r"[._-]", untagged) if word]
    whole = re.sub(r"\d{1,3}$", "", _folded(untagged))
    german = _folded(re.sub("[äöüÄÖÜ]", lambda umlaut: umlaut.group() + "e", untagged))
    if whole in _roles() or german in _roles():
        return True
    if len(words) < 2 or _folded(words[0]) not in _roles() or words[0].lower() in ALSO_A_NAME:
        return False
    return len(words[0]) >= 4 or (len(words) == 2 and len(words[1]) in (2, 3))


@functools.lru_cache(maxsize=65_536)
def _is_disposable(domain: str) -> bool:
    labels = domain.split(".")
    known = _column(DISPOSABLE, "domain")
    return any(".".join(labels[start:]) in known for start in range(len(labels) - 1))


@functools.lru_cache(maxsize=65_536)
def _typing_error(domain: str) -> str | None:
    name, _, top = domain.rpartition(".")
    if domain in _column(FREE_MAIL, "domain") or _is_disposable(domain):
        return None
    for right in OFTEN_MISTYPED:
        if _is_one_slip_away(domain, right) or f"{name}.{NO_TOP_LEVEL.get(top, top)}" == right:
            return f"possible typing error: {right}?"
    return f"possible typing error: {name}.{NO_TOP_LEVEL[top]}?" if top in NO_TOP_LEVEL else None


def _is_one_slip_away(typed: str, right: str) -> bool:
    """One letter too many, too few, wrong, or two neighbours swapped; behind the right name only in "com"."""
    if typed == right or abs(len(typed) - len(right)) > 1:
        return False
    if typed.partition(".")[0] == right.partition(".")[0] and not right.endswith(".com"):
        return False  # hotmail.be is not hotmail.de
    pairs = enumerate(zip(typed, right, strict=False))
    start = next((place for place, (one, other) in pairs if one != other), min(len(typed), len(right)))
    rest, rest_right = typed[start:], right[start:]
    return (
        rest[1:] == rest_right
        or rest == rest_right[1:]
        or rest[1:] == rest_right[1:]
        or (rest[:2] == rest_right[1::-1] and rest[2:] == rest_right[2:])
    )
