"""The ordering test: what each pattern asks of a scenario, and what is refused before it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from squall.errors import ExitCode, PlanError
from squall.metrics.ordering_test import (
    ORDERING_TESTS,
    OrderingSeriesResult,
    OrderingTest,
    OrderingValidation,
    rooms_at,
)
from squall.runner.ordering import ORDERING_FILE, ordering_scenario, run_ordering, usual_tests, why_not
from squall.runner.stopping import StopSwitch
from squall.scenario.loader import load_scenario
from squall.scenario.models import Scenario

SEQUENTIAL, BURST, MIXED, FREQUENT = ORDERING_TESTS


def base(**settings: Any) -> Scenario:
    return load_scenario({"target": "ws://127.0.0.1:9/"} | settings).scenario


def scenario(test: OrderingTest, **settings: Any) -> Scenario:
    return ordering_scenario(base(**settings), test, OrderingValidation(), None)


def test_each_pattern_sends_as_it_says() -> None:
    traffic = {each.send_pattern: scenario(each).populations[0].traffic for each in ORDERING_TESTS}
    assert traffic["sequential"].pattern == "sequential"
    assert traffic["sequential"].reply_timeout == 5
    burst = traffic["burst"]
    assert (burst.pattern, burst.burst_size, burst.burst_every) == ("burst", 10, 1)
    mixed = traffic["mixed_priority"]
    assert mixed.rate == 4
    assert [each.priority for each in mixed.types] == ["high", "medium", "normal", "low"]
    assert mixed.type_weights == (1, 1, 1, 1)
    frequent = traffic["high_frequency"]
    assert (frequent.rate, [each.size for each in frequent.payload]) == (20, [64])
    for test in ORDERING_TESTS:
        of = scenario(test)
        assert of.populations[0].traffic.messages_per_session == test.messages_per_connection
        assert of.load.connections == test.connections
        assert not of.populations[0].traffic.during_ramp
        assert not of.delivery.integrity


def test_the_level_is_held_until_the_last_message_of_each_is_due() -> None:
    """An interval of messages more than they need; a sequential pattern as long as a slow service would take."""
    assert [scenario(each).load.hold for each in ORDERING_TESTS] == [20, 6, 21 / 4, 11 / 20]
    small = msgspec.structs.replace(SEQUENTIAL, connections=100)
    assert scenario(small).load.hold == 5


def test_what_the_base_says_of_sending_is_stronger_than_the_pattern() -> None:
    assert (
        scenario(BURST, traffic={"pattern": "burst", "burst_size": 25}).populations[0].traffic.burst_size
        == 25
    )
    changed = scenario(MIXED, traffic={"rate": 10, "types": ["a", "b"]}).populations[0].traffic
    assert (changed.rate, [each.name for each in changed.types]) == (10, ["a", "b"])
    assert scenario(MIXED, thresholds={"ws_msgs_lost": "count==0"}).thresholds[0].metric == "ws_msgs_lost"


def test_rooms_are_a_path_of_the_bundled_service_and_part_of_a_test_that_names_no_pattern() -> None:
    room = rooms_at("full")
    of = ordering_scenario(base(), room, OrderingValidation(), None, bundled=True)
    assert of.target.url == ("ws://127.0.0.1:9/room",)
    mixed = ordering_scenario(base(), MIXED, OrderingValidation(), None, bundled=True)
    assert mixed.target.url == ("ws://127.0.0.1:9/priority",)
    burst = ordering_scenario(base(), BURST, OrderingValidation(), None, bundled=True)
    assert burst.target.url == ("ws://127.0.0.1:9/",)
    exchange = of.populations[0].exchange
    assert (exchange.kind, getattr(exchange, "size", None)) == ("room", 4)
    assert ordering_scenario(base(), room, OrderingValidation(), None).target.url == ("ws://127.0.0.1:9/",)
    own = {"kind": "room", "size": 4, "join": "in {room}", "joined": []}
    kept = scenario(room, exchange=own).populations[0].exchange
    assert getattr(kept, "joined", None) == ()
    patterns = [each.send_pattern for each in usual_tests("smoke", bundled=True)]
    assert patterns == ["sequential", "burst", "mixed_priority", "high_frequency", "rooms"]
    off = OrderingValidation(enable_causal_ordering_check=False)
    assert (
        len(usual_tests("smoke", bundled=False))
        == len(usual_tests("smoke", bundled=True, validation=off))
        == 4
    )


def test_more_than_one_population_is_refused() -> None:
    with pytest.raises(PlanError, match="2 populations"):
        scenario(BURST, populations=[{"name": "a"}, {"name": "b"}])


def test_every_setting_that_is_refused_says_why() -> None:
    for setting in ("load.ramp_up.kind", "load.hold", "traffic.pattern", "outputs.junit", "delivery.promise"):
        assert why_not(setting) is not None
    assert why_not("load.connections") is why_not("traffic.rate") is why_not("outputs.csv") is None


def test_a_series_that_is_stopped_at_once_says_what_is_left_out(tmp_path: Path) -> None:
    switch = StopSwitch()
    switch.throw()
    doing = run_ordering(base(), ORDERING_TESTS[:2], settle_s=0, out=str(tmp_path / "series"), switch=switch)
    result = asyncio.run(doing)
    assert result.left_out == ("Sequential Message Streams", "Burst Message Delivery")
    assert (result.tests, result.exit_code) == ((), ExitCode.INTERRUPTED)
    written = (tmp_path / "series" / ORDERING_FILE).read_bytes()
    assert msgspec.json.decode(written, type=OrderingSeriesResult) == result
