"""The two live checks on a ramp up: connect success and average latency, in each interval of it.

The rule: what is judged at the end is the worst interval, so that a bad minute cannot hide in a good hour; and
each interval is judged as it ends, for whoever watches. Intervals are five seconds of the run, from its start
on; the last one of a ramp may be shorter. Of the intervals only the worst are kept.

- **connect success**: established / (established + failed). **average latency**: the mean response_time of
  what was delivered of the ramp's messages; where nothing was, the mean connect_time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from squall.metrics.cells import ConnectionTotals, MessageTotals
from squall.record.snapshots import Interval

__all__ = ["INTERVAL_S", "RampChecks", "RampInterval"]

INTERVAL_S: Final = 5


@dataclass(slots=True)
class RampInterval:
    """What belongs to a ramp in one interval, and the two figures that a ramp is judged by."""

    at_s: float
    """Its end, in seconds of the run."""
    connections: ConnectionTotals = field(default_factory=ConnectionTotals)
    messages: MessageTotals = field(default_factory=MessageTotals)

    @property
    def success(self) -> float | None:
        """Connect success; None where no connect came to its end."""
        decided = self.connections.established + self.connections.failed
        return self.connections.established / decided if decided else None

    def latency_ns(self, *, unlagged: bool = False) -> float | None:
        """Average latency, also without pacer_lag; None where nothing was measured."""
        answers = self.messages.unlagged if unlagged else self.messages.response
        return (answers if answers.count else self.connections.connect).mean_ns

    @property
    def latency_of(self) -> Literal["response_time", "connect_time"] | None:
        """What the average latency is of; None where nothing was measured."""
        if self.messages.response.count:
            return "response_time"
        return "connect_time" if self.connections.connect.count else None


class RampChecks:
    """The worst intervals of all ramps up of a run, so far."""

    def __init__(self) -> None:
        self.closed: RampInterval | None = None
        """The interval that ended last."""
        self._open: RampInterval | None = None
        self._least: RampInterval | None = None
        self._slowest: dict[bool, RampInterval] = {}

    def add(self, interval: Interval, ramps: frozenset[int]) -> None:
        """Take one second of the run; `ramps` are the ids of its ramps up."""
        at_s = (interval.index // INTERVAL_S + 1) * INTERVAL_S
        if self._open is not None and at_s > self._open.at_s:
            self._close(self._open)
        connections = [cell for cell in interval.connections if cell.phase in ramps]
        messages = [cell for cell in interval.messages if cell.phase in ramps]
        if connections or messages:
            present = self._open = self._open or RampInterval(at_s)
            for connection in connections:
                present.connections.add(connection)
            for message in messages:
                present.messages.add(message)
        if self._open is not None and (interval.index + 1) % INTERVAL_S == 0:
            self._close(self._open)

    def _close(self, ended: RampInterval) -> None:
        self.closed, self._open = ended, None
        self._least = _least([self._least, ended])
        for unlagged in (False, True):
            slowest = self._slowest_of(ended, unlagged)
            if slowest is not None:
                self._slowest[unlagged] = slowest

    @property
    def least_success(self) -> RampInterval | None:
        """The interval with the lowest connect success; None where there was none to measure."""
        return _least([self._least, self._open])

    def slowest(self, *, unlagged: bool = False) -> RampInterval | None:
        """The interval with the highest average latency; None where there was none to measure."""
        return self._slowest_of(self._open, unlagged)

    def _slowest_of(self, other: RampInterval | None, unlagged: bool) -> RampInterval | None:
        found = [
            (latency_ns, -each.at_s, each)
            for each in (self._slowest.get(unlagged), other)
            if each is not None and (latency_ns := each.latency_ns(unlagged=unlagged)) is not None
        ]
        return max(found)[2] if found else None


def _least(intervals: Iterable[RampInterval | None]) -> RampInterval | None:
    found = [
        (success, each.at_s, each)
        for each in intervals
        if each is not None and (success := each.success) is not None
    ]
    return min(found)[2] if found else None
