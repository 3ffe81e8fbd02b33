"""Merged histograms and what is read from them: percentiles, mean, least, greatest.

The rule: percentiles come from merged counts, none is ever averaged. Merging is commutative and associative
and gives what recording in one place would have given. Count, sum, least and greatest are exact; a
percentile is within 0.39 % of the value at its rank.

A percentile is the nearest rank: the least value that at least the share q of all values do not exceed, the
one at rank ⌈q · count⌉ (the first for q = 0). It is the middle of its bucket, kept between the least and
the greatest value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from squall.metrics.buckets import BUCKETS, MIDDLES_NS, bucket_of
from squall.metrics.histogram import add_each, encode, read_quantiles
from squall.record.snapshots import SparseHistogram

__all__ = ["Distribution", "Several"]


class Distribution:
    """Any number of histograms added up, in constant memory (27 KB)."""

    __slots__ = ("_counts", "count", "max_ns", "min_ns", "sum_ns")

    def __init__(self) -> None:
        self.count = 0
        self.sum_ns = 0
        self.min_ns = 0
        self.max_ns = 0
        self._counts: NDArray[np.int64] = np.zeros(BUCKETS, dtype=np.int64)

    def add(self, histogram: SparseHistogram) -> None:
        """Add one interval's histogram.

        Raises:
            ValueError: its bytes are damaged.
        """
        self.add_each((histogram,))

    def add_each(self, histograms: Iterable[SparseHistogram]) -> None:
        """Add several; as `add` does one by one, in less time.

        Raises:
            ValueError: the bytes of one are damaged.
        """
        count, sum_ns, min_ns, max_ns = add_each(list(histograms), self._counts)
        if count:
            self._add_extremes(count, sum_ns, min_ns, max_ns)

    def record(self, value_ns: int) -> None:
        """Count a single value; for thousands of them there is `Histogram`."""
        self._counts[bucket_of(value_ns)] += 1
        self._add_extremes(1, value_ns, value_ns, value_ns)

    def merge(self, other: Distribution) -> None:
        """Add all that another one holds."""
        if other.count:
            self._counts += other._counts
            self._add_extremes(other.count, other.sum_ns, other.min_ns, other.max_ns)

    def without(self, part: Distribution) -> Self:
        """What is left without a part of it. Count and sum stay exact, least and greatest to the width of a bucket.

        Raises:
            ValueError: it is no part of this one.
        """
        left = type(self)()
        left._counts = self._counts - part._counts
        if left._counts.min() < 0:
            raise ValueError("no part of the distribution that it is taken from")
        found = left._counts.nonzero()[0]
        if found.size:
            left.count, left.sum_ns = self.count - part.count, self.sum_ns - part.sum_ns
            left.min_ns = self._extreme_ns(int(found[0]), self.min_ns, part)
            left.max_ns = self._extreme_ns(int(found[-1]), self.max_ns, part)
        return left

    def _extreme_ns(self, bucket: int, extreme_ns: int, part: Distribution) -> int:
        """The least or greatest of what is left, in this bucket: that of the whole, if the part had none there."""
        if bucket == bucket_of(extreme_ns) and not part._counts[bucket]:
            return extreme_ns
        return min(max(int(MIDDLES_NS[bucket]), self.min_ns), self.max_ns)

    def copy(self) -> Self:
        """Another one with the same content."""
        twin = type(self)()
        twin.merge(self)
        return twin

    def sparse(self) -> SparseHistogram | None:
        """What is held as it is stored and sent; None of nothing."""
        if not self.count:
            return None
        return SparseHistogram(self.count, self.sum_ns, self.min_ns, self.max_ns, encode(self._counts))

    def clear(self) -> None:
        """Forget everything."""
        self._counts[:] = 0
        self.count = self.sum_ns = self.min_ns = self.max_ns = 0

    def quantile_ns(self, share: float) -> int | None:
        """The percentile for a share of 0 to 1, in nanoseconds; None of nothing.

        Raises:
            ValueError: the share is not from 0 to 1.
        """
        return self.quantiles_ns(share)[0]

    def quantiles_ns(self, *shares: float) -> list[int | None]:
        """Several percentiles at once, as `quantile_ns` has them."""
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError(f"a percentile is a share from 0 to 1, not one of {shares}")
        if not self.count:
            return [None] * len(shares)
        said = np.array([(self.count, self.min_ns, self.max_ns)])
        found: list[int | None] = _quantiles_ns(self._counts[np.newaxis], said, shares)[0].tolist()
        return found

    def curve_ns(self, parts: int = 12) -> list[tuple[float, int]]:
        """Shares and their percentiles along the distribution, as many for each nine: 0 %, …, 90 %, …, 99 %, ….

        It goes as far as there are values: the last share is half a value short of all, where the greatest is.
        """
        if not self.count:
            return []
        last = math.log10(self.count)
        shares = [1 - 10 ** -(number / parts) for number in range(math.ceil(last * parts))]
        shares.append(1 - 0.5 / self.count)
        values = self.quantiles_ns(*shares)
        return [(share, value) for share, value in zip(shares, values, strict=True) if value is not None]

    @property
    def mean_ns(self) -> float | None:
        """The exact mean in nanoseconds; None of nothing."""
        return self.sum_ns / self.count if self.count else None

    def above(self, limit_ns: float) -> int:
        """How many values were above a limit, to the width of the bucket that the limit falls into."""
        return int(self._counts[np.greater(MIDDLES_NS, limit_ns)].sum())

    def at_most(self, *limits_ns: float) -> list[int]:
        """How many values were at most each limit, to the width of the bucket that the limit falls into."""
        up_to = np.concatenate(([0], self._counts.cumsum()))
        return [int(up_to[place]) for place in MIDDLES_NS.searchsorted(limits_ns, side="right")]

    def _add_extremes(self, count: int, sum_ns: int, min_ns: int, max_ns: int) -> None:
        if min_ns < self.min_ns or not self.count:
            self.min_ns = min_ns
        if max_ns > self.max_ns or not self.count:
            self.max_ns = max_ns
        self.count += count
        self.sum_ns += sum_ns

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Distribution):
            return NotImplemented
        mine = (self.count, self.sum_ns, self.min_ns, self.max_ns)
        theirs = (other.count, other.sum_ns, other.min_ns, other.max_ns)
        return mine == theirs and bool(np.array_equal(self._counts, other._counts))

    __hash__ = None  # type: ignore[assignment]  # it changes, so it is no key

    def __repr__(self) -> str:
        return f"Distribution(count={self.count}, min_ns={self.min_ns}, max_ns={self.max_ns})"


class Several:
    """Distributions side by side, none of them empty, each of some histograms: to be read all at once, in less time.

    Args:
        parts: the histograms of each, of which one has a value at least.
    """

    def __init__(self, parts: Sequence[Sequence[SparseHistogram]]) -> None:
        self._counts = np.zeros((len(parts), BUCKETS), dtype=np.int64)
        said = [add_each(list(part), row) for part, row in zip(parts, self._counts, strict=True)]
        self.means_ns = [sum_ns / count for count, sum_ns, _, _ in said]
        self.max_ns = [max_ns for _, _, _, max_ns in said]
        self._said = np.array([(count, min_ns, max_ns) for count, _, min_ns, max_ns in said])

    def quantiles_ns(self, *shares: float) -> NDArray[np.int64]:
        """The percentiles as `Distribution.quantiles_ns` has them: a row for each distribution."""
        return _quantiles_ns(self._counts, self._said, shares)


def _quantiles_ns(
    counts: NDArray[np.int64], said: NDArray[np.int64], shares: Sequence[float]
) -> NDArray[np.int64]:
    found_ns = np.empty((len(counts), len(shares)), dtype=np.int64)
    read_quantiles(counts, said, np.array(shares, dtype=np.float64), found_ns)
    return found_ns
