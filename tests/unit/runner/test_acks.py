"""The acknowledgement test: what each part asks of a scenario, and what is refused before it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from squall.api import LoadTester
from squall.errors import ExitCode, PlanError, ScenarioError
from squall.metrics.ack_test import (
    PARTS,
    AcknowledgmentResult,
    AckPart,
    FaultInjection,
    MessageConfiguration,
    ack_size,
)
from squall.runner.acks import (
    ACKS_FILE,
    ack_scenario,
    execute_acknowledgment_test,
    run_acks,
    why_not,
)
from squall.runner.stopping import StopSwitch
from squall.scenario.loader import load_scenario
from squall.scenario.models import Scenario

FULL = ack_size("full")


def base(**settings: Any) -> Scenario:
    return load_scenario({"target": "ws://127.0.0.1:9/"} | settings).scenario


def scenario(part: AckPart, *, bundled: bool = True, **settings: Any) -> Scenario:
    return ack_scenario(
        base(**settings), part, FULL, MessageConfiguration(), FaultInjection(), None, bundled=bundled
    )


def test_each_part_has_its_exchange_its_path_and_its_faults() -> None:
    parts = {part: scenario(part) for part in PARTS}
    assert [of.populations[0].exchange.kind for of in parts.values()] == ["ack", "ack", "acked_push"]
    assert [of.populations[0].exchange.evidence for of in parts.values()] == [
        "acknowledgement",
        "receiver",
        "receiver",
    ]
    assert [of.target.url[0].removeprefix("ws://127.0.0.1:9/") for of in parts.values()] == [
        "ack",
        "ack/echo",
        "push/acked?timeout=5000&retries=3",
    ]
    assert [[fault.label for fault in of.faults] for of in parts.values()] == [
        ["network_drops", "delayed_responses"],
        ["network_drops", "delayed_responses", "unresponsive_clients"],
        ["network_drops", "delayed_responses", "unresponsive_clients"],
    ]
    assert [of.load.hold for of in parts.values()] == [900, 180, 180]
    for of in parts.values():
        assert (of.load.connections, of.populations[0].traffic.rate) == (5000, 1)
        assert not of.delivery.integrity


def test_a_target_of_ones_own_keeps_its_url_its_exchange_and_its_rate() -> None:
    exchange = {"kind": "ack", "send": {"id": "{id}"}, "ack": {"field": "ack"}, "timeout": 2}
    of = scenario("send", bundled=False, exchange=exchange, traffic={"rate": 7})
    assert of.target.url == ("ws://127.0.0.1:9/",)
    assert getattr(of.populations[0].exchange, "timeout", None) == 2
    assert of.populations[0].traffic.rate == 7
    plain = scenario("send", bundled=False).populations[0].exchange
    assert (plain.kind, getattr(plain, "timeout", None), getattr(plain, "retries", None)) == ("ack", 5, 3)


def test_what_an_exchange_of_ones_own_says_cannot_be_asked_for_beside_it() -> None:
    asked_for = ["max_retry_attempts", "acknowledgment_timeout", "message_frequency"]
    with pytest.raises(
        PlanError, match="acknowledgment_timeout and max_retry_attempts: the scenario's"
    ) as told:
        asyncio.run(run_acks(base(exchange={"kind": "ack"}), FULL, parts=["send"], said=asked_for))
    assert told.value.hint == "set exchange.timeout, exchange.retries there, and leave it out here"


@pytest.mark.parametrize("given", [{"max_retry_attempts": 3}, MessageConfiguration(max_retry_attempts=4)])
def test_from_python_it_is_refused_as_well(given: Any) -> None:
    own = {"target": "ws://127.0.0.1:9/", "exchange": {"kind": "ack"}}
    with pytest.raises(PlanError, match="max_retry_attempts"):
        asyncio.run(execute_acknowledgment_test(scenario=own, message_configuration=given))


@pytest.mark.parametrize("kind", ["echo", "idle", "push", "room"])
def test_an_exchange_that_acknowledges_nothing_is_refused_and_not_replaced(kind: str) -> None:
    with pytest.raises(ScenarioError, match=f"exchange: {kind}: an acknowledgement test needs one") as told:
        asyncio.run(run_acks(base(exchange=kind), FULL, parts=["send"]))
    assert (told.value.exit_code, "leave the exchange out" in told.value.hint) == (ExitCode.SCENARIO, True)


def test_on_the_bundled_service_each_part_has_its_own_exchange() -> None:
    with pytest.raises(ScenarioError, match="each part of the test has its own"):
        asyncio.run(run_acks(base(exchange="ack"), FULL))


def test_more_than_one_population_is_refused() -> None:
    with pytest.raises(PlanError, match="2 populations"):
        scenario("send", populations=[{"name": "a"}, {"name": "b"}])


def test_every_setting_that_is_refused_says_why() -> None:
    for setting in ("faults", "load.ramp_up.kind", "load.arrivals", "outputs.junit", "delivery.promise"):
        assert why_not(setting) is not None
    assert why_not("load.connections") is why_not("load.hold") is why_not("traffic.rate") is None


def test_a_series_that_is_stopped_at_once_says_what_is_left_out(tmp_path: Path) -> None:
    switch = StopSwitch()
    switch.throw()
    result = asyncio.run(run_acks(base(), FULL, out=str(tmp_path / "series"), switch=switch))
    assert (result.left_out, result.exit_code) == (PARTS, ExitCode.INTERRUPTED)
    assert result.acknowledgment_success_rate is None
    written = (tmp_path / "series" / ACKS_FILE).read_bytes()
    assert msgspec.json.decode(written, type=AcknowledgmentResult) == result


def test_the_specification_s_own_spelling_is_the_same_operation() -> None:
    assert LoadTester.execute_acknowledment_test is LoadTester.execute_acknowledgment_test
