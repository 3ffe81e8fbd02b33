"""The published schema: current, valid, and of one mind with the loader about shapes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from squall.errors import ScenarioError
from squall.scenario.fields import settings
from squall.scenario.loader import load_scenario
from squall.scenario.schema import json_schema
from squall.scenario.strict_yaml import read_yaml

_ROOT = Path(__file__).parents[3]
_VALIDATOR = Draft202012Validator(json_schema())


def _with_url(tree: dict[str, Any]) -> dict[str, Any]:
    return {"target": "ws://h/", **tree}


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


def test_the_published_schema_is_current() -> None:
    published = (_ROOT / "docs/reference/scenario.schema.json").read_text(encoding="utf-8")
    assert json.loads(published) == json_schema(), "python -m squall.scenario.reference docs/reference"


@pytest.mark.parametrize("file", sorted((_ROOT / "examples").glob("*.[yt]*ml")), ids=lambda file: file.name)
def test_every_example_is_valid(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    tree = tomllib.loads(text) if file.suffix == ".toml" else read_yaml(text, shown_as=file.name).tree
    assert list(_VALIDATOR.iter_errors(tree)) == []
    assert load_scenario(file).scenario.target.url


def test_every_setting_is_in_it() -> None:
    schema = json_schema()
    for setting in settings():
        name = setting.owner.__name__
        properties = (schema if name == "Scenario" else schema["$defs"][name])["properties"]
        assert properties[setting.name]["description"] == setting.info.description


@pytest.mark.parametrize(
    "tree",
    [
        {"target": ["ws://a/", "ws://b/"]},
        {"target": {"url": "ws://a/", "subprotocols": "a,b", "headers": {"X": 1}, "tls": {"verify": "off"}}},
        {"load": {"ramp_up": "linear", "ramp_down": "5s"}},
        {"load": {"ramp_up": 5, "ramp_down": {"duration": 3}}},
        {"load": {"ramp_up": {"duration": "1m", "steps": True}}},
        {"load": {"ramp_up": {"kind": "sequence", "parts": [{"to": 100, "ramp": "5s"}]}}},
        {"load": {"ramp_up": {"kind": "adaptive", "slow_when": "error_rate>0.1", "stop_when": []}}},
        {"load": {"ramp_up": {"kind": "adaptive", "stop_when": ["a>1", {"ws_response_time": "p(95)>9"}]}}},
        {"load": {"connections": "10k", "hold": "1h", "connect_rate_max": "2k/s", "reconnect": "yes"}},
        {"exchange": "idle", "traffic": {"rate": "1/s"}, "data": None},
        {"exchange": {"kind": "echo"}, "traffic": {"payload": "100,1KiB", "types": "a,b"}},
        {"traffic": {"payload": [100, {"size": "1KiB", "weight": 2}], "types": {"a": 1, "b": None}}},
        {"traffic": {"payload": 200, "types": ["a", {"name": "b"}]}},
        {"traffic": {"payload": {"size": 200}, "types": {"a": {"max_latency": "1s"}}}},
        {"traffic": {"types": {"name": "a", "weight": 2}, "messages_per_session": None}},
        {"populations": [{"name": "a", "exchange": "idle"}, {"name": "b", "traffic": {"rate": 2}}]},
        {
            "thresholds": {
                "m": "rate<1",
                "n": {"threshold": "x", "abortOnFail": True},
                "o": ["a", {"threshold": "b"}],
            }
        },
        {"thresholds": [{"metric": "m", "threshold": "rate<1", "abort_on_fail": False}]},
        {"threshold_sets": "readiness", "engine": {"workers": 2}, "outputs": {"csv": "no"}},
        {"threshold_sets": ["readiness"], "engine": {"workers": None}},
    ],
)
def test_what_the_loader_takes_the_schema_takes(tree: dict[str, Any]) -> None:
    load_scenario(_with_url(tree))
    assert [error.message for error in _VALIDATOR.iter_errors(_with_url(tree))] == []


@pytest.mark.parametrize(
    "tree",
    [
        {"conections": 5},
        {"target": 5},
        {"target": {"uri": "ws://h/"}},
        {"load": {"ramp_up": "lineer"}},
        {"load": {"ramp_up": {"strat": 5}}},
        {"load": {"ramp_up": {"parts": []}}},
        {"load": {"connections": 0}},
        {"load": {"hold": -1}},
        {"load": {"reconnect": "maybe"}},
        {"engine": {"workers": 0}},
        {"engine": {"pacing_window": 1}},
        {"traffic": {"types": {"a": {"wieght": 1}}}},
        {"traffic": {"payload": []}},
        {"traffic": {"payload": [{"sice": 100}]}},
        {"traffic": {}, "populations": [{}]},
        {"populations": []},
        {"thresholds": {"m": {"treshold": "x"}}},
        {"thresholds": {"m": {"abortOnFail": True}}},
        {"delivery": {"promise": "maybe"}},
        {"data": {"cycle": True}},
    ],
)
def test_what_the_schema_refuses_the_loader_refuses(tree: dict[str, Any]) -> None:
    assert list(_VALIDATOR.iter_errors(_with_url(tree))) != []
    with pytest.raises(ScenarioError):
        load_scenario(_with_url(tree))


def test_a_target_may_come_from_elsewhere() -> None:
    assert list(_VALIDATOR.iter_errors({"load": {"hold": 5}})) == []
