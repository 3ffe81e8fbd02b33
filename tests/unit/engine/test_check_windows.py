"""What is counted for stability checks, window by window, in both forms of the module."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from both_forms import FORMS, module_in
from squall.record.snapshots import CheckCell

S = 1_000_000_000
DRAIN = 10 * S
SPIKE = S // 2


@pytest.fixture(params=FORMS)
def module(request: pytest.FixtureRequest) -> ModuleType:
    return module_in(str(request.param), "squall.engine.check_windows")


def windows(module: ModuleType) -> Any:
    """A ramp of two seconds, then a hold checked each three seconds from the second on."""
    made = module.CheckWindows(DRAIN)
    made.begin(0, 0, 0, 0)
    made.begin(1, 2 * S, 3 * S, SPIKE)
    return made


def test_a_message_counts_in_the_window_in_which_it_was_due(module: ModuleType) -> None:
    made = windows(module)
    for due in (S, 2 * S, 5 * S - 1, 5 * S, 7 * S):
        made.sent_at(due)
        made.delivered_at(due, due + 1000, 7)
    made.sent_at(6 * S)
    assert made.take(7 * S, 0) == [CheckCell(1, 0, 0, 0, 2, 2, 0), CheckCell(1, 1, 0, 0, 3, 2, 0)]


def test_only_changes_are_told(module: ModuleType) -> None:
    made = windows(module)
    made.sent_at(2 * S)
    assert made.take(3 * S, 0) == [CheckCell(1, 0, sent=1)]
    made.delivered_at(2 * S, 4 * S, 7)
    assert made.take(4 * S, 0) == [CheckCell(1, 0, delivered=1, spiked=1)]
    assert made.take(5 * S - 1, 0) == []


def test_a_connection_spikes_once_in_a_window_and_only_above_the_bound(module: ModuleType) -> None:
    made = windows(module)
    made.delivered_at(2 * S, 2 * S + SPIKE, 1)
    made.delivered_at(2 * S, 2 * S + SPIKE + 1, 2)
    made.delivered_at(3 * S, 4 * S, 2)
    made.delivered_at(3 * S, 4 * S, 3)
    made.delivered_at(5 * S, 6 * S, 2)  # the next window
    made.delivered_at(4 * S, 6 * S, 2)  # and back: a server that reorders
    assert [cell.spiked for cell in made.take(6 * S, 0)] == [2, 1]
    made.delivered_at(4 * S, 7 * S, 3)  # told already
    assert [cell.spiked for cell in made.take(7 * S, 0)] == [0]


def test_a_copy_after_the_deadline_delivers_nothing(module: ModuleType) -> None:
    made = windows(module)
    for number in range(3):
        made.sent_at(4 * S)
        made.delivered_at(4 * S, 5 * S + DRAIN - 1 + number, 7)
    assert made.take(5 * S + DRAIN - 1, 0) == [CheckCell(1, 0, sent=3, delivered=1, spiked=1)]
    made.take(5 * S + DRAIN, 0)
    made.delivered_at(4 * S, 5 * S + DRAIN + 1, 8)  # forgotten: what is counted for it now reaches nobody
    assert made.take(5 * S + DRAIN + 1, 0) == []


def test_the_end_of_the_phase_ends_its_last_window_and_moves_its_deadline(module: ModuleType) -> None:
    made = windows(module)
    made.sent_at(5 * S)
    made.begin(2, 6 * S, 0, 0)
    made.sent_at(5 * S + 1)
    made.sent_at(6 * S)
    made.delivered_at(5 * S, 6 * S + DRAIN - 1, 7)
    made.delivered_at(5 * S + 1, 6 * S + DRAIN, 7)
    assert made.take(6 * S, 0) == [CheckCell(1, 1, sent=2, delivered=1, spiked=1)]


def test_a_phase_that_is_told_of_long_before_leaves_the_windows_before_it(module: ModuleType) -> None:
    made = windows(module)
    made.sent_at(2 * S)
    made.begin(2, 11 * S, 0, 0)
    made.sent_at(9 * S)
    made.sent_at(11 * S)
    assert [(cell.index, cell.sent) for cell in made.take(11 * S, 0)] == [(0, 1), (2, 1)]


def test_held_is_that_of_the_windows_start(module: ModuleType) -> None:
    made = windows(module)
    held = 0
    for at in (S // 2, S, 4 * S):  # two connect in the ramp, one in the first window
        made.roll(at, held)
        made.joined_at(at)
        held += 1
    made.roll(9 * S, held)  # nothing has changed at the starts of two windows
    made.dropped_at(9 * S)
    held -= 1
    cells = made.take(9 * S, held)
    assert [(cell.index, cell.held, cell.drops) for cell in cells] == [(0, 2, 0), (1, 3, 0), (2, 3, 1)]
    assert [cell.joined for cell in cells] == [1, 0, 0]
    assert made.take(10 * S, held) == []


def test_what_was_held_back_and_given_up_was_not_sent(module: ModuleType) -> None:
    made = windows(module)
    made.sent_at(2 * S)
    made.sent_at(3 * S)
    made.unsent_at(2 * S)
    assert made.take(3 * S, 0) == [CheckCell(1, 0, sent=1)]
    made.unsent_at(3 * S)
    assert made.take(4 * S, 0) == [CheckCell(1, 0, sent=-1)]


def test_windows_are_forgotten(module: ModuleType) -> None:
    made = module_in("source", "squall.engine.check_windows").CheckWindows(DRAIN)
    made.begin(1, 0, S, SPIKE)
    for second in range(1000):
        made.sent_at(second * S)
        made.take(second * S, 0)
        assert len(made.open) <= DRAIN // S + 2
