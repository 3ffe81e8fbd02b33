from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_runs import S, listed, times
from squall.metrics.timeline import Point, Timeline


def point(number: int, rate: int | None = None, *response_ms: float, silence_ms: int | None = None) -> Point:
    figures = {} if rate is None else {"sent": rate}
    histogram = times(*response_ms)
    made = Point((number + 1) * S, S, figures, {} if histogram is None else {"response": [histogram]})
    if silence_ms is not None:
        made.silence_ns, made.silence_start_ns = silence_ms * 1_000_000, number * S
    return made


def test_below_its_limit_every_second_is_there() -> None:
    line = Timeline(4)
    for number in range(4):
        line.add(point(number, 10 * number, 1.0 + number))
    assert listed(line.at_s()) == [1, 2, 3, 4]
    for read in (line.mean, line.least, line.most):
        assert listed(read("sent")) == [0, 10, 20, 30]
    assert listed(line.milliseconds("response", "max")) == [1, 2, 3, 4]
    assert (line.parts, line.grain_s, len(line)) == (1, 1, 4)


def test_past_its_limit_neighbours_are_merged_and_the_extremes_kept() -> None:
    line = Timeline(4)
    for number, rate in enumerate((1, 3, 5, 100, 2)):
        line.add(point(number, rate))
    assert line.parts == 2
    assert listed(line.at_s()) == [2, 4, 5]
    assert listed(line.mean("sent")) == [2, 52.5, 2]
    assert listed(line.least("sent")) == [1, 5, 2]
    assert listed(line.most("sent")) == [3, 100, 2]
    assert (listed(line.totals("sent")), line.total("sent")) == ([4, 105, 2], 111)


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
    assert line.whole("nothing").count == 0


def test_what_was_not_measured_is_nan_and_what_did_not_happen_is_zero() -> None:
    line = Timeline(9, counted=lambda name: name == "sent")
    line.add(point(0))
    line.add(point(1, 5, 1.0))
    assert listed(line.mean("sent")) == listed(line.least("sent")) == listed(line.most("sent")) == [0, 5]
    assert listed(line.mean("held")) == listed(line.milliseconds("lag", "p50")) == [None, None]
    assert listed(line.milliseconds("response", "max")) == [None, 1]
    assert (line.names(), line.total("held")) == (["sent"], 0)
    assert [line.has(name).tolist() for name in ("sent", "response", "held")] == [
        [False, True],
        [False, True],
        [False, False],
    ]


def test_a_count_below_zero_is_told_beside_the_seconds_that_had_none() -> None:
    line = Timeline(2, counted=lambda name: name == "sent")
    for number, missing in enumerate((-3, None, None, None)):
        line.add(point(number, missing))
    assert (listed(line.mean("sent")), listed(line.least("sent")), listed(line.most("sent"))) == (
        [-1.5, 0],
        [-3, 0],
        [0, 0],
    )


def test_a_level_weighs_as_much_as_its_second_is_long_and_that_of_a_sample_as_any_other() -> None:
    seconds, samples = Timeline(2), Timeline(2, samples=True)
    for line in (seconds, samples):
        for at_s, length_s, level in ((0, 0, 5), (1, 1, 1), (4, 3, 9), (5, 1, 2)):
            line.add(Point(at_s * S, length_s * S, {"held": level}))
    assert listed(seconds.mean("held")) == [1, 29 / 4]
    assert listed(samples.mean("held")) == [3, 5.5]


def test_the_longest_silence_keeps_its_start() -> None:
    line = Timeline(2)
    for number, silence_ms in enumerate((10, 900, None, 20, 5, None)):
        line.add(point(number, silence_ms=silence_ms))
    assert line.parts == 4
    assert (listed(line.silence_ms), line.silence_start_ns.tolist()) == ([900, 5], [S, 4 * S])
    line.add(point(6))
    unheard = Timeline()
    unheard.add(point(0))
    assert listed(unheard.silence_ms) == [None]


def test_what_was_read_can_be_read_while_more_comes() -> None:
    line = Timeline(4)
    for number in range(20):
        line.add(point(number, number, 1.0 + number))
        assert line.mean("sent")[-1] <= number == line.most("sent")[-1]
        assert line.milliseconds("response", "max")[-1] == 1.0 + number


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=200), st.integers(2, 9))
def test_nothing_is_lost_and_memory_is_bounded(rates: list[int], points_max: int) -> None:
    line = Timeline(points_max)
    for number, rate in enumerate(rates):
        line.add(point(number, rate))
        assert len(line) <= points_max
    assert line.total("sent") == sum(rates)
    assert line.most("sent").max() == max(rates)
    assert line.least("sent").min() == min(rates)
    assert line.at_s()[-1] == len(rates)
    assert (line.seconds.sum(), line.length_ns.sum()) == (len(rates), len(rates) * S)
    ends = np.minimum(np.arange(1, len(line) + 1) * line.parts, len(rates))
    assert line.at_s().tolist() == ends.tolist()


def test_two_points_are_the_least_and_nothing_says_nothing() -> None:
    with pytest.raises(ValueError, match="two points"):
        Timeline(1)
    assert (Timeline().grain_s, listed(Timeline().at_s()), listed(Timeline().mean("held"))) == (1, [], [])
