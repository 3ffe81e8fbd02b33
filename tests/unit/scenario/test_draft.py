"""Layers over a scenario: what a stronger one replaces, and where each setting came from."""

from __future__ import annotations

from typing import Any

import pytest

from squall.scenario.draft import Draft, Override, leaves
from squall.scenario.mistakes import Path


def _over(tree: dict[str, Any], layer: dict[Path, Any]) -> Draft:
    draft = Draft(tree)
    draft.name_sources({}, "file")
    draft.overlay({path: Override(value, "flag") for path, value in layer.items()})
    return draft


def test_a_single_setting_is_replaced_and_its_neighbours_stay() -> None:
    draft = _over({"load": {"hold": "1m", "connections": 5}}, {("load", "hold"): "2m"})
    assert draft.tree == {"load": {"hold": "2m", "connections": 5}}
    assert dict(draft.sources()) == {("load", "hold"): "flag", ("load", "connections"): "file"}


def test_what_was_given_is_left_as_it_was() -> None:
    given = {"load": {"hold": "1m", "ramp_up": {"duration": 3}}, "populations": [{"traffic": {"rate": 1}}]}
    _over(given, {("load", "hold"): "2m", ("traffic", "rate"): 5, ("load", "ramp_up", "kind"): "linear"})
    assert given == {
        "load": {"hold": "1m", "ramp_up": {"duration": 3}},
        "populations": [{"traffic": {"rate": 1}}],
    }


def test_a_mapping_changes_only_what_it_names() -> None:
    tree = {"target": {"url": ["ws://h/"], "headers": {"A": "1", "B": "2"}}}
    draft = _over(tree, {("target", "headers"): {"B": "3", "C": "4"}})
    assert draft.tree["target"]["headers"] == {"A": "1", "B": "3", "C": "4"}


def test_case_makes_no_difference_in_which_header_a_layer_replaces() -> None:
    tree = {"target": {"url": ["ws://h/"], "headers": {"Authorization": "weak", "B": "2"}}}
    draft = _over(tree, {("target", "headers", "authorization"): "strong"})
    assert draft.tree["target"]["headers"] == {"B": "2", "authorization": "strong"}
    assert dict(draft.sources())[("target", "headers", "authorization")] == "flag"


def test_a_header_that_one_layer_gives_twice_stays_a_mistake_of_its_own() -> None:
    draft = _over({}, {("target", "headers"): {"A": "1", "a": "2"}})
    assert draft.tree["target"]["headers"] == {"A": "1", "a": "2"}


def test_a_list_is_replaced_whole() -> None:
    tree = {"traffic": {"payload": "100,200", "types": {"a": 1}}, "thresholds": {"m": "x"}}
    draft = _over(
        tree, {("traffic", "payload"): "300", ("traffic", "types"): {"b": 2}, ("thresholds",): {"n": "y"}}
    )
    assert draft.tree["populations"][0]["traffic"]["payload"] == [{"size": "300"}]
    assert draft.tree["populations"][0]["traffic"]["types"] == [{"name": "b", "weight": 2}]
    assert draft.tree["thresholds"] == [{"metric": "n", "threshold": "y"}]
    assert draft.origins.in_file(("thresholds", 0, "threshold")) == ("thresholds", "n")


def test_short_forms_are_understood_in_a_layer() -> None:
    draft = _over({}, {("target",): "ws://a/", ("load", "ramp_up"): "5m", ("exchange",): "idle"})
    assert draft.tree == {
        "target": {"url": ["ws://a/"]},
        "load": {"ramp_up": {"duration": "5m"}},
        "populations": [{"exchange": {"kind": "idle"}}],
    }


def test_another_kind_drops_what_only_the_kind_before_had() -> None:
    tree = {"load": {"ramp_up": {"kind": "exponential", "start": 5, "double_every": "1s"}}}
    draft = _over(tree, {("load", "ramp_up"): "linear"})
    assert draft.tree["load"]["ramp_up"] == {"kind": "linear", "start": 5}
    same = _over(tree, {("load", "ramp_up", "kind"): "exponential"})
    assert same.tree["load"]["ramp_up"]["double_every"] == "1s"


def test_the_kind_is_changed_before_its_settings_are_set() -> None:
    tree = {"load": {"ramp_up": {"duration": "9s", "double_every": "1s"}}}
    layer: dict[Path, Any] = {("load", "ramp_up", "steps"): 4, ("load", "ramp_up", "kind"): "stepped"}
    assert _over(tree, layer).tree["load"]["ramp_up"] == {"duration": "9s", "steps": 4, "kind": "stepped"}


@pytest.mark.parametrize(("set_now", "dropped"), [("duration", "double_every"), ("double_every", "duration")])
def test_of_duration_and_doubling_the_stronger_one_stands(set_now: str, dropped: str) -> None:
    tree = {"load": {"ramp_up": {dropped: "9s"}}}
    assert _over(tree, {("load", "ramp_up", set_now): "2s"}).tree["load"]["ramp_up"] == {set_now: "2s"}
    both: dict[Path, Any] = {("load", "ramp_up", set_now): "2s", ("load", "ramp_up", dropped): "3s"}
    assert _over(tree, both).tree["load"]["ramp_up"] == {set_now: "2s", dropped: "3s"}


def test_a_single_populations_settings_are_set_in_short() -> None:
    draft = _over({"populations": [{"name": "a"}]}, {("traffic", "rate"): 3})
    assert draft.tree == {"populations": [{"name": "a", "traffic": {"rate": 3}}]}
    assert draft.origins.in_file(("populations", 0, "traffic", "rate")) == ("traffic", "rate")


def test_which_of_several_populations_must_be_said() -> None:
    tree = {"populations": [{"name": "a"}, {"name": "b"}]}
    draft = _over(tree, {("traffic", "rate"): 3})
    assert draft.tree == tree
    (mistake,) = draft.mistakes
    assert "several populations" in mistake.message
    named = _over(tree, {("populations", 1, "traffic", "rate"): 3})
    assert named.tree["populations"][1] == {"name": "b", "traffic": {"rate": 3}}


def test_a_population_that_is_not_there_is_a_mistake() -> None:
    draft = _over({"populations": [{}]}, {("populations", 1, "name"): "b"})
    (mistake,) = draft.mistakes
    assert "no populations[1]" in mistake.message


@pytest.mark.parametrize(
    "tree", [{"load": 5}, {"load": None}, {"populations": 5}, {"populations": [5]}, {"populations": []}]
)
def test_a_layer_over_what_is_no_mapping_does_not_fail(tree: dict[str, Any]) -> None:
    layer: dict[Path, Any] = {("load", "hold"): "2m", ("populations", 0, "traffic", "rate"): 3}
    assert "2m" in str(_over(tree, layer).tree)


def test_layers_are_named_by_the_strongest() -> None:
    draft = Draft({"load": {"hold": 1}})
    draft.name_sources({("load", "hold"): "file:3"}, "file")
    assert draft.source(("load", "hold")) == "file:3"
    draft.overlay({("load", "hold"): Override(2, "environment X")})
    draft.overlay({("load", "hold"): Override(3, "flag -d")})
    assert (draft.source(("load", "hold")), draft.tree) == ("flag -d", {"load": {"hold": 3}})
    assert draft.source(("load", "warm_up")) is None


def test_a_setting_is_named_by_its_parent_where_the_file_has_no_more() -> None:
    draft = Draft({"target": "ws://h/"})
    draft.name_sources({("target",): "s.yaml:1"}, "s.yaml")
    assert list(draft.sources()) == [(("target", "url"), "s.yaml:1")]
    assert draft.source(("target", "url", 0)) == "s.yaml:1"


def test_leaves_are_settings_and_lists() -> None:
    tree = {"a": {"b": 1, "c": [1, 2]}, "populations": [{"name": "x"}], "e": {}}
    assert list(leaves(tree)) == [(("a", "b"), 1), (("a", "c"), [1, 2]), (("populations", 0, "name"), "x")]
