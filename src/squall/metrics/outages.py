"""Outages: many connections dropped at once, and how long it took until they were back. Pure.

An outage begins with a second in which at least `DROPS_MIN` connections, and at least `DROP_SHARE` of those held at
its start, were dropped. Further drops belong to it until each of them is settled: its session has connected again, or
does not any more (it gave up, its visit is over, nobody asked for it). Only numbers are known, not who comes back:
where some that dropped before it are still away, the first to be settled count as those. **Back** is the longest time
from a drop to the upgrade that replaced it, of those that ended in the outage. What made the connections drop (a
restart, a network, a load balancer) cannot be told from here.

Bounded: past `OUTAGES_MAX` they are only counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from squall.metrics.figures import number
from squall.record.snapshots import Interval
from squall.units import format_duration

__all__ = ["DROPS_MIN", "DROP_SHARE", "OUTAGE", "OUTAGES_MAX", "Outage", "Outages", "in_words"]

DROPS_MIN: Final = 5
DROP_SHARE: Final = 0.1
OUTAGES_MAX: Final = 100
OUTAGE: Final = "outage"
"""The kind of event that tells of one that is over."""

_NS: Final = 1_000_000_000


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """One outage. Times are seconds; `start_s` is the start of the second in which the first drops were."""

    start_s: float
    within_s: float
    """From then to the end of the last second with drops."""
    dropped: int
    reconnected: int = 0
    abandoned: int = 0
    connects_failed: int = 0
    back_s: float | None = None
    """None where nobody connected again."""
    end_s: float | None = None
    """The end of the second in which the last drop was settled; None where it never was."""


@dataclass(slots=True)
class Outages:
    """Those of a run so far."""

    kept: list[Outage] = field(default_factory=list)
    more: int = 0
    closed: Outage | None = None
    """The one that was over last."""
    _open: Outage | None = None
    _away: int = 0
    """Dropped before the one that is open, or before now where none is, and not settled yet."""
    _held: int = 0
    _since_ns: int = 0

    def add(self, interval: Interval) -> None:
        """Take one second of the run."""
        dropped = sum(cell.dropped for cell in interval.connections)
        is_one = dropped >= DROPS_MIN and dropped >= DROP_SHARE * self._held
        if self._open is None and is_one:
            self._open = Outage(start_s=self._since_ns / _NS, within_s=0.0, dropped=0)
        reconnected = sum(cell.reconnected for cell in interval.connections)
        abandoned = sum(cell.abandoned for cell in interval.connections)
        if self._open is not None:
            of_earlier = min(self._away, reconnected), min(max(0, self._away - reconnected), abandoned)
            self._away -= sum(of_earlier)
            own = dropped, reconnected - of_earlier[0], abandoned - of_earlier[1]
            self._open = _with(self._open, interval, *own)
            if self._open.dropped <= self._open.reconnected + self._open.abandoned:
                self._close(msgspec.structs.replace(self._open, end_s=interval.at_ns / _NS))
        else:
            self._away = max(0, self._away + dropped - reconnected - abandoned)
        self._held, self._since_ns = interval.held, interval.at_ns

    def _close(self, outage: Outage) -> None:
        self._open, self.closed = None, outage
        if len(self.kept) < OUTAGES_MAX:
            self.kept.append(outage)
        else:
            self.more += 1

    @property
    def all(self) -> list[Outage]:
        """Those that are kept, and the one that is not over."""
        return [*self.kept, *([self._open] if self._open is not None else [])]


def _with(outage: Outage, interval: Interval, dropped: int, reconnected: int, abandoned: int) -> Outage:
    """The outage with one more second of it, and of that second what is the outage's own."""
    cells = interval.connections
    backs = [cell.reconnect.max_ns / _NS for cell in cells if reconnected and cell.reconnect is not None]
    end_s = interval.at_ns / _NS
    return msgspec.structs.replace(
        outage,
        within_s=end_s - outage.start_s if dropped else outage.within_s,
        dropped=outage.dropped + dropped,
        reconnected=outage.reconnected + reconnected,
        abandoned=outage.abandoned + abandoned,
        connects_failed=outage.connects_failed + sum(cell.failed for cell in cells),
        back_s=max([*backs, *([outage.back_s] if outage.back_s is not None else [])], default=None),
    )


def in_words(outage: Outage) -> str:
    """The outage in one line."""
    within = _seconds(outage.within_s)
    line = f"{number(outage.dropped)} connections dropped within {within}, from {_seconds(outage.start_s)} on"
    if outage.back_s is None:
        return f"{line}; none of them connected again"
    whole = outage.reconnected == outage.dropped
    who = "all" if whole else f"{number(outage.reconnected)} of them"
    line += f"; {who} connected again, the last after {_seconds(outage.back_s)}"
    left = outage.dropped - outage.reconnected
    if left > 0:
        line += f", {number(left)} {'not yet' if outage.end_s is None else 'gave up or were to leave first'}"
    failed = outage.connects_failed
    return f"{line} ({number(failed)} connects failed meanwhile)" if failed else line


def _seconds(seconds: float) -> str:
    return format_duration(round(seconds, 1) or round(seconds, 3))
