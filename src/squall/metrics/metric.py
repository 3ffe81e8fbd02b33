"""What a metric is, and how one is made: from the messages, the connections, the watched machines.

A **trend** is a distribution of times. A **counter** is a number of things that happened. A **rate** is a
share, as an interval from the least to the greatest that it can turn out to be (both alike for most). A
**gauge** is a level. A **mean** is a sum over a number of things, where nothing but the sum was kept. Where a
threshold names no phase, a metric covers the whole run, the `sustained` phases, or the `settled` ones, which are
those without their warm-up (`squall.metrics.phases`). One that is
`windowed` says nothing in a run in which a stream's window was exceeded, and one of `events` is a lower
bound where a worker died, since what that worker saw after its last report is missing. `latency` marks
those whose upper bounds decide how much lag of squall's own a run may have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from squall.metrics.cells import ConnectionTotals, MessageTotals
from squall.metrics.distribution import Distribution
from squall.metrics.resources import Highest
from squall.metrics.totals import Selection, Totals
from squall.metrics.windows import Level
from squall.record.resources import Role
from squall.scenario.models import Tracking

__all__ = [
    "IN_CONNECTIONS",
    "IN_MESSAGES",
    "Between",
    "Extent",
    "Kind",
    "Metric",
    "PerSecond",
    "Reading",
    "Share",
    "Tracked",
    "connection_count",
    "connection_share",
    "connection_trend",
    "count",
    "resource",
    "resource_count",
    "trend",
]

Tracked = Literal["", "checksums", "sequence_numbers", "timestamps", "causality", "confirmations"]
Kind = Literal["trend", "counter", "rate", "gauge", "mean"]
Extent = Literal["run", "sustained", "settled"]

IN_MESSAGES: Final = ("population", "type", "phase", "entry_point", "node")
_FIELDS: Final = {
    "ws_retries_sent": "retries_sent",
    "ws_ack_duplicates": "ack_duplicates",
    "ws_duplicate_arrivals": "duplicate_arrivals",
}
"""Counters whose field has another name."""
IN_CONNECTIONS: Final = ("population", "phase", "entry_point", "node")


@dataclass(frozen=True, slots=True)
class Share:
    """From `least` to `most` of `of`, in numbers of things; of a mean the sum, of so many."""

    least: float
    most: float
    of: float


@dataclass(frozen=True, slots=True)
class Between:
    """A number of things that may turn out to be from `least` to `most`."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class PerSecond:
    """From `least` to `most` things, in `shortest_s` to `longest_s` seconds."""

    least: float
    most: float
    shortest_s: float
    longest_s: float


Reading = Distribution | int | Between | Share | PerSecond | Level | Highest | None
"""What a trend, a counter, a rate or a mean, a gauge is read as. None is not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric. `unit` is that of its figures; a counter's rate is per second."""

    name: str
    kind: Kind
    unit: str
    about: str
    tags: tuple[str, ...]
    read: Callable[[Totals, Selection], Reading]
    without_pacer_lag: Callable[[Totals, Selection], Reading] | None = None
    over: Extent = "run"
    needs: str = ""
    """A tag that must be given, since nothing is meant without it."""
    windowed: bool = False
    events: bool = False
    latency: bool = False
    tracked: Tracked = ""
    """What must have been kept account of for it to be measured."""
    by_receiver: bool = False
    """Only somebody who sees what the service delivers can tell: not where it acknowledges, and that is all."""
    timed: bool = False
    """Its figure is one of throughput, which squall itself may have changed."""

    def is_tracked(self, tracking: Tracking) -> bool:
        """Whether what it is about is kept account of."""
        return not self.tracked or bool(getattr(tracking, self.tracked))


def trend(
    name: str,
    about: str,
    pick: Callable[[MessageTotals], Distribution],
    *,
    without_pacer_lag: Callable[[MessageTotals], Distribution] | None = None,
    latency: bool = False,
    tracked: Tracked = "",
) -> Metric:
    """A trend over messages."""
    other = without_pacer_lag
    return Metric(
        name=name,
        kind="trend",
        unit="ms",
        about=about,
        tags=IN_MESSAGES,
        read=lambda totals, selection: pick(totals.messages(selection)),
        without_pacer_lag=other and (lambda totals, selection: other(totals.messages(selection))),
        over="settled",
        latency=latency,
        tracked=tracked,
    )


def count(
    name: str,
    about: str,
    *,
    windowed: bool = False,
    events: bool = False,
    tracked: Tracked = "",
    by_receiver: bool = False,
) -> Metric:
    """A counter over messages, named like its field."""
    field = _FIELDS.get(name, name.removeprefix("ws_msgs_"))
    return Metric(
        name=name,
        kind="counter",
        unit="messages",
        about=about,
        tags=IN_MESSAGES,
        read=lambda totals, selection: int(getattr(totals.messages(selection), field)),
        windowed=windowed,
        events=events,
        tracked=tracked,
        by_receiver=by_receiver,
    )


def connection_trend(
    name: str, about: str, pick: Callable[[ConnectionTotals], Distribution], *, over: Extent = "run"
) -> Metric:
    """A trend over connections."""
    return Metric(
        name=name,
        kind="trend",
        unit="ms",
        about=about,
        tags=IN_CONNECTIONS,
        read=lambda totals, selection: pick(totals.connections(selection)),
        over=over,
    )


def connection_count(
    name: str, unit: str, about: str, field: str, *, events: bool = False, tracked: Tracked = ""
) -> Metric:
    """A counter over connections, of the field that is named."""
    return Metric(
        name=name,
        kind="counter",
        unit=unit,
        about=about,
        tags=IN_CONNECTIONS,
        read=lambda totals, selection: int(getattr(totals.connections(selection), field)),
        events=events,
        tracked=tracked,
    )


def connection_share(name: str, about: str, of: Callable[[ConnectionTotals], tuple[int, int]]) -> Metric:
    """A rate of connections: the part and the whole."""

    def read(totals: Totals, selection: Selection) -> Share:
        part, whole = of(totals.connections(selection))
        return Share(part, part, whole)

    return Metric(name=name, kind="rate", unit="share", about=about, tags=IN_CONNECTIONS, read=read)


def resource(name: str, unit: str, about: str) -> Metric:
    """A gauge of the watched machines, named after a role and the figure of a sample."""
    role, figure = _role_and_figure(name)
    return Metric(
        name=name,
        kind="gauge",
        unit=unit,
        about=about,
        tags=("phase", "source") if role == "target" else ("phase",),
        read=lambda totals, selection: totals.resources.highest(
            figure, role=role, source=selection.source, phases=totals.phase_ids(selection)
        ),
        over="sustained",
    )


def resource_count(name: str, unit: str, about: str) -> Metric:
    """A counter of the watched machines."""
    role, figure = _role_and_figure(name)

    def read(totals: Totals, selection: Selection) -> int | None:
        found = totals.resources.total(
            figure, role=role, source=selection.source, phases=totals.phase_ids(selection)
        )
        return None if found is None else round(found)

    tags = ("phase", "source") if role == "target" else ("phase",)
    return Metric(name=name, kind="counter", unit=unit, about=about, tags=tags, read=read)


def _role_and_figure(name: str) -> tuple[Role, str]:
    roles: tuple[Role, ...] = ("target", "generator", "host")
    role = next(role for role in roles if name.startswith(f"{role}_"))
    return role, name.removeprefix(f"{role}_")
