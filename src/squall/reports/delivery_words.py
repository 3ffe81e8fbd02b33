"""What went wrong with messages, each in one sentence that a person understands; renders, computes nothing.

A sentence says how many of how many, on how many connections, when they were sent, and which faults were on meanwhile. Of
what no stream's trouble was told (a worker died, or there were more troubled streams than are kept) it says less, and
of what was not measured (a service that only acknowledges, tracking that is off) only that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from squall.charts.chart import Span
from squall.metrics.summary_document import SentBadlySecond, Summary, WorstStream
from squall.reports.figures import count
from squall.reports.remarks import when

__all__ = ["delivery_sentences", "ranges_in_words"]

_RANGES_SHOWN = 8
_ACKNOWLEDGED = "acknowledgement"
"""The evidence where nobody sees what the service delivers."""


def delivery_sentences(summary: Summary, faults: Sequence[Span] = ()) -> list[str]:
    """The sentences; of a run in which nothing went wrong with any message, that one alone."""
    delivery = summary.delivery
    if not delivery.sent:
        return []
    said = [*_missing(summary, faults), *_amiss(summary)]
    return said or [_all_well(summary)]


def ranges_in_words(ranges: Sequence[tuple[int, int]], missing: int) -> str:
    """Numbers of a stream: 17, 20–24, …; the last sign where not all `missing` are told."""
    shown = ", ".join(
        str(first) if first == last else f"{first}–{last}" for first, last in ranges[:_RANGES_SHOWN]
    )
    told = sum(last - first + 1 for first, last in ranges[:_RANGES_SHOWN])
    return shown if told >= missing else f"{shown}, …" if shown else ""


def _all_well(summary: Summary) -> str:
    """Nothing is counted as wrong: what that says, and what it does not."""
    delivery = summary.delivery
    all_of_them = f"All {count(delivery.sent)} messages"
    if delivery.duplicated is None:
        some = "" if summary.evidence == _ACKNOWLEDGED else ", or arrived where that is seen"
        return (
            f"{all_of_them} were acknowledged{some}; whether each arrived once, intact and in order was not"
            " measured."
        )
    figures = {"intact": delivery.corrupted_body, "in order": delivery.reordered}
    known = ["once", *(what for what, figure in figures.items() if figure is not None)]
    unknown = [what for what, figure in figures.items() if figure is None]
    but = f"; whether they were {_listed(unknown)} was not measured" if unknown else ""
    return f"{all_of_them} arrived {_listed(known)}{but}."


def _listed(words: Sequence[str]) -> str:
    """One, two and three."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def _missing(summary: Summary, faults: Sequence[Span]) -> Iterator[str]:
    sent = summary.delivery.sent
    for name, total in (("lost", summary.delivery.lost), ("unknown", summary.delivery.unknown)):
        if total:
            streams = [each for each in summary.worst_streams if getattr(each, name)]
            seconds = [each for each in summary.sent_badly.seconds if getattr(each, name)]
            fate = "lost" if name == "lost" else "with an unknown end"
            timed = sum(getattr(each, name) for each in seconds)
            at = _when(seconds, summary.sent_badly.width_s, faults, timed, total)
            yield f"{count(total)} of {count(sent)} {fate}{_where(name, total, streams)}{at}."


def _where(name: str, total: int, streams: Sequence[WorstStream]) -> str:
    told = sum(getattr(each, name) for each in streams)
    if not streams or told > total:
        return ""
    many = f"{count(len(streams))} connection{'' if len(streams) == 1 else 's'}"
    return f", all on {many}" if told == total else f", {count(told)} of them on {many}"


def _when(
    seconds: Sequence[SentBadlySecond], width_s: int, faults: Sequence[Span], timed: int, total: int
) -> str:
    """When those were sent of which that is known: `timed` of `total`."""
    if not seconds or timed > total:
        return ""
    start_s, end_s = seconds[0].second, seconds[-1].second + width_s
    names = list(dict.fromkeys(fault.name for fault in faults if fault.start < end_s and start_s < fault.end))
    while_on = "".join(
        (
            ", while the fault" if len(names) == 1 else ", while the faults",
            " ",
            ", ".join(f"'{name}'" for name in names),
        )
    )
    verb = " was on" if len(names) == 1 else " were on"
    those = "" if timed == total else f"{count(timed)} of them "
    return f", {those}sent {when(start_s, end_s)}" + (while_on + verb if names else "")


def _amiss(summary: Summary) -> Iterator[str]:
    delivery, acknowledged = summary.delivery, summary.acknowledgements
    arrived = f"of {count(delivery.delivered)} that arrived"
    for total, words in (
        (delivery.duplicated, "further good copies came"),
        (delivery.reordered, f"{arrived} came after a later one"),
        (delivery.late, f"{arrived} came after the longest time that their type may take"),
        (delivery.corrupted_body, "copies came damaged"),
        (delivery.corrupted_header, "came so damaged that they belong to no message"),
        (delivery.unexpected, "came that nobody had sent to this receiver"),
        (acknowledged.acknowledged_lost, "were acknowledged, and never came"),
        (acknowledged.gave_up, "were not acknowledged within all attempts"),
        (summary.ordering.causal_violations, "were seen before the message that they answer"),
    ):
        if total:
            yield f"{count(total)} {words}."
