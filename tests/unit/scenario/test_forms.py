"""The short forms, and where in the file what they stand for is."""

from __future__ import annotations

from typing import Any

import pytest

from squall.scenario.forms import Origins, canonical, opened, with_kinds
from squall.scenario.mistakes import Path


def _long(tree: dict[str, Any]) -> dict[str, Any]:
    origins = Origins()
    written, mistakes = canonical(tree, origins)
    assert mistakes == []
    assert canonical(written, origins) == (written, [])
    return written


@pytest.mark.parametrize("target", ["ws://h/", ["ws://h/"], {"url": "ws://h/"}, {"url": ["ws://h/"]}])
def test_a_target_is_a_url_a_list_or_a_mapping(target: Any) -> None:
    assert _long({"target": target}) == {"target": {"url": ["ws://h/"]}}


def test_several_urls_are_separated_by_commas_and_a_query_keeps_its_own() -> None:
    assert _long({"target": "ws://a/?x=1,2, wss://b/"}) == {"target": {"url": ["ws://a/?x=1,2", "wss://b/"]}}


def test_lists_of_names_are_written_as_text() -> None:
    tree = {
        "target": {"subprotocols": "a, b", "source_addresses": "127.0.0.2"},
        "threshold_sets": "readiness",
    }
    assert _long(tree) == {
        "target": {"subprotocols": ["a", "b"], "source_addresses": ["127.0.0.2"]},
        "threshold_sets": ["readiness"],
    }


def test_a_whole_number_in_a_header_is_its_text() -> None:
    headers = {"X-Version": 2, "X-Flag": True, "X-Share": 1.10}
    written = _long({"target": {"headers": headers}, "populations": [{"headers": {"X-N": 3}}]})
    assert written["target"]["headers"] == {"X-Version": "2", "X-Flag": True, "X-Share": 1.10}
    assert written["populations"][0]["headers"] == {"X-N": "3"}


@pytest.mark.parametrize(
    ("shape", "stands_for"),
    [
        ("linear", {"kind": "linear"}),
        ("5m", {"duration": "5m"}),
        (30, {"duration": 30}),
        ({"kind": "stepped"}, {"kind": "stepped"}),
        (True, True),
        (None, None),
    ],
)
def test_a_shape_is_a_kind_a_duration_or_a_mapping(shape: Any, stands_for: Any) -> None:
    assert _long({"load": {"ramp_up": shape}})["load"]["ramp_up"] == stands_for
    assert _long({"load": {"ramp_down": shape}})["load"]["ramp_down"] == stands_for
    parts = {"kind": "sequence", "parts": [{"to": 1, "ramp": shape}, "x"]}
    written = _long({"load": {"ramp_up": parts}})["load"]["ramp_up"]["parts"]
    assert written == [{"to": 1, "ramp": stands_for}, "x"]


@pytest.mark.parametrize(
    ("payload", "stands_for"),
    [
        ("100,1KiB, 4KiB", [{"size": "100"}, {"size": "1KiB"}, {"size": "4KiB"}]),
        (100, [{"size": 100}]),
        ([100, "1KiB"], [{"size": 100}, {"size": "1KiB"}]),
        ({"size": 100}, [{"size": 100}]),
        ([{"size": 100, "weight": 3}, 200], [{"size": 100, "weight": 3}, {"size": 200}]),
    ],
)
def test_a_payload_is_sizes_or_sizes_with_weights(payload: Any, stands_for: Any) -> None:
    assert _long({"traffic": {"payload": payload}}) == {"populations": [{"traffic": {"payload": stands_for}}]}


@pytest.mark.parametrize(
    ("types", "stands_for"),
    [
        ("a,b", [{"name": "a"}, {"name": "b"}]),
        (["a", {"name": "b", "weight": 2}], [{"name": "a"}, {"name": "b", "weight": 2}]),
        ({"a": 3, "b": None}, [{"name": "a", "weight": 3}, {"name": "b"}]),
        ({"a": {"max_latency": "1s"}}, [{"name": "a", "max_latency": "1s"}]),
        ({"name": "a", "weight": 2}, [{"name": "a", "weight": 2}]),
        (5, 5),
    ],
)
def test_types_are_names_or_names_with_weights(types: Any, stands_for: Any) -> None:
    written = _long({"populations": [{"traffic": {"types": types}}]})
    assert written == {"populations": [{"traffic": {"types": stands_for}}]}


def test_thresholds_are_a_bound_a_mapping_or_a_list_of_both() -> None:
    given = {
        "a": "rate<1",
        "b": {"threshold": "p(95)<2", "abortOnFail": True},
        "c": ["avg<3", {"threshold": "max<4"}],
    }
    assert _long({"thresholds": given})["thresholds"] == [
        {"metric": "a", "threshold": "rate<1"},
        {"metric": "b", "threshold": "p(95)<2", "abortOnFail": True},
        {"metric": "c", "threshold": "avg<3"},
        {"metric": "c", "threshold": "max<4"},
    ]


@pytest.mark.parametrize(
    ("conditions", "stands_for"),
    [
        ("error_rate>0.1", ["error_rate>0.1"]),
        ({"ws_ping": "avg>5", "error_rate": ">0.1"}, ["ws_ping: avg>5", "error_rate: >0.1"]),
        (["a>1", {"ws_ping": "avg>5"}], ["a>1", "ws_ping: avg>5"]),
        (5, 5),
    ],
)
def test_conditions_are_text_or_written_like_thresholds(conditions: Any, stands_for: Any) -> None:
    written = _long({"load": {"ramp_up": {"kind": "adaptive", "stop_when": conditions}}})
    assert written["load"]["ramp_up"] == {"kind": "adaptive", "stop_when": stands_for}


def test_settings_of_one_population_may_stand_at_the_top() -> None:
    written = _long({"traffic": {"rate": 2}, "exchange": "idle", "data": "u.csv"})
    assert written == {
        "populations": [{"exchange": {"kind": "idle"}, "traffic": {"rate": 2}, "data": {"file": "u.csv"}}]
    }


def test_populations_and_settings_of_one_are_a_mistake() -> None:
    tree, mistakes = canonical({"traffic": {}, "exchange": "echo", "populations": [{}]}, Origins())
    assert [mistake.path for mistake in mistakes] == [("exchange",), ("traffic",)]
    assert tree == {"populations": [{}]}


@pytest.mark.parametrize("key", ["target", "load", "populations", "thresholds", "traffic", "exchange", "zzz"])
@pytest.mark.parametrize("value", [None, 5, "x", [], {}, ["x"], [None], {"x": None}])
def test_what_is_no_short_form_is_left_for_the_models(key: str, value: Any) -> None:
    written, _ = canonical({key: value}, Origins())
    assert written != {}


@pytest.mark.parametrize(
    ("tree", "path", "in_file"),
    [
        ({"target": "ws://h/"}, ("target", "url", 0), ("target",)),
        ({"target": {"url": "ws://h/"}}, ("target", "url", 0), ("target", "url")),
        ({"target": {"url": ["ws://h/"]}}, ("target", "url", 0), ("target", "url", 0)),
        ({"load": {"ramp_up": "5m"}}, ("load", "ramp_up", "duration"), ("load", "ramp_up")),
        (
            {"load": {"ramp_up": {"duration": 1}}},
            ("load", "ramp_up", "duration"),
            ("load", "ramp_up", "duration"),
        ),
        ({"traffic": {"rate": 1}}, ("populations", 0, "traffic", "rate"), ("traffic", "rate")),
        (
            {"traffic": {"payload": "1,2"}},
            ("populations", 0, "traffic", "payload", 1, "size"),
            ("traffic", "payload"),
        ),
        (
            {"traffic": {"payload": [1, 2]}},
            ("populations", 0, "traffic", "payload", 1, "size"),
            ("traffic", "payload", 1),
        ),
        (
            {"traffic": {"types": {"a": 1, "b": 0}}},
            ("populations", 0, "traffic", "types", 1, "weight"),
            ("traffic", "types", "b"),
        ),
        (
            {"traffic": {"types": {"a": {"weight": 0}}}},
            ("populations", 0, "traffic", "types", 0, "weight"),
            ("traffic", "types", "a", "weight"),
        ),
        (
            {"traffic": {"types": {"a": {"weight": 0}}}},
            ("populations", 0, "traffic", "types", 0, "name"),
            ("traffic", "types", "a"),
        ),
        ({"thresholds": {"m": "x"}}, ("thresholds", 0, "threshold"), ("thresholds", "m")),
        (
            {"thresholds": {"m": ["x", {"treshold": 1}]}},
            ("thresholds", 1, "treshold"),
            ("thresholds", "m", 1, "treshold"),
        ),
        ({"exchange": "eko"}, ("populations", 0, "exchange", "kind"), ("exchange",)),
        ({"load": {"hold": 1}}, ("load", "hold"), ("load", "hold")),
    ],
)
def test_a_place_is_known_as_its_author_wrote_it(tree: dict[str, Any], path: Path, in_file: Path) -> None:
    origins = Origins()
    canonical(tree, origins)
    assert origins.in_file(path) == in_file


def test_a_forgotten_place_is_what_it_is_now() -> None:
    origins = Origins()
    canonical({"load": {"ramp_up": "5m"}}, origins)
    origins.forget(("load", "ramp_up"))
    assert origins.in_file(("load", "ramp_up", "duration")) == ("load", "ramp_up", "duration")


def test_the_default_kind_is_put_where_none_is_named() -> None:
    tree = {
        "load": {"ramp_up": {}, "ramp_down": {}},
        "populations": [{"exchange": {}}, {"exchange": {"kind": "idle"}}],
    }
    assert with_kinds(tree) == {
        "load": {"ramp_up": {"kind": "exponential"}, "ramp_down": {"kind": "linear"}},
        "populations": [{"exchange": {"kind": "echo"}}, {"exchange": {"kind": "idle"}}],
    }
    parts = {"parts": [{"to": 1, "ramp": {"duration": 1}}]}
    assert with_kinds(parts) == {"parts": [{"to": 1, "ramp": {"kind": "linear", "duration": 1}}]}


def test_a_short_form_is_opened_only_at_its_own_key() -> None:
    assert opened("hold", "5m") == "5m"
    assert opened("data", "u.csv") == {"file": "u.csv"}
