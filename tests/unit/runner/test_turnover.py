"""How many of a level are here, and how many connect, where sessions come and go."""

from __future__ import annotations

from typing import Any

import pytest

from squall.runner.turnover import connects_hz, most_here, share_here
from squall.scenario.loader import load_scenario
from squall.scenario.models import Scenario

EXPONENTIAL = {"length": {"mean": "30s", "distribution": "exponential"}}


def scenario(**settings: Any) -> Scenario:
    return load_scenario({"target": "ws://service.example/", **settings}).scenario


def test_sessions_that_stay_are_all_here_and_do_not_connect_again() -> None:
    stays = scenario()
    assert share_here(stays.populations[0]) == 1
    assert connects_hz(stays, 100) == 0
    assert most_here(stays, 100) == 100


def test_between_two_visits_they_are_not_here() -> None:
    comes = scenario(sessions={"length": "30s", "think_time": "10s"})
    assert share_here(comes.populations[0]) == 0.75
    assert connects_hz(comes, 100) == pytest.approx(2.5)
    assert most_here(comes, 100) == 100


def test_of_several_populations_each_turns_over_at_its_own_pace() -> None:
    two = scenario(
        populations=[{"name": "a", "weight": 3}, {"name": "b", "sessions": {"length": "5s"}}],
    )
    assert connects_hz(two, 100) == pytest.approx(25 / 5)


def test_arrivals_connect_at_their_rate_and_may_be_more_than_their_mean() -> None:
    drawn = scenario(load={"arrivals": "50/s"}, sessions=EXPONENTIAL)
    assert connects_hz(drawn, drawn.level) == 50
    assert most_here(drawn, 1500) == 1500 + 155
    assert most_here(scenario(load={"arrivals": "50/s"}, sessions={"length": "30s"}), 1500) == 1500
