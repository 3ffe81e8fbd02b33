"""The priority echo: what was read in one go is answered by priority, in order within each."""

from __future__ import annotations

from typing import Any

from service_wires import BINARY, Loop, Wire, message, strikes_of
from squall.reference.counters import Tally
from squall.reference.neighbours import Neighbours
from squall.reference.outlet import Sender
from squall.reference.priorities import PriorityEcho

LOW, NORMAL, MEDIUM, HIGH = 1, 2, 3, 4


class Service:
    def __init__(self, bugs: str = "") -> None:
        self.loop, self.wire, self.now_ns = Loop(), Wire(), 0
        loop: Any = self.loop
        self.echo = PriorityEcho(
            Neighbours(), Sender(Tally()).deliver, loop, strikes_of(bugs), clock=lambda: self.now_ns
        )

    def read(self, *priorities: int, begin: int = 0) -> None:
        for number, priority in enumerate(priorities, begin):
            payload = message(sequence=number, priority=priority)
            self.echo.on_message(self.wire, BINARY, memoryview(payload))

    def answered(self) -> list[int]:
        return [int.from_bytes(payload[17:21], "little") for _, payload in self.wire.frames]


def test_one_go_is_answered_by_priority_and_in_order_within_each() -> None:
    service = Service()
    service.read(LOW, HIGH, 0, NORMAL, MEDIUM, HIGH, LOW)
    assert service.answered() == []
    service.loop.pass_time(0)
    assert service.answered() == [1, 5, 4, 2, 3, 0, 6]


def test_the_next_go_waits_for_nobody() -> None:
    service = Service()
    service.read(LOW)
    service.loop.pass_time(0)
    service.read(HIGH, begin=1)
    service.loop.pass_time(0)
    assert service.answered() == [0, 1]


def test_a_go_is_cut_at_5_ms() -> None:
    service = Service()
    service.read(LOW)
    service.now_ns = 4_999_999
    service.read(LOW, begin=1)
    assert service.answered() == []
    service.now_ns = 5_000_000
    service.read(HIGH, begin=2)
    assert service.answered() == [2, 0, 1]
    service.read(HIGH, begin=3)
    service.loop.pass_time(0)
    assert service.answered() == [2, 0, 1, 3]


def test_what_states_no_priority_is_normal_and_comes_back_as_it_was() -> None:
    service = Service()
    service.echo.on_message(service.wire, BINARY, memoryview(b"plain"))
    service.read(MEDIUM)
    service.loop.pass_time(0)
    assert [payload for _, payload in service.wire.frames] == [message(priority=MEDIUM), b"plain"]


def test_ignored_priorities_are_answered_as_they_arrive() -> None:
    service = Service("ignore-priorities:1")
    service.read(LOW, HIGH, NORMAL)
    assert service.answered() == [0, 1, 2]
    second = Service("ignore-priorities:2")
    second.read(HIGH, LOW, MEDIUM, LOW)
    second.loop.pass_time(0)
    assert second.answered() == [1, 3, 0, 2]


def test_who_has_gone_meanwhile_gets_no_answer() -> None:
    service = Service()
    service.read(LOW)
    service.wire.is_cut = True
    service.loop.pass_time(0)
    assert service.answered() == []
