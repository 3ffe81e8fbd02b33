"""What a worker makes of the turns of an adaptive ramp, in time and too late."""

from __future__ import annotations

from typing import Any

from squall.engine.base import PROTOCOL_VERSION, FromWorker, Steer, ToWorker, Welcome
from squall.engine.worker import Worker
from squall.scenario.codec import to_bytes
from squall.scenario.loader import load_scenario

S = 10**9


class Silent:
    """An end of a channel on which nothing is said."""

    async def receive(self) -> ToWorker | None:
        return None

    def send(self, message: FromWorker) -> None:
        raise AssertionError(f"a turn is not answered, and this was: {message}")


class Here:
    """The sessions that a worker has, and which of them it was told to let go."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)
        self.leaving: list[int] = []

    def remaining(self) -> list[int]:
        return self.numbers

    def plan_leave(self, number: int, _at_ns: int) -> None:
        self.leaving.append(number)


def after(moves: list[tuple[int, int, bool]], turn: Steer, here: Here) -> list[tuple[int, int, bool]]:
    """What a worker still has to do after a turn."""
    scenario = to_bytes(load_scenario({"target": "ws://service.example/"}).scenario)
    welcome = Welcome(version=PROTOCOL_VERSION, worker=0, workers=2, run_number=1, scenario=scenario)
    worker: Any = Worker(Silent(), welcome)
    worker._start_ns, worker._roster = 0, here
    worker._moves.extend(moves)
    worker._steer(turn)
    return list(worker._moves)


MOVES = [(2 * S, 4, True), (3 * S, 6, True), (5 * S, 8, True)]


def test_what_comes_after_the_turn_takes_longer() -> None:
    turn = Steer(at_ns=2 * S, stretch=2.0, level=5)
    assert after(MOVES, turn, Here(0, 2)) == [(2 * S, 4, True), (4 * S, 6, True), (8 * S, 8, True)]


def test_a_freeze_leaves_only_what_is_due_before_it() -> None:
    here = Here(0, 2)
    assert after(MOVES, Steer(at_ns=2 * S, stretch=None, level=5), here) == [(2 * S, 4, True)]
    assert here.leaving == []


def test_a_freeze_that_comes_too_late_lets_go_of_those_beyond_its_level() -> None:
    here = Here(0, 2, 4, 6)
    assert after([(5 * S, 8, True)], Steer(at_ns=2 * S, stretch=None, level=3), here) == [
        (2 * S, 4, False),
        (2 * S, 6, False),
    ]
    assert here.leaving == [4, 6]
