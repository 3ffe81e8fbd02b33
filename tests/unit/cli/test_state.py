"""What is said goes where it belongs, and what cannot be said breaks nothing."""

from __future__ import annotations

import io
from typing import Any

import pytest

from squall.cli.state import DEBUG
from squall.errors import EnvironmentFailure


class Failing(io.StringIO):
    """A stream that cannot be written."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, _text: str) -> int:
        raise self.error


def test_results_and_the_rest_go_to_different_streams(world: Any) -> None:
    state = world.state()
    state.say("result")
    state.tell("warning")
    state.complain("wrong", "mend it")
    assert state.stdout.getvalue() == "result\n"
    assert state.stderr.getvalue() == "warning\nsquall: wrong\n  hint: mend it\n"


def test_an_error_is_red_on_a_terminal_unless_colours_are_not_wanted(world: Any) -> None:
    state = world.state(is_terminal=True)
    state.complain("wrong")
    assert state.stderr.getvalue() == "\x1b[31msquall: wrong\x1b[0m\n"
    plain = world.state(is_terminal=True, environment={"NO_COLOR": "1"})
    plain.complain("wrong")
    assert plain.stderr.getvalue() == "squall: wrong\n"


def test_secrets_are_masked_in_whatever_is_told(world: Any) -> None:
    state = world.state("-H", "Key: abcdef", environment={"SQUALL_TARGET__HEADERS__K": "ghijkl"})
    state.masks.append(lambda text: text.replace("mnopqr", "***"))
    state.complain("abcdef ghijkl mnopqr")
    assert state.stderr.getvalue() == "squall: *** *** ***\n"
    assert state.command == "squall -H 'Key: ***'"


def test_the_debug_switch_is_no_setting_of_a_scenario(world: Any) -> None:
    state = world.state(environment={DEBUG: "1", "SQUALL_LOAD__HOLD": "1s"})
    assert state.settings == {"SQUALL_LOAD__HOLD": "1s"}
    assert state.debugs
    assert not world.state(environment={DEBUG: "0"}).debugs


def test_an_output_that_cannot_be_written_is_an_error_with_words(world: Any) -> None:
    state = world.state()
    state.stdout = Failing(OSError(28, "No space left on device"))
    with pytest.raises(EnvironmentFailure, match="No space left"):
        state.say("x")


def test_a_warning_that_cannot_be_shown_fails_nothing(world: Any) -> None:
    state = world.state()
    state.stderr = Failing(BrokenPipeError())
    state.tell("x")


@pytest.mark.parametrize(("term", "dumb"), [("dumb", True), ("xterm-256color", False), ("", False)])
def test_a_dumb_terminal_is_known_by_its_name(world: Any, term: str, dumb: bool) -> None:
    state = world.state(environment={"TERM": term}, is_terminal=True)
    assert state.is_dumb == dumb
    assert state.has_colour(state.stderr) == (not dumb)
