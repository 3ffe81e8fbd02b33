"""The scenario's model: defaults, what fits together over its parts, and words for every setting."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from squall.scenario.fields import settings
from squall.scenario.models import Scenario, Target, Threshold

_TARGET = {"url": ["ws://host/"]}


def _refused(**given: Any) -> set[tuple[Any, ...]]:
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate({"target": _TARGET, **given})
    return {error["loc"] for error in caught.value.errors()}


def test_a_target_is_all_that_a_scenario_needs() -> None:
    scenario = Scenario(target=Target(url=("ws://host/",)))
    assert scenario.populations[0].traffic.rate == 1.0
    assert scenario.populations[0].traffic.payload[0].size == 128
    assert scenario.populations[0].traffic.format == "binary"
    assert (scenario.delivery.promise, scenario.delivery.drain_timeout) == ("exactly-once", 10.0)
    assert (scenario.engine.send_buffer_max, scenario.engine.send_buffer_total_max) == (1 << 20, 1 << 30)
    assert (scenario.engine.pacing_window, scenario.engine.blocked_max) == (0.001, 100)


def test_every_setting_is_described_in_a_line() -> None:
    for setting in settings():
        words = setting.info.description or ""
        assert words, setting.path
        assert "\n" not in words
        assert words[-1] != "."


def test_populations_have_names_of_their_own_beside_other_mistakes() -> None:
    found = _refused(populations=[{"name": "a"}, {"name": "a", "weight": 0}])
    assert {("populations", 1, "name"), ("populations", 1, "weight")} <= found


def test_more_populations_than_connections_are_refused() -> None:
    assert _refused(load={"connections": 1}, populations=[{"name": "a"}, {"name": "b"}]) == {("populations",)}


def test_a_column_in_the_target_needs_data_in_every_population() -> None:
    data = {"file": "users.csv"}
    given = {"url": ["ws://host/?t={token}"]}
    found = _refused(target=given, populations=[{"name": "a", "data": data}, {"name": "b"}])
    assert found == {("populations", 1)}
    assert _refused(target=given) == {("populations", 0)}
    whole = Scenario.model_validate({"target": given, "populations": [{"data": data}]})
    assert whole.populations[0].data is not None


def test_what_is_late_must_come_before_what_is_lost() -> None:
    populations = [{"traffic": {"types": [{"max_latency": "10s"}]}}]
    assert _refused(populations=populations) == {("delivery", "drain_timeout")}
    longer = {"populations": populations, "delivery": {"drain_timeout": "11s"}, "target": _TARGET}
    assert Scenario.model_validate(longer).delivery.drain_timeout == 11.0


@pytest.mark.parametrize("drain_timeout", [0, "2h"])
def test_a_drain_that_makes_no_sense_is_refused(drain_timeout: Any) -> None:
    assert _refused(delivery={"drain_timeout": drain_timeout}) == {("delivery", "drain_timeout")}


def test_the_engine_takes_what_is_sent() -> None:
    populations = [{"traffic": {"payload": [{"size": "17MiB"}]}}]
    assert _refused(populations=populations) == {("engine", "receive_message_max")}


def test_the_buffers_of_all_hold_that_of_one() -> None:
    assert _refused(engine={"send_buffer_max": "2GiB"}) == {("engine", "send_buffer_total_max")}


@pytest.mark.parametrize("window", ["50us", "200ms"])
def test_the_pacing_window_has_bounds(window: str) -> None:
    assert _refused(engine={"pacing_window": window}) == {("engine", "pacing_window")}


def test_a_threshold_takes_both_spellings() -> None:
    k6 = {"metric": "m", "threshold": "rate<1", "abortOnFail": True, "delayAbortEval": "10s"}
    ours = Threshold(metric="m", threshold="rate<1", abort_on_fail=True, delay_abort_eval=10.0)
    assert Threshold.model_validate(k6) == ours


def test_a_scenario_shows_no_secret() -> None:
    scenario = Scenario.model_validate(
        {
            "target": {"url": ["ws://u:hunter2@host/?t=hunter2"], "headers": {"A": "hunter2"}},
            "populations": [{"headers": {"B": "hunter2"}}],
        }
    )
    assert "hunter2" not in repr(scenario) + str(scenario) + scenario.model_dump_json() + str(
        scenario.model_dump()
    )
