"""The delivery test: its sizes, what it asks of a scenario, and what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from squall.errors import PlanError
from squall.metrics.delivery_bounds import offered_hz, offered_messages
from squall.runner.delivery import (
    MESSAGE_TYPES,
    DeliveryTracking,
    MessageTypeConfiguration,
    delivery_settings,
    delivery_size,
    execute_delivery_guarantee_test,
    why_not,
)
from squall.scale import SCALES
from squall.scenario.loader import Override, load_scenario
from squall.scenario.models import Scenario


def scenario(*args: Any, **size: Any) -> Scenario:
    settings = delivery_settings(delivery_size("full", **size), *args)
    overrides = {path: Override(value, "the test") for path, value in settings.items()}
    return load_scenario({"target": "ws://127.0.0.1:9/"}, overrides=overrides).scenario


def test_the_full_size_and_the_types_are_the_specification_s() -> None:
    size = delivery_size("full")
    assert (size.connections, size.duration_s, size.messages_per_connection) == (10_000, 1800, 1000)
    assert [
        (each.type, each.priority, each.delivery_guarantee, each.max_latency) for each in MESSAGE_TYPES
    ] == [
        ("critical_notification", "high", 0.9999, 50),
        ("real_time_data", "medium", 0.999, 100),
        ("user_activity", "normal", 0.995, 200),
        ("background_sync", "low", 0.99, 500),
    ]


def test_smoke_is_large_enough_to_decide_each_guarantee() -> None:
    """A message of a type is a smaller share than any guarantee leaves."""
    for scale in SCALES:
        size = delivery_size(scale)
        of_a_type = size.connections * size.messages_per_connection / len(MESSAGE_TYPES)
        assert all(1 / of_a_type < 1 - (each.delivery_guarantee or 0) for each in MESSAGE_TYPES)


def test_what_is_sent_is_what_was_asked_at_a_steady_rate_while_the_level_is_held() -> None:
    of = scenario(connections=200, duration="50s", messages_per_connection=25)
    (population,) = of.populations
    assert (offered_messages(of), offered_hz(of)) == (5000, 100)
    assert population.traffic.messages_per_session == 25
    assert population.traffic.during_ramp is False
    assert of.load.hold == 52  # 50 s, and a period of 2 s
    first = population.traffic.types[0]
    assert (first.name, first.priority) == ("critical_notification", "high")
    assert (first.guarantee, first.max_latency) == (0.9999, 0.05)
    assert of.threshold_sets == ("delivery",)
    assert of.delivery.integrity is False


def test_tracking_that_is_switched_off_is_off_in_the_scenario() -> None:
    off = DeliveryTracking(
        enable_checksums=False,
        enable_sequence_numbers=False,
        enable_timestamps=False,
        enable_delivery_confirmations=False,
    )
    tracking = scenario(MESSAGE_TYPES, off).delivery.tracking
    assert not any(
        (tracking.checksums, tracking.sequence_numbers, tracking.timestamps, tracking.confirmations)
    )
    assert scenario().delivery.tracking.checksums


def test_a_latency_is_milliseconds_or_text() -> None:
    settings = [
        MessageTypeConfiguration(type="a", max_latency=limit).settings()["max_latency"]
        for limit in (50, "1s", None)
    ]
    assert settings == [0.05, "1s", None]


@pytest.mark.parametrize(
    ("size", "what"),
    [
        ({"connections": 0}, "0 connections"),
        ({"messages_per_connection": 0}, "0 messages each"),
        ({"duration": 0}, r"in 0\.0 s"),
        ({"duration": "soon"}, "duration: "),
    ],
)
def test_a_size_that_makes_no_sense_is_refused(size: dict[str, Any], what: str) -> None:
    with pytest.raises(PlanError, match=what):
        delivery_size("smoke", **size)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"message_configuration": []}, "one message type or more"),
        ({"message_configuration": [{"kind": "a"}]}, "MessageTypeConfiguration: .*kind"),
        (
            {"message_configuration": [{"type": "a", "priority": "urgent"}]},
            "MessageTypeConfiguration: .*urgent",
        ),
        ({"delivery_tracking": {"checksums": True}}, "DeliveryTracking: .*checksums"),
    ],
)
def test_a_configuration_that_is_none_is_refused_by_its_name(given: dict[str, Any], what: str) -> None:
    with pytest.raises(PlanError, match=what):
        asyncio.run(execute_delivery_guarantee_test("ws://127.0.0.1:9/", scale="smoke", **given))


def test_what_the_test_decides_is_refused_with_the_reason() -> None:
    assert why_not("traffic.rate") is not None
    assert why_not("traffic.types") is not None
    assert why_not("load.arrivals") is not None
    assert why_not("delivery.promise") is not None
    assert why_not("load.connections") is why_not("seed") is why_not("traffic.arrival") is None
