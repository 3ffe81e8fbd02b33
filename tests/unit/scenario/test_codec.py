"""A scenario as bytes and back."""

from __future__ import annotations

import json

import pytest

from squall.errors import ScenarioError
from squall.scenario.codec import from_bytes, to_bytes, tree_of
from squall.scenario.models import ExponentialRamp, Load, Scenario, Target


def _secret() -> Scenario:
    return Scenario.model_validate(
        {
            "target": {"url": ["wss://u:hunter2@h/?t=hunter2"], "headers": {"A": "hunter2"}},
            "load": {"connections": 5, "ramp_up": {"kind": "exponential"}},
            "populations": [{"headers": {"B": "hunter2"}, "exchange": {"kind": "idle"}}],
            "thresholds": [{"metric": "m", "threshold": "rate<1", "abortOnFail": True}],
        }
    )


def test_bytes_hold_everything_in_clear() -> None:
    scenario = _secret()
    again = from_bytes(to_bytes(scenario))
    assert again == scenario
    assert again.target.headers["A"].get_secret_value() == "hunter2"
    assert again.target.url == ("wss://u:hunter2@h/?t=hunter2",)
    assert to_bytes(again) == to_bytes(scenario)


def test_only_what_was_set_is_in_them_and_each_kind() -> None:
    scenario = Scenario(target=Target(url=("ws://h/",)), load=Load(ramp_up=ExponentialRamp(start=3)))
    assert tree_of(scenario) == {
        "target": {"url": ["ws://h/"]},
        "load": {"ramp_up": {"kind": "exponential", "start": 3}},
    }


def test_data_is_plain() -> None:
    (url,) = tree_of(_secret())["target"]["url"]
    assert type(url) is str


@pytest.mark.parametrize("content", [b"", b"[1", b"\xff"])
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(ScenarioError, match="no scenario"):
        from_bytes(content)


def test_a_scenario_of_another_version_is_refused_without_its_secrets() -> None:
    content = json.dumps({"target": {"url": ["ws://u:hunter2@h/"], "zzz": "hunter2"}}).encode()
    with pytest.raises(ScenarioError, match=r"another version of squall: target.zzz") as caught:
        from_bytes(content)
    assert "hunter2" not in str(caught.value)
