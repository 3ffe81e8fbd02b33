"""What is kept of the seconds of a run once they are over, in constant memory.

**peak_latency** is the highest p99 over windows of at least one second and 1,000 responses: a second with
fewer is merged with the next. What is left over at the end makes a window
together with the one before it; fewer than 1,000 in all make one window.

**Lag of a second** is the p99 of pacer_lag over the messages that were sent in it.

**Held** is a level, read at each second's end, and stands for the time since the reading before. Of the connection
seconds that were planned those are missing in which the workers had a session to hold, and no connection of it; and
what is planned beyond what they know of, since one of them died, for the whole second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from squall.metrics.cells import MessageTotals
from squall.metrics.distribution import Distribution

__all__ = ["WINDOW_RESPONSES_MIN", "Level", "Pace", "PeakWindow"]

WINDOW_RESPONSES_MIN: Final = 1_000
_SHARE: Final = 0.99


class PeakWindow:
    """The highest p99 over windows that are large enough to have one."""

    __slots__ = ("_before", "_highest_ns", "_open")

    def __init__(self) -> None:
        self._open = Distribution()
        self._before = Distribution()
        self._highest_ns: int | None = None

    def add(self, second: Distribution) -> None:
        """Add one second's values."""
        self._open.merge(second)
        if self._open.count < WINDOW_RESPONSES_MIN:
            return
        # The window before this one can no longer grow: now it counts.
        self._highest_ns = _chosen(max, self._highest_ns, self._before.quantile_ns(_SHARE))
        self._before, self._open = self._open, self._before
        self._open.clear()

    @property
    def peak_ns(self) -> int | None:
        """The highest p99 so far, in nanoseconds; None where nothing was measured."""
        peak_ns = _chosen(max, self._highest_ns, self._before.quantile_ns(_SHARE))
        if not self._open.count:
            return peak_ns
        last = self._before.copy()
        last.merge(self._open)
        return _chosen(max, peak_ns, last.quantile_ns(_SHARE))


class Pace:
    """The latency and lag of the seconds of one phase: of the messages that were intended in it."""

    __slots__ = ("lags", "response_peak", "unlagged_peak")

    def __init__(self) -> None:
        self.lags = Distribution()
        self.response_peak = PeakWindow()
        self.unlagged_peak = PeakWindow()

    def add(self, second: MessageTotals) -> None:
        """Take what happened to the messages of one second."""
        lag_ns = second.pacer_lag.quantile_ns(_SHARE)
        if lag_ns is not None:
            self.lags.record(lag_ns)
        self.response_peak.add(second.response)
        self.unlagged_peak.add(second.unlagged)


@dataclass(slots=True)
class Level:
    """The connections held over a stretch of the run; products with time are in nanoseconds."""

    last: int | None = None
    least: int | None = None
    most: int | None = None
    length_ns: int = 0
    held_ns: int = 0
    held_of_planned_ns: int = 0
    planned_ns: int = 0

    def add(self, *, held: int, planned: int, length_ns: int, absent: int = 0, absent_ns: int = 0) -> None:
        """Take the level at a second's end, and the time of that second.

        Args:
            held: connections.
            planned: those that the plan has.
            length_ns: how long the second was.
            absent: how many of them the workers know to be missing.
            absent_ns: for how long connections were missing in it, added up.
        """
        self.last = held
        self.least = held if self.least is None else min(self.least, held)
        self.most = held if self.most is None else max(self.most, held)
        self.length_ns += length_ns
        self.held_ns += held * length_ns
        unaccounted = max(0, planned - held - absent)
        missing_ns = absent_ns + unaccounted * length_ns
        self.held_of_planned_ns += max(0, planned * length_ns - missing_ns)
        self.planned_ns += planned * length_ns

    def append(self, later: Level) -> None:
        """Take a later stretch as well."""
        self.last = self.last if later.last is None else later.last
        self.least = _chosen(min, self.least, later.least)
        self.most = _chosen(max, self.most, later.most)
        self.length_ns += later.length_ns
        self.held_ns += later.held_ns
        self.held_of_planned_ns += later.held_of_planned_ns
        self.planned_ns += later.planned_ns

    @property
    def mean(self) -> float | None:
        """Connections held on average over time; None of no time."""
        return self.held_ns / self.length_ns if self.length_ns else None


def _chosen(choose: Callable[[Iterable[int]], int], one: int | None, other: int | None) -> int | None:
    there = [each for each in (one, other) if each is not None]
    return choose(there) if there else None
