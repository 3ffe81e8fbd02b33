"""Effects that wait for their cause, and how many."""

from __future__ import annotations

from squall.delivery.causality import WAITING_MAX, Waiting


def test_a_cause_that_comes_after_its_effects_finds_them_once() -> None:
    waiting: Waiting[str] = Waiting()
    waiting.add(1, 0, "a")
    waiting.add(2, 0, "b")
    waiting.add(1, 0, "c")
    assert waiting.take(1, 1) == []
    assert waiting.take(1, 0) == ["a", "c"]
    assert waiting.take(1, 0) == []
    assert len(waiting) == 1


def test_of_too_many_the_oldest_are_not_judged() -> None:
    waiting: Waiting[int] = Waiting()
    for number in range(WAITING_MAX + 2):
        waiting.add(1, number // 2, number)
    assert len(waiting) == WAITING_MAX
    assert waiting.take(1, 0) == []
    assert waiting.take(1, 1) == [2, 3]
