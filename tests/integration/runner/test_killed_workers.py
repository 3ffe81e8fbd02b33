"""A worker that is killed in the middle of a test: the result says that it is not valid, whatever else it came to."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from integration.runner.spoiling import spoilt, workers
from oracle.acker import remade
from oracle.envelope import header_size, parse
from oracle.peer import Message
from squall.api import AcknowledgmentResult, DeliveryGuaranteeResult, LoadTester, OrderingResult
from squall.metrics.ack_test import PartResult

QUICK: dict[str, Any] = {
    "connections": 10,
    "engine.workers": 2,
    "delivery.drain_timeout": 1,
    "outputs.html": False,
    "outputs.csv": False,
}
SOON = 50
"""Messages after which the worker dies: a quarter of those planned, or fewer."""

T = TypeVar("T")


def carried_out(doing: Coroutine[Any, Any, T]) -> T:
    async def in_time() -> T:
        return await asyncio.wait_for(doing, 60)

    return asyncio.run(in_time())


def kill_one() -> None:
    workers()[0].kill()


def acknowledgement(message: Message) -> Message:
    opcode, payload = message
    envelope = parse(opcode, payload)
    assert envelope is not None
    return opcode, remade(envelope, opcode, payload[header_size(opcode) :], is_ack=True)


def assert_invalid(result: DeliveryGuaranteeResult | OrderingResult | PartResult) -> None:
    assert result.valid is False
    assert result.outcome != "passed"
    assert {"invalid: worker 0 died", "invalid: worker 1 died"} & set(result.reasons), result.reasons


def test_a_delivery_test(tmp_path: Path) -> None:
    with spoilt(kill_one, after=SOON) as server:
        result: DeliveryGuaranteeResult = carried_out(
            LoadTester.execute_delivery_guarantee_test(
                server.url, duration=2, messages_per_connection=20, out=tmp_path / "run", **QUICK
            )
        )
    assert_invalid(result)
    assert result.overall.delivery.delivered


def test_an_ordering_test(tmp_path: Path) -> None:
    with spoilt(kill_one, after=SOON) as server:
        result: OrderingResult = carried_out(
            LoadTester.execute_message_ordering_test(
                server.url,
                messages_per_connection=20,
                send_pattern="high_frequency",
                out=tmp_path / "series",
                **QUICK,
            )
        )
    assert_invalid(result)
    assert result.delivery.delivered


def test_a_part_of_an_acknowledgement_test(tmp_path: Path) -> None:
    with spoilt(kill_one, after=SOON, answer=acknowledgement) as server:
        result: AcknowledgmentResult = carried_out(
            LoadTester.execute_acknowledgment_test(
                server.url,
                test_duration=2,
                message_configuration={"acknowledgment_timeout": 1, "message_frequency": 10},
                fault_injection={
                    "network_drop_rate": 0,
                    "server_delay_simulation": 0,
                    "client_unresponsive_rate": 0,
                },
                out=tmp_path / "series",
                **QUICK,
            )
        )
    (send,) = result.parts
    assert_invalid(send)
    assert send.acknowledgements.acknowledged
