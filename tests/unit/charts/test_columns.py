from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from squall.charts.columns import as_array, columns, runs

NAN = float("nan")


def test_few_points_stay_as_they_are() -> None:
    x, y = np.array([0.0, 0.5, 1.0]), np.array([1.0, NAN, 3.0])
    made = columns(x, y, y, y, count=3)
    assert made.middle is y


def test_a_spike_of_one_second_survives_in_a_day() -> None:
    y = np.ones(86_400)
    y[40_000] = 900.0
    x = np.linspace(0, 1, len(y), endpoint=False)
    made = columns(x, y, y, y, count=500)
    assert len(made.x) == 500
    assert made.high.max() == 900
    assert abs(made.x[made.high.argmax()] - x[40_000]) <= 1 / 500
    assert made.low.max() == 1
    assert made.middle.max() < 10
    assert columns(x, y, y, y, count=500, by="greatest").middle.max() == 900


@given(st.lists(st.none() | st.floats(min_value=-1e6, max_value=1e6), min_size=1, max_size=300))
def test_least_and_greatest_are_those_of_the_points(values: list[float | None]) -> None:
    y = as_array(values)
    x = np.arange(len(y)) / len(y)
    made = columns(x, y, y, y, count=20)
    there = y[~np.isnan(y)]
    if not len(there):
        assert np.isnan(made.middle).all()
        return
    assert np.nanmax(made.high) == there.max()
    assert np.nanmin(made.low) == there.min()
    measured = ~np.isnan(made.middle)
    assert (measured == ~np.isnan(made.low)).all()
    assert (made.low[measured] <= made.middle[measured] + 1e-6).all()
    assert (made.middle[measured] <= made.high[measured] + 1e-6).all()


def test_what_was_not_measured_breaks_the_line() -> None:
    y = as_array([None, 1, 2, None, None, 3, 4])
    found = [(run.start, run.stop) for run in runs(np.arange(7.0), y, None)]
    assert found == [(1, 3), (5, 7)]
    assert list(runs(np.arange(2.0), as_array([None, None]), None)) == []


def test_points_far_apart_are_not_joined() -> None:
    x = np.array([0.0, 1.0, 9.0, 10.0])
    found = [(run.start, run.stop) for run in runs(x, np.ones(4), 2.0)]
    assert found == [(0, 2), (2, 4)]
