"""Waiting for a run that goes on, by its record."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from squall.errors import StoreError
from squall.record.snapshots import Interval
from squall.store.reader import open_run

__all__ = ["wait_until"]

TIMEOUT_S = 30


def wait_until(folder: Path, holds: Callable[[list[Interval]], bool], what: str) -> None:
    """Until something holds of what stands in the record of a run; `what` is said where it never does."""
    until, pause = time.monotonic() + TIMEOUT_S, threading.Event()
    while time.monotonic() < until:
        with suppress(StoreError):  # the record is not begun yet
            if holds(list(open_run(folder).intervals)):
                return
        pause.wait(0.05)
    raise AssertionError(f"not within {TIMEOUT_S} s: {what}")
