"""What went wrong with messages, each in one sentence that a person understands; renders, computes nothing.

A sentence says how many of how many, on how many connections, when they were sent, and which faults were on meanwhile. Of
what no stream's trouble was told (a worker died, or there were more troubled streams than are kept) it says less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from squall.charts.chart import Span
from squall.metrics.summary_document import SentBadlySecond, Summary, WorstStream
from squall.reports.figures import count
from squall.reports.remarks import when

__all__ = ["delivery_sentences", "ranges_in_words"]

_RANGES_SHOWN = 8


def delivery_sentences(summary: Summary, faults: Sequence[Span] = ()) -> list[str]:
    """The sentences; of a run in which every message arrived once, intact and in order, that one alone."""
    delivery = summary.delivery
    if not delivery.sent:
        return []
    said = [*_missing(summary, faults), *_amiss(summary)]
    return said or [f"All {count(delivery.sent)} messages arrived once, intact and in order."]


def ranges_in_words(ranges: Sequence[tuple[int, int]], missing: int) -> str:
    """Numbers of a stream: 17, 20–24, …; the last sign where not all `missing` are told."""
    shown = ", ".join(
        str(first) if first == last else f"{first}–{last}" for first, last in ranges[:_RANGES_SHOWN]
    )
    told = sum(last - first + 1 for first, last in ranges[:_RANGES_SHOWN])
    return shown if told >= missing else f"{shown}, …" if shown else ""


def _missing(summary: Summary, faults: Sequence[Span]) -> Iterator[str]:
    sent = summary.delivery.sent
    for name, total in (("lost", summary.delivery.lost), ("unknown", summary.delivery.unknown)):
        if total:
            streams = [each for each in summary.worst_streams if getattr(each, name)]
            seconds = [each for each in summary.sent_badly.seconds if getattr(each, name)]
            fate = "lost" if name == "lost" else "with an unknown end"
            at = _when(seconds, summary.sent_badly.width_s, faults)
            yield f"{count(total)} of {count(sent)} {fate}{_where(name, total, streams)}{at}."


def _where(name: str, total: int, streams: Sequence[WorstStream]) -> str:
    told = sum(getattr(each, name) for each in streams)
    if not streams or told > total:
        return ""
    many = f"{count(len(streams))} connection{'' if len(streams) == 1 else 's'}"
    return f", all on {many}" if told == total else f", {count(told)} of them on {many}"


def _when(seconds: Sequence[SentBadlySecond], width_s: int, faults: Sequence[Span]) -> str:
    if not seconds:
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
    return f", sent {when(start_s, end_s)}" + (while_on + verb if names else "")


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
