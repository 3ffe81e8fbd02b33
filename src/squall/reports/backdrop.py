"""What all charts of a run over time have behind their lines: the axis, phases, faults, outages, marks; and in words.

An event is a mark at its time. An outage is told only once it is over, so it is no mark but a band, from the second in
which the first connections were dropped to the one in which the last was settled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from squall.charts.chart import SIGNS, Chart, Line, Mark, MarkKind, Span
from squall.charts.quantities import Unit
from squall.metrics.history import History, Source
from squall.metrics.outages import Outage
from squall.reports.figures import count
from squall.reports.remarks import when
from squall.reports.wording import EVENT_URGENCY, printable

__all__ = ["Backdrop", "backdrop", "legend", "mark_kind"]

_NS: Final = 1_000_000_000
_PHASES_MAX: Final = 60
_MARKS_MAX: Final = 60
_OUTAGES_MAX: Final = 40
_FAULTS_NAMED: Final = 6
_KINDS: Final[dict[str, MarkKind]] = {
    "alert": "alert",
    "alert_cleared": "cleared",
    **dict.fromkeys(
        (
            "fault",
            "fault_healed",
            "killed",
            "no_acknowledgement",
            "ramp_faster",
            "ramp_frozen",
            "ramp_slower",
            "store",
            "worker_lost",
        ),
        "event",
    ),
}
_WORDS: Final[dict[MarkKind, str]] = {
    "alert": "an alert",
    "cleared": "the end of an alert",
    "event": "another event",
}


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What all charts over time share: the axis, the phases behind it, what is marked on it."""

    x_range: tuple[float, float]
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]
    faults: tuple[Span, ...] = ()
    unmarked: int = 0
    """Events and outages that would be marked, were there not so many."""
    outages: tuple[Span, ...] = ()

    def chart(self, title: str, unit: Unit, lines: Sequence[Line], **more: object) -> Chart:
        """A chart over the time of the run."""
        return Chart(
            title=title,
            unit=unit,
            lines=lines,
            x_range=self.x_range,
            spans=self.spans,
            marks=self.marks,
            faults=self.faults,
            outages=self.outages,
            **more,  # type: ignore[arg-type]  # the other fields of a chart
        )


def backdrop(history: History, outages: Sequence[Outage] = ()) -> Backdrop:
    """That of a run, up to its last second; of too many outages those in which the most were dropped."""
    end_s = max(history.last_at_ns, *(_source_end(each) for each in history.sources.values()), 1) / _NS
    spans = [
        Span(
            phase.start_ns / _NS,
            end_s if phase.end_ns is None else phase.end_ns / _NS,
            phase.name.replace("_", " "),
        )
        for phase in history.phases[:_PHASES_MAX]
    ]
    told = [event for event in history.events if event.kind in _KINDS]
    chosen = sorted(told, key=lambda each: (EVENT_URGENCY.get(each.kind, 2), each.at_ns))[:_MARKS_MAX]
    marks = [
        Mark(event.at_ns / _NS, printable(event.text), _KINDS[event.kind])
        for event in sorted(chosen, key=lambda each: each.at_ns)
    ]
    seen = sum(history.events_by_kind[kind] for kind in _KINDS)
    worst = sorted(outages, key=lambda each: -each.dropped)[:_OUTAGES_MAX]
    return Backdrop(
        (0.0, end_s),
        tuple(spans),
        tuple(marks),
        faults=tuple(_faults(history, end_s)),
        unmarked=max(0, seen - len(marks)) + len(outages) - len(worst),
        outages=tuple(_outage(each, end_s) for each in sorted(worst, key=lambda each: each.start_s)),
    )


def mark_kind(event: str) -> MarkKind | None:
    """As what an event of this kind is marked; None where it is not."""
    return _KINDS.get(event)


def legend(behind: Backdrop) -> str:
    """What the marks and bands of all charts over time mean, in a sentence; "" where there are none."""
    there = {mark.kind for mark in behind.marks}
    said = [f"{SIGNS[kind]} marks {words}" for kind, words in _WORDS.items() if kind in there]
    if behind.faults:
        names = list(dict.fromkeys(fault.name for fault in behind.faults))
        more = ", …" if len(names) > _FAULTS_NAMED else ""
        said.append(
            f"a red band is the time in which a fault was on ({', '.join(names[:_FAULTS_NAMED])}{more})"
        )
    if behind.outages:
        said.append("a band with a bar at its foot is an outage, from its first drop until all was settled")
    if not said:
        return ""
    return (
        f"In all charts over time: {'; '.join(said)}. Point at one to read what it was; each stands under"
        " “Outages” or “Alerts and events”."
    )


def _faults(history: History, end_s: float) -> Iterator[Span]:
    """Each stretch in which a fault was on; one that was never healed lasts until the end of the record."""
    begun: dict[str, float] = {}
    for event in sorted(history.events, key=lambda each: each.at_ns):
        if event.kind == "fault":
            begun.setdefault(event.name, event.at_ns / _NS)
        elif event.kind == "fault_healed" and event.name in begun:
            yield Span(begun.pop(event.name), event.at_ns / _NS, printable(event.name))
    yield from (Span(start_s, end_s, printable(name)) for name, start_s in begun.items())


def _outage(outage: Outage, end_s: float) -> Span:
    """One that never ended lasts until the end of the record. Its name is short: it stands in every chart."""
    words = f"{count(outage.dropped)} connections dropped, {count(outage.reconnected)} connected again"
    if outage.end_s is None:
        name = f"outage from {when(outage.start_s)}, not over: {words}"
        return Span(outage.start_s, max(outage.start_s, end_s), name)
    return Span(outage.start_s, outage.end_s, f"outage {when(outage.start_s, outage.end_s)}: {words}")


def _source_end(source: Source) -> int:
    """When its last sample was taken, in nanoseconds of the run."""
    return int(source.timeline.at_ns[-1]) if len(source.timeline) else 0
