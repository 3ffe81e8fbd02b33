"""The worst streams and the troubles by the second of sending, as the summary has them."""

from __future__ import annotations

from made_runs import a_run, some_totals
from squall.metrics.stream_figures import sent_badly, worst_streams
from squall.metrics.summary_document import SentBadly, SentBadlySecond, WorstStream
from squall.record.streams import UNTIMED, SentSecond, StreamTrouble


def test_a_stream_is_told_with_its_population_and_in_seconds() -> None:
    trouble = StreamTrouble(
        population=0,
        stream=17,
        worker=1,
        lost=3,
        lost_ranges=[(4, 6)],
        first_sent_ns=1_500_000_000,
        last_sent_ns=2_000_000_000,
        why="drained",
    )
    assert worst_streams(a_run(streams=[trouble])) == [
        WorstStream(
            population="main",
            stream=17,
            worker=1,
            lost=3,
            unknown=0,
            duplicated=0,
            reordered=0,
            lost_ranges=[(4, 6)],
            unknown_ranges=[],
            first_sent_s=1.5,
            last_sent_s=2.0,
            why="drained",
        )
    ]
    assert worst_streams(some_totals()) == []


def test_what_ended_badly_stands_at_the_second_in_which_it_was_sent() -> None:
    totals = a_run(seconds=[SentSecond(7, 1, 2, 1), SentSecond(UNTIMED, 1, 5), SentSecond(9, 2, 0, 0, 4)])
    assert sent_badly(totals) == SentBadly(
        width_s=2,
        seconds=[
            SentBadlySecond(second=6, lost=2, unknown=1, retried=0),
            SentBadlySecond(second=8, lost=0, unknown=0, retried=4),
        ],
        untimed=5,
    )
    assert sent_badly(some_totals()) == SentBadly()
