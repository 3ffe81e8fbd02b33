"""What a live view is: it is told what happens, and shows what it can of it.

The rule: no call ever blocks or fails, whatever became of the terminal. A view keeps a bounded amount of what
it was told; the record keeps the rest. A view says only what it shows: what it does not care for, it inherits.
"""

from __future__ import annotations

from pathlib import Path

from squall.metrics.totals import Totals
from squall.record.resources import ResourceSample
from squall.record.run import Phase, RunHeader
from squall.record.snapshots import Event, Interval
from squall.record.stability import StabilityCheck
from squall.record.verdicts import Verdict

__all__ = ["LiveView"]


class LiveView:
    """Shows one run while it goes on. Also a `SnapshotSink` of the engine. This one shows nothing."""

    def begin_run(self, header: RunHeader, folder: Path, totals: Totals) -> None:
        """The run begins; its record is kept in this folder, and `totals` is all so far at any time, to be read."""

    def begin_phase(self, phase: Phase, duration_s: float | None = None) -> None:
        """A phase begins; `duration_s` is how long it is planned to take, None where that is open."""

    def accept(self, interval: Interval) -> None:
        """Take one merged interval."""

    def happened(self, event: Event) -> None:
        """Take one event, at once."""

    def sampled(self, sample: ResourceSample) -> None:
        """Take one look at a watched machine."""

    def checked(self, check: StabilityCheck) -> None:
        """Take one stability check."""

    def concluded(self, verdict: Verdict) -> None:
        """The run is over, and judged."""

    def finish(self) -> None:
        """Nothing follows: what was shown is left in order. Waits for a blocked output a second at most."""
