"""What the commands that carry out a named test have in common."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from squall.cli.named_tests import (
    SCALE,
    folder_of_series,
    left_flags,
    names_a_target,
    one_value,
    scale_of,
)
from unit.cli.conftest import World


def test_a_scale_is_the_flag_s_else_the_variable_s_else_full(world: World) -> None:
    assert scale_of(world.state(environment={SCALE: "smoke"}), "standard") == "standard"
    assert scale_of(world.state(environment={SCALE: "smoke"}), None) == "smoke"
    assert scale_of(world.state(), None) == "full"
    with pytest.raises(typer.BadParameter, match="none of smoke, standard, full"):
        scale_of(world.state(), "huge")


def test_a_target_is_named_by_an_argument_a_flag_or_a_variable(world: World) -> None:
    assert names_a_target(world.state(), "ws://one", {})
    assert names_a_target(world.state(), None, {"target": ["ws://one"]})
    assert names_a_target(world.state(environment={"SQUALL_TARGET__URL": "ws://one"}), None, {})
    assert not names_a_target(world.state(environment={"SQUALL_SEED": "4"}), None, {"target": []})


def test_a_flag_for_what_the_test_decides_is_refused_and_the_others_are_left() -> None:
    def why_not(setting: str) -> str | None:
        return "it follows" if setting == "traffic.rate" else None

    with pytest.raises(typer.BadParameter, match="a made test takes none: it follows") as refused:
        left_flags({"rate": ["1/s"]}, why_not, "a made test")
    assert refused.value.param_hint == "--rate"
    given: dict[str, Any] = {"rate": [], "seed": ["4"]}
    assert left_flags(given, why_not, "a made test") == given


def test_a_value_that_a_command_reads_itself_is_taken_out(world: World) -> None:
    flags: dict[str, Any] = {"messages": ["5"], "out": ["there"], "hold": None, "seed": ["1", "2"]}
    assert (one_value(flags, "messages"), one_value(flags, "hold"), one_value(flags, "web")) == (
        "5",
        None,
        None,
    )
    assert folder_of_series(world.state(), flags) == str(world.cwd / "there")
    assert flags == {"seed": ["1", "2"]}
    with pytest.raises(typer.BadParameter, match="2 times"):
        one_value(flags, "seed")
