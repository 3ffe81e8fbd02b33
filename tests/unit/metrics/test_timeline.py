from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_runs import S, times
from squall.metrics.distribution import Distribution
from squall.metrics.timeline import Point, Spread, Timeline, Times

SCRATCH = Distribution()


def point(number: int, rate: int | None = None, *response_ms: float, silence_ms: int | None = None) -> Point:
    made = Point((number + 1) * S, S)
    if rate is not None:
        made.spreads["sent"] = Spread.rate(rate, 1.0)
    histogram = times(*response_ms)
    if histogram is not None:
        made.times["response"] = Times.of([histogram], SCRATCH)
    if silence_ms is not None:
        made.silence_ns, made.silence_start_ns = silence_ms * 1_000_000, number * S
    return made


def test_below_its_limit_every_second_is_there() -> None:
    line = Timeline(4)
    for number in range(4):
        line.add(point(number, 10 * number, 1.0 + number))
    assert line.at_s() == [1, 2, 3, 4]
    assert line.mean("sent") == line.least("sent") == line.most("sent") == [0, 10, 20, 30]
    assert line.milliseconds("response", "max") == [1, 2, 3, 4]
    assert (line.parts, line.grain_s, len(line)) == (1, 1, 4)


def test_past_its_limit_neighbours_are_merged_and_the_extremes_kept() -> None:
    line = Timeline(4)
    for number, rate in enumerate((1, 3, 5, 100, 2)):
        line.add(point(number, rate))
    assert line.parts == 2
    assert line.at_s() == [2, 4, 5]
    assert line.mean("sent") == [2, 52.5, 2]
    assert line.least("sent") == [1, 5, 2]
    assert line.most("sent") == [3, 100, 2]
    assert line.total("sent") == 111


def test_a_percentile_of_a_merged_point_is_that_of_all_its_values() -> None:
    line = Timeline(2)
    values = [[1.0] * 99, [500.0], [2.0] * 3]
    for number, response_ms in enumerate(values):
        line.add(point(number, None, *response_ms))
    assert line.milliseconds("response", "p50")[0] == pytest.approx(1, rel=0.01)
    assert line.milliseconds("response", "p99")[0] == pytest.approx(1, rel=0.01)
    assert line.milliseconds("response", "max")[0] == 500
    assert line.milliseconds("response", "mean")[0] == pytest.approx((99 + 500) / 100)
    assert line.whole("response").count == 103
    assert line.whole("response", from_ns=2 * S).count == 3
    assert line.whole("response", to_ns=2 * S).count == 100


def test_what_was_not_measured_is_none_and_what_did_not_happen_is_zero() -> None:
    line = Timeline(9, counted=lambda name: name == "sent")
    line.add(point(0))
    line.add(point(1, 5, 1.0))
    assert line.mean("sent") == [0, 5]
    assert line.mean("held") == [None, None]
    assert line.milliseconds("response", "p50")[0] is None
    assert line.names() == ["sent"]


def test_the_longest_silence_keeps_its_start() -> None:
    line = Timeline(2)
    for number, silence_ms in enumerate((10, 900, 20, 5)):
        line.add(point(number, silence_ms=silence_ms))
    assert [(each.silence_ns, each.silence_start_ns) for each in line.points] == [
        (900_000_000, S),
        (20_000_000, 2 * S),
    ]


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=200), st.integers(2, 9))
def test_nothing_is_lost_and_memory_is_bounded(rates: list[int], points_max: int) -> None:
    line = Timeline(points_max)
    for number, rate in enumerate(rates):
        line.add(point(number, rate))
        assert len(line) <= points_max
    assert line.total("sent") == sum(rates)
    assert max(each for each in line.most("sent") if each is not None) == max(rates)
    assert min(each for each in line.least("sent") if each is not None) == min(rates)
    assert line.at_s()[-1] == len(rates)
    assert sum(each.parts for each in line.points) == len(rates)


def test_two_points_are_the_least_and_nothing_says_nothing() -> None:
    with pytest.raises(ValueError, match="two points"):
        Timeline(1)
    with pytest.raises(ValueError, match="empty"):
        Times.of([], SCRATCH)
    assert (Timeline().grain_s, Timeline().at_s()) == (1, [])
