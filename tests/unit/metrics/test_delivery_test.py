"""What a delivery test came to, from the summary of its run."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from made_runs import connections, messages, phase, scenario, second, some_totals
from squall.metrics.delivery_test import DeliveryGuaranteeResult, delivery_result
from squall.metrics.success import DeliverySuccess
from squall.metrics.summary import summarise
from squall.metrics.totals import Totals
from squall.metrics.verdict import judge
from squall.record.run import FORMAT_VERSION, RunHeader

TYPES = [
    {"name": "message", "guarantee": 0.9, "max_latency": 0.05, "priority": "high"},
    {"name": "critical", "guarantee": 0.99, "max_latency": 0.5},
]
TRAFFIC = {"rate": 0.1, "types": TYPES, "messages_per_session": 4}
ASKED = scenario(
    load={"connections": 10, "hold": 2},
    populations=[{"traffic": TRAFFIC}],
    threshold_sets=["delivery"],
    delivery={"integrity": False},
)
HEADER = RunHeader(
    format_version=FORMAT_VERSION,
    run_id="r",
    name="r",
    squall_version="0",
    started_wall_ns=0,
    seed=1,
    run_number=1,
    scenario={},
    populations=["main"],
    types=[["message", "critical"]],
    plan=[],
    environment={},
)


def result(*cells: Any, of: int = 20) -> DeliveryGuaranteeResult:
    phases = [phase(0, "ramp_up", "ramp_up", 0, 1), phase(1, "hold", "sustained", 1, 41)]
    both = [messages(of, phase=1, type=kind, response_ms=[10.0 + kind] * of) for kind in (0, 1)]
    totals = some_totals(second(0, connections(10)), second(40, *both, *cells), phases=phases)
    summary = summarise(HEADER, phases, totals, judge(ASKED, totals))
    return delivery_result(ASKED, summary, "there")


def test_a_clean_run_has_every_figure_of_each_type_and_of_the_whole() -> None:
    found = result()
    assert list(found.results_by_message_type) == ["message", "critical"]
    one = found.results_by_message_type["critical"]
    assert one.delivery_success_rate == DeliverySuccess(1, 1)
    assert one.average_latency == pytest.approx(11)
    assert one.latency.p99 == pytest.approx(11, rel=0.01)
    assert (one.checksum_validation_success, one.sequence_order_correct) == (1, 1)
    assert (one.delivery_guarantee, one.max_latency, one.priority) == (0.99, 500, None)
    assert one.guarantee_kept is True
    overall = found.overall
    assert (overall.total_messages_processed, overall.messages_offered) == (40, 40)
    assert (overall.system_throughput, overall.offered_throughput) == (1, 1)
    assert (overall.duplicate_message_rate, overall.out_of_order_rate) == (0, 0)
    assert (found.outcome, found.exit_code, found.folder) == ("passed", 0, "there")
    assert found.verdict == "PASSED: every bound held; 100 % of 40 messages were delivered."


def test_each_figure_has_its_own_cause_and_a_type_fails_alone() -> None:
    found = result(
        messages(1, phase=1, type=1, delivered=0, lost=1),
        messages(0, phase=1, type=1, corrupted_body=4, reordered=2, reordered_in_type=2, duplicated=8),
    )
    one, other = found.results_by_message_type["critical"], found.results_by_message_type["message"]
    assert one.delivery_success_rate == DeliverySuccess(20 / 21, 20 / 21)
    assert one.checksum_validation_success == pytest.approx(28 / 32)
    assert one.sequence_order_correct == pytest.approx(18 / 20)
    assert one.guarantee_kept is False
    assert other.guarantee_kept is True
    assert found.overall.duplicate_message_rate == pytest.approx(8 / 40)
    assert found.overall.out_of_order_rate == pytest.approx(2 / 40)
    assert (found.outcome, found.exit_code) == ("failed", 99)
    assert found.verdict.startswith("FAILED: ws_delivery_success{type:critical} rate>0.99 (")
    assert found.verdict.endswith("and 4 more.")


def test_a_success_that_is_not_known_is_an_interval_and_the_guarantee_neither_kept_nor_broken() -> None:
    found = result(messages(1, phase=1, type=1, delivered=0, unknown=1))
    one = found.results_by_message_type["critical"]
    assert one.delivery_success_rate == DeliverySuccess(20 / 21, 1)
    assert one.guarantee_kept is None
    assert (found.outcome, found.exit_code) == ("warning", 112)


def test_nothing_that_was_not_measured_is_a_figure() -> None:
    found = result(of=0)
    one = found.results_by_message_type["message"]
    assert one.delivery_success_rate is one.average_latency is one.guarantee_kept is None
    assert one.checksum_validation_success is one.sequence_order_correct is None
    assert found.overall.duplicate_message_rate is found.overall.system_throughput is None
    assert found.outcome == "failed"  # of the messages offered none was delivered


def test_a_guarantee_is_kept_where_each_population_with_a_type_of_that_name_keeps_it() -> None:
    two = scenario(
        populations=[{"name": name, "traffic": {"rate": 1, "types": TYPES[:1]}} for name in ("a", "b")],
        threshold_sets=["delivery"],
    )
    totals = Totals(["a", "b"], [["message"], ["message"]])
    totals.note(phase(0, "hold", "sustained", 0, 10))
    totals.add(second(10, messages(9, population=0), messages(9, population=1, delivered=1, lost=8)))
    header = msgspec.structs.replace(HEADER, populations=["a", "b"], types=[["message"], ["message"]])
    summary = summarise(header, list(totals.phases.values()), totals, judge(two, totals))
    assert delivery_result(two, summary, "").results_by_message_type["message"].guarantee_kept is False
