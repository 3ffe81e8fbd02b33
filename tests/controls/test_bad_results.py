"""Each rate and each boolean of the three tests' results, in a real run in which it is bad."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from controls.cases import Case, scenario_for
from squall.api import LoadTester
from squall.testing import serve
from squall_run import run_squall

SHORT_DRAIN: dict[str, Any] = {"delivery.drain_timeout": 2.0}
"""What is lost is waited for until the drain's end: the test that each `make test` tries is quick."""


@pytest.mark.matrix
def test_every_result_of_the_delivery_test_is_bad(tmp_path: Path) -> None:
    bugs = ["lose:0.3", "duplicate:0.15", "corrupt:0.2", "delay:0.9:0.8"]
    with serve(bugs=bugs, bug_seed=1) as service:
        found = asyncio.run(
            LoadTester.execute_delivery_guarantee_test(
                service.url, connections=20, duration=4, messages_per_connection=60, out=tmp_path / "run"
            )
        )
    for each in found.results_by_message_type.values():
        assert each.delivery_success_rate is not None
        assert each.delivery_guarantee is not None
        assert each.delivery_success_rate.upper is not None
        assert each.delivery_success_rate.upper < each.delivery_guarantee
        assert each.average_latency is not None
        assert each.max_latency is not None
        assert each.average_latency > each.max_latency
        assert each.checksum_validation_success is not None
        assert each.checksum_validation_success < 0.9999
        assert each.sequence_order_correct is not None
        assert each.sequence_order_correct < 0.999
        assert each.guarantee_kept is False
    overall = found.overall
    assert overall.messages_offered == 1200
    assert overall.total_messages_processed is not None
    assert overall.total_messages_processed < 0.99 * overall.messages_offered
    assert overall.system_throughput is not None
    assert overall.offered_throughput is not None
    assert overall.system_throughput < 0.9 * overall.offered_throughput
    assert overall.duplicate_message_rate is not None
    assert overall.duplicate_message_rate > 0.001
    assert overall.out_of_order_rate is not None
    assert overall.out_of_order_rate > 0.005
    assert (found.outcome, found.exit_code) == ("failed", 99)
    assert found.verdict.startswith("FAILED")


def test_every_result_of_the_ordering_test_is_bad(tmp_path: Path) -> None:
    with serve(bugs=["lose:0.05", "delay:0.2:0.6"], bug_seed=1) as service:
        found = asyncio.run(
            LoadTester.execute_message_ordering_test(
                service.url,
                connections=20,
                messages_per_connection=40,
                send_pattern="high_frequency",
                out=tmp_path / "run",
                **SHORT_DRAIN,
            )
        )
    assert found.ordering_accuracy is not None
    assert found.ordering_accuracy < 0.99
    assert found.average_ordering_latency is not None
    assert found.average_ordering_latency > 50
    assert found.out_of_order_messages
    assert found.sequence_gaps
    assert found.messages_in_gaps is not None
    assert found.messages_in_gaps >= found.sequence_gaps
    assert found.timestamps_wrong
    checks = found.validation
    assert (checks.meets_ordering_requirement, checks.low_latency_ordering, checks.minimal_gaps) == (
        False,
        False,
        False,
    )
    assert found.causal_order_violations is None  # on echo nothing follows from another's message
    assert (found.outcome, found.exit_code) == ("failed", 99)


@pytest.mark.matrix
def test_causality_is_found_broken(tmp_path: Path) -> None:
    with serve(bugs=["break-causality:0.1:0.3"], bug_seed=1) as service:
        found = asyncio.run(
            LoadTester.execute_message_ordering_test(
                f"{service.url}room",
                connections=60,
                messages_per_connection=20,
                send_pattern="rooms",
                out=tmp_path / "run",
            )
        )
    assert found.causal_order_violations
    assert (found.outcome, found.exit_code) == ("failed", 99)


@pytest.mark.matrix
def test_every_result_of_the_acknowledgement_test_is_bad(tmp_path: Path) -> None:
    """A network that loses most, delays longer than anybody waits, and clients that fall silent meanwhile."""
    found = asyncio.run(
        LoadTester.execute_acknowledgment_test(
            connections=20,
            test_duration=3,
            message_configuration={"acknowledgment_timeout": 20, "message_frequency": 2},
            fault_injection={
                "network_drop_rate": 0.8,
                "server_delay_simulation": 0.3,
                "server_delay": 25,
                "client_unresponsive_rate": 0.5,
                "client_silence": 5,
            },
            scale="smoke",
            out=tmp_path / "run",
        )
    )
    assert found.acknowledgment_success_rate is not None
    assert found.acknowledgment_success_rate < 0.98
    assert found.average_acknowledgment_time is not None
    assert found.average_acknowledgment_time > 100
    assert found.retry_success_rate is not None
    assert found.retry_success_rate < 0.95
    assert found.network_fault_recovery_time is not None
    assert found.network_fault_recovery_time > 2000
    assert found.server_delay_handling is not None
    assert found.server_delay_handling < 0.99
    assert found.client_timeout_handling is not None
    assert found.client_timeout_handling < 0.995
    assert (found.outcome, found.exit_code) == ("failed", 99)


@pytest.mark.matrix
def test_what_only_an_acknowledgement_shows_is_said_to_be_all_that_is_known(tmp_path: Path) -> None:
    """The service acknowledges some messages and loses them: seen where it delivers, else not measured, never zero."""
    shown = {}
    for exchange in ("ack", "ack_echo"):
        with serve(bugs=["ack-then-lose:0.1"], bug_seed=1) as service:
            asked = scenario_for(Case(exchange), service.url.rstrip("/"), seed=1)
            bound = {"ws_msgs_acknowledged_lost": {"threshold": "count==0", "required": False}}
            shown[exchange] = run_squall({**asked, "thresholds": bound}, tmp_path / exchange)
    told = {exchange: ran.summary for exchange, ran in shown.items() if ran.summary is not None}
    assert (
        told["ack_echo"]["acknowledgements"]["acknowledged_lost"] == told["ack_echo"]["delivery"]["lost"] > 0
    )
    assert (told["ack_echo"]["evidence"], shown["ack_echo"].code) == ("receiver", 99)
    assert told["ack"]["evidence"] == "acknowledgement"
    assert told["ack"]["delivery"]["delivered"] == told["ack"]["acknowledgements"]["acknowledged"] > 0
    assert told["ack"]["acknowledgements"]["acknowledged_lost"] is None
    assert told["ack"]["delivery"]["duplicated"] is None
    assert told["ack"]["ordering"]["accuracy"] is None
    judged = {each["name"]: each for each in told["ack"]["verdict"]["judgements"]}
    assert "none duplicated" not in judged
    (bounded,) = [each for name, each in judged.items() if "acknowledged_lost" in name]
    assert (bounded["truth"], bounded["figure"]) == ("unknown", None)
    assert shown["ack"].code == 0, shown["ack"].stdout
    assert "not measured" in shown["ack"].stdout


@pytest.mark.matrix
def test_a_receiver_that_takes_a_message_twice_is_found(tmp_path: Path) -> None:
    """`duplicate_delivery_rate`, by the metric that the acknowledgement test judges it by."""
    case = Case("ack_echo", ("duplicate",))
    with serve(bugs=case.bugs, bug_seed=1) as service:
        asked = scenario_for(case, service.url.rstrip("/"), seed=1)
        ran = run_squall({**asked, "thresholds": {"ws_duplicate_rate": "rate<0.002"}}, tmp_path)
    assert ran.summary is not None
    (judged,) = [each for each in ran.summary["verdict"]["judgements"] if "ws_duplicate_rate" in each["name"]]
    assert judged["truth"] == "failed"
    assert judged["figure"] == ran.delivery["duplicated"] / ran.delivery["delivered"] > 0.002
    assert ran.code == 99
