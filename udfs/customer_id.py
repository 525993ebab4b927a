"""Customer ids: keyed hashes, so that an id tells nothing about the record it was minted from."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets

from operate.environment import Environment

ID_LENGTH = 20  # base32 characters: 100 bits, no collision to fear at any size of customer base


def mint_customer_id(key: bytes, record_key: str, ordinal: int) -> str:
    """The id number `ordinal` (from 0) that `record_key` mints under `key`: `c_` and 20 characters.

    The ordinal keeps a retired id from coming back when the same record mints again.
    """
    message = f"{record_key}\x1f{ordinal}".encode()
    digest = hmac.new(key, message, hashlib.sha256).digest()
    return "c_" + base64.b32encode(digest).decode().lower()[:ID_LENGTH]


def read_or_create_key(environment: Environment) -> bytes:
    """The HMAC key: `C360_ID_KEY`, else the environment's own, generated once and kept with the ledger."""
    given = os.environ.get("C360_ID_KEY")
    if given:
        return given.encode()
    if not environment.id_key.exists():
        descriptor = os.open(environment.id_key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as handle:
            handle.write(secrets.token_hex(32))
    return environment.id_key.read_text(encoding="ascii").strip().encode()
