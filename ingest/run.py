"""One landing run: every enabled source, one after the other; a source that fails stops no other."""

from __future__ import annotations

import shutil
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingest import erp, hubspot, landing, salesforce, spreadsheets, stripe
from ingest.facts import Run, Spool, failed_run
from ingest.objects import Object
from ingest.settings import SourceSettings, load_sources
from ingest.task import ReadTask
from ingest.versions import Batch, Counts
from operate import clock
from operate.environment import Environment
from operate.errors import UserError
from operate.lock import warehouse_lock

# source: its module, with OBJECTS and read(task); in landing order
READERS = {
    "salesforce": salesforce,
    "hubspot": hubspot,
    "stripe": stripe,
    "erp": erp,
    "spreadsheets": spreadsheets,
}
SOURCE_OBJECTS: dict[str, tuple[Object, ...]] = {name: reader.OBJECTS for name, reader in READERS.items()}


@dataclass(frozen=True)
class ObjectResult:
    """What one object of one source system gave in this run; fields as in `raw_ingest.runs`."""

    source: str
    source_system: str
    source_object: str
    counts: Counts
    outcome: str = "ok"
    error: str | None = None

    @property
    def line(self) -> str:
        """One line for the terminal."""
        name = f"{self.source_system} {self.source_object}"
        if self.outcome != "ok":
            return f"{name}: failed: {self.error}"
        counts = self.counts
        return (
            f"{name}: {counts.served:,} served, {counts.landed:,} landed ({counts.deleted:,} deletions), "
            f"{counts.unchanged:,} unchanged, {counts.rejected:,} rejected"
        )


@dataclass
class LandingResult:
    """The outcome of one landing run. `messages` are remarks that need no action by themselves."""

    run_id: str
    objects: list[ObjectResult] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[ObjectResult]:
        return [result for result in self.objects if result.outcome != "ok"]

    @property
    def landed(self) -> int:
        return sum(result.counts.landed for result in self.objects)

    @property
    def rejected(self) -> int:
        return sum(result.counts.rejected for result in self.objects)


def run(
    environment: Environment, sources: list[str] | None = None, say: Callable[[str], None] = print, **order: object
) -> LandingResult:
    """Land every enabled source of `environment`, or those named in `sources`.

    order   what else the sources are asked to do: `reconcile`, `window`, `only` of ReadTask

    Failures of a source are collected in the result (and in `raw_ingest.runs`); the caller exits non-zero
    when there are any. Raises UserError when nothing can be landed at all: unusable sources.yml, unknown
    source, no space for the warehouse.
    """
    wanted = load_sources(environment).enabled(sources)
    environment.create()
    with warehouse_lock(environment, say=say):
        return _LandingRun(environment, say, order).land_all(wanted)


@contextmanager
def emulators(environment: Environment) -> Iterator[None]:
    """Have the emulated sources of `environment` running inside; does nothing where sources are real.

    Raises UserError when the environment is emulated and the extra `sandbox` is not installed.
    """
    if not load_sources(environment).emulated:
        yield
        return
    try:
        from sandbox.server import ensure_running
    except ImportError as error:
        raise UserError(
            f"environment {environment.name!r} has emulated sources, which need {error.name}: "
            "install the extra, `pip install .[sandbox]`"
        ) from error
    with ensure_running(environment):
        yield


@dataclass(frozen=True)
class _Taken:
    """One judged batch: its books, its entry in the spool, and its files when there is something to land."""

    described: Object
    runs: list[Run]
    entry: Path
    files: landing.TableFiles | None
    then: Callable[[], None] | None


class _LandingRun:
    def __init__(self, environment: Environment, say: Callable[[str], None], order: dict[str, object]) -> None:
        self.environment = environment
        self.order = order
        self.tell = say
        self.now = clock.now(environment)
        self.started = self.now.replace(tzinfo=None)
        self.spool = Spool(environment)
        self.result = LandingResult(f"{self.now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}")
        self.entries = 0
        self.taken: list[_Taken] = []  # what was read of the source at hand
        self.spooled: set[tuple[str, str]] = set()  # failed objects whose run the spool has already

    def land_all(self, wanted: list[SourceSettings]) -> LandingResult:
        shutil.rmtree(self.environment.dlt / "scratch", ignore_errors=True)
        blocked = self._drain()
        self.spool.flush()
        for settings in wanted:
            if settings.name in blocked:
                self._fail(settings.name, blocked[settings.name])
            else:
                self._land_source(settings)
        self.spool.flush()
        return self.result

    def say(self, line: str) -> None:
        self.result.messages.append(line)
        self.tell(line)

    def _drain(self) -> dict[str, str]:
        """Finish what interrupted runs left, of every source; returns errors of those that cannot."""
        blocked = {}
        for name in SOURCE_OBJECTS:
            try:
                if landing.drain(self.environment, f"raw_{name}"):
                    self.say(f"{name}: finished the load that an interrupted run had left")
            except UserError:
                raise  # no space or a foreign lock: the same for every source
            except Exception as error:
                folder = self.environment.dlt / "pipelines" / name
                blocked[name] = (
                    f"{name}: the load left by an interrupted run cannot be finished ({error}); remove "
                    f"{folder}, its rows are then read again"
                )
        return blocked

    def _land_source(self, settings: SourceSettings) -> None:
        """Read a source and land what was read of it, as one package; objects read before a failure land too."""
        self.tell(f"{settings.name}: reading")
        error = ""
        try:
            with landing.reading(self.environment) as connection:
                newest = landing.newest_load_id(connection, f"raw_{settings.name}")
            load_id = landing.next_load_id(newest, f"raw_{settings.name}")
            task = ReadTask(settings, self.now, load_id, self._take, self.say, **self.order)
            error = self._caught(settings.name, lambda: READERS[settings.name].read(task))
            landed = self._caught(settings.name, lambda: self._land_taken(settings.name, load_id))
            error = error or landed
        except UserError as refused:
            error = str(refused)
        finally:
            self.taken = []
        if error:
            self._fail(settings.name, error)

    def _caught(self, source: str, act: Callable[[], None]) -> str:
        """What went wrong, in one line; empty when nothing did."""
        try:
            act()
        except UserError as error:
            return str(error)
        except Exception as error:  # one source with a defect must not stop the others
            log = self.environment.logs / "ingest.log"
            with open(log, "a", encoding="utf-8") as handle:
                handle.write(f"{self.result.run_id} {source}\n{traceback.format_exc()}\n")
            first = str(error).strip().partition("\n")[0]
            return f"{source}: {type(error).__name__}: {first}; details are in {log}"
        return ""

    def _take(self, batch: Batch, then: Callable[[], None] | None) -> None:
        """Keep a judged batch for the source's package: its facts in the spool, its versions in files."""
        described = batch.object
        books = batch.counts()
        if not books:  # an empty inbox: nothing was read, nothing is to be told
            return
        runs = [self._run(system, described, counts) for system, counts in sorted(books.items())]
        self.entries += 1
        name = f"{self.result.run_id}-{self.entries:03d}-{described.source}-{described.name}"
        files = batch.write() if batch.has_versions() else None
        entry = self.spool.write(name, described.dataset, runs, batch, committed=files is None)
        self.taken.append(_Taken(described, runs, entry, files, then))

    def _land_taken(self, source: str, load_id: str) -> None:
        """Land what was taken of a source as one package, then let its facts count."""
        tables = {taken.described.name: taken.files for taken in self.taken if taken.files}
        if tables:
            try:
                landing.land(self.environment, f"raw_{source}", tables, load_id)
            except Exception as error:
                for taken in self.taken:
                    if taken.files:
                        self.spool.note_error(taken.entry, str(error))
                        self.spooled.add((source, taken.described.name))
                raise
            finally:
                for files in tables.values():
                    for path in files.paths:
                        path.unlink(missing_ok=True)
        for taken in self.taken:
            runs = [self._run(row.source_system, taken.described, row.counts) for row in taken.runs]
            if taken.files:
                self.spool.commit(taken.entry, runs)
            if taken.then:
                taken.then()
            for row in runs:
                result = ObjectResult(source, row.source_system, row.source_object, row.counts)
                self.result.objects.append(result)
                self.tell(result.line)

    def _run(self, system: str, described: Object, counts: Counts) -> Run:
        return Run(self.result.run_id, system, described.name, self.started, self._time(), counts)

    def _fail(self, source: str, error: str) -> None:
        """Note the failure for each object of the source that is not landed yet."""
        done = {(result.source, result.source_object) for result in self.result.objects}
        for described in SOURCE_OBJECTS[source]:
            if (source, described.name) in done:
                continue
            if (source, described.name) not in self.spooled:
                row = failed_run(self._run(source, described, Counts()), error)
                self.entries += 1
                name = f"{self.result.run_id}-{self.entries:03d}-{source}-{described.name}-failed"
                self.spool.write(name, described.dataset, [row], None, committed=True)
            self.result.objects.append(
                ObjectResult(source, source, described.name, Counts(), outcome="failed", error=error)
            )
        self.tell(error)

    def _time(self) -> datetime:
        return clock.now(self.environment).astimezone(UTC).replace(tzinfo=None)
