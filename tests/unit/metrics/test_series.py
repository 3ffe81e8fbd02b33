from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from made_runs import times
from squall.metrics.distribution import Distribution
from squall.metrics.series import Spreads, Times
from squall.record.snapshots import SparseHistogram


def histogram(*values_ms: float) -> SparseHistogram:
    made = times(*values_ms)
    assert made is not None
    return made


def columns(spreads: Spreads) -> list[list[float]]:
    return [
        each.tolist()
        for each in (
            spreads.at, spreads.parts, spreads.total, spreads.weight, spreads.least, spreads.most,
        )
    ]  # fmt: skip


def add(spreads: Spreads, *seconds: tuple[int, float, float, float]) -> None:
    at, *figures = (np.array(column) for column in zip(*seconds, strict=True))
    spreads.add(at, *(each.astype(np.float64) for each in figures))


def test_a_point_that_comes_again_takes_more_in() -> None:
    at_once, one_by_one = Spreads(), Spreads()
    seconds = ((1, 10, 1, 10), (4, 3, 1, 3), (4, 5, 0.5, 10), (4, 1, 1, 1))
    add(at_once, *seconds)
    for second in seconds:
        add(one_by_one, second)
    assert columns(at_once) == columns(one_by_one)
    assert columns(at_once) == [[1, 4], [1, 3], [10, 9], [1, 2.5], [10, 1], [10, 10]]


def test_neighbours_become_one_also_where_only_one_of_them_has_the_figure() -> None:
    spreads = Spreads()
    add(spreads, *((at, at, 1, at) for at in (1, 4, 5, 8)))
    spreads.halve()
    assert columns(spreads) == [[0, 2, 4], [1, 2, 1], [1, 9, 8], [1, 2, 1], [1, 4, 8], [1, 5, 8]]
    add(spreads, (4, 1, 1, 1), (5, 7, 1, 7))
    assert columns(spreads)[:2] == [[0, 2, 4, 5], [1, 2, 2, 1]]


@given(st.lists(st.floats(0.001, 1e9), min_size=1, max_size=40), st.integers(1, 40))
def test_it_does_not_matter_how_many_seconds_come_at_once(levels: list[float], many: int) -> None:
    at_once, by_turns = Spreads(), Spreads()
    seconds = [(number // 16, level, 1.0, level) for number, level in enumerate(levels)]
    add(at_once, *seconds)
    for start in range(0, len(seconds), many):
        add(by_turns, *seconds[start : start + many])
    assert columns(at_once) == columns(by_turns)


def test_times_are_read_from_all_that_a_point_took_in() -> None:
    line = Times()
    line.add(0, [histogram(1.0), histogram(9.0)])
    line.add(3, [histogram(2.0)])
    assert line.milliseconds("max").tolist() == [9, 2]
    line.add(3, [histogram(4.0, 6.0)])
    line.add(4, [histogram(7.0)])
    assert line.at.tolist() == [0, 3, 4]
    assert line.milliseconds("max").tolist() == [9, 6, 7]
    assert line.milliseconds("mean").tolist() == [5, 4, 7]
    line.halve()
    assert (line.at.tolist(), line.milliseconds("max").tolist()) == ([0, 1, 2], [9, 6, 7])
    line.halve()
    assert (line.at.tolist(), line.milliseconds("max").tolist()) == ([0, 1], [9, 7])
    assert line.whole(np.array([True, False])).count == 5


def test_points_are_read_as_they_come_and_the_last_one_again_when_it_took_more_in() -> None:
    line = Times()
    for number in range(200):
        line.add(number // 2, [histogram(1.0 + number)])
        if number % 50 == 49:
            assert line.milliseconds("max").tolist() == [2.0 * each for each in range(1, (number + 3) // 2)]
    assert line.milliseconds("mean").tolist() == [1.5 + 2 * each for each in range(100)]


@given(st.lists(st.lists(st.floats(0.01, 5000), min_size=1, max_size=3), min_size=1, max_size=60))
def test_many_histograms_of_a_point_say_what_they_said_one_by_one(seconds: list[list[float]]) -> None:
    line, whole = Times(), Distribution()
    for values_ms in seconds:
        line.add(0, [histogram(*values_ms)])
        whole.add(histogram(*values_ms))
    assert line.whole(np.array([True])) == whole
    p99_ns = whole.quantile_ns(0.99)
    assert p99_ns is not None
    assert line.milliseconds("p99").tolist() == [p99_ns / 1e6]
