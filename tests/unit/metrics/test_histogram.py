"""The recorder, compiled and from its source."""

from __future__ import annotations

from array import array
from types import ModuleType

import numpy as np
import pytest

from squall.metrics.buckets import BUCKETS, bucket_of, unpack


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


def test_decoding_adds_to_what_is_there(histograms: ModuleType) -> None:
    counts = array("q", bytes(8 * BUCKETS))
    counts[17], counts[3000] = 5, 1 << 40
    total = np.zeros(BUCKETS, dtype=np.int64)
    histograms.decode_into(histograms.encode(counts), total)
    histograms.decode_into(histograms.encode(counts), total)
    assert (int(total[17]), int(total[3000]), int(total.sum())) == (10, 1 << 41, 10 + (1 << 41))


@pytest.mark.parametrize(
    "damaged", [b"\x01", b"\x01\x80", b"\x00\x01", b"\xff\x7f\x01", b"\x01" + b"\xff" * 9 + b"\x01"]
)
def test_damaged_bytes_are_refused(histograms: ModuleType, damaged: bytes) -> None:
    with pytest.raises(ValueError, match="histogram"):
        histograms.decode_into(damaged, np.zeros(BUCKETS, dtype=np.int64))
