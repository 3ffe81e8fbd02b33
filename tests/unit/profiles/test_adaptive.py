"""An adaptive ramp: how growth follows the intervals, and what turns make of a planned shape."""

from __future__ import annotations

import pytest

from squall.profiles.adaptive import Adaptive, Growth, Turn
from squall.profiles.exponential import Exponential
from squall.profiles.linear import Linear


def after(*intervals: bool | None) -> list[float]:
    """The growth after each of some intervals: slow, clear, or unknown."""
    growth, found = Growth(), []
    for slow in intervals:
        growth = growth.after(slow)
        found.append(round(growth.share, 9))
    return found


def test_each_slow_interval_halves_growth() -> None:
    assert after(True, True, True) == [0.5, 0.25, 0.125]


def test_growth_returns_by_a_tenth_from_the_second_clear_interval_on() -> None:
    assert after(True, True, False, False, False) == [0.5, 0.25, 0.25, 0.35, 0.45]
    assert after(True, False, False, False, False, False, False, False)[-2:] == [1.0, 1.0]


def test_a_slow_or_unknown_interval_begins_the_count_of_clear_ones_anew() -> None:
    assert after(True, False, True, False, False) == [0.5, 0.5, 0.25, 0.25, 0.35]
    assert after(True, False, None, False, False) == [0.5, 0.5, 0.5, 0.5, 0.6]


def test_where_nothing_is_known_growth_stays_as_it_is() -> None:
    assert after(None, True, None, None, None) == [1.0, 0.5, 0.5, 0.5, 0.5]


def test_a_stop_is_for_good() -> None:
    frozen = Growth().after(False, stop=True)
    assert frozen.is_frozen
    assert frozen.after(False).after(False) == frozen


def test_undisturbed_it_is_the_planned_shape_move_by_move() -> None:
    planned = Exponential(10, 1000, 30.0)
    moves, asked = Adaptive(planned).moves(0), planned.moves(0)
    assert moves.offset_s.tolist() == asked.offset_s.tolist()
    assert moves.session.tolist() == asked.session.tolist()
    assert Adaptive(planned).describe() == f"{planned.describe()}, slower while the target is slow"


def test_half_the_growth_takes_twice_the_time_from_the_turn_on() -> None:
    ramp = Adaptive(Linear(0, 100, 10.0)).turned(4.0, 0.5)
    assert [ramp.level_at(t_s) for t_s in (2.0, 4.0, 6.0, 10.0, 16.0)] == [20, 40, 50, 70, 100]
    assert (ramp.duration_s, ramp.end, ramp.share) == (16.0, 100, 0.5)


def test_a_later_turn_counts_from_where_the_first_one_led() -> None:
    ramp = Adaptive(Linear(0, 100, 10.0)).turned(4.0, 0.5).turned(8.0, 1.0)
    assert [ramp.level_at(t_s) for t_s in (8.0, 9.0, 12.0)] == [60, 70, 100]
    assert ramp.duration_s == 12.0


def test_a_freeze_keeps_the_level_of_that_moment() -> None:
    ramp = Adaptive(Linear(0, 100, 10.0)).turned(4.0, 0.5).turned(6.0, 0.0)
    assert (ramp.end, ramp.duration_s, ramp.level_at(100.0)) == (50, 6.0, 50)
    assert len(ramp.moves(0)) == 50


def test_a_turn_after_the_end_changes_nothing() -> None:
    ramp = Adaptive(Linear(0, 100, 10.0)).turned(10.0, 0.0)
    assert (ramp.end, ramp.duration_s) == (100, 10.0)


@pytest.mark.parametrize(
    "turns",
    [
        (Turn(5.0, 0.5), Turn(4.0, 1.0)),
        (Turn(5.0, 0.0), Turn(6.0, 1.0)),
        (Turn(5.0, 1.5),),
        (Turn(-1.0, 0.5),),
    ],
)
def test_turns_that_cannot_follow_each_other_are_refused(turns: tuple[Turn, ...]) -> None:
    with pytest.raises(ValueError, match="cannot follow"):
        Adaptive(Linear(0, 100, 10.0), turns)
