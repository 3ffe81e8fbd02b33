"""What a live view is: it is told what happens, and shows what it can of it.

The rule: no call ever blocks or fails, whatever became of the terminal. A view keeps a bounded amount of what
it was told; the record keeps the rest.
"""

from __future__ import annotations

from typing import Protocol

from squall.record.run import Phase
from squall.record.snapshots import Event, Interval

__all__ = ["LiveView"]


class LiveView(Protocol):
    """Shows one run while it goes on. Also a `SnapshotSink` of the engine."""

    def begin_phase(self, phase: Phase, duration_s: float | None = None) -> None:
        """A phase begins; `duration_s` is how long it is planned to take, None where that is open."""
        ...

    def accept(self, interval: Interval) -> None:
        """Take one merged interval."""
        ...

    def happened(self, event: Event) -> None:
        """Take one event, at once."""
        ...

    def finish(self) -> None:
        """Nothing follows: what was shown is left in order. Waits for a blocked terminal a second at most."""
        ...
