"""Alerts: figures of the last seconds held against bounds while the run goes on, raised and cleared. Pure.

The rule: an alert is raised by one interval above its bound, and cleared by two intervals in a row at or below 90 %
of it; what lies between leaves it as it is, so that a figure near its bound raises one alert and not twenty. An
interval in which nothing was measured changes nothing, and neither counts as quiet nor breaks the quiet. Alerts are
shown and recorded; they judge nothing.

- **connection_latency** (ms): the mean connect_time of the interval while connects happen, or its mean
  response_time, whichever is greater.
- **connection_drop_rate**: drops / (connections held at the interval's start + established in it).
- **memory_usage**, **cpu_usage**: the target's share in the interval's last look; of several sources the highest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from squall.metrics.figures import number, percent
from squall.record.resources import ResourceSample
from squall.record.snapshots import Event, Interval, SparseHistogram
from squall.scenario.monitoring import AlertBounds, Monitoring

__all__ = [
    "ALERTS_KEPT",
    "CLEARED",
    "CLEAR_INTERVALS",
    "CLEAR_SHARE",
    "RAISED",
    "Alert",
    "AlertTotals",
    "AlertWatch",
    "Hysteresis",
    "Reading",
    "bounds_of",
]

CLEAR_SHARE: Final = 0.9
CLEAR_INTERVALS: Final = 2
RAISED: Final = "alert"
CLEARED: Final = "alert_cleared"
ALERTS_KEPT: Final = 500
"""Alerts that are kept one by one; further ones are counted."""

_NS: Final = 1_000_000_000
_MS: Final = 1_000_000


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that stood above its bound for a while. Of `connection_latency` both are milliseconds."""

    name: str
    bound: float
    figure: float
    """What raised it."""
    raised_s: float
    """Seconds since the start of the run."""
    cleared_s: float | None = None
    """None: it never was."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure of an interval, and what it is in words."""

    figure: float
    words: str


@dataclass(slots=True)
class Hysteresis:
    """Whether one alert is raised; see the module for the rule."""

    bound: float
    raised: bool = False
    quiet: int = 0

    def look(self, figure: float | None) -> Literal["raised", "cleared"] | None:
        """Take one interval's figure; what that changes."""
        if figure is None:
            return None
        if not self.raised:
            self.raised = figure > self.bound
            self.quiet = 0
            return "raised" if self.raised else None
        self.quiet = self.quiet + 1 if figure <= self.bound * CLEAR_SHARE else 0
        if self.quiet < CLEAR_INTERVALS:
            return None
        self.raised = False
        return "cleared"


class AlertWatch:
    """The alerts of one run, fed with its intervals and with looks at what is watched."""

    def __init__(self, monitoring: Monitoring) -> None:
        self._interval_ns = round(monitoring.interval * _NS)
        self._alerts = {name: Hysteresis(bound) for name, bound in bounds_of(monitoring.alerts).items()}
        self._stretch = _Stretch()
        self._held = 0

    def sampled(self, sample: ResourceSample) -> None:
        """Take one look at a watched machine; only the target's count."""
        if sample.role == "target":
            self._stretch.target[sample.source] = sample

    def add(self, interval: Interval) -> list[Event]:
        """Take one second; what it raises and clears."""
        stretch = self._stretch
        stretch.add(interval)
        if interval.at_ns < stretch.start_ns + self._interval_ns:
            return []
        readings = stretch.readings(self._held)
        self._held = interval.held
        # A second that ends late must not shift all that follow.
        self._stretch = _Stretch(interval.at_ns - (interval.at_ns - stretch.start_ns) % self._interval_ns)
        return self.look(interval.at_ns, readings)

    def look(self, at_ns: int, readings: dict[str, Reading]) -> list[Event]:
        """Hold an interval's figures against the bounds; the events that come of it."""
        events = []
        for name, alert in self._alerts.items():
            reading = readings.get(name)
            change = alert.look(None if reading is None else reading.figure)
            if change is None or reading is None:
                continue
            bound = _words(name, alert.bound)
            raised = change == "raised"
            how = "above" if raised else f"for {CLEAR_INTERVALS} intervals at most {CLEAR_SHARE:.0%} of"
            events.append(
                Event(
                    at_ns=at_ns,
                    kind=RAISED if raised else CLEARED,
                    text=f"{name}: {reading.words}, {how} {bound}",
                    name=name,
                    figure=reading.figure,
                    bound=alert.bound,
                )
            )
        return events


@dataclass(slots=True)
class _Stretch:
    """What one interval of the alerts has so far."""

    start_ns: int = 0
    dropped: int = 0
    established: int = 0
    connects: int = 0
    connect_ns: int = 0
    responses: int = 0
    response_ns: int = 0
    target: dict[str, ResourceSample] = field(default_factory=dict)

    def add(self, interval: Interval) -> None:
        """Add one second."""
        for connections in interval.connections:
            self.dropped += connections.dropped
            self.established += connections.established
        count, sum_ns = _sums(each.connect for each in interval.connections)
        self.connects, self.connect_ns = self.connects + count, self.connect_ns + sum_ns
        count, sum_ns = _sums(each.response for each in interval.messages)
        self.responses, self.response_ns = self.responses + count, self.response_ns + sum_ns

    def readings(self, held: int) -> dict[str, Reading]:
        """The figures of the interval that were measured; `held` is the level at its start."""
        found = {}
        latencies = [
            (total_ns / count / _MS, name)
            for name, count, total_ns in (
                ("connect_time", self.connects, self.connect_ns),
                ("response_time", self.responses, self.response_ns),
            )
            if count
        ]
        if latencies:
            mean_ms, name = max(latencies)
            found["connection_latency"] = Reading(mean_ms, f"mean {name} {number(mean_ms)} ms")
        there = held + self.established
        if there:
            words = f"{number(self.dropped)} of {number(there)} connections dropped"
            found["connection_drop_rate"] = Reading(self.dropped / there, words)
        for name, shares in (
            ("memory_usage", {source: each.memory_share for source, each in self.target.items()}),
            ("cpu_usage", {source: each.cpu_share for source, each in self.target.items()}),
        ):
            known = [(share, source) for source, share in shares.items() if share is not None]
            if known:
                share, source = max(known)
                found[name] = Reading(share, f"{percent(share)} at {source}")
        return found


class AlertTotals:
    """The alerts of a run, from their events: how often each was raised, and the first of them one by one."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.kept: list[Alert] = []
        self._open: dict[str, int] = {}

    def add(self, event: Event) -> None:
        """Take an event; only those of alerts count."""
        if event.kind == RAISED and event.figure is not None and event.bound is not None:
            self.counts[event.name] = self.counts.get(event.name, 0) + 1
            if len(self.kept) < ALERTS_KEPT:
                self._open[event.name] = len(self.kept)
                self.kept.append(
                    Alert(
                        name=event.name,
                        bound=event.bound,
                        figure=event.figure,
                        raised_s=event.at_ns / _NS,
                    )
                )
        elif event.kind == CLEARED and (at := self._open.pop(event.name, None)) is not None:
            self.kept[at] = msgspec.structs.replace(self.kept[at], cleared_s=event.at_ns / _NS)


def bounds_of(alerts: AlertBounds) -> dict[str, float]:
    """The bounds that are not switched off, by the alert's name; that of latency in milliseconds."""
    latency_s = alerts.connection_latency
    bounds = {
        "connection_latency": None if latency_s is None else latency_s * 1000,
        "memory_usage": alerts.memory_usage,
        "cpu_usage": alerts.cpu_usage,
        "connection_drop_rate": alerts.connection_drop_rate,
    }
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _words(name: str, figure: float) -> str:
    return f"{number(figure)} ms" if name == "connection_latency" else percent(figure)


def _sums(histograms: Iterable[SparseHistogram | None]) -> tuple[int, int]:
    there = [each for each in histograms if each is not None]
    return sum(each.count for each in there), sum(each.sum_ns for each in there)
