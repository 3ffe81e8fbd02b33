"""The acknowledgement test end to end, through fault proxies: retries make up for the faults, and for no broken service."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from squall.api import AcknowledgmentResult, LoadTester
from squall.metrics.ack_test import AckSize, FaultInjection, MessageConfiguration
from squall.runner.acks import run_acks
from squall.runner.bundled import service_for
from squall.scenario.loader import load_scenario
from squall.testing.service import broken_server

FAULTS = FaultInjection(
    network_drop_rate=0.1, server_delay_simulation=0.1, client_unresponsive_rate=0.2, client_silence=5
)
SIZE = AckSize(connections=20, duration_s=2, others_s=2, quicker=10)
MESSAGES = MessageConfiguration(message_frequency=10)


async def through_faults(out: Path) -> AcknowledgmentResult:
    async with service_for(SIZE.connections) as of_service:
        settings = {"target": of_service["target.url"], "outputs": {"html": False, "csv": False}}
        base = load_scenario(settings).scenario
        return await run_acks(base, SIZE, messages=MESSAGES, faults=FAULTS, out=str(out))


def test_a_sound_service_comes_through_the_faults(tmp_path: Path) -> None:
    result = asyncio.run(asyncio.wait_for(through_faults(tmp_path / "series"), 100))
    assert [each.part for each in result.parts] == ["send", "receiver", "push"]
    send, receiver, push = result.parts
    assert send.acknowledgements.retried  # the faults struck, and this is what they cost
    assert (result.acknowledgment_success_rate or 0) > 0.98
    assert (result.retry_success_rate or 0) > 0.95
    assert (result.network_fault_recovery_time or 1e9) < 2000
    assert (result.server_delay_handling or 0) > 0.99
    assert result.duplicate_delivery_rate == 0
    assert receiver.acknowledgements.acknowledged_lost == 0
    assert push.acknowledgements.duplicate_arrivals
    assert result.client_timeout_handling == 1
    written = (tmp_path / "series" / "acks.json").read_bytes()
    assert msgspec.json.decode(written, type=AcknowledgmentResult) == result


def test_a_service_that_never_acknowledges_fails_and_its_retries_with_it(tmp_path: Path) -> None:
    calm = FaultInjection(network_drop_rate=0, server_delay_simulation=0, client_unresponsive_rate=0)
    with broken_server("ack-never", every=2) as service:
        doing = LoadTester.execute_acknowledgment_test(
            f"{service.url.rstrip('/')}/ack",
            connections=5,
            test_duration=2,
            message_configuration={"acknowledgment_timeout": 1, "max_retry_attempts": 1},
            fault_injection=calm,
            scale="smoke",
            out=tmp_path / "series",
        )
        result = asyncio.run(asyncio.wait_for(doing, 60))
    (send,) = result.parts
    assert (result.outcome, result.exit_code) == ("failed", 99)
    assert (result.acknowledgment_success_rate or 1) < 0.98
    assert send.acknowledgements.gave_up
    assert result.verdict.startswith("FAILED: send: ws_ack_success rate>0.98")
