"""The stepped profile: steps by number and by size, by duration and by hold."""

from __future__ import annotations

import math

import pytest

from squall.profiles.stepped import Stepped


def test_each_step_is_held_and_the_first_comes_at_once() -> None:
    profile = Stepped.of(0, 100, steps=5, duration_s=30.0)
    assert profile.levels.level.tolist() == [20, 40, 60, 80, 100]
    assert profile.levels.offset_s.tolist() == [0, 6, 12, 18, 24]
    assert (profile.start, profile.end, profile.duration_s, profile.hold_s) == (0, 100, 30.0, 6.0)


def test_a_step_size_gives_the_number_of_steps_and_the_last_takes_what_is_left() -> None:
    profile = Stepped.of(10, 100, step_size=40, hold_s=0.1)
    assert profile.levels.level.tolist() == [50, 90, 100]
    assert profile.levels.offset_s.tolist() == [0, 0.1, 0.2]
    assert profile.duration_s == pytest.approx(0.3)


def test_steps_go_down_too() -> None:
    assert Stepped.of(100, 0, steps=4, hold_s=1.0).levels.level.tolist() == [75, 50, 25, 0]
    assert Stepped.of(100, 0, step_size=60, hold_s=1.0).levels.level.tolist() == [40, 0]


def test_steps_that_do_not_divide_evenly_differ_by_one() -> None:
    assert Stepped.of(0, 10, steps=4, duration_s=4.0).levels.level.tolist() == [2, 5, 7, 10]


def test_more_steps_than_connections_leave_some_steps_out() -> None:
    profile = Stepped.of(0, 2, steps=4, duration_s=4.0)
    assert [profile.level_at(t) for t in range(5)] == [0, 1, 1, 2, 2]


def test_no_distance_is_one_step() -> None:
    profile = Stepped.of(5, 5, step_size=3, hold_s=2.0)
    assert (profile.steps, profile.duration_s, profile.level_at(1)) == (1, 2.0, 5)


def test_words() -> None:
    assert Stepped.of(0, 100, steps=5, duration_s=30.0).describe() == (
        "5 steps of 20 connections from 0 to 100, each held for 6 s"
    )
    assert Stepped.of(0, 10, steps=4, duration_s=4.0).describe().startswith("4 steps of about 2 connections")
    assert (
        Stepped.of(0, 100, step_size=40, hold_s=1.0).describe().startswith("3 steps of up to 40 connections")
    )
    assert Stepped.of(0, 1, steps=1, hold_s=1.0).describe().startswith("1 step of 1 connection from")


@pytest.mark.parametrize("given", [{}, {"steps": 2, "step_size": 5}])
def test_steps_are_given_by_number_or_by_size(given: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="either the number of its steps or their size"):
        Stepped.of(0, 10, duration_s=1.0, **given)


@pytest.mark.parametrize("given", [{}, {"duration_s": 2.0, "hold_s": 1.0}])
def test_time_is_given_by_duration_or_by_hold(given: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="either its duration or how long each step is held"):
        Stepped.of(0, 10, steps=2, **given)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"steps": 0, "duration_s": 1.0}, "takes from 1 to"),
        ({"step_size": 0, "duration_s": 1.0}, "leads nowhere"),
        ({"steps": 1, "hold_s": -1.0}, "hold is"),
        ({"steps": 1, "duration_s": math.inf}, "duration is"),
    ],
)
def test_what_is_out_of_range_is_refused(given: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Stepped.of(0, 10, **given)  # type: ignore[arg-type] # the table mixes whole numbers and times


def test_a_number_of_steps_that_contradicts_their_size_is_refused() -> None:
    with pytest.raises(ValueError, match="2 steps of 5 do not lead from 0 to 100 connections"):
        Stepped(0, 100, 2, 1.0, step_size=5)
