from __future__ import annotations

import msgspec

from squall.charts.chart import Span
from squall.metrics.summary_document import Delivery, SentBadly, SentBadlySecond, Summary, WorstStream
from squall.reports.delivery_words import delivery_sentences, ranges_in_words
from unit.reports import reported


def summary(*streams: WorstStream, seconds: tuple[SentBadlySecond, ...] = (), **delivery: int) -> Summary:
    _, found = reported.passed()
    return msgspec.structs.replace(
        found,
        delivery=Delivery(**delivery),
        worst_streams=list(streams),
        sent_badly=SentBadly(seconds=list(seconds)),
    )


def stream(number: int, lost: int) -> WorstStream:
    return WorstStream(
        population="main", stream=number, worker=0, lost=lost, unknown=0, duplicated=0, reordered=0,
        lost_ranges=[], unknown_ranges=[],
    )  # fmt: skip


def badly(second: int, *, lost: int, retried: int = 0) -> SentBadlySecond:
    return SentBadlySecond(second=second, lost=lost, unknown=0, retried=retried)


def test_a_clean_run_is_one_sentence_and_one_that_sent_nothing_has_none() -> None:
    clean = summary(sent=1000, delivered=1000, lost=0, unknown=0, duplicated=0)
    assert delivery_sentences(clean) == ["All 1,000 messages arrived once, intact and in order."]
    assert delivery_sentences(summary()) == []


def test_what_is_lost_is_told_with_its_streams_its_time_and_the_faults_that_were_on() -> None:
    seconds = (badly(67, lost=10), badly(68, lost=7, retried=3))
    lost = summary(
        stream(3, 5), stream(9, 12), seconds=seconds, sent=10_000_000, delivered=9_999_983, lost=17, unknown=0
    )
    faults = (Span(66, 69, "reset"), Span(69, 80, "slow"))
    assert delivery_sentences(lost, faults) == [
        "17 of 10,000,000 lost, all on 2 connections, sent 1:07–1:09, while the fault 'reset' was on."
    ]
    both = (Span(0, 68, "reset"), Span(60, 90, "slow"))
    assert delivery_sentences(lost, both)[0].endswith("while the faults 'reset', 'slow' were on.")
    assert delivery_sentences(lost)[0].endswith("sent 1:07–1:09.")


def test_streams_that_were_not_told_are_not_claimed() -> None:
    lost = {"sent": 100, "delivered": 90, "lost": 10, "unknown": 0}
    assert delivery_sentences(summary(stream(3, 4), **lost)) == ["10 of 100 lost, 4 of them on 1 connection."]
    assert delivery_sentences(summary(**lost)) == ["10 of 100 lost."]


def test_each_other_trouble_has_its_own_sentence_in_order() -> None:
    amiss = summary(
        sent=10, delivered=10, lost=0, unknown=0, duplicated=1, reordered=2, late=3, corrupted_body=4,
        corrupted_header=5, unexpected=6,
    )  # fmt: skip
    assert [int(each.split()[0]) for each in delivery_sentences(amiss)] == [1, 2, 3, 4, 5, 6]


def test_numbers_are_ranges_and_say_where_there_are_more() -> None:
    assert ranges_in_words([(17, 17), (20, 24)], 6) == "17, 20–24"
    assert ranges_in_words([(17, 17)], 6) == "17, …"
    assert ranges_in_words([(number, number) for number in range(0, 40, 2)], 20).endswith("14, …")
    assert ranges_in_words([], 6) == ""
