"""`sandbox.json`, the contract with outside clients, and the lock that says whether its server is alive."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from pathlib import Path

from operate.environment import Environment
from sandbox.world import write_atomically


def server_lock(environment: Environment) -> Path:
    """Held by the server as long as it lives: the kernel drops it however the server dies."""
    return environment.sandbox / "server.lock"


def users_lock(environment: Environment) -> Path:
    """Held in common by everybody who needs the server; an attended server ends when nobody does."""
    return environment.sandbox / "users.lock"


def is_locked(path: Path) -> bool:
    """Whether any process holds a lock on the file at `path`."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        # In common: two askers at one time must not take each other for the server.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def running(environment: Environment) -> bool:
    """Whether the sandbox of `environment` serves; the sandbox.json of a dead one does not count."""
    return environment.sandbox_contract.exists() and is_locked(server_lock(environment))


def read_contract(environment: Environment) -> dict:
    """The content of sandbox.json, with keys schema, ca_file, sources, webhooks, pid."""
    return json.loads(environment.sandbox_contract.read_text(encoding="utf-8"))


def write_contract(environment: Environment, sources: dict[str, dict], ca_file: Path) -> None:
    """Say where everything is; called when every emulator accepts requests.

    sources   per source base_url and credentials, or dsn; `objects` is what it serves
    """
    contract = {"schema": 1, "ca_file": str(ca_file), "sources": sources, "webhooks": {}, "pid": os.getpid()}
    write_atomically(environment.sandbox_contract, json.dumps(contract, indent=2).encode(), 0o600)


def credentials(environment: Environment) -> dict[str, str]:
    """The emulators' secrets, made once per world: one per source, in the form its vendor gives them."""
    path = environment.sandbox / "credentials.json"
    if not path.exists():
        made = {
            "salesforce": f"00D5g0SANDBOX!{secrets.token_hex(32)}",
            "hubspot": f"pat-sandbox-{secrets.token_hex(16)}",
            "stripe": f"sk_test_{secrets.token_hex(24)}",
            "erp": secrets.token_hex(16),
        }
        write_atomically(path, json.dumps(made).encode(), 0o600)
    return json.loads(path.read_text(encoding="utf-8"))
