"""A scenario as it may be kept."""

from __future__ import annotations

import json

from squall.scenario.loader import load_scenario
from squall.scenario.models import Scenario
from squall.scenario.redact import public_url, redacted, redacted_settings

_SCENARIO = Scenario.model_validate(
    {
        "target": {"url": ["wss://u:hunter2@h:1/p?t=hunter2"], "headers": {"A": "hunter2"}},
        "load": {"hold": "1m"},
        "populations": [{"headers": {"B": "hunter2"}}],
    }
)


def test_secrets_are_masked_and_names_kept() -> None:
    kept = redacted(_SCENARIO)
    assert kept["target"]["url"] == ["wss://h:1/p?t=***"]
    assert kept["target"]["headers"] == {"A": "***"}
    assert kept["populations"][0]["headers"] == {"B": "***"}
    assert "hunter2" not in json.dumps(kept)


def test_every_setting_is_there_in_base_units() -> None:
    kept = redacted(_SCENARIO)
    assert kept["load"]["hold"] == 60.0
    assert kept["load"]["ramp_up"] == {
        "kind": "exponential",
        "start": 10,
        "duration": None,
        "double_every": None,
        "steps": False,
    }
    assert set(kept) == set(Scenario.model_fields)


def test_settings_have_the_paths_that_sources_have() -> None:
    loaded = load_scenario(
        {"target": "ws://h/?t=hunter2", "load": {"ramp_up": "5m"}, "traffic": {"payload": "100"}}
    )
    shown = redacted_settings(loaded.scenario)
    assert set(loaded.sources) <= set(shown)
    assert shown["target.url"] == ["ws://h/?t=***"]
    assert shown["load.ramp_up.duration"] == 300.0
    assert shown["populations[0].traffic.payload"] == [{"size": 100, "weight": 1.0}]


def test_a_url_is_made_public_here_too() -> None:
    assert public_url("ws://u:p@h/") == "ws://h/"
