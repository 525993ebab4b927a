"""The slower beat: when the full list of a source's ids was last compared with what is landed."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

from ingest.objects import Object
from operate.environment import Environment


class Reconciled:
    """When the id list of an object was last compared; losing this note costs one comparison."""

    def __init__(self, environment: Environment, described: Object) -> None:
        self.path = environment.dlt / "reconciled" / f"{described.source}.{described.name}.json"

    def is_due(self, now: datetime, beat: timedelta | None) -> bool:
        """Whether `beat` has passed since the last comparison; None is never, zero is always."""
        if beat is None:
            return False
        try:
            last = datetime.fromisoformat(json.loads(self.path.read_text(encoding="utf-8"))["at"])
        except (OSError, ValueError, KeyError):
            return True
        return now - last >= beat or now < last

    def note(self, now: datetime) -> None:
        """The comparison of `now` is landed."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps({"at": now.astimezone(UTC).isoformat()}), encoding="utf-8")
        os.replace(partial, self.path)
