"""The linear profile."""

from __future__ import annotations

import pytest

from squall.profiles.linear import Linear


def test_up_the_level_is_the_last_whole_number_reached() -> None:
    profile = Linear(0, 100, 10.0)
    assert [profile.level_at(t) for t in (0, 0.0999999, 0.1, 0.3, 4.99, 5, 9.999, 10)] == [
        0,
        0,
        1,
        3,
        49,
        50,
        99,
        100,
    ]


def test_down_the_level_is_the_last_whole_number_reached() -> None:
    profile = Linear(100, 0, 10.0)
    assert [profile.level_at(t) for t in (0, 0.0999999, 0.1, 5, 9.999, 10)] == [100, 100, 99, 50, 1, 0]


def test_each_tenth_of_a_second_is_reached_on_time() -> None:
    profile = Linear(0, 100, 10.0)
    assert [profile.level_at(tenths / 10) for tenths in range(101)] == list(range(101))


def test_no_distance_and_no_time() -> None:
    assert Linear(7, 7, 5.0).level_at(3) == 7
    assert len(Linear(7, 7, 5.0).moves(previous=7)) == 0
    assert Linear(0, 5, 0.0).level_at(0) == 5
    assert Linear(0, 5, 0.0).moves(previous=0).offset_s.tolist() == [0] * 5


def test_words_and_needs() -> None:
    assert Linear(0, 10_000, 90.0).describe() == "linear from 0 to 10,000 connections in 1 min 30 s"
    needs = Linear(0, 100, 10.0).needs(previous=0)
    assert (needs.connections_peak, needs.connect_rate_peak_per_s, needs.duration_s) == (100, 10, 10.0)


@pytest.mark.parametrize("fields", [(-1, 1, 1.0), (1, -1, 1.0), (1, 1, -1.0)])
def test_what_is_out_of_range_is_refused(fields: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError, match=r"start is|target is|duration is"):
        Linear(*fields)
