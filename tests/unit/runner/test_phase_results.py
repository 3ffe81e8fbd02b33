"""The results of the Python API's operations, from totals that are made up."""

from __future__ import annotations

import pytest

from made_runs import check
from squall.metrics.histogram import Histogram
from squall.metrics.leftovers import Leftovers
from squall.metrics.resources import Utilization
from squall.metrics.totals import Totals
from squall.record.outcomes import Trouble
from squall.record.run import Phase, PhaseKind
from squall.record.snapshots import ConnectionCell, Event, Interval, MessageCell, Place, SparseHistogram
from squall.runner.phase_results import (
    DeliverySuccess,
    ForcedDisconnection,
    PhaseError,
    ramp_down_result,
    ramp_up_result,
    sustained_load_result,
)

S, MS = 10**9, 10**6


def histogram(value_ns: int, count: int) -> SparseHistogram | None:
    recorder = Histogram()
    for _ in range(count):
        recorder.record(value_ns)
    return recorder.take()


def phase(number: int, kind: PhaseKind, start_s: int, end_s: int, start: int, end: int) -> Phase:
    return Phase(
        id=number,
        name=kind,
        kind=kind,
        start_ns=start_s * S,
        end_ns=end_s * S,
        level_start=start,
        level_end=end,
        words="",
    )


UP = phase(0, "ramp_up", 0, 2, 0, 10)
HOLD = phase(1, "sustained", 2, 4, 10, 10)
DOWN = phase(2, "ramp_down", 4, 5, 10, 0)


def totals(*, sends_in_ramp: bool = False, known: tuple[Phase, ...] = (UP, HOLD, DOWN)) -> Totals:
    made = Totals(["main"], [["message"]])
    for each in known:
        made.note(each)
    refused = Trouble("connect", "refused", "target")
    reset = Trouble("open", "reset", "target")
    sent = MessageCell(
        population=0, phase=0, type=0, place=0, intended=5, delivered=5, response=histogram(3 * MS, 5)
    )
    up = [
        ConnectionCell(
            population=0,
            phase=0,
            place=0,
            attempted=6,
            established=5,
            failed=1,
            connect=histogram(2 * MS, 5),
            troubles=[(refused, 1)],
        ),
        ConnectionCell(
            population=0, phase=0, place=0, attempted=5, established=5, connect=histogram(4 * MS, 5)
        ),
    ]
    hold = MessageCell(
        population=0,
        phase=1,
        type=0,
        place=0,
        intended=100,
        not_sent_target=4,
        delivered=90,
        lost=2,
        duplicated=1,
        reordered=3,
        corrupted_body=1,
        response=histogram(10 * MS, 90),
    )
    held = (5, 10, 10, 8, 0)
    planned = (5, 10, 10, 10, 0)
    for index in range(5):
        made.add(
            Interval(
                index=index,
                at_ns=(index + 1) * S,
                held=held[index],
                planned=planned[index],
                places=[Place("ws://a/", "")] if index == 0 else [],
                connections=[
                    *(up[index : index + 1] if index < 2 else []),
                    *(
                        [ConnectionCell(population=0, phase=1, place=0, dropped=2, troubles=[(reset, 2)])]
                        if index == 3
                        else []
                    ),
                    *(
                        [ConnectionCell(population=0, phase=2, place=0, closed=8, graceful=6)]
                        if index == 4
                        else []
                    ),
                ],
                messages=[
                    *([sent] if index == 1 and sends_in_ramp else []),
                    *([hold] if index == 3 else []),
                ],
            )
        )
    return made


def test_a_ramp_without_messages_has_its_connect_time_as_peak() -> None:
    result = ramp_up_result(totals(), UP, duration_s=2.0, reached_s=2.0, stopped_by="")
    assert result.overall_success_rate == pytest.approx(10 / 11)
    assert (result.connections_attempted, result.connections_established, result.connections_failed) == (
        11,
        10,
        1,
    )
    assert result.average_connection_time_ms == pytest.approx(3.0)
    assert result.peak_latency_of == "connect_time"
    assert result.peak_latency_ms == pytest.approx(4.0, rel=0.01)
    assert result.average_latency_ms is None
    assert (result.time_to_target_s, result.target_connections) == (2.0, 10)
    assert result.errors == (PhaseError("connect", "refused", "target", 1),)


def test_a_ramp_with_messages_has_their_peak() -> None:
    result = ramp_up_result(totals(sends_in_ramp=True), UP, duration_s=2.0, reached_s=None, stopped_by="why")
    assert result.peak_latency_of == "response_time"
    assert result.peak_latency_ms == pytest.approx(3.0, rel=0.01)
    assert result.average_latency_ms == pytest.approx(3.0)
    assert result.time_to_target_s is None
    assert result.stopped_by == "why"


def test_the_final_count_is_that_of_the_last_report() -> None:
    made = Totals(["main"], [["message"]])
    made.note(UP)
    made.add(Interval(index=0, at_ns=S, held=3, planned=5))
    made.add(Interval(index=1, at_ns=2 * S, held=9, planned=10))
    result = ramp_up_result(made, UP, duration_s=2.0, reached_s=None, stopped_by="")
    assert result.final_connection_count == 9
    assert result.overall_success_rate is None
    assert result.peak_latency_of is None
    assert result.peak_latency_ms is None


def test_a_held_level_in_figures() -> None:
    result = sustained_load_result(totals(), HOLD, duration_s=2.0, stopped_by="")
    assert result.average_active_connections == pytest.approx(9.0)
    assert (result.active_connections_min, result.active_connections_max) == (8, 10)
    assert result.connection_stability_score == pytest.approx(18 / 20)
    assert result.average_message_latency_ms == pytest.approx(10.0)
    assert result.message_latency_p99_ms == pytest.approx(10.0, rel=0.01)
    assert (result.messages_intended, result.messages_sent, result.messages_not_sent) == (100, 96, 4)
    assert (result.messages_delivered, result.messages_lost, result.messages_unknown) == (90, 2, 0)
    assert result.messages_under_way == 4
    assert result.message_delivery_success == DeliverySuccess(90 / 96, 94 / 96)
    assert (result.messages_duplicated, result.messages_reordered, result.messages_corrupted) == (1, 3, 1)
    assert result.connection_drops == 2
    assert result.system_resource_utilization == Utilization()
    assert result.errors == (PhaseError("open", "reset", "target", 2),)


def test_a_level_held_without_messages_measures_no_delivery() -> None:
    made = Totals(["main"], [["message"]])
    made.note(HOLD)
    result = sustained_load_result(made, HOLD, duration_s=2.0, stopped_by="")
    assert result.message_delivery_success is None
    assert result.average_message_latency_ms is None
    assert result.average_active_connections is None
    assert result.connection_stability_score is None


@pytest.mark.parametrize(
    ("left", "clean"),
    [
        (Leftovers(at_squall=0, at_target=0), True),
        (Leftovers(at_squall=1, at_target=3), False),
        (Leftovers(at_squall=0), None),
    ],
)
def test_a_ramp_down_in_figures(left: Leftovers, clean: bool | None) -> None:
    result = ramp_down_result(totals(), DOWN, duration_s=1.0, left=left, stopped_by="")
    assert result.graceful_disconnections == 6 / 8
    assert (result.connections_closed, result.connections_dropped) == (8, 0)
    assert result.final_active_connections == 0
    assert result.resource_cleanup_success is clean
    assert (result.resources_left_at_squall, result.resources_left_at_target) == (
        left.at_squall,
        left.at_target,
    )


def test_forced_closes_of_the_phase_are_listed_with_their_reasons() -> None:
    made = totals()
    events = [
        Event(at_ns=at, kind=kind, text=text, stream=stream)
        for at, kind, text, stream in (
            (3 * S, "forced", "before", 1),
            (4 * S + 1, "forced", "no close frame within 5 s", 7),
            (4 * S + 2, "drop", "reset (target)", 8),
            (5 * S, "forced", "reset (target)", 9),
        )
    ]
    made.add(Interval(index=5, at_ns=5 * S, held=0, planned=0, events=events))
    result = ramp_down_result(
        made, DOWN, duration_s=1.0, left=Leftovers(at_squall=0, at_target=0), stopped_by=""
    )
    assert result.connections_forced == 2
    assert result.forced_disconnections == (
        ForcedDisconnection(connection=7, at_s=(4 * S + 1) / S, reason="no close frame within 5 s"),
        ForcedDisconnection(connection=9, at_s=5.0, reason="reset (target)"),
    )


def test_the_checks_of_a_phase_are_its_own() -> None:
    made = totals()
    made.checks.add(check(phase=0))
    made.checks.add(check())
    made.checks.add(check(index=1, drops=9, drop_share=0.09))
    result = sustained_load_result(made, HOLD, duration_s=2.0, stopped_by="")
    assert [each.index for each in result.stability_checks] == [0, 1]
    assert result.stability_checks_failed == 1


def test_an_interval_is_above_a_bound_only_if_all_of_it_is() -> None:
    success = DeliverySuccess(lower=0.98, upper=0.999)
    assert success > 0.97
    assert not success > 0.99
    assert not success < 0.99
    assert success < 1.0
    assert success >= 0.98
    assert success <= 0.999
    assert not success <= 0.99
