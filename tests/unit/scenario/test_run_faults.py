"""The faults of a run in a scenario: read, refused in words that help, and their windows."""

from __future__ import annotations

from typing import Any

import pytest

from squall.errors import ScenarioError
from squall.scenario.loader import load_scenario
from squall.scenario.models import Scenario
from squall.scenario.run_faults import (
    Cut,
    SlowFrameFault,
    StopReading,
    client_faults,
    is_whole_run,
    proxy_faults,
    window_findings,
    window_s,
)


def scenario(*faults: dict[str, Any]) -> Scenario:
    return load_scenario({"target": "ws://127.0.0.1:1/", "faults": list(faults)}).scenario


def refused(*faults: dict[str, Any]) -> str:
    with pytest.raises(ScenarioError) as caught:
        scenario(*faults)
    return caught.value.message


def test_faults_of_the_network_and_of_sessions_stand_side_by_side() -> None:
    faults = scenario(
        {"kind": "drop", "probability": 0.01, "direction": "up"},
        {"kind": "stop_reading", "probability": 0.005, "pause": "10s"},
        {"name": "hole", "kind": "blackhole", "at": "10s", "for": "3s"},
        {"kind": "slow_frame", "takes": 3, "pieces": 4},
    ).faults
    assert [fault.label for fault in faults] == ["drop", "stop_reading", "hole", "slow_frame"]
    assert [fault.label for fault in client_faults(faults)] == ["stop_reading", "slow_frame"]
    assert [fault.label for fault in proxy_faults(faults)] == ["drop", "hole"]
    assert (faults[2].at, faults[2].lasts) == (10.0, 3.0)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "dorp"}, "faults[0].kind: no such kind; latency | "),
        ({"kind": "dorp"}, 'did you mean "drop"?'),
        ({"kind": "stop_readin"}, 'did you mean "stop_reading"?'),
        ({"kind": "drop", "probability": 1.5}, "faults[0].probability: must be at most 1"),
        ({"kind": "drop", "probability": -0.1}, "faults[0].probability: must be above 0"),
        ({"kind": "drop", "propability": 0.1}, 'did you mean "probability"?'),
        ({"kind": "cut", "direction": "up"}, "faults[0].direction: is of the proxy's faults"),
        ({"kind": "bandwidth"}, "faults[0].rate: "),
        ({"probability": 0.1}, "faults[0].kind: names no kind"),
    ],
)
def test_mistakes_say_what_to_mend(fault: dict[str, Any], words: str) -> None:
    assert words in refused(fault)


def test_two_faults_of_one_name_are_refused() -> None:
    assert "faults[1].name: two faults are called drop" in refused({"kind": "drop"}, {"kind": "drop"})
    assert len(scenario({"kind": "drop"}, {"kind": "drop", "name": "more"}).faults) == 2


def test_windows_count_from_the_start_of_the_hold() -> None:
    whole, hole, cut = scenario(
        {"kind": "drop"}, {"kind": "blackhole", "at": 10, "for": 3}, {"kind": "cut"}
    ).faults
    assert [is_whole_run(fault) for fault in (whole, hole, cut)] == [True, False, False]
    assert [window_s(fault, 30) for fault in (hole, cut)] == [(10, 13), (0, 30)]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "drop"}, None),
        ({"kind": "drop", "at": 0}, None),
        ({"kind": "drop", "at": 30}, "drop would begin 30 s after the start of the hold of 30 s"),
        ({"kind": "drop", "at": 28, "for": 3}, "drop would end 1 s after the hold of 30 s"),
        ({"kind": "drop", "for": 31}, "drop would end 1 s after the hold of 30 s"),
        ({"kind": "cut"}, None),
        ({"kind": "stop_reading", "pause": 30}, None),
        ({"kind": "stop_reading", "pause": 31}, "strikes a session for 31 s, and its window has only 30 s"),
        (
            {"kind": "slow_frame", "at": 29, "takes": 2},
            "strikes a session for 2 s, and its window has only 1 s",
        ),
    ],
)
def test_a_window_must_lie_in_the_hold(fault: dict[str, Any], words: str | None) -> None:
    found = [message for _, message in window_findings(scenario(fault).faults, 30)]
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


def test_what_a_strike_is() -> None:
    assert [each.strike_s for each in (StopReading(pause=4), SlowFrameFault(takes=3), Cut())] == [4, 3, 0]
    assert [each.strikes(sends=False) for each in (StopReading(), SlowFrameFault(), Cut())] == [
        True,
        False,
        True,
    ]
