"""Histograms: exact in what they promise, in both forms, in any order of merging."""

from __future__ import annotations

import math
import random
from types import ModuleType

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from both_forms import module_in
from made_runs import messages, second, some_totals, times
from squall.metrics import histogram as installed
from squall.metrics.buckets import BUCKETS, MIDDLES_NS, bucket_of, pack, unpack
from squall.metrics.distribution import Distribution, Several
from squall.metrics.totals import EVERYTHING, Selection
from squall.record.snapshots import MessageCell, SparseHistogram

PURE = module_in("source", "squall.metrics.histogram")

any_ns = st.integers(-(1 << 40), 1 << 50)
in_range_ns = st.one_of(
    st.integers(1_000, 100_000_000_000),
    st.integers(10, 36).flatmap(lambda power: st.integers((1 << power) - 2, (1 << power) + 2)),
)
values = st.lists(st.one_of(any_ns, in_range_ns), max_size=60)


def recorded(module: ModuleType, values_ns: list[int]) -> SparseHistogram | None:
    histogram = module.Histogram()
    for value_ns in values_ns:
        histogram.record(value_ns)
    taken: SparseHistogram | None = histogram.take()
    return taken


def distribution(values_ns: list[int]) -> Distribution:
    made = Distribution()
    taken = recorded(installed, values_ns)
    if taken is not None:
        made.add(taken)
    return made


@settings(deadline=None)
@given(values)
def test_compiled_and_source_record_the_same(values_ns: list[int]) -> None:
    assert recorded(installed, values_ns) == recorded(PURE, values_ns)


@settings(deadline=None)
@given(values)
def test_count_sum_least_and_greatest_are_exact(values_ns: list[int]) -> None:
    taken = recorded(installed, values_ns)
    if not values_ns:
        assert taken is None
        return
    assert taken is not None
    expected = (len(values_ns), sum(values_ns), min(values_ns), max(values_ns))
    assert (taken.count, taken.sum_ns, taken.min_ns, taken.max_ns) == expected
    indices, counts = unpack(taken.buckets)
    expected_counts = np.bincount([bucket_of(value) for value in values_ns], minlength=BUCKETS)
    assert dict(zip(indices.tolist(), counts.tolist(), strict=True)) == {
        index: count for index, count in enumerate(expected_counts.tolist()) if count
    }


@settings(deadline=None)
@given(in_range_ns)
def test_a_bucket_stands_for_its_values_within_four_thousandths(value_ns: int) -> None:
    if value_ns >= 1_000:
        assert abs(int(MIDDLES_NS[bucket_of(value_ns)]) - value_ns) <= value_ns / 256


@settings(deadline=None)
@given(in_range_ns, in_range_ns)
def test_buckets_keep_the_order_of_values(one_ns: int, other_ns: int) -> None:
    assert (one_ns <= other_ns) or (bucket_of(one_ns) >= bucket_of(other_ns))


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, BUCKETS - 1), st.integers(1, (1 << 62) - 1), max_size=40))
def test_packing_and_unpacking_is_the_identity_in_both_forms(content: dict[int, int]) -> None:
    counts = np.zeros(BUCKETS, dtype=np.int64)
    for index, count in content.items():
        counts[index] = count
    packed = pack(counts)
    assert installed.encode(counts) == PURE.encode(counts) == packed
    for module in (installed, PURE):
        again = np.zeros(BUCKETS, dtype=np.int64)
        module.add_each([SparseHistogram(1, 0, 0, 0, packed)], again)
        assert np.array_equal(again, counts)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=24), max_size=3))
def test_any_bytes_are_read_alike_in_both_forms_or_refused_by_both(several: list[bytes]) -> None:
    results = []
    for module in (installed, PURE):
        counts = np.zeros(BUCKETS, dtype=np.int64)
        try:
            module.add_each([SparseHistogram(1, 0, 0, 0, each) for each in several], counts)
        except ValueError:
            results.append(None)
        else:
            results.append(counts.tolist())
    assert results[0] == results[1]


@settings(deadline=None)
@given(
    st.lists(st.lists(any_ns, min_size=1, max_size=60), min_size=1, max_size=4),
    st.lists(st.floats(0, 1), max_size=9),
)
def test_percentiles_are_read_alike_in_both_forms_by_themselves_and_side_by_side(
    several: list[list[int]], shares: list[float]
) -> None:
    each = [distribution(values_ns) for values_ns in several]
    expected = [alone.quantiles_ns(*shares) for alone in each]
    halves = [(values_ns[::2], values_ns[1::2]) for values_ns in several]
    parts = [[taken for half in both if (taken := recorded(installed, half))] for both in halves]
    assert Several(parts).quantiles_ns(*shares).tolist() == expected
    buckets = [[bucket_of(value) for value in values_ns] for values_ns in several]
    counts = np.array([np.bincount(found, minlength=BUCKETS) for found in buckets])
    said = np.array([(len(values_ns), min(values_ns), max(values_ns)) for values_ns in several])
    found_ns = np.empty((len(several), len(shares)), dtype=np.int64)
    PURE.read_quantiles(counts, said, np.array(shares, dtype=np.float64), found_ns)
    assert found_ns.tolist() == expected


@settings(deadline=None)
@given(values, values, values)
def test_merging_is_commutative_associative_and_the_same_as_recording_in_one_place(
    one: list[int], two: list[int], three: list[int]
) -> None:
    left = distribution(one)
    left.merge(distribution(two))
    left.merge(distribution(three))
    inner = distribution(three)
    inner.merge(distribution(two))
    right = inner
    right.merge(distribution(one))
    assert left == right == distribution(one + two + three)


@settings(deadline=None)
@given(st.lists(st.integers(1_000, 100_000_000_000), min_size=1, max_size=200), st.floats(0, 1))
def test_a_percentile_is_within_its_error_of_the_value_at_its_rank(
    values_ns: list[int], share: float
) -> None:
    rank = max(1, math.ceil(share * len(values_ns) - 1e-9))
    exact = sorted(values_ns)[rank - 1]
    found = distribution(values_ns).quantile_ns(share)
    assert found is not None
    assert abs(found - exact) <= exact / 256


cells = st.builds(
    messages,
    st.integers(0, 50),
    response_ms=st.lists(st.floats(0.01, 5000), max_size=4),
    lag_ms=st.lists(st.floats(0.01, 50), max_size=4),
    type=st.integers(0, 1),
    phase=st.integers(0, 2),
    delivered=st.integers(0, 50),
    lost=st.integers(0, 50),
    reorder_extent_max=st.integers(0, 9),
    pacer_lag=st.one_of(st.none(), st.builds(times, st.floats(0.01, 50))),
)


@settings(deadline=None)
@given(st.lists(cells, max_size=8), st.randoms(use_true_random=False))
def test_totals_do_not_depend_on_the_order_or_the_seconds_of_cells(
    content: list[MessageCell], rng: random.Random
) -> None:
    together = some_totals(second(0, *content))
    shuffled = rng.sample(content, len(content))
    apart = some_totals(*(second(index, cell) for index, cell in enumerate(shuffled)))
    for selection in (EVERYTHING, Selection(type="critical"), Selection(phases=frozenset((1, 2)))):
        assert together.messages(selection) == apart.messages(selection)
        assert together.messages(selection).pacer_lag == apart.messages(selection).pacer_lag


@settings(deadline=None)
@given(st.lists(cells, max_size=8))
def test_parts_add_up_to_the_whole(content: list[MessageCell]) -> None:
    totals = some_totals(second(0, *content))
    for parts in (
        [Selection(type=name) for name in ("message", "critical")],
        [Selection(phases=frozenset((number,))) for number in range(3)],
    ):
        assert sum(totals.messages(each).delivered for each in parts) == totals.messages().delivered
        assert sum(totals.messages(each).response.count for each in parts) == totals.messages().response.count
