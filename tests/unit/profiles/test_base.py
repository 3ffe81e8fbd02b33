"""The staircase that every profile is, and the moves and needs that are read off it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from squall.profiles.base import (
    LEVEL_MAX,
    Levels,
    Needs,
    checked_duration_s,
    checked_level,
    connections_in_words,
    duration_in_words,
)
from squall.profiles.constant import Constant
from squall.profiles.linear import Linear


def test_of_several_levels_at_one_offset_the_last_counts() -> None:
    levels = Levels([0, 0, 1, 1, 1, 2], [1, 2, 9, 2, 3, 3], duration_s=2)
    assert levels.offset_s.tolist() == [0, 1]
    assert levels.level.tolist() == [2, 3]


def test_offsets_stand_on_whole_nanoseconds_and_never_pass_the_end() -> None:
    levels = Levels([0, 0.1 + 0.2, 2 / 3], [0, 1, 2], duration_s=2 / 3)
    assert levels.offset_s.tolist() == [0, 0.3, 2 / 3]
    assert levels.at(0.3) == 1
    assert levels.at(2 / 3) == 2


def test_a_level_outside_the_shape_is_its_first_or_last_one() -> None:
    levels = Levels([0, 5], [3, 7], duration_s=6)
    assert [levels.at(t_s) for t_s in (-1.0, 0.0, 4.999999, 5.0, 1e9)] == [3, 3, 3, 7, 7]


def test_opens_take_the_lowest_free_index_and_closes_the_highest_in_use() -> None:
    moves = Levels([0, 1, 2], [3, 1, 2], duration_s=2).moves(previous=1)
    assert moves.offset_s.tolist() == [0, 0, 1, 1, 2]
    assert moves.session.tolist() == [1, 2, 2, 1, 1]
    assert moves.opens.tolist() == [True, True, False, False, True]
    assert len(moves) == 5


def test_the_step_from_the_level_before_may_go_down() -> None:
    moves = Levels([0], [2], duration_s=0).moves(previous=5)
    assert moves.session.tolist() == [4, 3, 2]
    assert not moves.opens.any()


def test_no_change_is_no_move() -> None:
    assert len(Levels([0], [4], duration_s=9).moves(previous=4)) == 0


def test_a_workers_moves_are_those_of_its_sessions() -> None:
    moves = Linear(0, 10, 10.0).moves(previous=0)
    shares = [moves.of_worker(worker, 3) for worker in range(3)]
    assert [mine.session.tolist() for mine in shares] == [[0, 3, 6, 9], [1, 4, 7], [2, 5, 8]]
    assert shares[1].offset_s.tolist() == [2, 5, 8]


@pytest.mark.parametrize(
    ("previous", "needs"),
    [(0, Needs(100, 100.0, 2.0)), (100, Needs(100, 0.0, 2.0)), (130, Needs(130, 0.0, 2.0))],
)
def test_what_a_profile_needs_depends_on_the_level_before(previous: int, needs: Needs) -> None:
    assert Constant(100, 2.0).needs(previous) == needs


def test_the_connect_rate_peak_is_the_most_connects_in_any_one_second() -> None:
    assert Linear(0, 10_000, 10.0).needs(0).connect_rate_peak_per_s == 1000
    assert Linear(0, 10, 0.1).needs(0).connect_rate_peak_per_s == 10
    assert Linear(0, 10, 100.0).needs(0).connect_rate_peak_per_s == 1


def test_the_staircase_is_computed_once() -> None:
    profile = Linear(0, 10, 1.0)
    assert profile.levels is profile.levels


def test_equal_fields_make_equal_profiles() -> None:
    assert Linear(0, 10, 1.0) == Linear(0, 10, 1.0)
    assert Linear(0, 10, 1.0) != Linear(0, 10, 2.0)


@pytest.mark.parametrize("level", [-1, LEVEL_MAX + 1])
def test_a_level_out_of_range_is_refused(level: int) -> None:
    with pytest.raises(ValueError, match=r"target is .* connections; it goes from 0 to 10,000,000"):
        checked_level("target", level)
    assert checked_level("target", LEVEL_MAX) == LEVEL_MAX


@pytest.mark.parametrize("duration_s", [-0.1, math.nan, math.inf])
def test_a_duration_out_of_range_is_refused(duration_s: float) -> None:
    with pytest.raises(ValueError, match=r"duration is .* seconds"):
        checked_duration_s("duration", duration_s)


def test_words() -> None:
    assert [connections_in_words(count) for count in (0, 1, 10_000)] == [
        "0 connections",
        "1 connection",
        "10,000 connections",
    ]
    assert [duration_in_words(t) for t in (300, 30.10299957, 19.9990000001, 5400.4)] == [
        "5 min",
        "30.1 s",
        "20 s",
        "1 h 30 min",
    ]


def test_moves_are_typed_arrays() -> None:
    moves = Linear(3, 0, 1.0).moves(previous=3)
    assert (moves.offset_s.dtype, moves.session.dtype, moves.opens.dtype) == (np.float64, np.int64, np.bool_)
