"""The ordering test end to end: a service that swaps messages fails by their order, in each pattern that lets it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from squall.api import LoadTester, OrderingResult, OrderingSeriesResult, OrderingTest
from squall.fleet.inline import InlineFleet
from squall.testing.service import broken_server, serve

QUICK: dict[str, Any] = {
    "fleet": InlineFleet,
    "settle": 0,
    "delivery.drain_timeout": 2,
    "outputs.html": False,
    "outputs.csv": False,
}
TESTS = [
    OrderingTest(
        scenario=pattern,
        connections=10,
        messages_per_connection=20,
        send_pattern=pattern,
        expected_ordering_accuracy=0.98,
    )
    for pattern in ("sequential", "burst", "mixed_priority", "high_frequency")
]


def carried_out(url: str, tests: list[OrderingTest], out: Path) -> OrderingSeriesResult:
    doing = LoadTester.execute_message_ordering_tests(url, tests=tests, out=out, **QUICK)
    return asyncio.run(asyncio.wait_for(doing, 90))


def test_a_sound_service_keeps_the_order_in_every_pattern(tmp_path: Path) -> None:
    quick = [each for each in TESTS if each.send_pattern in ("sequential", "high_frequency")]
    with serve() as service:
        result = carried_out(service.url, quick, tmp_path / "series")
    assert [each.test for each in result.tests] == quick
    for each in result.tests:
        assert (each.delivery.sent, each.delivery.delivered) == (200, 200), each.scenario
        assert (each.ordering_accuracy, each.out_of_order_messages) == (1, 0)
        assert (each.sequence_gaps, each.average_ordering_latency) == (0, 0)
        assert each.outcome == "passed", each.reasons
        assert (tmp_path / "series" / each.folder / "summary.json").exists()
    written = (tmp_path / "series" / "ordering.json").read_bytes()
    assert msgspec.json.decode(written, type=OrderingSeriesResult) == result
    assert "Message Ordering Test Results" in (tmp_path / "series" / "ordering.md").read_text()


def test_swapped_messages_fail_a_burst_and_who_waits_for_each_reply_has_none_to_swap(tmp_path: Path) -> None:
    """The service holds each tenth message back until the next one: in sequence that is a reply that never comes."""
    burst = [each for each in TESTS if each.send_pattern == "burst"]
    with broken_server("reorder", every=10) as service:
        result = carried_out(service.url, burst, tmp_path / "series")
    (of_burst,) = result.tests
    assert of_burst.validation.meets_ordering_requirement is False
    assert of_burst.out_of_order_messages == of_burst.delivery.reordered
    assert of_burst.out_of_order_messages
    assert of_burst.ordering_accuracy == 1 - of_burst.out_of_order_messages / of_burst.delivery.delivered
    assert (result.outcome, result.exit_code) == ("failed", 99)
    assert result.verdict.startswith("FAILED: burst: ws_ordering_accuracy rate>=0.98")


def test_one_pattern_alone_has_the_specification_s_result(tmp_path: Path) -> None:
    with serve() as service:
        doing = LoadTester.execute_message_ordering_test(
            service.url,
            scenario="Micro",
            connections=5,
            messages_per_connection=10,
            send_pattern="high_frequency",
            ordering_validation={"enable_timestamp_validation": False},
            out=tmp_path / "series",
            **{name: value for name, value in QUICK.items() if name != "settle"},
        )
        result = asyncio.run(asyncio.wait_for(doing, 60))
    assert isinstance(result, OrderingResult)
    assert result.scenario == "Micro"
    assert result.test.expected_ordering_accuracy == 0.99
    assert result.delivery.delivered == 50
    assert result.causal_order_violations is result.timestamps_wrong is None


def test_rooms_find_an_effect_before_its_cause_and_none_where_there_is_none(tmp_path: Path) -> None:
    room = OrderingTest(scenario="rooms", connections=100, messages_per_connection=12, send_pattern="rooms")
    found = {}
    for name, server in {"sound": serve(), "broken": broken_server("break-causality", every=10)}.items():
        with server as service:
            url = f"{service.url.rstrip('/')}/room"
            found[name] = carried_out(url, [room], tmp_path / name).tests[0]
    assert found["sound"].causal_order_violations == 0
    assert found["sound"].outcome == "passed", found["sound"].reasons
    assert (found["broken"].causal_order_violations or 0) > 0
    assert found["broken"].verdict.startswith("FAILED: ws_causal_violations count==0")
