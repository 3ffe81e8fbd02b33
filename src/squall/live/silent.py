"""The view that shows nothing: `--progress none`, and runs started from Python."""

from __future__ import annotations

from squall.record.run import Phase
from squall.record.snapshots import Event, Interval

__all__ = ["SilentView"]


class SilentView:
    """Takes everything and shows nothing."""

    def begin_phase(self, phase: Phase, duration_s: float | None = None) -> None:
        """Shows nothing."""

    def accept(self, interval: Interval) -> None:
        """Shows nothing."""

    def happened(self, event: Event) -> None:
        """Shows nothing."""

    def finish(self) -> None:
        """Leaves nothing behind."""
