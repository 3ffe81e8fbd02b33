from __future__ import annotations

import msgspec
import pytest

from squall.charts.chart import Span
from squall.metrics.summary_document import Delivery, SentBadly, SentBadlySecond, Summary, WorstStream
from squall.reports.delivery_words import delivery_sentences, ranges_in_words
from unit.reports import reported

CLEAN: dict[str, int | None] = {
    "sent": 1000, "delivered": 1000, "lost": 0, "unknown": 0, "duplicated": 0, "reordered": 0, "corrupted_body": 0,
}  # fmt: skip


def summary(
    *streams: WorstStream, seconds: tuple[SentBadlySecond, ...] = (), **delivery: int | None
) -> Summary:
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
    assert delivery_sentences(summary(**CLEAN)) == ["All 1,000 messages arrived once, intact and in order."]
    assert delivery_sentences(summary()) == []


@pytest.mark.parametrize(
    ("not_measured", "said"),
    [
        (("corrupted_body",), "arrived once and in order; whether they were intact was not measured."),
        (("reordered",), "arrived once and intact; whether they were in order was not measured."),
        (
            ("reordered", "corrupted_body"),
            "arrived once; whether they were intact and in order was not measured.",
        ),
    ],
)
def test_what_is_not_kept_account_of_is_not_claimed(not_measured: tuple[str, ...], said: str) -> None:
    clean = summary(**CLEAN | dict.fromkeys(not_measured))
    assert delivery_sentences(clean) == [f"All 1,000 messages {said}"]


def test_of_a_service_that_only_acknowledges_no_arrival_is_claimed() -> None:
    unseen = summary(**CLEAN | {"duplicated": None, "reordered": None})
    rest = "whether each arrived once, intact and in order was not measured."
    only = msgspec.structs.replace(unseen, evidence="acknowledgement")
    assert delivery_sentences(only) == [f"All 1,000 messages were acknowledged; {rest}"]
    mixed = msgspec.structs.replace(unseen, evidence="acknowledgement and reply")
    assert delivery_sentences(mixed) == [
        f"All 1,000 messages were acknowledged, or arrived where that is seen; {rest}"
    ]


def test_no_time_of_sending_is_claimed_for_what_has_none() -> None:
    died = {"sent": 100, "delivered": 90, "lost": 0, "unknown": 10}
    some = SentBadlySecond(second=67, lost=0, unknown=4, retried=0)
    assert delivery_sentences(summary(seconds=(some,), **died)) == [
        "10 of 100 with an unknown end, 4 of them sent 1:07–1:08."
    ]
    more = SentBadlySecond(second=67, lost=0, unknown=11, retried=0)
    assert delivery_sentences(summary(seconds=(more,), **died)) == ["10 of 100 with an unknown end."]


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
