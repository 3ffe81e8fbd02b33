"""The sequence of profiles."""

from __future__ import annotations

import pytest

from squall.profiles.constant import Constant
from squall.profiles.linear import Linear
from squall.profiles.sequence import Sequence
from squall.profiles.stepped import Stepped


def test_the_parts_follow_each_other() -> None:
    profile = Sequence((Linear(0, 10, 1.0), Constant(10, 2.0), Linear(10, 0, 5.0)))
    assert [profile.level_at(t) for t in (0, 0.5, 1, 2.9, 3.5, 5.5, 8)] == [0, 5, 10, 10, 9, 5, 0]
    assert (profile.start, profile.end, profile.duration_s) == (0, 0, 8.0)


def test_a_part_that_jumps_at_its_start_wins_over_the_end_of_the_one_before() -> None:
    profile = Sequence(
        (Linear(0, 10, 1.0), Stepped.of(10, 30, steps=2, hold_s=1.0), Constant(5, 1.0, from_level=30))
    )
    assert [profile.level_at(t) for t in (0.99, 1, 1.99, 2, 2.99, 3, 4)] == [9, 20, 20, 30, 30, 5, 5]
    assert profile.moves(previous=0).session[9:11].tolist() == [9, 10]


def test_a_part_without_time_leaves_no_trace() -> None:
    profile = Sequence((Constant(5, 1.0), Constant(100, 0.0, from_level=5), Linear(100, 5, 0.0)))
    assert len(profile.moves(previous=5)) == 0


def test_sequences_nest() -> None:
    inner = Sequence((Linear(0, 10, 1.0), Linear(10, 20, 1.0)))
    assert Sequence((inner, Linear(20, 0, 2.0))).level_at(3.0) == 10


def test_a_part_that_starts_elsewhere_is_named() -> None:
    with pytest.raises(ValueError, match=r"part 2 \(linear .*\) starts from 9, but part 1 .* ends at 10"):
        Sequence((Linear(0, 10, 1.0), Linear(9, 20, 1.0)))


def test_no_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        Sequence(())


def test_words() -> None:
    first, second = Linear(0, 10, 1.0), Constant(10, 2.0)
    assert Sequence((first,)).describe() == first.describe()
    assert Sequence((first, second)).describe() == (
        "linear from 0 to 10 connections in 1 s; then constant at 10 connections for 2 s"
        " (2 parts, 3 s in all)"
    )
