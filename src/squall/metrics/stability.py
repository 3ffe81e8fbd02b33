"""The stability checks of a held level, from what the workers counted window by window. Pure.

The rule: a check covers one `check_interval` of a sustained phase that is no warm-up, from its start on. What is
left at the end of the phase makes a check of its own, unless it is shorter than a tenth of the interval and not
the only one.

- **drop share**: drops in the window / connections held at its start.
- **spike share**: connections with at least one response above the bound, to a message due in the window / those
  there were in it: held at its start or established in it; None where nothing was sent.
- **failure share**: messages due in the window that were sent, or held back by the peer, and had no good copy one
  `drain_timeout` after its end / all of those. What could not be sent for want of a connection is not among them.

A check is known once its window is over and nothing of it is missing any more, at the latest with its deadline,
one `drain_timeout` after its end; or with the end of the run, when every session has drained. What a worker that
died had not reported is missing in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from squall.metrics.figures import number, percent
from squall.record.run import Phase
from squall.record.snapshots import CheckCell, Event, Interval
from squall.record.stability import StabilityCheck
from squall.scenario.monitoring import Stability

__all__ = ["CHECKS_KEPT", "CheckTotals", "StabilityWatch", "failures", "stability_event"]

CHECKS_KEPT: Final = 4_000
"""Checks that are kept one by one: those of a day, and more, at an interval of 30 s."""

_NS: Final = 1_000_000_000
_REMAINDER_MIN: Final = 0.1


class StabilityWatch:
    """Turns what intervals bring into checks, in the order in which their windows lie.

    Args:
        drain_timeout_ns: how long after its end a message of a window may still come.
    """

    def __init__(self, drain_timeout_ns: int) -> None:
        self._drain_timeout_ns = drain_timeout_ns
        self._watched: list[_Watched] = []

    def begin(self, phase: Phase, stability: Stability) -> None:
        """A phase begins that is to be checked."""
        self._watched.append(_Watched(phase, stability))

    def end(self, phase: Phase) -> None:
        """A phase is over."""
        for each in self._watched:
            if each.phase == phase.id and phase.end_ns is not None:
                each.end_ns = phase.end_ns

    def add(self, interval: Interval) -> list[StabilityCheck]:
        """Take one interval; the checks that are known with it."""
        for cell in interval.checks:
            for each in self._watched:
                if each.phase == cell.phase:
                    each.add(cell)
        return self._known(interval.at_ns, early=interval.complete)

    def finish(self) -> list[StabilityCheck]:
        """The run is over, and every session has drained: all that is left."""
        return self._known(None, early=True)

    def waits_for(self, phase: Phase) -> bool:
        """Whether a check of a phase is still to come."""
        return any(each.phase == phase.id for each in self._watched)

    def _known(self, at_ns: int | None, *, early: bool) -> list[StabilityCheck]:
        found: list[StabilityCheck] = []
        for each in self._watched:
            found += each.known(at_ns, self._drain_timeout_ns, early=early)
        self._watched = [each for each in self._watched if not each.is_over]
        return found


class _Watched:
    """One phase under check: what was counted in those of its windows that are not known yet."""

    def __init__(self, phase: Phase, stability: Stability) -> None:
        self.phase = phase.id
        self.end_ns = phase.end_ns
        self._start_ns = phase.start_ns
        self._interval_ns = round(stability.check_interval * _NS)
        self._tolerances = stability.tolerances
        self._counts: dict[int, CheckCell] = {}
        self._next = 0

    def add(self, cell: CheckCell) -> None:
        """Changes in one window; those of a check that is known already come too late."""
        if cell.index < self._next:
            return
        before = self._counts.get(cell.index, CheckCell(cell.phase, cell.index))
        self._counts[cell.index] = CheckCell(
            cell.phase,
            cell.index,
            before.held + cell.held,
            before.drops + cell.drops,
            before.sent + cell.sent,
            before.delivered + cell.delivered,
            before.spiked + cell.spiked,
            before.joined + cell.joined,
        )

    @property
    def is_over(self) -> bool:
        """Whether the phase has ended and all its checks are known."""
        return self.end_ns is not None and self._window_end_ns() is None

    def known(self, at_ns: int | None, drain_timeout_ns: int, *, early: bool) -> Iterator[StabilityCheck]:
        """The checks that are known by a time; by any, where it is None."""
        while (end_ns := self._window_end_ns()) is not None:
            counts = self._counts.get(self._next, CheckCell(self.phase, self._next))
            if at_ns is not None:
                settled = early and counts.sent <= counts.delivered
                if at_ns < (end_ns if settled else end_ns + drain_timeout_ns):
                    return
            self._counts.pop(self._next, None)
            yield self._check(counts, end_ns)
            self._next += 1

    def _window_end_ns(self) -> int | None:
        """When the next window ends; None where the phase has no more."""
        start_ns = self._start_ns + self._next * self._interval_ns
        end_ns = start_ns + self._interval_ns
        if self.end_ns is None or end_ns <= self.end_ns:
            return end_ns
        left_ns = self.end_ns - start_ns
        shortest_ns = self._interval_ns * _REMAINDER_MIN if self._next else 1
        return self.end_ns if left_ns >= shortest_ns else None

    def _check(self, counts: CheckCell, end_ns: int) -> StabilityCheck:
        undelivered = counts.sent - counts.delivered
        return StabilityCheck(
            phase=self.phase,
            index=self._next,
            start_ns=self._start_ns + self._next * self._interval_ns,
            end_ns=end_ns,
            held=counts.held,
            drops=counts.drops,
            drop_share=_share(counts.drops, counts.held),
            drop_tolerance=self._tolerances.connection_drops,
            joined=counts.joined,
            spiked=counts.spiked,
            spike_share=_share(counts.spiked, counts.held + counts.joined) if counts.sent else None,
            spike_tolerance=self._tolerances.latency_spikes,
            sent=counts.sent,
            undelivered=undelivered,
            failure_share=_share(undelivered, counts.sent),
            failure_tolerance=self._tolerances.message_delivery_failures,
        )


class CheckTotals:
    """The checks of a run: how many there were and failed, and the last of them one by one, in bounded memory."""

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self.failed_by_spikes_alone = 0
        """Those that squall's own lag could have made fail."""
        self.drop_share_max: float | None = None
        self.spike_share_max: float | None = None
        self.failure_share_max: float | None = None
        self.kept: deque[StabilityCheck] = deque(maxlen=CHECKS_KEPT)

    def add(self, check: StabilityCheck) -> None:
        """Take one check; one in which nothing could be measured counts for nothing."""
        self.kept.append(check)
        if check.drop_share is None and check.failure_share is None:
            return
        self.count += 1
        self.drop_share_max = _greater(self.drop_share_max, check.drop_share)
        self.spike_share_max = _greater(self.spike_share_max, check.spike_share)
        self.failure_share_max = _greater(self.failure_share_max, check.failure_share)
        if not check.passed:
            self.failed += 1
            self.failed_by_spikes_alone += [name for name, *_ in failures(check)] == ["latency_spikes"]

    def of(self, phases: Iterable[Phase]) -> tuple[StabilityCheck, ...]:
        """Those of some phases that are kept."""
        ids = {phase.id for phase in phases}
        return tuple(check for check in self.kept if check.phase in ids)


def failures(check: StabilityCheck) -> list[tuple[str, float, float, str]]:
    """What failed in a check: the tolerance's name, the share, the tolerance, and both in words."""
    held, there = number(check.held), number(check.held + check.joined)
    shares = (
        (
            "connection_drops",
            check.drop_share,
            check.drop_tolerance,
            f"{number(check.drops)} of {held} connections dropped",
        ),
        (
            "latency_spikes",
            check.spike_share,
            check.spike_tolerance,
            f"{number(check.spiked)} of {there} connections had a response above the spike bound",
        ),
        (
            "message_delivery_failures",
            check.failure_share,
            check.failure_tolerance,
            f"{number(check.undelivered)} of {number(check.sent)} messages had no good copy in time",
        ),
    )
    return [
        (name, share, tolerance, words)
        for name, share, tolerance, words in shares
        if share is not None and share > tolerance
    ]


def stability_event(check: StabilityCheck, phase: str) -> Event | None:
    """A failed check as an event; None for one that passed. Its figure is the first share that failed."""
    failed = failures(check)
    if not failed:
        return None
    name, share, tolerance, _ = failed[0]
    words = "; ".join(f"{text}: {percent(part)}, bound {percent(bound)}" for _, part, bound, text in failed)
    return Event(
        at_ns=check.end_ns,
        kind="stability",
        text=f"check {check.index + 1} of {phase} failed: {words}",
        name=name,
        figure=share,
        bound=tolerance,
    )


def _greater(one: float | None, other: float | None) -> float | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None
