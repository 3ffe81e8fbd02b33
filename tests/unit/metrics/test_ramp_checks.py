"""The live checks of a ramp: each interval of five seconds counts for itself, and the worst one is kept."""

from __future__ import annotations

import pytest

from made_runs import connections, messages, phase, second, some_totals, times
from squall.metrics.ramp_checks import RampChecks, RampInterval
from squall.metrics.totals import Totals
from squall.record.snapshots import ConnectionCell, MessageCell

RAMP = phase(0, "ramp_up", "ramp_up", 0, 15)
HOLD = phase(1, "hold", "sustained", 15, 30)


def checked(*cells: tuple[int, ConnectionCell | MessageCell]) -> RampChecks:
    """The checks of half a minute, with these cells at these seconds."""
    return totals(*cells).ramp_checks


def totals(*cells: tuple[int, ConnectionCell | MessageCell]) -> Totals:
    by_second = [[cell for at, cell in cells if at == index] for index in range(30)]
    return some_totals(*(second(index, *each) for index, each in enumerate(by_second)), phases=[RAMP, HOLD])


def test_a_bad_interval_does_not_hide_among_good_ones() -> None:
    found = checked(
        (0, connections(1000)), (6, connections(1, attempted=2, failed=1)), (12, connections(1000))
    ).least_success
    assert found is not None
    assert (found.success, found.at_s) == (0.5, 10)


def test_a_connect_that_is_under_way_is_neither() -> None:
    found = checked((0, connections(3, attempted=50))).least_success
    assert found is not None
    assert found.success == 1.0


def test_latency_is_that_of_answers_else_that_of_connecting() -> None:
    found = checked(
        (1, connections(2, connect=times(30, 50))),
        (6, connections(1, connect=times(900))),
        (6, messages(2, phase=0, response_ms=[60, 80], service_ms=[10, 10])),
    )
    slowest, unlagged = found.slowest(), found.slowest(unlagged=True)
    assert slowest is not None
    assert unlagged is not None
    assert (slowest.latency_ns(), slowest.at_s) == (pytest.approx(70e6), 10)
    assert (unlagged.latency_ns(unlagged=True), unlagged.at_s) == (pytest.approx(40e6), 5)


def test_one_interval_says_what_its_latency_is_of() -> None:
    interval = RampInterval(5)
    assert (interval.success, interval.latency_ns(), interval.latency_of) == (None, None, None)
    interval.connections.add(connections(1, connect=times(50)))
    assert (interval.success, interval.latency_of) == (1.0, "connect_time")
    interval.messages.add(messages(1, phase=0, response_ms=[20]))
    assert (interval.latency_ns(), interval.latency_of) == (pytest.approx(20e6), "response_time")


def test_the_open_interval_counts_and_other_phases_do_not() -> None:
    found = checked(
        (16, connections(0, phase=1, attempted=9, failed=9)), (16, messages(1, phase=1, response_ms=[999]))
    )
    assert (found.least_success, found.slowest(), found.closed) == (None, None, None)
    late = checked((29, messages(1, phase=0, response_ms=[40])))  # an answer to what the ramp still sent
    slowest = late.slowest()
    assert slowest is not None
    assert slowest.at_s == 30
    assert late.closed is slowest


def test_only_the_worst_are_kept_and_the_last_to_end_is_known() -> None:
    made = RampChecks()
    for index in range(5000):
        made.add(second(index, connections(9, failed=1, connect=times(index % 700 + 1))), frozenset({0}))
    assert made.closed is not None
    assert made.closed.at_s == 5000
    slowest, least = made.slowest(), made.least_success
    assert slowest is not None
    assert slowest.latency_ns() == pytest.approx(698e6)
    assert slowest.at_s == 700
    assert least is not None
    assert (least.success, least.at_s) == (0.9, 5)
