"""Ctrl-C that stays a Ctrl-C: dbt and dlt each take the first one for themselves and may end as if all were well."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_kept() -> Iterator[None]:
    """Raise at the end of the block what a library inside it swallowed: KeyboardInterrupt or SystemExit(143).

    The interpreter writes the number of every signal it handles to the wake-up descriptor, whoever's handler
    runs. Does nothing outside the main thread, which alone receives signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard, tell = os.pipe()
    for end in (heard, tell):
        os.set_blocking(end, False)
    previous = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    try:
        yield
        received = _read(heard)
    finally:
        signal.set_wakeup_fd(previous)
        os.close(heard)
        os.close(tell)
    if signal.SIGTERM in received:
        raise SystemExit(128 + signal.SIGTERM)
    if signal.SIGINT in received:
        raise KeyboardInterrupt


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except BlockingIOError:
        return b""
