"""The recorder, compiled and from its source."""

from __future__ import annotations

from array import array
from types import ModuleType

import numpy as np
import pytest

from squall.metrics.buckets import BUCKETS, MIDDLES_NS, bucket_of, unpack
from squall.record.snapshots import SparseHistogram


def counts_of(buckets: bytes) -> dict[int, int]:
    indices, counts = unpack(buckets)
    return dict(zip(indices.tolist(), counts.tolist(), strict=True))


def test_what_was_recorded_is_taken_once(histograms: ModuleType) -> None:
    histogram = histograms.Histogram()
    for value_ns in (5_000, 2_000_000, 2_000_001):
        histogram.record(value_ns)
    assert histogram.count == 3
    taken = histogram.take()
    assert (taken.count, taken.sum_ns, taken.min_ns, taken.max_ns) == (3, 4_005_001, 5_000, 2_000_001)
    assert counts_of(taken.buckets) == {bucket_of(5_000): 1, bucket_of(2_000_000): 2}
    assert histogram.take() is None
    assert histogram.count == 0


def test_recording_goes_on_after_taking(histograms: ModuleType) -> None:
    histogram = histograms.Histogram()
    histogram.record(9_000)
    histogram.take()
    histogram.record(70_000)
    taken = histogram.take()
    assert (taken.count, taken.sum_ns, taken.min_ns, taken.max_ns) == (1, 70_000, 70_000, 70_000)
    assert counts_of(taken.buckets) == {bucket_of(70_000): 1}


def test_values_past_the_range_keep_exact_sum_and_extremes(histograms: ModuleType) -> None:
    histogram = histograms.Histogram()
    for value_ns in (-40, 0, 250_000_000_000):
        histogram.record(value_ns)
    taken = histogram.take()
    assert (taken.sum_ns, taken.min_ns, taken.max_ns) == (249_999_999_960, -40, 250_000_000_000)
    assert counts_of(taken.buckets) == {0: 2, BUCKETS - 1: 1}


def test_each_octave_ends_in_the_bucket_that_the_formula_says(histograms: ModuleType) -> None:
    edges = [value for power in range(9, 38) for value in ((1 << power) - 1, 1 << power, (1 << power) + 1)]
    for value_ns in edges:
        histogram = histograms.Histogram()
        histogram.record(value_ns)
        assert counts_of(histogram.take().buckets) == {bucket_of(value_ns): 1}


def test_a_second_of_10000_messages_takes_under_two_kilobytes(histograms: ModuleType) -> None:
    # Median 1 ms, the least and the greatest about three decades apart.
    values_ns = np.exp(np.random.default_rng(7).normal(np.log(1e6), 0.86, 10_000)).astype(np.int64)
    assert values_ns.max() / values_ns.min() > 500
    histogram = histograms.Histogram()
    for value_ns in values_ns.tolist():
        histogram.record(value_ns)
    assert len(histogram.take().buckets) < 2_000


def sparse(
    buckets: bytes, count: int = 1, sum_ns: int = 5, min_ns: int = 5, max_ns: int = 5
) -> SparseHistogram:
    return SparseHistogram(count, sum_ns, min_ns, max_ns, buckets)


def test_several_are_added_to_what_is_there(histograms: ModuleType) -> None:
    counts = array("q", bytes(8 * BUCKETS))
    counts[17], counts[300], counts[3000] = 5, 127, 1 << 40
    packed = histograms.encode(counts)
    total = np.zeros(BUCKETS, dtype=np.int64)
    total[17] = 1
    several = [sparse(packed, 9, 100, -7, 40), sparse(b"\xff", 0, 1, -99, 99), sparse(packed, 1, 50, 3, 60)]
    assert histograms.add_each(several, total) == (10, 150, -7, 60), "an empty one says nothing"
    assert {int(index): int(total[index]) for index in total.nonzero()[0]} == {
        17: 11,
        300: 254,
        3000: 1 << 41,
    }
    assert histograms.add_each([], total) == (0, 0, 0, 0)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "damaged",
    [b"\x01", b"\x01\x80", b"\x00\x01", b"\xff\x7f\x01", b"\x01" + b"\xff" * 9 + b"\x01"],
)
def test_damaged_bytes_are_refused(histograms: ModuleType, damaged: bytes, place: int) -> None:
    several = [sparse(b"\x01\x01"), sparse(b"\x81\x01\x01")]
    several.insert(place, sparse(damaged))
    with pytest.raises(ValueError, match="histogram"):
        histograms.add_each(several, np.zeros(BUCKETS, dtype=np.int64))


def quantiles(histograms: ModuleType, counts: dict[int, int], *shares: float) -> list[int]:
    """The percentiles of so many values in some buckets; the least is 1,010 ns, the greatest 90 s."""
    content = np.zeros((2, BUCKETS), dtype=np.int64)
    content[1, list(counts)] = list(counts.values())
    content[0, 5] = 1
    said = np.array([[1, 7, 7], [sum(counts.values()), 1_010, 90_000_000_000]])
    found_ns = np.full((2, len(shares)), -1, dtype=np.int64)
    histograms.read_quantiles(content, said, np.array(shares, dtype=np.float64), found_ns)
    assert found_ns[0].tolist() == [7] * len(shares), "the row of another distribution"
    row: list[int] = found_ns[1].tolist()
    return row


def test_percentiles_are_the_middles_of_buckets_within_the_least_and_the_greatest(
    histograms: ModuleType,
) -> None:
    middle_ns = int(MIDDLES_NS[700])
    some = {0: 1, 700: 8, BUCKETS - 1: 1}
    assert quantiles(histograms, some, 0, 0.1, 0.11, 0.9, 0.91, 1) == [
        1_010, 1_010, middle_ns, middle_ns, 90_000_000_000, 90_000_000_000,
    ]  # fmt: skip
    assert quantiles(histograms, some, 0.95, 0.5, 0.05) == [90_000_000_000, middle_ns, 1_010]
    assert quantiles(histograms, {0: 1, 900: 1}, 0.5, 0.9) == [1_010, 90_000_000_000]
    assert quantiles(histograms, some) == []


def test_a_share_is_taken_for_the_rank_that_it_stands_for(histograms: ModuleType) -> None:
    assert 0.07 * 100 > 7
    assert quantiles(histograms, {0: 1, 100: 6, 200: 93}, 0.07) == [MIDDLES_NS[100]]
    assert quantiles(histograms, {0: 1, 100: 5, 200: 94}, 0.07) == [MIDDLES_NS[200]]
