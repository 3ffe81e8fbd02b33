"""The account of one stream, compiled and from the source: outcomes, events, RFC 4737's figures."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from both_forms import FORMS, module_in


@pytest.fixture(scope="session", params=FORMS)
def ledger(request: pytest.FixtureRequest) -> ModuleType:
    return module_in(request.param, "squall.delivery.ledger")


def stream_with(ledger: ModuleType, sent: int, label: int = 7, epoch: int = 0) -> Any:
    """A stream that has sent so many messages, all with one label."""
    stream = ledger.Stream()
    stream.begin_segment(label, epoch)
    send(stream, sent)
    return stream


def send(stream: Any, count: int) -> list[int]:
    return [stream.assign() for _ in range(count)]


def test_numbers_are_given_from_0_without_a_gap(ledger: ModuleType) -> None:
    assert send(ledger.Stream(), 5) == [0, 1, 2, 3, 4]


def test_in_order_each_arrival_is_a_first(ledger: ModuleType) -> None:
    stream = stream_with(ledger, 3)
    assert [stream.arrive(number, 10) for number in range(3)] == [ledger.FIRST] * 3
    assert (stream.arrived, stream.expected, stream.outstanding()) == (3, 3, 0)
    assert stream.settle(lived=True) == []


def test_a_copy_that_comes_again_is_a_duplicate_whenever_it_comes(ledger: ModuleType) -> None:
    stream = stream_with(ledger, 4)
    for number in (0, 0, 2, 2, 1, 1, 0, 3, 3):
        stream.arrive(number, 10)
    assert [stream.arrive(number, 10) for number in range(4)] == [ledger.DUPLICATE] * 4
    assert stream.arrived == 4


def test_what_a_connection_took_along_is_owed_and_not_awaited_on_the_next(ledger: ModuleType) -> None:
    stream = stream_with(ledger, 5)
    for number in (0, 3):
        stream.arrive(number, 10)
    assert stream.awaited() == stream.outstanding() == 3
    stream.begin_segment(8, 0)  # another phase on the same connection
    assert stream.awaited() == 3
    stream.begin_segment(8, 1)
    assert (stream.awaited(), stream.outstanding()) == (0, 3)
    send(stream, 3)
    stream.arrive(6, 20)
    assert (stream.awaited(), stream.outstanding()) == (2, 5)
    stream.arrive(1, 30)  # it comes after all
    assert (stream.awaited(), stream.outstanding()) == (2, 4)
    stream.arrive(5, 30)
    stream.arrive(7, 30)
    assert (stream.awaited(), stream.outstanding()) == (0, 2)


def test_a_number_that_was_never_given_out_is_foreign(ledger: ModuleType) -> None:
    stream = stream_with(ledger, 2)
    assert stream.arrive(2, 10) == ledger.FOREIGN
    assert stream.arrive((1 << 32) - 1, 10) == ledger.FOREIGN
    assert ledger.Stream().arrive(0, 10) == ledger.FOREIGN
    assert stream.outstanding() == 2
    assert stream.arrived == 0


def test_extent_and_late_time_count_from_the_first_that_overtook(ledger: ModuleType) -> None:
    """RFC 4737 §4.2, §4.3: here each of the three was overtaken by the 7 first."""
    stream = stream_with(ledger, 12)
    stream.arrive(0, 0)
    arrivals = (1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11)
    found = []
    for place, number in enumerate(arrivals):
        kind = stream.arrive(number, 1_000 * place)
        if kind == ledger.REORDERED:
            found.append((number, stream.extent, stream.late_ns))
        else:
            assert kind == ledger.FIRST
    assert found == [(4, 4, 4_000), (5, 5, 5_000), (6, 6, 6_000)]


def test_duplicates_between_do_not_lengthen_an_extent(ledger: ModuleType) -> None:
    stream = stream_with(ledger, 4)
    for at_ns, number in ((10, 1), (20, 1), (30, 2), (40, 1)):
        stream.arrive(number, at_ns)
    assert stream.arrive(0, 50) == ledger.REORDERED
    assert (stream.extent, stream.late_ns) == (2, 40)


def test_missing_numbers_are_known_until_they_come(ledger: ModuleType) -> None:
    stream = stream_with(ledger, 6)
    assert not stream.is_missing(0)
    stream.arrive(3, 10)
    assert [stream.is_missing(number) for number in range(6)] == [True, True, True, False, False, False]
    stream.arrive(1, 20)
    assert [stream.is_missing(number) for number in range(3)] == [True, False, True]
    assert stream.outstanding() == 4


def test_what_is_owed_is_lost_if_the_connection_lived_and_unknown_if_it_died(ledger: ModuleType) -> None:
    for lived in (True, False):
        stream = stream_with(ledger, 8)
        for number in (1, 2, 5):
            stream.arrive(number, 10)
        assert stream.settle(lived=lived) == [
            (0, 1, 7, not lived, False),
            (3, 5, 7, not lived, False),
            (6, 8, 7, not lived, False),
        ]
        assert stream.outstanding() == 0
        assert stream.settle(lived=lived) == []


def test_after_the_settlement_a_late_copy_is_one_more_of_what_had_come_and_else_nothing(
    ledger: ModuleType,
) -> None:
    stream = stream_with(ledger, 3)
    stream.arrive(1, 10)
    stream.settle(lived=False)
    found = [stream.arrive(number, 20) for number in range(3)]
    assert found == [ledger.UNDECIDED, ledger.DUPLICATE, ledger.UNDECIDED]
    assert stream.arrive(3, 20) == ledger.FOREIGN
    assert stream.arrived == 1


def test_a_stream_goes_on_after_a_settlement(ledger: ModuleType) -> None:
    stream = stream_with(ledger, 3)
    stream.settle(lived=False)
    stream.begin_segment(8, 1)
    send(stream, 3)
    assert stream.arrive(4, 10) == ledger.FIRST
    assert stream.arrive(3, 20) == ledger.REORDERED
    assert stream.settle(lived=True) == [(5, 6, 8, False, False)]


def test_ranges_are_cut_where_the_label_changes(ledger: ModuleType) -> None:
    stream = stream_with(ledger, 3, label=0)
    stream.begin_segment(1, 0)
    stream.begin_segment(2, 0)  # nothing was sent under 1
    send(stream, 3)
    stream.begin_segment(3, 0)
    send(stream, 3)
    stream.arrive(4, 10)
    assert stream.settle(lived=True) == [
        (0, 3, 0, False, False),
        (3, 4, 2, False, False),
        (5, 6, 2, False, False),
        (6, 9, 3, False, False),
    ]


def test_what_an_earlier_connection_took_along_stays_unknown(ledger: ModuleType) -> None:
    stream = stream_with(ledger, 2, label=0, epoch=0)
    stream.begin_segment(0, 1)
    send(stream, 2)
    stream.begin_segment(1, 1)
    send(stream, 1)
    assert [stream.epoch_of(number) for number in range(5)] == [0, 0, 1, 1, 1]
    assert stream.settle(lived=True) == [
        (0, 2, 0, True, False),
        (2, 4, 0, False, False),
        (4, 5, 1, False, False),
    ]


def test_a_number_keeps_its_label_through_many_segments(ledger: ModuleType) -> None:
    stream = ledger.Stream()
    for segment in range(17):
        stream.begin_segment(segment, segment // 2)
        number = send(stream, 2)[0]
        stream.arrive(number, 10)
        stream.arrive(number + 1, 10)
    for number in range(34):
        assert stream.label_of(number) == number // 2
        assert stream.epoch_of(number) == number // 4


def test_of_more_segments_the_oldest_in_which_nothing_is_owed_are_forgotten(ledger: ModuleType) -> None:
    stream = ledger.Stream()
    for segment in range(40):
        stream.begin_segment(segment, 0)
        first, second = send(stream, 2)
        if segment != 3:
            stream.arrive(first, 10)
        stream.arrive(second, 10)
    assert [stream.label_of(number) for number in range(6, 80)] == [number // 2 for number in range(6, 80)]
    assert {stream.label_of(number) for number in range(6)} == {3}
    stream.arrive(6, 20)
    stream.begin_segment(40, 0)
    assert {stream.label_of(number) for number in range(6)} == {24}
    assert [stream.label_of(number) for number in (48, 79)] == [24, 39]


def test_the_window_holds_4096_missing_numbers(ledger: ModuleType) -> None:
    stream = stream_with(ledger, 5_000)
    assert stream.arrive(4_096, 10) == ledger.FIRST
    assert stream.take_evicted() == []
    assert stream.outstanding() == 4_096 + 903
    assert stream.arrive(0, 20) == ledger.REORDERED
    assert stream.settle(lived=True) == [(1, 4_096, 7, False, False), (4_097, 5_000, 7, False, False)]


def test_past_the_window_the_oldest_missing_become_unknown(ledger: ModuleType) -> None:
    stream = stream_with(ledger, 10_000)
    assert stream.arrive(4_097, 10) == ledger.FIRST
    assert stream.take_evicted() == [(0, 1, 7, True, False)]
    assert stream.arrive(0, 20) == ledger.UNDECIDED
    assert stream.arrive(1, 20) == ledger.REORDERED
    assert stream.arrive(4_100, 30) == ledger.FIRST  # 4095 were missing, and now two more
    assert stream.take_evicted() == [(2, 3, 7, True, False)]
    assert stream.take_evicted() == []
    assert stream.outstanding() == 4_096 + 10_000 - 4_101
    assert stream.settle(lived=True) == [
        (3, 4_097, 7, False, False),
        (4_098, 4_100, 7, False, False),
        (4_101, 10_000, 7, False, False),
    ]


def test_a_gap_wider_than_the_window_gives_up_all_before_it(ledger: ModuleType) -> None:
    stream = stream_with(ledger, 20_000)
    stream.arrive(0, 0)
    stream.arrive(10, 5)
    assert stream.arrive(15_000, 10) == ledger.FIRST
    assert stream.take_evicted() == [(1, 10, 7, True, False), (11, 10_904, 7, True, False)]
    assert stream.outstanding() == 4_096 + 4_999
    assert [stream.arrive(number, 20) for number in (9, 10, 11)] == [
        ledger.UNDECIDED,
        ledger.DUPLICATE,
        ledger.UNDECIDED,
    ]
    assert stream.arrive(10_904, 20) == ledger.REORDERED
    assert (stream.extent, stream.late_ns) == (1, 10)


def test_numbers_that_fell_out_of_the_window_keep_their_labels(ledger: ModuleType) -> None:
    stream = stream_with(ledger, 3, label=1)
    stream.begin_segment(2, 0)
    send(stream, 5_000)
    stream.arrive(4_096 + 5, 10)
    assert stream.take_evicted() == [(0, 3, 1, True, False), (3, 5, 2, True, False)]
