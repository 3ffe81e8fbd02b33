"""Adaptive ramps end to end: a service that gets slow bends and stops the curve, a quick one leaves it as planned."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from oracle.launch import lying_server
from oracle.services import crowded_service
from squall.api import LoadTester, RampDecision, RampStatistics, RampUpResult
from squall.errors import ExitCode, UserCodeError
from squall.fleet.inline import InlineFleet
from squall.profiles.linear import Linear
from squall.scenario.models import AdaptiveRamp
from squall.store.reader import open_run
from squall_run import run_squall

SLOW_FROM = 60
TARGET = 200
LATE_S = 2.5


def test_a_service_that_gets_slow_bends_the_curve_and_stops_it(tmp_path: Path) -> None:
    ramp = {
        "kind": "adaptive",
        "shape": "linear",
        "duration": "4s",
        "interval": "1s",
        "slow_when": "ws_response_time: p(50)>60",
        "stop_when": {"ws_response_time": "p(50)>320"},
    }
    with lying_server(tmp_path / "log", "--slow-from", str(SLOW_FROM), "--slow-ms", "4") as server:
        ran = run_squall(
            {
                "target": {"url": server.url},
                "load": {"connections": TARGET, "ramp_up": ramp, "hold": "1s", "ramp_down": "500ms"},
                "traffic": {"rate": "4/s"},
                "engine": {"workers": 2},
                "delivery": {"drain_timeout": "2s"},
            },
            tmp_path,
        )
        truth = server.truth()
    ran.assert_adds_up()
    record = open_run(ran.folder)
    up, hold, down = record.phases
    freeze = up.freeze
    assert freeze is not None
    assert SLOW_FROM < freeze.level < TARGET
    assert freeze.why.startswith("ws_response_time: p(50)>320 (p(50) = ")
    assert (hold.level_end, down.level_start) == (freeze.level, freeze.level)
    assert f"carried {freeze.level} of {TARGET} connections; stopped at" in ran.stdout
    kinds = [event.kind for event in record.events if event.kind.startswith("ramp_")]
    assert kinds[0] == "ramp_slower"
    assert kinds[-1] == "ramp_frozen"
    planned = Linear(0, TARGET, 4.0)
    seconds = [each for each in record.intervals if each.at_ns <= up.end_ns]  # type: ignore[operator] # it is over
    slowed_ns = next(event.at_ns for event in record.events if event.kind == "ramp_slower")
    for each in seconds:  # as planned until it was slow, bent from then on, and held by the service
        assert (each.planned == planned.level_at(each.at_ns / 1e9)) == (each.at_ns <= slowed_ns)
        assert each.held <= each.planned
    steps = [later.planned - before.planned for before, later in pairwise(seconds)]
    assert steps[-1] < steps[0] / 2
    assert sum(truth.connections_ended.values()) == freeze.level == ran.connections["established"]


@pytest.mark.slow
def test_above_3000_connections_it_slows_and_stops_where_the_service_does(tmp_path: Path) -> None:
    """From 3,000 on each connection makes every answer half a millisecond later: 3,120 make 60 ms of it, 3,700 make 350.

    The ramp, of 500 a second, takes either up within `LATE_S` and not before: it is judged each second, by the whole
    second in which all was so late at the earliest, and the answers that say so come late themselves.
    """
    target, planned, slow_at, stop_at, a_second = 4_000, Linear(0, 4_000, 8.0), 3_120, 3_700, 500
    ramp = {
        "kind": "adaptive",
        "shape": "linear",
        "duration": planned.duration_s,
        "interval": "1s",
        "slow_when": "ws_response_time: p(50)>60",
        "stop_when": {"ws_response_time": "p(50)>350"},
    }
    with crowded_service("--from", "3000", "--each-ms", "0.5") as service:
        ran = run_squall(
            {
                "target": service.url,
                "load": {"connections": target, "ramp_up": ramp, "hold": "500ms", "ramp_down": "300ms"},
                "traffic": {"rate": "0.5/s"},
                "engine": {"workers": 2},
                "delivery": {"drain_timeout": "5s"},
            },
            tmp_path,
        )
    ran.assert_adds_up()
    assert ran.delivery["delivered"] == ran.delivery["intended"] > 0
    record = open_run(ran.folder)
    up, hold, *_ = record.phases
    turns = [event for event in record.events if event.kind.startswith("ramp_")]
    assert [turns[0].kind, turns[-1].kind] == ["ramp_slower", "ramp_frozen"]
    slow_s, stop_s = turns[0].at_ns / 1e9, turns[-1].at_ns / 1e9
    assert 0 <= slow_s - slow_at / target * planned.duration_s <= LATE_S
    seconds = [each for each in record.intervals if each.at_ns <= up.end_ns]  # type: ignore[operator] # it is over
    reached_s = next(each.at_ns / 1e9 for each in seconds if each.planned >= stop_at)
    assert -1 <= stop_s - reached_s <= LATE_S  # of the level, only the seconds' ends are known
    assert up.freeze is not None
    assert stop_at <= up.freeze.level < target
    assert ran.connections["established"] == hold.level_end == up.freeze.level
    for each in seconds:
        assert (each.planned == planned.level_at(each.at_ns / 1e9)) == (each.at_ns / 1e9 <= slow_s)
        assert each.planned - a_second <= each.held <= each.planned
    growth = [
        later.planned - before.planned for before, later in pairwise(seconds) if later.at_ns / 1e9 <= stop_s
    ]
    assert growth[-1] < 0.7 * a_second
    assert seconds[-1].planned == up.freeze.level


def test_a_quick_service_is_ramped_as_planned(make: Any, run: Any) -> None:
    ramp = {
        "kind": "adaptive",
        "shape": "linear",
        "duration": 2.5,
        "interval": 1,
        "slow_when": "average_latency>2000",
    }
    stop = {"stop_when": ["error_rate>0.02", "average_latency>4000"]}
    result = run(make({"ramp_up": ramp | stop, "hold": 0.2}))
    record = open_run(result.folder)
    up = record.phases[0]
    assert (up.adaptive, up.freeze, result.summary.connections.peak) == (True, None, 40)
    assert [event.kind for event in record.events if event.kind.startswith("ramp_")] == []
    planned = Linear(0, 40, 2.5)
    for each in record.intervals:
        if each.at_ns <= 2.5e9:
            assert each.planned == planned.level_at(each.at_ns / 1e9)


def test_the_last_stretch_of_a_ramp_is_judged_although_its_level_is_reached(
    service: str, tmp_path: Path
) -> None:
    ramp = AdaptiveRamp(shape="linear", duration=1, stop_when=("active_connections>=20",))
    up, tester = ramped(service, tmp_path, None, strategy=ramp)
    assert (up.final_connection_count, up.frozen_at_connections) == (20, 20)
    assert up.frozen_why == "active_connections>=20 (20 connections)"
    assert tester.result.phases[0].freeze is not None


# --- the callback ---


def a_tester(url: str, folder: Path) -> LoadTester:
    """A tester of at most 20 connections that is quickly down again."""
    quick: dict[str, Any] = {"load.ramp_down.duration": 0.2}
    return LoadTester(url, max_connections=20, fleet=InlineFleet(), out=folder / "run", **quick)


def ramped(
    url: str, folder: Path, callback: Callable[[RampStatistics], Any] | None, **options: Any
) -> tuple[RampUpResult, LoadTester]:
    """A ramp to 20 connections with a callback each second; the result, and the tester when all is over."""

    async def both() -> tuple[RampUpResult, LoadTester]:
        async with a_tester(url, folder) as tester:
            given: dict[str, Any] = {"strategy": "linear", "duration": 1.6} | options
            up = await tester.execute_ramp_up(monitoring_callback=callback, monitoring_interval=1, **given)
        return up, tester

    return asyncio.run(asyncio.wait_for(both(), 60))


def test_a_callback_is_given_each_interval_and_the_rest(service: str, tmp_path: Path) -> None:
    seen: list[RampStatistics] = []

    async def watches(statistics: RampStatistics) -> None:
        seen.append(statistics)

    up, tester = ramped(service, tmp_path, watches)
    assert (up.final_connection_count, up.frozen_at_connections, up.intervals_slow) == (20, None, 0)
    assert (up.callback_calls, up.callback_intervals_skipped) == (len(seen), 0)
    assert len(seen) == 2
    assert seen[-1].active_connections == 20
    assert sum((each.connections_per_second or 0) * each.interval_s for each in seen) == pytest.approx(20)
    assert [each.connection_success_rate for each in seen] == [1.0] * 2
    assert [each.error_rate for each in seen] == [0.0] * 2
    assert {each.average_latency_of for each in seen} == {"connect_time"}
    assert tester.result.header.command == "Python API"


def test_a_callback_slows_the_ramp_and_stops_it(service: str, tmp_path: Path) -> None:
    def decides(statistics: RampStatistics) -> RampDecision:
        return RampDecision(
            continue_ramp_up=statistics.active_connections < 9, adjust_ramp_rate=statistics.at_s < 2
        )

    up, tester = ramped(service, tmp_path, decides, duration=2.5)
    assert up.frozen_at_connections is not None
    assert 8 <= up.frozen_at_connections <= 14  # 20 were planned for 2.5 s, and half as many from 1 s on
    assert up.final_connection_count == up.frozen_at_connections
    assert (up.frozen_why, up.intervals_slow, up.time_to_target_s) == (
        "the monitoring callback said so",
        1,
        None,
    )
    assert tester.result.phases[0].freeze is not None


def test_a_callback_that_blocks_slows_nothing(service: str, tmp_path: Path) -> None:
    released = threading.Event()

    def blocks(_statistics: RampStatistics) -> None:
        released.wait(30)

    try:
        up, _ = ramped(service, tmp_path, blocks)
    finally:
        released.set()
    assert (up.final_connection_count, up.callback_calls) == (20, 1)
    assert up.callback_intervals_skipped >= 1
    assert up.time_to_target_s is not None
    assert up.time_to_target_s < 2.6


def test_a_callback_that_raises_ends_the_run_in_order_and_keeps_what_there_is(
    service: str, tmp_path: Path
) -> None:
    testers: list[LoadTester] = []

    def expects(statistics: RampStatistics) -> RampDecision:
        assert statistics.active_connections > 1000
        return RampDecision()

    async def both() -> None:
        async with a_tester(service, tmp_path) as tester:
            testers.append(tester)
            ramp = AdaptiveRamp(shape="linear", duration=10, interval=1)
            await tester.execute_ramp_up(strategy=ramp, monitoring_callback=expects)

    with pytest.raises(UserCodeError, match="raised AssertionError") as caught:
        asyncio.run(asyncio.wait_for(both(), 60))
    assert isinstance(caught.value.__cause__, AssertionError)
    result = testers[0].result
    assert result.exit_code == ExitCode.USER_CODE
    assert "raised AssertionError" in result.verdict.stopped_by
    summary = result.summary.connections
    assert 0 < (summary.established or 0) < 20
    assert (summary.closed, summary.open) == (summary.established, 0)
    assert open_run(result.folder).complete
