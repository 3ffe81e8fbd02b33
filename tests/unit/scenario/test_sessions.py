"""How sessions come and go, as a scenario says it: in short and in long, and what contradicts itself."""

from __future__ import annotations

from typing import Any

import pytest

from squall.errors import ScenarioError
from squall.scenario.loader import load_scenario
from squall.scenario.models import Scenario


def scenario(**settings: Any) -> Scenario:
    return load_scenario({"target": "ws://service.example/", **settings}).scenario


def test_by_default_sessions_stay() -> None:
    sessions = scenario().populations[0].sessions
    assert sessions.length is None
    assert sessions.think_time.mean == 0


def test_a_length_is_said_in_short_or_in_long() -> None:
    short = scenario(sessions={"length": "30s", "think_time": 2}).populations[0].sessions
    assert short.length is not None
    assert (short.length.mean, short.length.distribution, short.think_time.mean) == (30.0, "fixed", 2.0)
    long = (
        scenario(sessions={"length": {"mean": "1m", "distribution": "exponential"}}).populations[0].sessions
    )
    assert long.length is not None
    assert (long.length.mean, long.length.distribution) == (60.0, "exponential")


def test_reconnecting_is_said_in_short_or_in_long() -> None:
    assert scenario(load={"reconnect": "yes"}).load.reconnect.after_drop
    assert not scenario(load={"reconnect": False}).load.reconnect.after_drop
    policy = scenario(load={"reconnect": {"after_drop": True, "rate_max": "100/s"}}).load.reconnect
    assert (policy.after_drop, policy.rate_max, policy.backoff, policy.jitter) == (True, 100.0, 0.5, "full")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sessions": {"think_time": "2s"}}, "these have no length"),
        ({"sessions": {"length": 0}}, "sessions.length"),
        ({"load": {"arrivals": "50/s"}}, "each session ends by itself"),
        (
            {"load": {"arrivals": "50/s"}, "sessions": {"length": "30s", "think_time": "1s"}},
            "no session comes again",
        ),
        (
            {"load": {"arrivals": "50/s", "connections": 9}, "sessions": {"length": "30s"}},
            "leave load.connections",
        ),
        (
            {
                "load": {"arrivals": "5/s", "ramp_up": {"kind": "sequence", "parts": [{"to": 9}]}},
                "sessions": {"length": "30s"},
            },
            "a shape of one piece",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        scenario(**settings)


def test_by_littles_law_arrivals_lead_to_a_level() -> None:
    assert scenario(load={"arrivals": "50/s"}, sessions={"length": "30s"}).level == 1500
    two = scenario(
        load={"arrivals": "10/s"},
        populations=[
            {"name": "short", "weight": 3, "sessions": {"length": "2s"}},
            {
                "name": "long",
                "weight": 1,
                "sessions": {"length": {"mean": "30s", "distribution": "exponential"}},
            },
        ],
    )
    assert two.stay_s == pytest.approx((3 * 2 + 30) / 4)
    assert two.level == 90
    assert scenario(load={"connections": 70}).level == 70
