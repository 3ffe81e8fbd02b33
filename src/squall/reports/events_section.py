"""What was noted in a run, as a table of the HTML report: in the order of time, what says the same in a row as one line.

Each kind that is marked in the charts has the mark's sign here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from squall.charts.chart import SIGNS
from squall.metrics.history import History
from squall.record.snapshots import Event
from squall.reports.backdrop import mark_kind
from squall.reports.figures import milliseconds, percent, plain
from squall.reports.markup import table
from squall.reports.remarks import when
from squall.reports.wording import EVENT_URGENCY

__all__ = ["noted_events"]

_ALERTS: Final = {"alert": "failed", "alert_cleared": "passed"}
_SHOWN: Final = 200
_STREAMS_SHOWN: Final = 8


def noted_events(history: History) -> str:
    """The table: of too many lines those that matter most."""
    if not history.events:
        return "<p>Nothing was noted.</p>"
    told = _alike(sorted(history.events, key=lambda each: each.at_ns))
    urgent = sorted(told, key=lambda each: EVENT_URGENCY.get(each[0].kind, 2))[:_SHOWN]
    shown = sorted(urgent, key=lambda each: each[0].at_ns)
    marks = [_ALERTS.get(alike[0].kind, "") for alike in shown]
    more = history.events_by_kind.total() - sum(len(alike) for alike in shown)
    head = ("when", "kind", "what", "figure", "bound")
    noted = f"<p>{more:,} more are in the record.</p>" if more else ""
    return table(head, map(_row, shown), caption="Alerts and events", marks=marks) + noted


def _row(alike: Sequence[Event]) -> tuple[str, ...]:
    first, last = alike[0], alike[-1]
    beside = ", ".join(filter(None, (f"{len(alike):,} times" if len(alike) > 1 else "", _streams(alike))))
    kind = mark_kind(first.kind)
    return (
        when(first.at_ns / 1e9, last.at_ns / 1e9),
        f"{SIGNS[kind]} {_plain(first.kind)}" if kind else _plain(first.kind),
        (first.text or _plain(first.name)) + (f" ({beside})" if beside else ""),
        _noted(first, first.figure),
        _noted(first, first.bound),
    )


def _streams(alike: Iterable[Event]) -> str:
    """To whose connections it happened, by the numbers of their streams; "" where it is about none."""
    streams = list(dict.fromkeys(each.stream for each in alike if each.stream >= 0))
    if not streams:
        return ""
    more = len(streams) - _STREAMS_SHOWN
    numbers = ", ".join(map(str, streams[:_STREAMS_SHOWN]))
    return f"stream{'' if len(streams) == 1 else 's'} {numbers}{f' and {more:,} more' if more > 0 else ''}"


def _noted(event: Event, value: float | None) -> str:
    """A figure of an event: of alerts, one is a latency and all others are shares."""
    if value is None:
        return ""
    if event.kind not in _ALERTS:
        return plain(value)
    return milliseconds(value) if event.name == "connection_latency" else percent(value)


def _plain(words: str) -> str:
    return words.replace("_", " ")


def _alike(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Events that follow each other and say the same."""
    for _, group in groupby(events, key=lambda each: (each.kind, each.text)):
        yield list(group)
