"""The run at one moment, as figures: what every view shows. Pure; formats nothing and writes nowhere.

**Rates and times** of a picture are those of its window: of all that came since the picture before.
**Counts** are those of the whole run. Of messages whose outcome is not known yet, only `sent` has any. The
**trail** has the last pictures' main figures. Memory is bounded by the kinds of trouble that there are, by the
limits below, and by one window.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace
from typing import Final

from squall.metrics.alerts import CLEARED, RAISED
from squall.metrics.cells import ConnectionTotals, MessageTotals
from squall.metrics.distribution import Distribution
from squall.record.outcomes import Blame, Trouble
from squall.record.resources import ResourceSample
from squall.record.run import Phase
from squall.record.snapshots import Event, Interval
from squall.record.stability import StabilityCheck

__all__ = [
    "EVENTS_MAX",
    "SOURCES_MAX",
    "TRAIL_MAX",
    "Checks",
    "Delivery",
    "Moment",
    "Picture",
    "Scene",
    "Times",
    "Title",
]

EVENTS_MAX: Final = 6
"""The last events that a picture has."""

TROUBLES_MAX: Final = 5
"""The most frequent troubles that a picture has."""

TRAIL_MAX: Final = 120
"""The last pictures whose figures are kept: of a view that takes one a second, two minutes."""

SOURCES_MAX: Final = 20
"""Watched machines, and names of alerts, that a picture has."""

_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Title:
    """What is known before: the run's name and its target, without secrets."""

    name: str
    target: str


@dataclass(frozen=True, slots=True)
class Times:
    """A distribution in milliseconds; None where nothing was measured in the window."""

    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The messages of the whole run so far."""

    intended: int = 0
    sent: int = 0
    not_sent: int = 0
    delivered: int = 0
    lost: int = 0
    unknown: int = 0
    duplicated: int = 0
    reordered: int = 0
    late: int = 0
    corrupted: int = 0
    unexpected: int = 0
    push_missing: int = 0

    @property
    def under_way(self) -> int:
        """Sent, and without an outcome yet."""
        return self.sent - self.delivered - self.lost - self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The main figures of one window; what was not measured in it is None."""

    held: int
    connects_hz: float | None
    sent_hz: float | None
    delivered_hz: float | None
    response: Times
    lag_p99_ms: float | None
    pushed_hz: float | None = None


@dataclass(frozen=True, slots=True)
class Checks:
    """Stability checks so far, and the last that failed."""

    passed: int = 0
    failed: int = 0
    last_failed: StabilityCheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One moment of a run. Times are nanoseconds since its start, `_hz` are per second over the window."""

    at_ns: int
    phase: str
    phase_start_ns: int
    phase_duration_s: float | None
    held: int
    planned: int
    pending: int
    connects_hz: float | None
    sent_hz: float | None
    delivered_hz: float | None
    response: Times
    service: Times
    lag: Times
    ping: Times
    delivery: Delivery
    attempted: int
    established: int
    connects_failed: int
    closed: int
    dropped: int
    errors: int
    troubles: tuple[tuple[Trouble, int], ...]
    events: tuple[Event, ...]
    blocked: int
    loop_lag_max_ms: float | None
    blames: tuple[tuple[Blame, int], ...] = ()
    """How often connections went wrong, by whose doing it was."""
    alerts: tuple[Event, ...] = ()
    """Those that are raised now."""
    resources: tuple[ResourceSample, ...] = ()
    """The last look at each watched machine."""
    checks: Checks = Checks()
    trail: tuple[Moment, ...] = ()
    """The last of them is this picture's own."""
    pushed_hz: float | None = None
    """None where nothing has come unasked, in the whole run so far."""


class Scene:
    """What a view was told so far, added up."""

    def __init__(self) -> None:
        self._coming: tuple[Phase | None, float | None] = (None, None)
        self._phase: Phase | None = None
        self._phase_duration_s: float | None = None
        self._last: Interval | None = None
        self._from_ns = 0
        self._window, self._connections_window = MessageTotals(), ConnectionTotals()
        self._delivery = Delivery()
        self._connections = ConnectionTotals()
        self._events: deque[Event] = deque(maxlen=EVENTS_MAX)
        self._alerts: dict[str, Event] = {}
        self._resources: dict[str, ResourceSample] = {}
        self._checks = Checks()
        self._trail: deque[Moment] = deque(maxlen=TRAIL_MAX)

    def begin_phase(self, phase: Phase, duration_s: float | None = None) -> None:
        """This phase comes next: it may be told of shortly before the one before it ends."""
        self._coming = (phase, duration_s)
        if self._phase is None:
            self._phase, self._phase_duration_s = self._coming

    def happened(self, event: Event) -> None:
        """Keep an event until others push it out, and an alert until it is cleared."""
        self._events.append(event)
        if event.kind == RAISED and (event.name in self._alerts or len(self._alerts) < SOURCES_MAX):
            self._alerts[event.name] = event
        elif event.kind == CLEARED:
            self._alerts.pop(event.name, None)

    def sampled(self, sample: ResourceSample) -> None:
        """Keep the last look at each watched machine."""
        if sample.source in self._resources or len(self._resources) < SOURCES_MAX:
            self._resources[sample.source] = sample

    def checked(self, check: StabilityCheck) -> None:
        """Count a stability check."""
        before = self._checks
        if check.passed:
            self._checks = replace(before, passed=before.passed + 1)
        else:
            self._checks = replace(before, failed=before.failed + 1, last_failed=check)

    def accept(self, interval: Interval) -> None:
        """Add an interval to the window and to the counts."""
        self._last = interval
        if (coming := self._coming[0]) is not None and interval.at_ns > coming.start_ns:
            self._phase, self._phase_duration_s = self._coming
        for event in interval.events:
            self.happened(event)
        for cell in interval.messages:
            self._window.add(cell)
        for each in interval.connections:
            self._connections_window.add(each)

    def picture(self) -> Picture:
        """The run as it stands; its window ends here."""
        window, connections = self._close_window()
        last, phase = self._last, self._phase
        at_ns = last.at_ns if last is not None else 0
        length_s, self._from_ns = (at_ns - self._from_ns) / _NS, at_ns
        workers = last.workers if last is not None else []
        moment = Moment(
            held=last.held if last is not None else 0,
            connects_hz=_rate(connections.established, length_s),
            sent_hz=_rate(window.sent, length_s),
            delivered_hz=_rate(window.delivered, length_s),
            response=_times(window.response),
            lag_p99_ms=_times(window.lag).p99_ms,
            pushed_hz=_rate(connections.pushed, length_s) if self._connections.pushed else None,
        )
        self._trail.append(moment)
        return Picture(
            at_ns=at_ns,
            phase=phase.name if phase is not None else "",
            phase_start_ns=phase.start_ns if phase is not None else 0,
            phase_duration_s=self._phase_duration_s,
            held=moment.held,
            planned=last.planned if last is not None else 0,
            pending=sum(each.pending for each in workers),
            connects_hz=moment.connects_hz,
            sent_hz=moment.sent_hz,
            delivered_hz=moment.delivered_hz,
            response=moment.response,
            service=_times(window.service),
            lag=_times(window.lag),
            ping=_times(connections.ping),
            delivery=self._delivery,
            attempted=self._connections.attempted,
            established=self._connections.established,
            connects_failed=self._connections.failed,
            closed=self._connections.closed,
            dropped=self._connections.dropped,
            errors=self._connections.troubles.total(),
            troubles=tuple(self._connections.troubles.most_common(TROUBLES_MAX)),
            events=tuple(self._events),
            blocked=sum(each.blocked for each in workers),
            loop_lag_max_ms=max((each.loop_lag_max_ns / 1e6 for each in workers), default=None),
            blames=tuple(_blames(self._connections.troubles).most_common()),
            alerts=tuple(self._alerts.values()),
            resources=tuple(self._resources.values()),
            checks=self._checks,
            trail=tuple(self._trail),
            pushed_hz=moment.pushed_hz,
        )

    def _close_window(self) -> tuple[MessageTotals, ConnectionTotals]:
        """The window, now part of the counts; a new one begins."""
        window, connections = self._window, self._connections_window
        self._window, self._connections_window = MessageTotals(), ConnectionTotals()
        self._connections.merge(connections)
        before = self._delivery
        self._delivery = Delivery(
            intended=before.intended + window.intended,
            sent=before.sent + window.sent,
            not_sent=before.not_sent + window.not_sent,
            delivered=before.delivered + window.delivered,
            lost=before.lost + window.lost,
            unknown=before.unknown + window.unknown,
            duplicated=before.duplicated + window.duplicated,
            reordered=before.reordered + window.reordered,
            late=before.late + window.late,
            corrupted=before.corrupted + window.corrupted_body + connections.corrupted_header,
            unexpected=before.unexpected + connections.unexpected,
            push_missing=before.push_missing + connections.push_missing,
        )
        return window, connections


def _blames(troubles: Counter[Trouble]) -> Counter[Blame]:
    blames: Counter[Blame] = Counter()
    for trouble, count in troubles.items():
        blames[trouble.blame] += count
    return blames


def _rate(count: int, length_s: float) -> float | None:
    return count / length_s if length_s > 0 else None


def _times(distribution: Distribution) -> Times:
    found = (None if each is None else each / 1e6 for each in distribution.quantiles_ns(0.5, 0.95, 0.99, 1.0))
    return Times(*found)
