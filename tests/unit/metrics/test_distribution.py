"""Percentiles and extremes of merged histograms."""

from __future__ import annotations

import pytest

from squall.metrics.distribution import Distribution
from squall.metrics.histogram import Histogram
from squall.record.snapshots import SparseHistogram


def sparse(*values_ns: int) -> SparseHistogram:
    histogram = Histogram()
    for value_ns in values_ns:
        histogram.record(value_ns)
    taken = histogram.take()
    assert taken is not None
    return taken


def distribution(*values_ns: int) -> Distribution:
    made = Distribution()
    made.add(sparse(*values_ns))
    return made


def test_nothing_measured_is_none_not_zero() -> None:
    empty = Distribution()
    assert empty.quantile_ns(0.5) is None
    assert empty.mean_ns is None
    empty.merge(Distribution())
    assert empty.count == 0


def test_percentiles_are_nearest_ranks() -> None:
    hundred = distribution(*(value * 1_000_000 for value in range(1, 101)))
    for share, expected_ms in ((0.5, 50), (0.9, 90), (0.95, 95), (0.99, 99)):
        assert hundred.quantile_ns(share) == pytest.approx(expected_ms * 1_000_000, rel=0.0040)
    assert hundred.quantile_ns(1.0) == 100_000_000
    assert hundred.quantile_ns(0.0) == 1_000_000


def test_a_single_value_is_every_percentile_exactly() -> None:
    one = distribution(123_457)
    assert {one.quantile_ns(share) for share in (0.0, 0.5, 0.999, 1.0)} == {123_457}


def test_values_that_all_lie_below_zero_keep_their_greatest() -> None:
    below = distribution(-900, -40)
    assert (below.min_ns, below.max_ns, below.quantile_ns(1)) == (-900, -40, -40)
    below.record(-7)
    assert below.max_ns == -7


def test_the_mean_is_exact() -> None:
    assert distribution(1_000_001, 2_000_002).mean_ns == 1_500_001.5


def test_a_share_past_one_is_refused() -> None:
    with pytest.raises(ValueError, match="share from 0 to 1"):
        distribution(1).quantile_ns(95)


def test_above_counts_values_over_a_limit() -> None:
    three = distribution(1_000_000, 5_000_000, 80_000_000)
    assert [three.above(limit) for limit in (0, 2_000_000, 6_000_000, 90_000_000)] == [3, 2, 1, 0]


def test_at_most_counts_values_up_to_each_limit() -> None:
    three = distribution(1_000_000, 5_000_000, 80_000_000)
    limits = (0, 2_000_000, 6_000_000, 90_000_000, 10**12)
    assert three.at_most(*limits) == [0, 1, 2, 3, 3]
    assert [
        count + three.above(limit) for count, limit in zip(three.at_most(*limits), limits, strict=True)
    ] == [3] * 5
    assert Distribution().at_most(1, 10**9) == [0, 0]


def test_a_copy_and_a_cleared_one_are_apart() -> None:
    first = distribution(1_000_000)
    second = first.copy()
    first.clear()
    assert second == distribution(1_000_000)
    assert first == Distribution()
    assert first != second


def test_a_part_that_is_taken_out_leaves_the_rest() -> None:
    whole, part = Distribution(), Distribution()
    for value_ms in (1, 5, 9, 200):
        whole.record(value_ms * 1_000_000)
    for value_ms in (1, 200):
        part.record(value_ms * 1_000_000)
    left = whole.without(part)
    assert (left.count, left.sum_ns, left.mean_ns) == (2, 14_000_000, 7_000_000)
    assert left.min_ns == pytest.approx(5_000_000, rel=0.004)
    assert left.max_ns == pytest.approx(9_000_000, rel=0.004)
    assert whole.without(Distribution()) == whole
    assert whole.without(whole).count == 0
    with pytest.raises(ValueError, match="no part"):
        part.without(whole)


def test_recording_a_single_value_is_adding_it() -> None:
    made = distribution(5_000)
    made.record(7_000_000)
    assert made == distribution(7_000_000, 5_000)


def test_several_at_once_are_one_by_one() -> None:
    empty = SparseHistogram(0, 0, 0, 0, b"")
    parts = [sparse(5_000, 9_000), empty, sparse(1_000), sparse(7_000_000)]
    one_by_one, at_once = distribution(2_000), distribution(2_000)
    for part in parts:
        one_by_one.add(part)
    at_once.add_each(parts)
    assert at_once == one_by_one
    at_once.add_each([])
    at_once.add_each([empty])
    assert at_once == one_by_one


def test_what_is_taken_out_can_be_put_in_again() -> None:
    whole = Distribution()
    assert whole.sparse() is None
    for value_ns in (0, 1, 1_000_000, 1_000_000, 2**40):
        whole.record(value_ns)
    taken = whole.sparse()
    assert taken is not None
    again = Distribution()
    again.add(taken)
    assert again == whole


def test_the_curve_has_as_many_points_for_each_nine_and_ends_with_the_greatest() -> None:
    values = Distribution()
    assert values.curve_ns() == []
    for value_ns in range(1, 10_001):
        values.record(value_ns)
    curve = values.curve_ns(parts=2)
    assert [share for share, _ in curve] == pytest.approx(
        [0, 1 - 10**-0.5, 0.9, 1 - 10**-1.5, 0.99, 1 - 10**-2.5, 0.999, 1 - 10**-3.5, 0.99995]
    )
    assert [value for _, value in curve][::2] == pytest.approx([1, 9000, 9900, 9990, 10_000], rel=0.004)
    assert all(value == values.quantile_ns(share) for share, value in curve)
