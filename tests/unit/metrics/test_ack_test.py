"""The acknowledgement test: its parts, faults and bounds, and what a run comes to."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from squall.errors import ExitCode, PlanError
from squall.metrics.ack_test import (
    PARTS,
    AckPart,
    FaultInjection,
    MessageConfiguration,
    PartResult,
    ack_size,
    ack_thresholds,
    checked,
    concluded,
    exchange_settings,
    fault_settings,
    path_of,
)
from squall.metrics.summary_document import Acknowledgements, Delivery, Judged, Percentiles
from squall.record.verdicts import Outcome

FULL, SMOKE = ack_size("full"), ack_size("smoke")
MESSAGES, FAULTS = MessageConfiguration(), FaultInjection()


def part(name: AckPart, outcome: Outcome = "passed", **figures: float) -> PartResult:
    """A part whose bounds have these figures, one after another as they are judged."""
    bounds = [
        Judged(
            name=each["metric"],
            source="threshold",
            bound=each["threshold"],
            figure=figures.get(each["metric"]),
            truth="passed",
            required=each["required"],
            evidence="",
        )
        for each in ack_thresholds(name, FAULTS)
    ]
    return PartResult(
        part=name,
        acknowledgements=Acknowledgements(
            ack_time_total=Percentiles(mean=120.0),
            retry_recovery=Percentiles(p99=900.0),
            duplicate_arrivals=7,
        ),
        delivery=Delivery(),
        bounds=tuple(bounds),
        folder=f"1-{name}",
        outcome=outcome,
        valid=True,
        exit_code={"passed": 0, "failed": 99}.get(outcome, 112),
        reasons=() if outcome == "passed" else ("failed: ws_ack_success rate>0.98 (0.5)",),
        verdict="",
    )


# --- what is asked ---


def test_the_defaults_are_the_specification_s() -> None:
    assert (FULL.connections, FULL.duration_s, FULL.quicker) == (5000, 900, 1)
    assert MESSAGES.require_acknowledgment
    assert (MESSAGES.acknowledgment_timeout, MESSAGES.max_retry_attempts) == (5, 3)
    assert MESSAGES.retry_backoff_strategy == "exponential"
    assert (FAULTS.network_drop_rate, FAULTS.server_delay_simulation) == (0.02, 0.01)
    assert FAULTS.client_unresponsive_rate == 0.005


def test_the_exchange_waits_retries_and_pauses_as_asked() -> None:
    assert exchange_settings("send", MESSAGES, FULL) == {
        "kind": "ack",
        "timeout": 5,
        "retries": 3,
        "backoff": {"first": 0.5, "factor": 2, "max": 5},
    }
    constant = MessageConfiguration(
        acknowledgment_timeout="2s", max_retry_attempts=1, retry_backoff_strategy="constant"
    )
    receiver = exchange_settings("receiver", constant, SMOKE)
    assert receiver["evidence"] == "receiver"
    assert (receiver["timeout"], receiver["retries"]) == (0.4, 1)
    assert receiver["backoff"] == {"first": 0.1, "factor": 1, "max": 1}
    assert exchange_settings("push", MESSAGES, SMOKE) == {"kind": "acked_push", "timeout": 1, "retries": 3}
    assert [path_of(each, MESSAGES, SMOKE) for each in PARTS] == [
        "ack",
        "ack/echo",
        "push/acked?timeout=1000&retries=3",
    ]


def test_drops_are_in_the_direction_in_which_a_retry_makes_up_for_them() -> None:
    faults = {name: {each["name"]: each for each in fault_settings(name, FAULTS, FULL)} for name in PARTS}
    drops = [(of["network_drops"]["direction"], of["network_drops"]["probability"]) for of in faults.values()]
    assert drops == [("both", 0.01), ("up", 0.02), ("down", 0.02)]
    assert [of["delayed_responses"]["direction"] for of in faults.values()] == ["down"] * 3
    assert faults["send"]["delayed_responses"]["delay"] == 1
    assert "unresponsive_clients" not in faults["send"]  # whose second answers would hide those of delays
    silent = [faults[name]["unresponsive_clients"] for name in ("receiver", "push")]
    assert [each["kind"] for each in silent] == ["stop_reading", "stop_acknowledging"]
    assert [(each["probability"], each["pause"]) for each in silent] == [(0.005, 10)] * 2


def test_smoke_is_quicker_in_times_and_the_same_in_shares_and_bounds() -> None:
    for each, full in zip(
        fault_settings("push", FAULTS, SMOKE), fault_settings("push", FAULTS, FULL), strict=True
    ):
        assert each["probability"] == full["probability"]
    quick = {each["name"]: each for each in fault_settings("push", FAULTS, SMOKE)}
    assert (quick["delayed_responses"]["delay"], quick["unresponsive_clients"]["pause"]) == (0.2, 2)
    assert SMOKE.others_s > quick["unresponsive_clients"]["pause"]


def test_a_fault_that_is_left_out_is_not_there_and_its_bound_not_required() -> None:
    calm = FaultInjection(network_drop_rate=0, server_delay_simulation=0, client_unresponsive_rate=0)
    assert fault_settings("send", calm, FULL) == []
    required = {each["metric"]: each["required"] for each in ack_thresholds("send", calm)}
    assert required == {
        "ws_ack_success": True,
        "ws_ack_time": True,
        "ws_retry_success": False,
        "ws_retry_recovery": False,
        "ws_server_delay_handling": False,
    }
    silent = {each["metric"]: each["required"] for each in ack_thresholds("push", calm)}
    assert silent == {"ws_client_timeout_handling": False}


def test_the_bounds_are_the_specification_s() -> None:
    bounds = {each["metric"]: each["threshold"] for name in PARTS for each in ack_thresholds(name, FAULTS)}
    assert bounds == {
        "ws_ack_success": "rate>0.98",
        "ws_ack_time": "avg<100",
        "ws_retry_success": "rate>0.95",
        "ws_retry_recovery": "avg<2000",
        "ws_duplicate_rate": "rate<0.002",
        "ws_server_delay_handling": "rate>0.99",
        "ws_client_timeout_handling": "rate>0.995",
        "ws_msgs_acknowledged_lost": "count==0",
    }


@pytest.mark.parametrize(
    ("messages", "faults", "what"),
    [
        ({"require_acknowledgment": False}, {}, "require_acknowledgment"),
        ({"max_retry_attempts": 15}, {}, "max_retry_attempts is 15"),
        ({"max_retry_attempts": -1}, {}, "max_retry_attempts is -1"),
        ({}, {"network_drop_rate": 1.5}, r"network_drop_rate is 1\.5"),
        ({}, {"client_unresponsive_rate": -0.1}, "client_unresponsive_rate"),
    ],
)
def test_what_makes_no_sense_is_refused(messages: dict[str, Any], faults: dict[str, Any], what: str) -> None:
    with pytest.raises(PlanError, match=what):
        checked(MessageConfiguration(**messages), FaultInjection(**faults))


@pytest.mark.parametrize("size", [{"connections": 0}, {"duration": 0}, {"duration": "soon"}])
def test_a_size_that_makes_no_sense_is_refused(size: dict[str, Any]) -> None:
    with pytest.raises(PlanError):
        ack_size("full", **size)


def test_a_time_out_that_is_none_is_refused_by_its_name() -> None:
    with pytest.raises(PlanError, match="acknowledgment_timeout: "):
        exchange_settings("send", MessageConfiguration(acknowledgment_timeout="soon"), FULL)


# --- what came of it ---


def test_each_figure_is_that_of_the_part_that_can_show_it() -> None:
    found = concluded(
        [
            part(
                "send",
                ws_ack_success=0.999,
                ws_ack_time=20,
                ws_retry_success=0.98,
                ws_retry_recovery=400,
                ws_server_delay_handling=0.995,
            ),
            part("receiver", ws_ack_success=0.9, ws_duplicate_rate=0.001, ws_client_timeout_handling=0.999),
            part("push", ws_client_timeout_handling=1),
        ]
    )
    assert (found.acknowledgment_success_rate, found.average_acknowledgment_time) == (0.999, 20)
    assert found.average_acknowledgment_time_total == 120
    assert (found.retry_success_rate, found.duplicate_delivery_rate) == (0.98, 0.001)
    assert (found.network_fault_recovery_time, found.network_fault_recovery_time_p99) == (400, 900)
    assert (found.server_delay_handling, found.client_timeout_handling) == (0.995, 0.999)
    assert found.duplicate_arrivals == 7
    assert (found.outcome, found.exit_code) == ("passed", ExitCode.PASSED)
    assert found.verdict == "PASSED: every bound held in all 3 parts."


def test_the_first_part_alone_says_nothing_of_what_only_a_receiver_can_see() -> None:
    found = concluded([part("send", ws_ack_success=0.999)])
    assert found.acknowledgment_success_rate == 0.999
    assert found.duplicate_delivery_rate is found.duplicate_arrivals is found.client_timeout_handling is None
    assert found.verdict == "PASSED: every bound held in the one part."


def test_a_part_that_fails_fails_the_test_and_one_that_was_left_out_leaves_it_undecided() -> None:
    failed = concluded([part("send"), part("receiver", "failed")])
    assert (failed.outcome, failed.exit_code) == ("failed", ExitCode.FAILED)
    assert failed.verdict == "FAILED: receiver: ws_ack_success rate>0.98 (0.5)."
    short = concluded([part("send")], left_out=["receiver", "push"])
    assert (short.outcome, short.exit_code) == ("warning", ExitCode.UNKNOWN)
    assert short.verdict == "WARNING: not carried out: receiver, push."
    assert msgspec.json.decode(msgspec.json.encode(short), type=type(short)) == short
