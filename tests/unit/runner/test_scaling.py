"""The scaling test: the scenario of a level, and a series that is stopped before it begins."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from squall.errors import ExitCode, PlanError, PreflightError
from squall.metrics.scaling import LEVELS, ScalingLevel, ScalingResult
from squall.runner.plan import offered_hz
from squall.runner.scaling import level_scenario, run_scaling, why_not
from squall.runner.series_report import SCALING_FILE, SCALING_HTML_FILE
from squall.runner.stopping import StopSwitch
from squall.scenario.loader import load_scenario
from squall.scenario.models import LinearRamp, Scenario


def base(**settings: Any) -> Scenario:
    return load_scenario({"target": "ws://127.0.0.1:9/"} | settings).scenario


def test_a_level_decides_connections_and_times_and_adds_its_bounds() -> None:
    own = {"ws_msgs_lost": "count==0"}
    made = level_scenario(
        base(thresholds=own, load={"ramp_up": "exponential", "warm_up": 5}), LEVELS[1], "out"
    )
    load = made.load
    assert (load.connections, load.hold, load.warm_up) == (2500, 600, 0)
    assert load.ramp_up == load.ramp_down == LinearRamp(duration=5)
    assert (made.name, made.outputs.out) == ("scaling-2500", "out")
    assert [each.metric for each in made.thresholds][:2] == ["ws_msgs_lost", "ws_response_time{phase:hold}"]
    assert len(made.thresholds) == 6
    assert [each.required for each in made.thresholds if each.metric.startswith("target_")] == [False, False]
    watched = level_scenario(base(watch={"target": [{"pid": 1}]}), LEVELS[1], "out")
    assert all(each.required for each in watched.thresholds)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"load": {"arrivals": 5}, "sessions": {"length": 2}}, r"load\.arrivals: .* number of connections"),
        ({"traffic": {"messages_per_session": 3}}, r"traffic\.messages_per_session: "),
        ({"outputs": {"junit": "x.xml"}}, r"outputs\.junit: .* would write it anew"),
        ({"outputs": {"web": "0"}}, r"outputs\.web: "),
        ({"outputs": {"prometheus": "0"}}, r"outputs\.prometheus: "),
        ({"outputs": {"linger": 5}}, r"outputs\.linger: "),
        ({"exchange": "idle"}, r"population main sends nothing \(exchange idle\)"),
        ({"traffic": {"rate": 0}}, r"population main sends nothing \(its rate is 0\)"),
        ({"populations": [{}, {"name": "still", "exchange": "idle"}]}, "population still sends nothing"),
    ],
)
def test_what_has_no_meaning_in_a_series_is_refused_before_it(
    settings: dict[str, Any], what: str, tmp_path: Path
) -> None:
    doing = run_scaling(base(**settings), LEVELS[:1], settle_s=0, out=str(tmp_path / "series"))
    with pytest.raises(PlanError, match=what):
        asyncio.run(doing)
    assert not (tmp_path / "series").exists()


def test_every_setting_that_is_refused_says_why() -> None:
    assert why_not("load.ramp_up.kind") == why_not("load.connections") == why_not("load.hold")
    assert why_not("load.connect_rate_max") is why_not("traffic.rate") is why_not("outputs.csv") is None
    assert why_not("load.arrivals") is not None


def test_a_level_is_offered_what_its_traffic_sends() -> None:
    twice_as_many_at_a_tenth = [{"name": "a"}, {"name": "b", "weight": 2, "traffic": {"rate": 0.1}}]
    assert offered_hz(base(), 30) == 30
    assert offered_hz(base(traffic={"rate": 0.1}), 30) == pytest.approx(3)
    assert offered_hz(base(populations=twice_as_many_at_a_tenth), 30) == pytest.approx(12)


def test_a_series_that_is_stopped_at_once_says_what_is_left_out(tmp_path: Path) -> None:
    switch = StopSwitch()
    switch.throw()
    levels = [ScalingLevel(connections=each, duration=1, expected_latency=5) for each in (10, 20)]
    doing = run_scaling(base(), levels, settle_s=0, out=str(tmp_path / "series"), switch=switch)
    result = asyncio.run(doing)
    assert (result.levels, result.left_out, result.exit_code) == ((), (10, 20), ExitCode.INTERRUPTED)
    written = (tmp_path / "series" / SCALING_FILE).read_bytes()
    assert msgspec.json.decode(written, type=ScalingResult) == result
    assert "No level was carried out." in (tmp_path / "series" / SCALING_HTML_FILE).read_text("utf-8")


def test_none_begins_where_one_cannot_be_carried(tmp_path: Path) -> None:
    levels = [ScalingLevel(connections=each, duration=1, expected_latency=5) for each in (10, 900_000)]
    with pytest.raises(PreflightError):
        asyncio.run(run_scaling(base(), levels, settle_s=0, out=str(tmp_path / "series")))
    assert not (tmp_path / "series").exists()
