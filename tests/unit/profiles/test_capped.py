"""A cap on the connect rate of any profile."""

from __future__ import annotations

import math

import numpy as np
import pytest

from squall.profiles.capped import capped
from squall.profiles.constant import Constant
from squall.profiles.linear import Linear
from squall.profiles.sequence import Sequence
from squall.profiles.stepped import Stepped


def test_a_ramp_that_is_too_steep_takes_longer() -> None:
    profile = capped(Linear(0, 10_000, 10.0), 500.0, previous=0)
    assert profile.duration_s == pytest.approx(0.001 + 9999 / 500)
    assert profile.level_at(profile.duration_s) == profile.end == 10_000
    assert profile.needs(0).connect_rate_peak_per_s == 500
    assert profile.describe() == (
        "linear from 0 to 10,000 connections in 10 s, at most 500 connects/s"
        " (which makes it 20 s long instead of 10 s)"
    )


def test_a_ramp_below_the_cap_is_left_as_it_is() -> None:
    ramp = Linear(0, 100, 10.0)
    profile = capped(ramp, 11.0, previous=0)
    assert profile.moves(0).offset_s.tolist() == ramp.moves(0).offset_s.tolist()
    assert profile.duration_s == 10.0
    assert profile.describe().endswith("at most 11 connects/s (which it never reaches)")


def test_the_jump_from_the_level_before_is_capped_too() -> None:
    profile = capped(Constant(10, 1.0), 2.0, previous=4)
    moves = profile.moves(previous=4)
    assert moves.session.tolist() == [4, 5, 6, 7, 8, 9]
    assert moves.offset_s.tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert (profile.start, profile.level_at(0), profile.duration_s) == (4, 5, 2.5)


def test_steps_become_slopes_without_moving_the_end() -> None:
    profile = capped(Stepped.of(0, 20, steps=2, hold_s=10.0), 2.0, previous=0)
    assert [profile.level_at(t) for t in (0, 2, 5, 9.9, 10, 12, 14.5)] == [1, 5, 10, 10, 11, 15, 20]
    assert profile.duration_s == 20.0
    assert profile.describe().endswith("(which holds some of them back, but not the end)")


def test_closes_come_when_planned() -> None:
    ramp_down = Linear(1000, 0, 1.0)
    profile = capped(ramp_down, 1.0, previous=1000)
    assert profile.moves(1000).offset_s.tolist() == ramp_down.moves(1000).offset_s.tolist()


def test_a_connect_overtaken_by_its_close_is_not_made() -> None:
    plan = Sequence(
        (Constant(10, 2.0, from_level=0), Constant(3, 1.0, from_level=10), Constant(6, 1.0, from_level=3))
    )
    profile = capped(plan, 2.0, previous=0)
    moves = profile.moves(0)
    assert moves.offset_s.tolist() == [0, 0.5, 1, 1.5, 2, 3, 3.5, 4]
    assert moves.session.tolist() == [0, 1, 2, 3, 3, 3, 4, 5]
    assert moves.opens.tolist() == [True, True, True, True, False, True, True, True]
    assert profile.describe().endswith("(which holds some of them back, but not the end)")


def test_a_connect_still_waiting_when_the_plan_stays_above_it_is_made_later() -> None:
    plan = Sequence((Constant(10, 2.0, from_level=0), Constant(6, 1.0, from_level=10)))
    assert np.allclose(capped(plan, 1.0, previous=0).moves(0).offset_s, [0, 1, 2, 3, 4, 5])


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="connect_rate_max is"):
        capped(Constant(1), rate, previous=0)


def test_a_level_before_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="previous is"):
        capped(Constant(1), 1.0, previous=-1)
