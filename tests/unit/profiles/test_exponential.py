"""The exponential profile: continuous and in steps, up, down, and down to nothing."""

from __future__ import annotations

import math

import pytest

from squall.profiles.exponential import Exponential


def test_it_doubles_exactly_on_time() -> None:
    profile = Exponential.of(10, 10_240, double_every_s=30.0)
    assert profile.duration_s == 300.0
    assert [profile.level_at(30.0 * n) for n in range(11)] == [10 * 2**n for n in range(11)]
    assert [profile.level_at(30.0 * n - 1e-6) for n in range(1, 11)] == [10 * 2**n - 1 for n in range(1, 11)]


def test_the_doubling_time_follows_from_the_duration() -> None:
    profile = Exponential.of(10, 10_000, duration_s=300.0)
    assert profile.double_every_s == pytest.approx(300 / math.log2(1000))
    assert profile.level_at(150.0) == 316  # the square root of a thousandfold: 10 · 31.62
    assert profile.level_at(300.0) == profile.end == 10_000
    assert profile.describe() == "exponential from 10 to 10,000 connections in 5 min, doubling every 30.1 s"


def test_the_duration_follows_from_the_doubling_time() -> None:
    profile = Exponential.of(10, 10_000, double_every_s=30.0)
    assert profile.duration_s == pytest.approx(30 * math.log2(1000))
    assert profile.level_at(60.0) == 40
    assert profile.level_at(profile.duration_s) == 10_000


def test_both_may_stand_together_where_they_agree_but_for_rounding() -> None:
    profile = Exponential.of(10, 10_000, duration_s=300.0, double_every_s=30.0)
    assert profile.duration_s == 300.0


def test_both_contradicting_each_other_are_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match=r"duration \(1 min\) and double_every \(30 s\).* takes 4 min 59 s"):
        Exponential.of(10, 10_000, duration_s=60.0, double_every_s=30.0)
    with pytest.raises(ValueError, match="contradict"):
        Exponential.of(10, 10, duration_s=60.0, double_every_s=30.0)


@pytest.mark.parametrize("double_every_s", [0.0, -1.0, math.inf, math.nan])
def test_a_doubling_time_out_of_range_is_refused(double_every_s: float) -> None:
    with pytest.raises(ValueError, match="double_every is"):
        Exponential.of(1, 2, double_every_s=double_every_s)


def test_neither_is_refused() -> None:
    with pytest.raises(ValueError, match="needs its duration or its doubling time"):
        Exponential.of(1, 2)


def test_nothing_cannot_double() -> None:
    with pytest.raises(ValueError, match="cannot start at 0 connections"):
        Exponential(0, 10, 1.0)


@pytest.mark.parametrize("fields", [(-1, 1, 1.0), (1, -1, 1.0), (1, 1, -1.0)])
def test_what_is_out_of_range_is_refused(fields: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError, match=r"start is|target is|duration is"):
        Exponential(*fields)


def test_down_it_halves() -> None:
    profile = Exponential.of(80, 10, double_every_s=10.0)
    assert profile.duration_s == 30.0
    assert [profile.level_at(10.0 * n) for n in range(4)] == [80, 40, 20, 10]
    assert profile.level_at(9.999) == 41
    assert profile.describe() == "exponential from 80 to 10 connections in 30 s, halving every 10 s"


def test_down_to_nothing_ends_one_halving_after_the_last_one() -> None:
    profile = Exponential.of(8, 0, double_every_s=10.0)
    assert profile.duration_s == 40.0
    assert [profile.level_at(10.0 * n) for n in range(5)] == [8, 4, 2, 1, 0]
    assert profile.level_at(39.999) == 1
    assert Exponential(1, 0, 5.0).level_at(4.9) == 1


def test_in_steps_the_level_jumps_at_each_doubling_and_at_the_end() -> None:
    profile = Exponential.of(10, 100, double_every_s=10.0, steps=True)
    assert profile.levels.level.tolist() == [10, 20, 40, 80, 100]
    assert profile.levels.offset_s[:4].tolist() == [0, 10, 20, 30]
    assert profile.levels.offset_s[4] == profile.duration_s == pytest.approx(33.219, abs=1e-3)
    assert profile.describe().endswith("doubling every 10 s, in steps")


def test_steps_that_end_on_a_doubling_have_no_step_left_over() -> None:
    profile = Exponential.of(10, 80, double_every_s=10.0, steps=True)
    assert profile.levels.level.tolist() == [10, 20, 40, 80]
    assert profile.levels.offset_s.tolist() == [0, 10, 20, 30]


def test_steps_go_down_too() -> None:
    profile = Exponential.of(5, 0, double_every_s=10.0, steps=True)
    assert profile.levels.level.tolist() == [5, 3, 2, 1, 0]
    assert profile.levels.offset_s[:4].tolist() == [0, 10, 20, 30]
    assert profile.level_at(profile.duration_s) == 0


@pytest.mark.parametrize("steps", [False, True])
def test_no_distance_and_no_time(steps: bool) -> None:
    still = Exponential(10, 10, 5.0, steps)
    assert (still.level_at(0), still.level_at(5), still.double_every_s) == (10, 10, math.inf)
    assert still.describe() == "exponential from 10 to 10 connections in 5 s"
    assert Exponential(10, 40, 0.0, steps).level_at(0) == 40


def test_needs_are_those_of_the_steepest_second() -> None:
    needs = Exponential.of(10, 10_240, double_every_s=30.0).needs(previous=0)
    assert needs.connections_peak == 10_240
    assert needs.connect_rate_peak_per_s == pytest.approx(10_240 * (1 - 2 ** (-1 / 30)), abs=1)
