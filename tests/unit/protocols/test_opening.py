"""The opening of a connection, step by step."""

from __future__ import annotations

from typing import Any

from squall.protocols.base import Surroundings
from squall.protocols.opening import Opening, Script, Turn
from squall.scenario.exchanges import OpeningStep
from unit.protocols.talks import SEAT, frame

LOGIN = {
    "send": {"op": "login", "token": "{token}", "at": "{now_ms}"},
    "expect": [{"field": "op", "equals": "welcome"}],
    "refuse": [{"field": "op", "equals": "denied"}],
    "timeout": 3,
}
SUBSCRIBE = {"send": "sub {user} {session}", "expect": [{"matches": "^subscribed"}]}


def opening(*steps: dict[str, Any]) -> Opening:
    around = Surroundings(started_wall_ns=1_700_000_000_000_000_000)
    return Opening(Script([OpeningStep.model_validate(step) for step in steps], SEAT, around))


def test_each_step_waits_for_the_answer_to_the_one_before() -> None:
    made = opening(LOGIN, SUBSCRIBE, {"send": "go"})
    first = made.begin(5_000_000)
    assert first == Turn(('{"op":"login","token":"se\\"cret","at":1700000000005}',), wait_s=3.0)
    assert made.read(frame({"op": "news"})) is None
    assert made.read(frame({"op": "welcome"})) == Turn(("sub ada 7",), wait_s=10.0)
    assert made.read(frame("subscribed to all")) == Turn(("go",), is_over=True)


def test_steps_that_only_send_are_over_at_once() -> None:
    assert opening({"send": "a"}, {"send": "b"}).begin(0) == Turn(("a", "b"), is_over=True)


def test_a_greeting_may_be_waited_for() -> None:
    made = opening({"expect": [{"matches": "hello"}], "timeout": 1})
    assert made.begin(0) == Turn((), wait_s=1.0)
    assert made.read(frame("hello")) == Turn((), is_over=True)


def test_a_refusal_and_a_silence_are_named_with_their_step_where_there_are_several() -> None:
    alone = opening(LOGIN)
    alone.begin(0)
    assert alone.read(frame({"op": "denied"})) == Turn(failed="refused")
    assert alone.late() == "timeout"
    second = opening(LOGIN, SUBSCRIBE)
    second.begin(0)
    second.read(frame({"op": "welcome"}))
    assert second.late() == "timeout_at_step_2"
