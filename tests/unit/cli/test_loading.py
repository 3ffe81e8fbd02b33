"""Which value counts: flag, environment, what the command stands for, file, default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from squall.cli.loading import loaded
from squall.errors import ScenarioError

FIXED = {"target.url": (["ws://a/"], "argument URL"), "exchange.kind": ("idle", "command connect")}
INSTEAD = {
    "load.ramp_up.kind": ("linear", "command connect"),
    "load.ramp_up.duration": ("2s", "command connect"),
}


def test_a_flag_is_stronger_than_environment_and_file(world: Any, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("target: ws://a/\nload: {connections: 7, hold: 1s, ramp_down: 3s}\n")
    state = world.state(environment={"SQUALL_LOAD__CONNECTIONS": "8", "SQUALL_LOAD__HOLD": "2s"})
    found = loaded(state, "s.yaml", {"connections": ["9"]}, fixed={}, instead={})
    load = found.scenario.load
    assert (load.connections, load.hold, load.ramp_down.duration) == (9, 2.0, 3.0)  # type: ignore[union-attr] # a linear one
    assert found.sources["load.connections"] == "flag --connections"
    assert found.sources["load.hold"] == "environment SQUALL_LOAD__HOLD"
    assert found.sources["load.ramp_down.duration"] == "s.yaml:2"


def test_what_a_command_stands_for_is_named_as_the_source(world: Any) -> None:
    found = loaded(world.state(), None, {}, fixed=FIXED, instead=INSTEAD)
    assert found.scenario.populations[0].exchange.kind == "idle"
    assert found.sources["load.ramp_up.duration"] == "command connect"
    assert found.sources["populations[0].exchange.kind"] == "command connect"


@pytest.mark.parametrize("variable", ["SQUALL_LOAD__RAMP_UP__DURATION", "SQUALL_LOAD__RAMP_UP"])
def test_the_environment_is_stronger_than_the_load_of_a_short_command(world: Any, variable: str) -> None:
    found = loaded(world.state(environment={variable: "9s"}), None, {}, fixed=FIXED, instead=INSTEAD)
    assert found.scenario.load.ramp_up.duration == 9.0  # type: ignore[union-attr] # no sequence
    assert found.sources["load.ramp_up.duration"] == f"environment {variable}"


def test_the_url_of_a_command_is_stronger_than_the_environment(world: Any) -> None:
    state = world.state(environment={"SQUALL_TARGET__URL": "ws://b/"})
    found = loaded(state, None, {}, fixed=FIXED, instead={})
    assert found.scenario.target.url == ("ws://a/",)


def test_targets_come_beside_the_url_of_a_command(world: Any) -> None:
    found = loaded(world.state(), None, {"target": ["ws://b/"]}, fixed=FIXED, instead={})
    assert found.scenario.target.url == ("ws://a/", "ws://b/")


def test_paths_of_flags_are_relative_to_the_working_folder(world: Any, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    flags = {"target": ["wss://a/"], "ca_file": ["ca.pem"], "out": ["there"]}
    found = loaded(world.state(), None, flags, fixed={}, instead={}).scenario
    assert found.target.tls.ca_file == str(tmp_path / "ca.pem")
    assert found.outputs.out == str(tmp_path / "there")


def test_the_secrets_of_the_scenario_are_masked_from_then_on(world: Any, tmp_path: Path) -> None:
    text = 'target: {url: "ws://a/?k=urlsecret", headers: {X: filesecret}}'
    (tmp_path / "s.yaml").write_text(text)
    state = world.state()
    loaded(state, "s.yaml", {}, fixed={}, instead={})
    assert state.hide("urlsecret filesecret other") == "*** *** other"


def test_flags_for_what_is_watched_stand_beside_each_other(world: Any) -> None:
    flags = {
        "watch_pid": ["7", "8"],
        "watch_port": ["80"],
        "watch_command": ["echo"],
        "watch_interval": ["1s"],
    }
    found = loaded(world.state(), None, flags, fixed=FIXED, instead={})
    watched = found.scenario.watch
    assert [(each.pid, each.port) for each in watched.target] == [
        (7, None),
        (8, None),
        (None, 80),
        (None, None),
    ]
    assert watched.interval == 1.0
    assert found.sources["watch.target"] == "flag --watch-pid and flag --watch-port and flag --watch-command"


def test_flags_for_what_is_watched_replace_those_of_the_file(world: Any, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("target: ws://a/\nwatch: {target: {pid: 1}}\n")
    found = loaded(world.state(), "s.yaml", {"watch_port": ["80"]}, fixed={}, instead={})
    assert [(each.pid, each.port) for each in found.scenario.watch.target] == [(None, 80)]


def test_without_any_target_it_says_how_to_give_one(world: Any) -> None:
    with pytest.raises(ScenarioError, match="no target") as caught:
        loaded(world.state(), None, {}, fixed={}, instead={})
    assert "--target" in caught.value.hint


def test_a_target_from_the_environment_will_do(world: Any) -> None:
    state = world.state(environment={"SQUALL_TARGET__URL": "ws://b/"})
    assert loaded(state, None, {}, fixed={}, instead={}).scenario.target.url == ("ws://b/",)


def test_a_url_in_place_of_a_file_is_noticed_without_its_secrets(world: Any) -> None:
    with pytest.raises(ScenarioError) as caught:
        loaded(world.state(), "ws://joe:verysecret@a/", {}, fixed={}, instead={})
    assert "verysecret" not in str(caught.value)
    assert "--target" in caught.value.hint
