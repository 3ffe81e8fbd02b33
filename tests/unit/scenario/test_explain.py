"""pydantic's findings in words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from squall.scenario.explain import explained
from squall.scenario.models import Load, Scenario


def _words(given: dict[str, Any]) -> dict[tuple[Any, ...], str]:
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(given)
    return {mistake.path: mistake.message for mistake in explained(caught.value)}


_TARGET = {"url": ["ws://host/"]}


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({}, ("target",), "is required"),
        ({"target": {"url": ["ws://h/"], "polcy": 1}}, ("target", "polcy"), 'did you mean "policy"?'),
        ({"load": {"conections": 1}}, ("load", "conections"), 'unknown key; did you mean "connections"?'),
        ({"zzz": 1}, ("zzz",), "unknown key"),
        (
            {"load": {"ramp_up": {"kind": "lineer"}}},
            ("load", "ramp_up", "kind"),
            'no such kind; constant | linear | exponential | stepped | sequence | adaptive; did you mean "linear"?',
        ),
        ({"load": {"ramp_up": {}}}, ("load", "ramp_up", "kind"), "names no kind"),
        ({"load": {"ramp_up": 5}}, ("load", "ramp_up"), "must be a mapping"),
        ({"load": {"connections": 0}}, ("load", "connections"), "must be at least 1"),
        ({"load": {"connections": "11M"}}, ("load", "connections"), "must be at most 10,000,000"),
        ({"engine": {"pacing_window": "1us"}}, ("engine", "pacing_window"), "must be at least 0.0001"),
        (
            {"load": {"reconnect": {"after_drop": "maybe"}}},
            ("load", "reconnect", "after_drop"),
            "must be true or false",
        ),
        ({"load": 5}, ("load",), "must be a mapping of settings"),
        ({"populations": 5}, ("populations",), "must be a list"),
        ({"populations": []}, ("populations",), "needs at least 1 of them"),
        ({"delivery": {"promise": "maybe"}}, ("delivery", "promise"), "must be 'at-most-once', "),
        ({"name": 5}, ("name",), "must be text; write it in quotes"),
        ({"seed": "x"}, ("seed",), "must be a whole number"),
        (
            {"target": {"url": ["ws://h/"], "tls": {"key_file": "x"}}},
            ("target", "tls"),
            "key_file without cert_file",
        ),
    ],
)
def test_a_mistake_is_explained(given: dict[str, Any], path: tuple[Any, ...], words: str) -> None:
    found = _words(given if "target" in given or not given else {"target": _TARGET, **given})
    assert words in found[path]


def test_a_list_whose_items_are_wrong_is_not_called_empty_too() -> None:
    found = _words({"target": _TARGET, "populations": [{"weight": 0}]})
    assert set(found) == {("populations", 0, "weight")}


def test_the_path_starts_at_the_model_that_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        Load.model_validate({"ramp_up": {"kind": "linear", "strat": 1}})
    (mistake,) = explained(caught.value, Load)
    assert mistake.path == ("ramp_up", "strat")
    assert 'did you mean "start"' in mistake.message
