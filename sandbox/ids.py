"""Ids as the vendors write them, made from a number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def salesforce_id(prefix: str) -> Callable[[int], str]:
    """Writer of 18-character Salesforce ids of the object with key `prefix` (003 is Contact)."""

    def written(number: int) -> str:
        return with_checksum(f"{prefix}5g0{_base62(number, 9)}")

    return written


def with_checksum(fifteen: str) -> str:
    """A 15-character Salesforce id with its three characters that say which letters are capitals.

    Source: Salesforce help, "18-character, case-insensitive record id": each chunk of five characters is
    five bits, the first character the lowest, set where it is a capital letter.
    """
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place in range(5) if fifteen[start + place].isupper())
        suffix += _SUFFIX[bits]
    return fifteen + suffix


def stripe_id(prefix: str, length: int) -> Callable[[int], str]:
    """Writer of Stripe ids: `prefix`, an underscore and `length` letters and digits that look random."""

    def written(number: int) -> str:
        digest = int.from_bytes(hashlib.sha256(f"{prefix}/{number}".encode()).digest())
        return f"{prefix}_{_base62(digest, length)}"

    return written


def _base62(number: int, length: int) -> str:
    text = ""
    for _ in range(length):
        number, rest = divmod(number, 62)
        text = _BASE62[rest] + text
    return text
