"""One `dbt build` inside this process: quiet, with our own progress lines, and the warehouse let go afterwards."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operate.environment import PROJECT_ROOT, Environment
from operate.errors import UserError, is_disk_full
from operate.interrupt import interrupts_kept
from operate.lock import warehouse_lock

LAYERS = ("seeds", "staging", "cleaned", "identity_resolved", "customer_360", "monitoring")
BAD = ("error", "fail", "runtime error", "partial success")
TESTS = ("test", "unit_test")
PROGRESS_SECONDS = 10
REMEDY_BY_KIND = {
    "test": "look at the rows that the test finds: run the SQL in {sql} on the warehouse",
    "unit_test": "the model no longer does what its scenario says: correct the model or the scenario",
    "model": "read the error above and the compiled SQL in {sql}, correct the model, and run again",
    "seed": "correct the seed's csv file in seeds/, and run again",
    "operation": "read the error above and logs/dbt.log of the environment, and run again: nothing was promoted",
}


@dataclass(frozen=True)
class NodeResult:
    """What came of one node: `kind` is dbt's resource type, `layer` one of LAYERS or `other`."""

    node_id: str
    name: str
    kind: str
    layer: str
    status: str
    message: str = ""
    failures: int | None = None
    seconds: float = 0.0
    description: str = ""
    remedy: str = ""

    @property
    def is_test(self) -> bool:
        return self.kind in TESTS

    @property
    def is_bad(self) -> bool:
        return self.status in BAD

    @property
    def counts(self) -> bool:
        """Whether this is a result at all: an exposure builds nothing, a hook is told of only when it failed."""
        return self.status != "no-op" and (self.kind != "operation" or self.is_bad)


@dataclass
class BuildResult:
    """One finished build. `invocation_id` is the run_id in the ledger, the events and mon_dbt_results."""

    invocation_id: str
    nodes: list[NodeResult] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def tests(self) -> list[NodeResult]:
        return [node for node in self.nodes if node.is_test]

    @property
    def passed(self) -> list[NodeResult]:
        return [node for node in self.tests if node.status in ("pass", "success")]

    @property
    def warned(self) -> list[NodeResult]:
        return [node for node in self.nodes if node.status == "warn"]

    @property
    def failed(self) -> list[NodeResult]:
        return [node for node in self.nodes if node.is_bad]

    @property
    def skipped(self) -> list[NodeResult]:
        return [node for node in self.nodes if node.status == "skipped"]

    @property
    def is_clean(self) -> bool:
        return not self.failed and not self.skipped


def target_path(environment: Environment) -> Path:
    """dbt's artifacts of `environment`, apart from all others so that partial parsing stays warm."""
    return environment.logs / "dbt_target"


def build(environment: Environment, full_refresh: bool = False, say: Callable[[str], None] = print) -> BuildResult:
    """Run `dbt build` on `environment`; failures of nodes are in the result, not raised.

    Raises UserError when dbt could not run at all: the project does not parse, the disk is full.
    """
    progress = _Progress(say)
    # Unit tests judge code, not data, and cost 40 % of a build: `dbt build`, `make test` and CI run them.
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    if full_refresh:
        arguments.append("--full-refresh")
    begun = time.monotonic()
    with warehouse_lock(environment), interrupts_kept():  # dbt makes a Ctrl-C a result like any other
        outcome = invoke(environment, arguments, progress)
    if isinstance(outcome.exception, KeyboardInterrupt | SystemExit):
        raise outcome.exception
    if outcome.exception is not None or not hasattr(outcome.result, "results"):
        raise _could_not_run(environment, outcome.exception)
    nodes = [_node_result(result, environment) for result in outcome.result.results]
    return BuildResult(progress.invocation_id, [n for n in nodes if n.counts], time.monotonic() - begun)


def arguments_for(environment: Environment) -> list[str]:
    """The options that make any dbt command work on `environment`, quietly, with artifacts of its own."""
    return [
        "--project-dir", str(PROJECT_ROOT), "--profiles-dir", str(PROJECT_ROOT),
        "--target-path", str(target_path(environment)), "--log-path", str(environment.logs),
        "--log-level", "none", "--log-level-file", "info", "--quiet", "--no-print",
        "--no-use-colors", "--no-use-colors-file",
    ]  # fmt: skip


_listener: Callable[[Any], None] | None = None
_runner: Any = None
# What dbt read of the project, by the variables it was read with, and the macros that each node then called.
_manifests: dict[tuple[str, ...], tuple[Any, dict[str, list[str]]]] = {}


def invoke(environment: Environment, arguments: Sequence[str], progress: Callable[[Any], None] | None = None) -> Any:
    """One dbt command on `environment`, in this process; returns dbt's own result (success, exception, result).

    `progress` receives dbt's events. The project is read once per process. The warehouse is let go afterwards,
    whatever happened.
    """
    global _listener, _runner
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    if _runner is None:
        _runner = dbtRunner(callbacks=[lambda event: _listener(event) if _listener else None])
    environment.activate()
    complaining, logging.raiseExceptions = logging.raiseExceptions, False  # a log on a full disk: told once is enough
    try:
        unreadable = _read_project(environment, arguments)
        if unreadable is not None:
            return unreadable
        _listener = progress
        return _runner.invoke([*arguments, *arguments_for(environment)])
    finally:
        _listener, _runner.manifest, logging.raiseExceptions = None, None, complaining
        # dbt-duckdb keeps the file open for the life of the process (keep_open); later steps need it.
        if DuckDBConnectionManager._ENV is not None:
            DuckDBConnectionManager._ENV.close()
            DuckDBConnectionManager.close_all_connections()


def _read_project(environment: Environment, arguments: Sequence[str]) -> Any:
    """Give the runner the project as dbt reads it; returns dbt's result where it cannot be read."""
    variables = tuple(arguments[arguments.index("--vars") :][:2]) if "--vars" in arguments else ()
    if variables not in _manifests:
        parsed = _runner.invoke(["parse", *variables, *arguments_for(environment)])
        if not parsed.success:
            return parsed
        macros = {key: list(node.depends_on.macros) for key, node in parsed.result.nodes.items()}
        _manifests[variables] = parsed.result, macros
    manifest, macros = _manifests[variables]
    # A run adds the macros that only it reached; code_version() reads them, and a new process would not know them.
    for key, names in macros.items():
        manifest.nodes[key].depends_on.macros = list(names)
    _runner.manifest = manifest
    return None


def _could_not_run(environment: Environment, error: BaseException | None) -> UserError:
    text = " ".join(str(error or "no result").split())
    if is_disk_full(text):
        return no_space(environment)
    return UserError(f"dbt could not run: {text[:1500]} (log: {environment.logs / 'dbt.log'})")


def no_space(environment: Environment) -> UserError:
    """The one message for a full disk."""
    return UserError(
        f"no space for the warehouse at {environment.warehouse}: free some disk space and run again; "
        "nothing was promoted or published, and what is published stays as it is"
    )


class _Progress:
    """Receives dbt's events: one line per finished layer, and one now and then while a layer is long."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.invocation_id = ""
        self.totals: Counter[str] | None = None
        self.done: Counter[str] = Counter()
        self.nodes_done = 0
        self.nodes_total = 0
        self.begun = self.last_line = time.monotonic()
        self.guard = threading.Lock()

    def __call__(self, event: Any) -> None:
        if event.info.name == "LogStartLine":
            self.nodes_total = max(self.nodes_total, event.data.total)
        elif event.info.name == "NodeFinished":
            with self.guard:  # dbt's worker threads call this
                self.invocation_id = event.info.invocation_id
                self._finished(event.data.node_info)

    def _finished(self, node: Any) -> None:
        self.nodes_done += 1
        layer = node.node_relation.schema
        if node.resource_type == "model":
            self.done[layer] += 1
            if self.done[layer] == self._layer_totals()[layer]:
                self._line(f"  {layer:18} {self.done[layer]:3} models built")
                return
        if time.monotonic() - self.last_line > PROGRESS_SECONDS:
            self._line(f"  {self.nodes_done} of {self.nodes_total} steps done, now at {node.node_name}")

    def _line(self, text: str) -> None:
        self.last_line = time.monotonic()
        self.say(f"{text:45} {self.last_line - self.begun:6.1f} s")

    def _layer_totals(self) -> Counter[str]:
        if self.totals is None:
            nodes = _runner.manifest.nodes.values()
            self.totals = Counter(node.schema for node in nodes if node.resource_type == "model")
        return self.totals


def _node_result(result: Any, environment: Environment) -> NodeResult:
    node = result.node
    kind = str(node.resource_type)
    status = str(result.status)
    return NodeResult(
        node_id=node.unique_id,
        name=node.name,
        kind=kind,
        layer=layer_of(node.original_file_path),
        status=status,
        message=_one_paragraph(result.message or ""),
        failures=result.failures,
        seconds=round(result.execution_time or 0.0, 3),
        description=_description(node),
        remedy=_remedy(node, kind, environment) if status in (*BAD, "warn") else "",
    )


def layer_of(path: str) -> str:
    """The layer of a node by the project's file that states it; a test belongs where its file is."""
    folder, _, rest = path.replace("\\", "/").partition("/")
    layer = "seeds" if folder == "seeds" else rest.partition("/")[0]
    return layer if layer in LAYERS else "other"


def _one_paragraph(message: str) -> str:
    return re.sub(r"\s+", " ", message).strip()


def _description(node: Any) -> str:
    """What a node says it is: its description, else the comment on top of its SQL."""
    if getattr(node, "description", ""):
        return _one_paragraph(node.description)
    lines = []
    for line in (getattr(node, "raw_code", "") or "").splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(lines)


def _remedy(node: Any, kind: str, environment: Environment) -> str:
    """What to do about a failure: the node's own `meta.remedy`, else the advice for its kind."""
    own = (getattr(node.config, "meta", None) or {}).get("remedy")
    if own:
        return _one_paragraph(str(own))
    compiled = getattr(node, "compiled_path", None) or str(environment.logs / "dbt.log")
    return REMEDY_BY_KIND.get(kind, "see logs/dbt.log of the environment").format(sql=compiled)
