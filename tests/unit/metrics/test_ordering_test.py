"""The ordering test: the specification's patterns and bounds, and what a run comes to."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from made_runs import connections, messages, phase, scenario, second, some_totals
from squall.errors import ExitCode, PlanError
from squall.metrics.ordering_test import (
    ORDERING_TESTS,
    OrderingResult,
    OrderingTest,
    OrderingValidation,
    checked_tests,
    concluded,
    ordering_result,
    ordering_thresholds,
    rooms_at,
    settle_at,
)
from squall.metrics.ordering_test import (
    test_at as one_at,
)
from squall.metrics.ordering_test import (
    tests_at as all_at,
)
from squall.metrics.summary import summarise
from squall.metrics.verdict import judge
from squall.scale import SCALES
from unit.metrics.test_delivery_test import HEADER

TEST = OrderingTest(
    scenario="Made",
    connections=10,
    messages_per_connection=100,
    send_pattern="burst",
    expected_ordering_accuracy=0.99,
)
TRACKED = OrderingValidation()


def result(
    *cells: Any, test: OrderingTest = TEST, validation: OrderingValidation = TRACKED
) -> OrderingResult:
    """A thousand messages were sent and came in order, and what `cells` add to that."""
    phases = [phase(0, "ramp_up", "ramp_up", 0, 1), phase(1, "hold", "sustained", 1, 2)]
    of = messages(1000, phase=1, response_ms=[10.0])
    tracking = {name.rpartition(".")[2]: on for name, on in validation.settings().items()}
    asked = scenario(
        thresholds=ordering_thresholds(test, validation),
        delivery={"integrity": False, "tracking": tracking},
    )
    totals = some_totals(second(0, connections(10)), second(1, of, *cells), phases=phases)
    totals.tracking = asked.delivery.tracking
    summary = summarise(HEADER, phases, totals, judge(asked, totals))
    return ordering_result(test, summary, "1-burst", priorities={"message": "high", "critical": None})


# --- what is sent ---


def test_the_patterns_and_sizes_are_the_specification_s() -> None:
    assert [msgspec.structs.astuple(each) for each in ORDERING_TESTS] == [
        ("Sequential Message Streams", 1000, 100, "sequential", 0.999),
        ("Burst Message Delivery", 2000, 50, "burst", 0.995),
        ("Mixed Priority Messages", 5000, 20, "mixed_priority", 0.98),
        ("High Frequency Micro-Messages", 10000, 10, "high_frequency", 0.99),
    ]
    assert [each.offered for each in ORDERING_TESTS] == [100_000] * 4
    assert all_at("full") == ORDERING_TESTS


def test_a_scale_changes_connections_and_no_bound_and_smoke_decides_every_one() -> None:
    for scale in SCALES:
        for each, full in zip(all_at(scale), ORDERING_TESTS, strict=True):
            assert each.expected_ordering_accuracy == full.expected_ordering_accuracy
            assert each.messages_per_connection == full.messages_per_connection
            # One message is a smaller share than a bound leaves.
            assert 1 / each.offered < 0.001
    assert [each.connections for each in all_at("smoke")] == [100, 200, 500, 1000]
    assert settle_at("smoke") < settle_at("standard") < settle_at("full")


def test_causality_has_enough_pairs_at_every_scale() -> None:
    for scale in SCALES:
        of = rooms_at(scale)
        assert of.connections % 4 == 0
        assert of.offered / 2 >= 1000  # half of the messages are answers


def test_a_pattern_is_found_by_its_name() -> None:
    assert one_at("full", "burst") == ORDERING_TESTS[1]
    with pytest.raises(PlanError, match="'zigzag'; there are sequential, burst"):
        one_at("full", "zigzag")


@pytest.mark.parametrize(
    ("tests", "what"),
    [
        ([], "a pattern at least"),
        ([msgspec.structs.replace(TEST, connections=0)], "0 connections"),
        ([msgspec.structs.replace(TEST, messages_per_connection=0)], "0 messages each"),
        ([msgspec.structs.replace(TEST, expected_ordering_accuracy=1.1)], r"is 1\.1"),
    ],
)
def test_what_makes_no_sense_is_refused(tests: list[OrderingTest], what: str) -> None:
    with pytest.raises(PlanError, match=what):
        checked_tests(tests)


# --- what is judged ---


def test_the_bounds_are_the_specification_s() -> None:
    assert [(each["metric"], each["threshold"]) for each in ordering_thresholds(ORDERING_TESTS[0])] == [
        ("ws_ordering_accuracy", "rate>=0.999"),
        ("ws_ordering_latency", "avg<50"),
        ("ws_msgs_in_gaps", "count<100"),
        ("ws_msgs_delivered", "count>99000"),
    ]


def test_messages_in_order_hold_every_bound() -> None:
    found = result()
    assert found.ordering_accuracy == 1
    assert (found.average_ordering_latency, found.out_of_order_messages) == (0, 0)
    assert (found.sequence_gaps, found.messages_in_gaps) == (0, 0)
    assert found.causal_order_violations is None  # nothing follows from anything here
    assert msgspec.structs.astuple(found.validation) == (True, True, True)
    assert (found.outcome, found.exit_code) == ("passed", 0)
    assert found.verdict == "PASSED: every bound held; 100 % in order."
    assert {name: of.priority for name, of in found.types.items()} == {"message": "high", "critical": None}


@pytest.mark.parametrize(
    ("cell", "held", "figure"),
    [
        ({"reordered": 11}, (False, True, True), ("out_of_order_messages", 11)),
        ({"reordered": 10}, (True, True, True), ("ordering_accuracy", 0.99)),
        (
            {"order_waited": 600, "order_wait_ns_sum": 60_000_000_000},
            (True, False, True),
            ("average_ordering_latency", 60),
        ),
        ({"gaps": 1, "messages_in_gaps": 2, "lost": 2}, (True, True, False), ("messages_in_gaps", 2)),
    ],
)
def test_each_bound_fails_by_its_own_fault(
    cell: dict[str, int], held: tuple[bool, ...], figure: tuple[str, float]
) -> None:
    lost = cell.get("lost", 0)
    found = result(messages(lost, **({"phase": 1, "delivered": 0} | cell)))
    assert msgspec.structs.astuple(found.validation) == held
    assert getattr(found, figure[0]) == pytest.approx(figure[1])
    assert found.outcome == ("passed" if all(held) else "failed")


def test_a_wait_that_is_known_in_part_is_no_latency() -> None:
    found = result(messages(0, phase=1, order_wait_unmeasured=1))
    assert found.average_ordering_latency is None
    assert found.validation.low_latency_ordering is None


def test_order_over_a_part_of_the_messages_is_not_enough() -> None:
    found = result(test=msgspec.structs.replace(TEST, messages_per_connection=102))
    assert all(msgspec.structs.astuple(found.validation))
    assert found.outcome == "failed"
    assert found.reasons[0].startswith("failed: ws_msgs_delivered count>1009.8")


def test_what_is_not_tracked_is_not_measured_and_fails_nothing() -> None:
    off = OrderingValidation(
        enable_sequence_numbers=False, enable_timestamp_validation=False, enable_causal_ordering_check=False
    )
    found = result(messages(0, phase=1, timestamps_judged=5, timestamps_wrong=5), validation=off)
    assert found.ordering_accuracy is found.average_ordering_latency is found.sequence_gaps is None
    assert found.out_of_order_messages is found.timestamps_wrong is None
    assert msgspec.structs.astuple(found.validation) == (None, None, None)
    assert found.outcome == "passed"
    on = result(messages(0, phase=1, timestamps_judged=5, timestamps_wrong=2))
    assert on.timestamps_wrong == 2


def test_an_effect_before_its_cause_fails_a_room_and_few_pairs_say_nothing() -> None:
    room = msgspec.structs.replace(TEST, send_pattern="rooms", expected_ordering_accuracy=None)
    good, bad, few = (
        result(messages(2000, phase=1, causal_pairs=pairs, causal_violations=violations), test=room)
        for pairs, violations in ((1000, 0), (1000, 1), (999, 1))
    )
    assert (good.causal_order_violations, good.outcome) == (0, "passed")
    assert good.verdict == "PASSED: every bound held; no effect before its cause in 1,000 pairs."
    assert (bad.causal_order_violations, bad.outcome) == (1, "failed")
    short = result(messages(0, phase=1, causal_pairs=1000), test=room)
    assert short.reasons[0].startswith("failed: ws_msgs_delivered count>2970")  # each is owed to three
    assert (few.causal_order_violations, few.outcome, few.exit_code) == (None, "warning", 112)


# --- the series ---


def test_a_series_passes_if_all_its_patterns_do() -> None:
    found = concluded([result(), result()])
    assert (found.outcome, found.exit_code) == ("passed", ExitCode.PASSED)
    assert found.verdict == "PASSED: every bound held in all 2 scenarios."


def test_a_pattern_that_fails_fails_the_series_by_its_name() -> None:
    found = concluded([result(), result(messages(0, phase=1, reordered=20))])
    assert (found.outcome, found.exit_code) == ("failed", ExitCode.FAILED)
    assert found.verdict.startswith("FAILED: Made: ws_ordering_accuracy rate>=0.99 (0.98")


def test_what_was_left_out_leaves_the_series_undecided() -> None:
    found = concluded([result()], left_out=["Other"])
    assert (found.outcome, found.exit_code) == ("warning", ExitCode.UNKNOWN)
    assert found.verdict == "WARNING: 1 of 2 scenarios were not carried out."
