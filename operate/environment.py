"""Environments: a name, and the folder `var/<name>/` that holds all of its state.

The root folder is `var/` beside this project, or `C360_VAR` (an absolute path) where a test or a
container wants it elsewhere. The name comes from `--env`, else `C360_ENV`, else `sandbox`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from operate.errors import UserError

PROJECT_ROOT = Path(__file__).resolve().parents[1]
DEFAULT_ENVIRONMENT = "sandbox"
NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Environment:
    """One environment: all its state lies below `folder`, none of it in git."""

    name: str
    folder: Path

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    @property
    def warehouse_lock(self) -> Path:
        return self.folder / "warehouse.lock"

    @property
    def control(self) -> Path:
        return self.folder / "control.sqlite"

    @property
    def clock(self) -> Path:
        return self.folder / "clock.json"

    @property
    def id_key(self) -> Path:
        return self.folder / "id_key"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def dlt(self) -> Path:
        return self.folder / "dlt"

    @property
    def published(self) -> Path:
        return self.folder / "published"

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    @property
    def exports(self) -> Path:
        return self.folder / "exports"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def sandbox_contract(self) -> Path:
        """`sandbox.json`: addresses and credentials of the running emulators."""
        return self.folder / "sandbox.json"

    @property
    def sandbox(self) -> Path:
        """State of the pretended world (not of the pipeline)."""
        return self.folder / "sandbox"

    def create(self) -> Environment:
        """Make the folders that every command may rely on; returns self."""
        for folder in (self.folder, self.inbox, self.dlt, self.reports, self.exports, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        return self

    def activate(self) -> Environment:
        """Make this the environment of everything started from this process (dbt reads it)."""
        os.environ["C360_ENV"] = self.name
        os.environ["C360_VAR"] = str(self.folder.parent)
        return self.create()


def var_root() -> Path:
    """The folder that holds one folder per environment."""
    return Path(os.environ.get("C360_VAR") or PROJECT_ROOT / "var")


def get_environment(name: str | None = None) -> Environment:
    """The environment called `name`, else `C360_ENV`, else `sandbox`.

    Raises UserError when the name could not be a folder and schema-safe word.
    """
    name = name or os.environ.get("C360_ENV") or DEFAULT_ENVIRONMENT
    if not NAME_PATTERN.fullmatch(name):
        raise UserError(
            f"environment name {name!r} is not usable: take lower-case letters, digits and '_', "
            "starting with a letter, at most 40 characters"
        )
    return Environment(name, var_root() / name)
