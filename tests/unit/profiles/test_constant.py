"""The constant profile."""

from __future__ import annotations

import pytest

from squall.profiles.constant import Constant


def test_the_level_is_there_at_once_and_to_the_end() -> None:
    profile = Constant(100, 30.0)
    assert [profile.level_at(t_s) for t_s in (-1, 0, 15, 30, 99)] == [100] * 5
    assert (profile.start, profile.end, profile.duration_s) == (100, 100, 30.0)
    assert profile.moves(previous=40).session.tolist() == list(range(40, 100))


def test_it_can_start_from_another_level() -> None:
    profile = Constant(100, 30.0, from_level=10)
    assert (profile.start, profile.level_at(0), profile.end) == (10, 100, 100)


def test_words() -> None:
    assert Constant(100, 30.0).describe() == "constant at 100 connections for 30 s"
    assert Constant(1).describe() == "constant at 1 connection"
    assert Constant(100, 60.0, from_level=0).describe() == (
        "constant at 100 connections, at once from 0 connections for 1 min"
    )


@pytest.mark.parametrize("fields", [(-1, 1.0, None), (1, -1.0, None), (1, 1.0, -1)])
def test_what_is_out_of_range_is_refused(fields: tuple[int, float, int | None]) -> None:
    with pytest.raises(ValueError, match=r"level is|duration is"):
        Constant(*fields)
