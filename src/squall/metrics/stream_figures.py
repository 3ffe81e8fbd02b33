"""Where it went wrong, as the summary has it: the worst streams, and what ended badly by the second of sending."""

from __future__ import annotations

from typing import Final

from squall.metrics.summary_document import SentBadly, SentBadlySecond, WorstStream
from squall.metrics.totals import Totals
from squall.record.streams import UNTIMED, StreamTrouble

__all__ = ["sent_badly", "worst_streams"]

_NS: Final = 1_000_000_000


def worst_streams(totals: Totals) -> list[WorstStream]:
    """The streams with the most missing, then those with the most copies and swaps; worst first."""
    return [_worst(totals, trouble) for trouble in totals.streams.all]


def sent_badly(totals: Totals) -> SentBadly:
    """By the second of sending what was lost, ended unknown, or needed a retry."""
    seconds = totals.sending_troubles.all
    untimed = [each for each in seconds if each.second == UNTIMED]
    return SentBadly(
        width_s=totals.sending_troubles.width_s,
        seconds=[
            SentBadlySecond(second=each.second, lost=each.lost, unknown=each.unknown, retried=each.retried)
            for each in seconds
            if each.second != UNTIMED
        ],
        untimed=sum(each.lost + each.unknown + each.retried for each in untimed),
    )


def _worst(totals: Totals, trouble: StreamTrouble) -> WorstStream:
    return WorstStream(
        population=totals.populations[trouble.population],
        stream=trouble.stream,
        worker=trouble.worker,
        lost=trouble.lost,
        unknown=trouble.unknown,
        duplicated=trouble.duplicated,
        reordered=trouble.reordered,
        lost_ranges=trouble.lost_ranges,
        unknown_ranges=trouble.unknown_ranges,
        first_sent_s=_seconds(trouble.first_sent_ns),
        last_sent_s=_seconds(trouble.last_sent_ns),
        why=trouble.why,
        member=None if trouble.member < 0 else trouble.member,
    )


def _seconds(at_ns: int | None) -> float | None:
    return None if at_ns is None else at_ns / _NS
