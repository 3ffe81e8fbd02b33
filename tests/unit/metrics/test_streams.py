"""Worst streams and troubles by the second of sending: the same in any order, and bounded."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from squall.metrics.streams import SECONDS_MAX, STREAMS_MAX, SendingTroubles, WorstStreams
from squall.record.streams import RANGES_MAX, UNTIMED, SentSecond, StreamTrouble

S = 1_000_000_000


def trouble(stream: int, **figures: Any) -> StreamTrouble:
    return StreamTrouble(population=0, stream=stream, worker=0, **figures)


def test_the_worst_are_those_with_the_most_missing_then_with_the_most_events() -> None:
    worst = WorstStreams()
    for each in (
        trouble(4, lost=1),
        trouble(3, duplicated=9),
        trouble(2, lost=1, unknown=1),
        trouble(1, duplicated=5, reordered=5),
        trouble(0, lost=1),
    ):
        worst.add(each)
    assert [each.stream for each in worst.all] == [2, 0, 4, 1, 3]
    assert worst.troubled == 5


def test_of_many_the_worst_are_kept_in_any_order() -> None:
    streams = [trouble(number, lost=number % 700) for number in range(1_500)]
    expected = sorted(streams, key=lambda each: (-each.lost, each.stream))[:STREAMS_MAX]
    for seed in range(3):
        random.Random(seed).shuffle(streams)
        worst = WorstStreams()
        for each in streams:
            worst.add(each)
        assert worst.all == expected
        assert len(worst._found) <= 2 * STREAMS_MAX
        assert worst.troubled == 1_500


def test_what_two_visits_of_a_stream_missed_adds_up() -> None:
    worst = WorstStreams()
    rows = [(10 * number, 10 * number) for number in range(RANGES_MAX)]
    worst.add(trouble(7, lost=RANGES_MAX, lost_ranges=rows, duplicated=1, first_sent_ns=5, last_sent_ns=6))
    worst.add(
        trouble(7, lost=1, unknown=2, lost_ranges=[(999, 999)], duplicated=3, first_sent_ns=4, last_sent_ns=4)
    )
    worst.add(trouble(7, why="died"))
    (found,) = worst.all
    assert (found.lost, found.unknown, found.duplicated, found.why) == (RANGES_MAX + 1, 2, 3, "died")
    assert (found.first_sent_ns, found.last_sent_ns) == (4, 6)
    assert found.lost_ranges == rows


def test_a_stream_that_went_and_is_told_again_is_not_whole() -> None:
    worst = WorstStreams()
    for number in range(2 * STREAMS_MAX + 1):
        worst.add(trouble(number, lost=1 + (number > 50)))
    worst.add(trouble(0, lost=50))
    worst.add(trouble(60, lost=50))
    worst.add(trouble(999, lost=50))
    assert {each.stream: each.is_whole for each in worst.all[:3]} == {0: False, 60: True, 999: True}
    again = WorstStreams()
    again.add(next(each for each in worst.all if each.stream == 0))
    again.add(trouble(0, lost=1))
    assert not again.all[0].is_whole


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 5 * S), st.integers(0, 2))))
def test_seconds_add_up(sent: list[tuple[int, int]]) -> None:
    troubles, expected = SendingTroubles(), Counter[tuple[int, int]]()
    for at_ns, how in sent:
        troubles.count(at_ns, **{("lost", "unknown", "retried")[how]: 1})
        expected[at_ns // S if at_ns >= 0 else UNTIMED, how] += 1
    again = SendingTroubles()
    for second in troubles.take():
        again.add(second)
    assert troubles.all == []
    found = {
        (each.second, how): count
        for each in again.all
        for how, count in enumerate((each.lost, each.unknown, each.retried))
        if count
    }
    assert found == expected


def test_with_too_many_seconds_neighbours_become_one() -> None:
    troubles = SendingTroubles()
    troubles.count(-1, lost=5)
    for second in range(2 * SECONDS_MAX + 1):
        troubles.count(second * S, lost=1)
    assert troubles.width_s == 4
    assert len(troubles.all) <= SECONDS_MAX
    assert troubles.all[:2] == [SentSecond(UNTIMED, 1, 5), SentSecond(0, 4, 4)]
    assert sum(each.lost for each in troubles.all) == 5 + 2 * SECONDS_MAX + 1
    fine = SendingTroubles()
    fine.count(5 * S, unknown=1)
    for second in troubles.all:
        fine.add(second)
    assert fine.width_s == 4
    assert fine.all[2] == SentSecond(4, 4, 4, 1)


def test_what_a_stream_owes_each_member_of_a_room_is_told_apart() -> None:
    worst = WorstStreams()
    for member, lost in ((2, 5), (3, 1), (2, 4)):
        worst.add(StreamTrouble(population=0, stream=1, worker=0, lost=lost, member=member))
    assert [(each.stream, each.member, each.lost) for each in worst.all] == [(1, 2, 9), (1, 3, 1)]
