"""The delivery test end to end: each promise broken by a service of its own fails its bound, and a sound one holds all."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from squall.api import DeliveryGuaranteeResult, LoadTester, MessageTypeConfiguration
from squall.fleet.inline import InlineFleet
from squall.testing.service import broken_server, serve

TYPES = [
    MessageTypeConfiguration(type="order", delivery_guarantee=0.999, max_latency="2s", priority="high"),
    MessageTypeConfiguration(type="quote", delivery_guarantee=0.4, max_latency="2s", priority="low"),
]
QUICK: dict[str, Any] = {
    "connections": 10,
    "duration": 2,
    "messages_per_connection": 40,
    "message_configuration": TYPES,
    "fleet": InlineFleet,
    "delivery.drain_timeout": 2.5,
    "outputs.html": False,
    "outputs.csv": False,
}


def carried_out(url: str, out: Path) -> DeliveryGuaranteeResult:
    doing = LoadTester.execute_delivery_guarantee_test(url, out=out, **QUICK)
    return asyncio.run(asyncio.wait_for(doing, 60))


def failed(result: DeliveryGuaranteeResult) -> set[str]:
    return {each.name for each in result.bounds if each.truth == "failed"}


def test_a_sound_service_keeps_every_guarantee_and_the_result_is_in_the_folder(tmp_path: Path) -> None:
    with serve() as service:
        result = carried_out(service.url, tmp_path / "run")
    assert failed(result) == set()
    assert result.overall.total_messages_processed == result.overall.messages_offered == 400
    for each in result.results_by_message_type.values():
        assert each.delivery.sent == each.delivery.delivered == 200  # each type's share is exact
        assert each.delivery_success_rate is not None
        assert each.delivery_success_rate >= 1
        assert each.checksum_validation_success == each.sequence_order_correct == 1
    written = (tmp_path / "run" / "delivery.json").read_bytes()
    assert msgspec.json.decode(written, type=DeliveryGuaranteeResult) == result


def test_a_service_that_breaks_a_promise_fails_by_its_bound_alone(tmp_path: Path) -> None:
    """One in ten lost is too many for the one type, and not for the other; 360 of 400 are too few over all."""
    broken = {"ws_delivery_success{type:order}", "ws_msgs_delivered"}
    with broken_server("lose", every=10) as service:
        result = carried_out(service.url, tmp_path / "run")
    assert (
        broken <= failed(result) <= broken | {"ws_system_throughput"}
    )  # 90 % of the offered rate may be missed
    assert (result.outcome, result.exit_code) == ("failed", 99)
    kept = {name: each.guarantee_kept for name, each in result.results_by_message_type.items()}
    assert kept == {"order": False, "quote": True}
    assert result.verdict.startswith("FAILED: ")
