"""The pacer's wheel: everybody is asked when due, once, and nobody is woken for nothing."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from both_forms import FORMS, module_in

MS = 10**6
NEVER = 1 << 62


class Paced:
    """What a pacer needs of a session: it sends each `every` nanoseconds, until `leave`."""

    def __init__(self, due_ns: int, every: int, leave: int) -> None:
        self.due_ns, self.every, self.leave = due_ns, every, leave
        self.slot = -1
        self.asked: list[int] = []

    def on_due(self, now: int) -> int:
        self.asked.append(now)
        while self.due_ns <= now:
            self.due_ns += self.every
        if self.due_ns >= self.leave:
            self.due_ns = NEVER
        return self.due_ns


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """From its source, made for these sessions: compiled, it takes real ones only."""
    module = module_in(FORMS[1], "squall.engine.pacer")
    monkeypatch.setattr(module, "Session", Paced)
    return module


class Woken:
    def __init__(self, source: ModuleType) -> None:
        self.armed: list[int] = []
        self.pacer: Any = source.Pacer(MS, 0, self.armed.append, self.fail)

    def fail(self, error: BaseException) -> None:
        raise error

    def go(self, until: int) -> None:
        """Wake it whenever it asked to be."""
        while self.armed and self.armed[-1] <= until:
            self.pacer._tick(self.armed[-1])


def test_each_is_asked_when_it_is_due(source: ModuleType) -> None:
    woken = Woken(source)
    one, other = Paced(5 * MS, 10 * MS, NEVER), Paced(7_300_000, 20 * MS, NEVER)
    woken.pacer.enrol(one)
    woken.pacer.enrol(other)
    woken.go(50 * MS)
    assert one.asked == [5 * MS, 15 * MS, 25 * MS, 35 * MS, 45 * MS]
    assert other.asked == [7_300_000, 27_300_000, 47_300_000]


def test_once_nobody_is_due_any_more_the_timer_is_set_to_never(source: ModuleType) -> None:
    """A timer that has expired and is not set anew would wake the loop again and again."""
    woken = Woken(source)
    woken.pacer.enrol(Paced(5 * MS, 10 * MS, 20 * MS))
    woken.go(100 * MS)
    assert woken.armed[-1] == NEVER


def test_one_that_comes_again_is_asked_from_its_new_due_time_on(source: ModuleType) -> None:
    woken = Woken(source)
    session = Paced(5 * MS, 10 * MS, NEVER)
    woken.pacer.enrol(session)
    session.due_ns = 3 * MS
    woken.pacer.enrol(session)
    assert woken.pacer.waiting == 1
    woken.go(20 * MS)
    assert session.asked == [3 * MS, 13 * MS]
    session.due_ns = NEVER
    woken.pacer.enrol(session)
    assert woken.pacer.waiting == 0
