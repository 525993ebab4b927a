"""What a source is asked to read, and where its batches go: the one argument of every source's `read`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.objects import Object
from ingest.reconcile import Reconciled
from ingest.settings import SourceSettings
from ingest.versions import Batch, open_batch


@dataclass(frozen=True)
class Window:
    """A backfill: records changed from `start` up to before `end`, naive UTC, are read again."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class ReadTask:
    """One reading of one source.

    now        timezone-aware UTC
    load_id    of the load that everything read now becomes
    take       where judged batches go
    say        takes remarks for the terminal
    reconcile  compare full id lists now, whether or not they are due
    window     read this window instead of what changed since the last run; deletions are not looked for
    only       object names to read; empty is all
    """

    settings: SourceSettings
    now: datetime
    load_id: str
    take: Callable[[Batch, Callable[[], None] | None], None]
    say: Callable[[str], None]
    reconcile: bool = False
    window: Window | None = None
    only: tuple[str, ...] = ()

    def wants(self, described: Object) -> bool:
        """Whether this reading is about `described`."""
        return not self.only or described.name in self.only

    @contextmanager
    def batch(self, described: Object) -> Iterator[Batch]:
        """A batch that knows what is landed; `read_from` is the start of the window in a backfill."""
        settings = self.settings
        with open_batch(settings.environment, described, self.now, self.load_id, settings.lag) as batch:
            if self.window:
                batch.read_from = self.window.start
            yield batch

    def read_until(self, batch: Batch) -> datetime | None:
        """The end of the window of a backfill; None when all is read, as it is when the fields have changed."""
        return self.window.end if self.window and batch.read_from else None

    def land(self, batch: Batch, then: Callable[[], None] | None = None) -> None:
        """Hand over a judged batch. It lands together with the others of its source, when all of them are read or
        one has failed; `then` is called once it is landed, for notes that must not run ahead of it.
        """
        self.take(batch, then)

    def reconcile_is_due(self, described: Object) -> bool:
        """Whether the full id list is to be compared in this reading."""
        if self.window:
            return False
        beat = timedelta(0) if self.reconcile else self.settings.reconcile
        return self._reconciled(described).is_due(self.now, beat)

    def note_reconciled(self, described: Object) -> None:
        """The comparison of this reading is landed."""
        self._reconciled(described).note(self.now)

    def _reconciled(self, described: Object) -> Reconciled:
        return Reconciled(self.settings.environment, described)
