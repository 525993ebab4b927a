"""The sandbox's process: the emulated APIs and the ERP's PostgreSQL, as long as somebody needs them.

Attended (`ensure_running`): every user holds `users.lock` in common; the server ends as soon as nobody does,
which the kernel makes true however a user dies. Detached (`start_detached`): it runs until `stop`. PostgreSQL
dies with the server. No pid is trusted: that the server lives is told by the lock it holds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import trustme
import uvicorn
from starlette.applications import Starlette

from operate.environment import PROJECT_ROOT, Environment, get_environment
from operate.errors import UserError
from sandbox import hubspot, salesforce, stripe
from sandbox.contract import (
    credentials,
    is_locked,
    read_contract,
    running,
    server_lock,
    users_lock,
    write_contract,
)
from sandbox.erp import TABLES as ERP_TABLES
from sandbox.erp import show_world
from sandbox.materialise import set_clock, show_inbox
from sandbox.postgres import Postgres, remove_leftover
from sandbox.spreadsheets import remove_spreadsheets
from sandbox.world import (
    DEFAULT_PEOPLE,
    DEFAULT_SEED,
    create_world,
    open_world,
    opened,
    require_emulated,
    world_exists,
)

# each: make_app(environment, world, secret), CREDENTIAL, SERVED, SETTINGS
EMULATORS = {"salesforce": salesforce, "hubspot": hubspot, "stripe": stripe}

__all__ = ["ensure_running", "reset", "running", "start_detached", "stop"]

_START_SECONDS = 600  # a world of a million people takes minutes to load
_STOP_SECONDS = 20
_POLL_SECONDS = 0.2
_ANOTHER_SERVES = 3  # exit code: the lock is another server's


# ---------- for those who need the sandbox
@contextmanager
def ensure_running(environment: Environment, people: int | None = None, seed: int | None = None) -> Iterator[dict]:
    """Have the sandbox of `environment` serve within this block; yields the content of sandbox.json.

    One that runs already is shared, else the world is made when missing and a server started, which ends with
    the last block that needs it (also when its process is killed). `people` and `seed` are those of a new
    world, by default 2,000 and 360. Raises UserError when a world of another size or seed exists, or the
    server fails.
    """
    prepare(environment, people, seed)
    users = os.open(users_lock(environment), os.O_RDWR | os.O_CREAT, 0o600)
    child = None
    try:
        fcntl.flock(users, fcntl.LOCK_SH)  # waits while a server that nobody needed is just leaving
        if not running(environment):
            child = _spawn(environment, detach=False)
            _wait_until_ready(environment, child)
        yield read_contract(environment)
    finally:
        os.close(users)
        if child is not None:
            _see_off(environment, child)


def start_detached(environment: Environment, people: int | None = None, seed: int | None = None) -> dict:
    """Start the sandbox so that it outlives this process; returns the content of sandbox.json.

    Raises UserError when it runs already or does not come up.
    """
    prepare(environment, people, seed)
    if running(environment):
        raise UserError(
            f"the sandbox of {environment.name!r} runs already "
            f"(process {read_contract(environment)['pid']}): stop it with `c360 sandbox stop` first"
        )
    _wait_until_ready(environment, _spawn(environment, detach=True))
    return read_contract(environment)


def stop(environment: Environment) -> bool:
    """End the server of `environment`; False when none runs. Raises UserError when it does not end."""
    if not running(environment):
        return False
    pid = int(read_contract(environment)["pid"])
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            if not is_locked(server_lock(environment)):
                environment.sandbox_contract.unlink(missing_ok=True)
                return True
            time.sleep(0.05)
    raise UserError(f"the sandbox (process {pid}) does not end: end it by hand")


def prepare(environment: Environment, people: int | None = None, seed: int | None = None) -> None:
    """Make the world of `environment` when it is missing, and its inbox and clock agree with it.

    Raises UserError when it exists with other `people` or `seed` than asked for.
    """
    require_emulated(environment)
    environment.create()
    environment.sandbox.mkdir(parents=True, exist_ok=True)
    with _alone(environment):
        if not world_exists(environment):
            create_world(environment, people or DEFAULT_PEOPLE, DEFAULT_SEED if seed is None else seed)
        with opened(environment) as world:
            for name, asked in (("people", people), ("seed", seed)):
                if asked is not None and int(world.meta(name)) != asked:
                    raise UserError(
                        f"the sandbox of {environment.name!r} exists with --{name} {world.meta(name)}, "
                        f"not {asked}: run `c360 sandbox reset` to start a new one"
                    )
            if not running(environment):
                show_inbox(environment, world)
                set_clock(environment, world.now)


def reset(environment: Environment) -> None:
    """Stop the sandbox and remove its own state: world, database, inbox files, clock. Nothing else."""
    require_emulated(environment)
    stop(environment)
    if environment.sandbox.exists():
        remove_leftover(environment)
        shutil.rmtree(environment.sandbox)
        remove_spreadsheets(environment)
        environment.clock.unlink(missing_ok=True)
    environment.sandbox_contract.unlink(missing_ok=True)


@contextmanager
def _alone(environment: Environment) -> Iterator[None]:
    """One process at a time makes a world."""
    with open(environment.sandbox / "prepare.lock", "a", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _log_path(environment: Environment) -> Path:
    return environment.logs / "sandbox.log"


def _spawn(environment: Environment, detach: bool) -> subprocess.Popen:
    """Start the server's process, in a session of its own so that Ctrl-C reaches only who asked for it."""
    environment.create()
    command = [sys.executable, "-m", "sandbox.server", environment.name] + (["--detached"] if detach else [])
    variables = {**os.environ, "C360_VAR": str(environment.folder.parent), "C360_ENV": environment.name}
    with open(_log_path(environment), "ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=PROJECT_ROOT,
            env=variables,
            start_new_session=True,
        )


def _wait_until_ready(environment: Environment, child: subprocess.Popen) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not running(environment):
        code = child.poll()
        if code not in (None, _ANOTHER_SERVES) or time.monotonic() > deadline:
            child.terminate()
            raise UserError(f"the sandbox does not start: {_last_words(environment)} (log: {_log_path(environment)})")
        time.sleep(0.05)


def _last_words(environment: Environment) -> str:
    lines = _log_path(environment).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _see_off(environment: Environment, child: subprocess.Popen) -> None:
    """After letting go of the users' lock: end our server unless others use it, and wait for its end."""
    users = os.open(users_lock(environment), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if running(environment) and child.poll() is None and not _leaving(environment):
                return  # somebody else needs it; it ends with them
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    finally:
        os.close(users)  # only now: a newcomer must not find a server that is being ended


def _leaving(environment: Environment) -> bool:
    """Whether the server itself holds the users' lock, which it takes when it is about to end."""
    users = os.open(users_lock(environment), os.O_RDWR)
    try:
        fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(users)
    return False


# ---------- the process itself
def serve(environment: Environment, detached: bool) -> int:
    """Run the emulators until asked to end (SIGTERM, SIGINT) or, attended, until nobody needs them."""
    lock = _take_server_lock(environment)
    if lock is None:
        return _ANOTHER_SERVES
    environment.sandbox_contract.unlink(missing_ok=True)  # of a server that died
    # Until uvicorn listens to signals, they end the start in good order, PostgreSQL included.
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, _leave)
    secrets = credentials(environment)
    postgres = Postgres(environment, secrets["erp"])
    world = open_world(environment)
    try:
        postgres.start()
        show_world(postgres.dsn, world)
        authority = trustme.CA()
        ca_file = environment.sandbox / "ca.pem"
        authority.cert_pem.write_to_path(str(ca_file))
        with contextlib.ExitStack() as listening:
            listeners = {name: listening.enter_context(_listen()) for name in EMULATORS}
            ports = {name: listener.getsockname()[1] for name, listener in listeners.items()}
            apps = {ports[name]: EMULATORS[name].make_app(environment, world, secrets[name]) for name in EMULATORS}
            sources = {name: _described(name, ports[name], secrets[name]) for name in EMULATORS}
            sources["erp"] = {"dsn": postgres.dsn, "objects": list(ERP_TABLES)}
            users = None if detached else users_lock(environment)
            server = _uvicorn(_by_port(apps), authority)
            ready = partial(write_contract, environment, sources, ca_file)
            asyncio.run(_serve_until_done(server, list(listeners.values()), ready, users))
    finally:
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, signal.SIG_IGN)  # asked twice, still in good order
        environment.sandbox_contract.unlink(missing_ok=True)
        world.close()
        postgres.stop()
    return 0


def _described(name: str, port: int, secret: str) -> dict:
    """What sandbox.json says of an emulated API."""
    emulator = EMULATORS[name]
    return {
        "base_url": f"https://127.0.0.1:{port}",
        "credentials": {emulator.CREDENTIAL: secret},
        "objects": list(emulator.SERVED),
        **emulator.SETTINGS,
    }


def _by_port(apps: dict[int, Starlette]) -> Callable:
    """One ASGI app out of several: each source has a port, as each vendor has a host."""

    async def dispatch(scope, receive, send) -> None:
        await apps[scope["server"][1]](scope, receive, send)

    return dispatch


def _leave(*_: object) -> None:
    raise SystemExit(0)


def _take_server_lock(environment: Environment) -> int | None:
    """The lock that says a server lives; None when another has it. Askers hold it for moments: try on."""
    lock = os.open(server_lock(environment), os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(20):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            time.sleep(0.05)
    os.close(lock)
    return None


def _listen() -> socket.socket:
    # The protocol is named because asyncio sets TCP_NODELAY only then; without it every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


def _uvicorn(app, authority: trustme.CA) -> uvicorn.Server:
    """A server for `app` over TLS, with a certificate of the throw-away authority."""
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2, lifespan="off")
    config.load()
    config.ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(config.ssl)
    return uvicorn.Server(config)


async def _serve_until_done(
    server: uvicorn.Server, listeners: list[socket.socket], ready: Callable[[], None], users: Path | None
) -> None:
    serving = asyncio.create_task(server.serve(sockets=listeners))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if not serving.done():
        ready()
    while not serving.done():
        if users is not None and _nobody_needs(users):
            server.should_exit = True
            break
        await asyncio.wait({serving}, timeout=_POLL_SECONDS)
    await serving


_left_for_good: list[int] = []  # keeps the users' lock until this process is gone: newcomers wait for its end


def _nobody_needs(users: Path) -> bool:
    handle = os.open(users, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return False
    _left_for_good.append(handle)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the sandbox's emulators (use `c360 sandbox start`).")
    parser.add_argument("environment")
    parser.add_argument("--detached", action="store_true")
    arguments = parser.parse_args()
    try:
        return serve(get_environment(arguments.environment), arguments.detached)
    except UserError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
