"""The sections of the report on delivery: what went wrong in sentences, order, acknowledgements, the worst streams.

Shows figures of the summary, and computes none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from squall.charts.chart import Chart, Line
from squall.metrics.summary_document import Ordering, Percentiles, Summary, WorstStream
from squall.reports.backdrop import Backdrop
from squall.reports.delivery_words import ranges_in_words
from squall.reports.figures import count, milliseconds, percent
from squall.reports.markup import table
from squall.reports.remarks import when

__all__ = ["STREAMS_SHOWN", "acknowledged", "ordered", "sending_troubles", "worst_rows", "worst_streams"]

STREAMS_SHOWN = 20
WORST_HEAD = ("stream", "population", "lost", "unknown", "copies", "out of order", "sent", "its connection")
_TYPES_MAX = 12
_BETWEEN_MAX = 3_600


def sending_troubles(summary: Summary, behind: Backdrop) -> list[Chart]:
    """What ended badly or was sent again, by when it was first sent."""
    seconds, width_s = summary.sent_badly.seconds, summary.sent_badly.width_s
    found = {each.second: each for each in seconds}
    at = _with_those_between(found, width_s, behind.x_range[1])
    lines = [
        Line(
            name=words,
            x=[second + width_s for second in at],
            y=[getattr(found[second], name) / width_s if second in found else 0.0 for second in at],
            look="bars",
            colour=colour,
            middle="greatest",
            key=f"sending:{name}",
        )
        for name, words, colour in (
            ("lost", "lost", 2),
            ("unknown", "unknown", 4),
            ("retried", "sent again", 1),
        )
        if any(getattr(each, name) for each in seconds)
    ]
    if not lines:
        return []
    note = "By the second in which they were sent, not by that in which it was known."
    return [behind.chart("Messages that were lost, unknown or sent again", "/s", lines, note=note)]


def _with_those_between(found: Collection[int], width_s: int, end_s: float) -> list[int]:
    """These seconds and the good ones around them, so that nothing is read there but zero.

    Of a long run not all of the good ones: those beside each bad one, and of the rest `_BETWEEN_MAX` at most.
    """
    last = max(int(end_s - 1), *found, 0) if found else 0
    each_s = width_s * max(1, -(-last // (width_s * _BETWEEN_MAX)))
    beside = (second + side for second in found for side in (-width_s, width_s))
    good = {*range(0, last + 1, each_s), *(second for second in beside if 0 <= second <= last)}
    return sorted({*found, *good})


def ordered(summary: Summary) -> str:
    """In what order messages came, for all and for each type; "" where it was not kept account of."""
    whole, types = summary.ordering, list(summary.ordering_by_type.items())
    if whole.accuracy is None and whole.causal_pairs is None:
        return ""
    columns = [("all", whole), *(types[:_TYPES_MAX] if len(types) > 1 else [])]
    rows: list[tuple[str, Callable[[Ordering], str]]] = [
        ("in order", lambda each: percent(each.accuracy)),
        ("in order within the type", lambda each: percent(each.in_type)),
        ("held back by a receiver in order", lambda each: milliseconds(each.latency_mean_ms)),
        ("gaps", lambda each: count(each.gaps)),
        ("messages in gaps", lambda each: count(each.in_gaps)),
        ("with a cause", lambda each: count(each.causal_pairs)),
        ("seen before their cause", lambda each: count(each.causal_violations)),
        ("stamps judged", lambda each: count(each.timestamps_judged)),
        ("stamps wrong", lambda each: count(each.timestamps_wrong)),
    ]
    cells = [(words, *(read(each) for _, each in columns)) for words, read in rows]
    return table(("", *(name for name, _ in columns)), cells, caption="In what order messages came")


def acknowledged(
    summary: Summary, percentiles: Callable[[Iterable[tuple[str, Percentiles]], str], str]
) -> str:
    """What was acknowledged, and after how many attempts; "" where nothing waits for an acknowledgement."""
    found = summary.acknowledgements
    if found.acknowledged is None:
        return ""
    rows = [
        ("acknowledged", count(found.acknowledged), f"of {count(summary.delivery.sent)} sent"),
        ("at the first try", count(found.acknowledged_first), ""),
        ("needed a retry", count(found.retried), f"{count(found.retries_sent)} were sent again"),
        ("of them acknowledged", count(found.retry_acknowledged), ""),
        ("never acknowledged", count(found.gave_up), "within all attempts"),
        ("acknowledged, and never came", count(found.acknowledged_lost), ""),
        ("acknowledged again", count(found.ack_duplicates), ""),
        ("acknowledged, never sent", count(found.ack_unexpected), ""),
        ("copies before de-duplication", count(found.duplicate_arrivals), ""),
    ]
    times = [
        ("from the attempt that is acknowledged", found.ack_time),
        ("from the intended send", found.ack_time_total),
        ("from the first time-out, where there was one", found.retry_recovery),
    ]
    return table(("", "messages", ""), rows, caption="Acknowledgements") + percentiles(
        times, "Time to the acknowledgement"
    )


def worst_streams(summary: Summary) -> str:
    """The streams with the most missing, their numbers as ranges; "" where there is none."""
    rows = worst_rows(summary.worst_streams[:STREAMS_SHOWN])
    if not rows:
        return ""
    more = len(summary.worst_streams) - len(rows)
    noted = f"<p>{count(more)} more are in summary.json.</p>" if more > 0 else ""
    return table(WORST_HEAD, rows, caption="The worst streams, with the numbers that are missing") + noted


def worst_rows(found: Sequence[WorstStream]) -> list[tuple[str, ...]]:
    """A row of words for each stream."""
    return [
        (
            str(each.stream) if each.member is None else f"{each.stream} to {each.member}",
            each.population,
            _numbers(each.lost, each.lost_ranges),
            _numbers(each.unknown, each.unknown_ranges),
            count(each.duplicated),
            count(each.reordered),
            _sent(each),
            each.why,
        )
        for each in found
    ]


def _numbers(total: int, ranges: Sequence[tuple[int, int]]) -> str:
    return f"{count(total)}: {ranges_in_words(ranges, total)}" if total and ranges else count(total)


def _sent(each: WorstStream) -> str:
    return "" if each.first_sent_s is None else when(each.first_sent_s, each.last_sent_s)
