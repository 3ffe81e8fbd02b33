"""The load's model: shapes that fit the level, and times that fit each other."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from squall.scenario.load import AdaptiveRamp, ExponentialRamp, Load, SequencePart, SequenceRamp


def _refused(**settings: Any) -> set[tuple[Any, ...]]:
    with pytest.raises(ValidationError) as caught:
        Load.model_validate(settings)
    return {error["loc"] for error in caught.value.errors()}


def test_the_defaults_are_a_hundred_connections_in_an_exponential_ramp() -> None:
    load = Load()
    assert (load.connections, load.ramp_up, load.hold) == (100, ExponentialRamp(start=10), 30.0)


def test_a_start_that_nobody_set_fits_a_low_level() -> None:
    ramp = Load(connections=5).ramp_up
    assert isinstance(ramp, ExponentialRamp)
    assert ramp.start == 5
    assert "start" not in ramp.model_fields_set


def test_a_start_that_nobody_set_fits_the_first_part_of_a_sequence() -> None:
    parts = (SequencePart(to=3, ramp=ExponentialRamp()), SequencePart(to=100))
    ramp = Load(connections=100, ramp_up=SequenceRamp(parts=parts)).ramp_up
    assert isinstance(ramp, SequenceRamp)
    assert ramp.parts[0].ramp == ExponentialRamp(start=3)
    assert ramp.parts[1] == parts[1]


def test_a_start_above_the_level_is_refused() -> None:
    ramp = {"kind": "exponential", "start": 20}
    assert _refused(connections=5, ramp_up=ramp) == {("ramp_up", "start")}


def test_a_start_below_one_is_refused() -> None:
    assert _refused(ramp_up={"kind": "exponential", "start": 0}) == {("ramp_up", "exponential", "start")}


def test_a_duration_that_contradicts_the_doubling_is_refused() -> None:
    ramp = {"kind": "exponential", "duration": "1m", "double_every": "1s"}
    assert _refused(ramp_up=ramp) == {("ramp_up", "duration")}


def test_an_adaptive_ramp_is_the_default_shape_with_the_bounds_of_a_ramp() -> None:
    ramp = Load.model_validate({"ramp_up": {"kind": "adaptive"}}).ramp_up
    assert isinstance(ramp, AdaptiveRamp)
    assert (ramp.shape, ramp.start, ramp.interval) == ("exponential", None, 5.0)
    assert ramp.slow_when == ("average_latency>100",)
    assert ramp.stop_when == ("error_rate>0.02", "average_latency>150")


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"shape": "linear", "double_every": "1s"}, "double_every"),
        ({"start": 0}, "start"),
        ({"start": 500}, "start"),
        ({"duration": "1m", "double_every": "1s"}, "duration"),
        ({"slow_when": [], "stop_when": []}, "stop_when"),
        ({"interval": "500ms"}, "interval"),
    ],
)
def test_an_adaptive_ramp_that_contradicts_itself_is_refused(settings: dict[str, Any], where: str) -> None:
    [loc] = _refused(ramp_up={"kind": "adaptive", **settings})
    assert loc[-1] == where


def test_a_ramp_down_is_never_adaptive() -> None:
    assert _refused(ramp_down={"kind": "adaptive"}) == {("ramp_down",)}


def test_a_sequence_must_end_at_the_level() -> None:
    parts = [{"to": 10}, {"to": 20}]
    assert _refused(ramp_up={"kind": "sequence", "parts": parts}) == {("ramp_up", "parts", 1, "to")}
    assert _refused(ramp_down={"kind": "sequence", "parts": parts}) == {("ramp_down", "parts", 1, "to")}
    assert _refused(ramp_up={"kind": "sequence", "parts": []}) == {("ramp_up", "sequence", "parts")}


def test_shapes_are_not_judged_by_a_level_that_is_wrong() -> None:
    assert _refused(connections=0, ramp_up={"kind": "linear", "start": 500}) == {("connections",)}


@pytest.mark.parametrize("warm_up", ["30s", "31s"])
def test_a_warm_up_that_takes_the_whole_hold_is_refused(warm_up: str) -> None:
    assert _refused(hold="30s", warm_up=warm_up) == {("warm_up",)}
    assert Load.model_validate({"hold": "30s", "warm_up": "29s"}).warm_up == 29.0
    assert Load.model_validate({"hold": 0}).warm_up == 0.0


def test_the_longest_pause_is_not_below_the_first() -> None:
    assert _refused(reconnect={"backoff": "10s"}) == {("reconnect", "backoff_max")}
    reconnect = {"backoff": "10s", "backoff_max": "10s"}
    assert Load.model_validate({"reconnect": reconnect}).reconnect.backoff == 10.0


@pytest.mark.parametrize(
    "settings", [{"connections": 20_000_000}, {"connects_in_flight_max": 0}, {"connect_rate_max": 0}]
)
def test_limits_hold(settings: dict[str, Any]) -> None:
    assert _refused(**settings) == {(name,) for name in settings}
