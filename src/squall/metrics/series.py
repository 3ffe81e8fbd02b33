"""One figure over time, as columns: a level or a rate (`Spreads`), or a distribution of times (`Times`).

The rule: there is an entry for each point that has the figure, under the number of the point, in the order of time; a
point that comes again takes more in. Columns are arrays of numbers: an object for each figure of each second would be
most of what a report costs. Percentiles are read from the merged histograms of some points at a time, when these are
over or somebody asks.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from squall.metrics.distribution import Distribution, Several
from squall.record.snapshots import SparseHistogram

__all__ = ["QUANTILES", "Floats", "Numbers", "Spreads", "Times"]

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

QUANTILES: Final[dict[str, float]] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}

_READ: Final = (*QUANTILES, "mean", "max")
_KEPT_MAX: Final = 16
_AT_ONCE: Final = 32
"""Points that are read at once, while what they are made of is still near the processor."""
_NS_PER_MS: Final = 1_000_000


class Spreads:
    """A level or a rate: `total / weight` is its mean, `least` and `most` are those of the single seconds.

    A column each: `at`, the numbers of the points; `parts`, how many seconds of each have the figure; what these add
    up to, and weigh together; the least and the greatest of them.
    """

    __slots__ = ("at", "least", "most", "parts", "total", "weight")

    def __init__(self) -> None:
        self.at, self.parts = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        self.total, self.weight, self.least, self.most = (np.empty(0) for _ in range(4))

    def add(self, at: Numbers, total: Floats, weight: Floats, each: Floats) -> None:
        """Take seconds of points `at`: what is to be added up, what that weighs, and the level or rate itself."""
        self.parts = np.concatenate((self.parts, np.ones_like(at)))
        self.total = np.concatenate((self.total, total))
        self.weight = np.concatenate((self.weight, weight))
        self.least = np.concatenate((self.least, each))
        self.most = np.concatenate((self.most, each))
        self._merge(np.concatenate((self.at, at)))

    def halve(self) -> None:
        """Every two neighbours become one point."""
        self._merge(self.at >> 1)

    def _merge(self, at: Numbers) -> None:
        """Put together what is of the same point now."""
        firsts = _firsts(at)
        if len(firsts) < len(at):
            groups = np.repeat(np.arange(len(firsts)), np.diff(firsts, append=len(at)))
            self.parts = np.add.reduceat(self.parts, firsts)
            self.total = _added(groups, self.total)
            self.weight = _added(groups, self.weight)
            self.least = np.minimum.reduceat(self.least, firsts)
            self.most = np.maximum.reduceat(self.most, firsts)
        self.at = at[firsts]


class Times:
    """A distribution of times: the histograms that each point is made of, none of them empty."""

    __slots__ = ("_at", "_histograms", "_read_ms")

    def __init__(self) -> None:
        self._at = array("q")
        self._histograms: list[tuple[SparseHistogram, ...]] = []
        self._read_ms = array("d")
        """What was read of the first points, a row of `_READ` for each."""

    def add(self, at: int, histograms: Iterable[SparseHistogram]) -> None:
        """Take a second of point `at`."""
        taken = tuple(histograms)
        if self._at and self._at[-1] == at:
            self._histograms[-1] = _few(self._histograms[-1] + taken)
            del self._read_ms[len(_READ) * (len(self._at) - 1) :]
            return
        if len(self._at) - self._points_read >= _AT_ONCE:
            self._read()
        self._at.append(at)
        self._histograms.append(_few(taken))

    def halve(self) -> None:
        """Every two neighbours become one point."""
        at = self.at >> 1
        firsts = _firsts(at)
        kept = self._histograms
        ends = [*firsts[1:].tolist(), len(kept)]
        self._histograms = [
            kept[first] if end == first + 1 else _few((*kept[first], *kept[first + 1]))
            for first, end in zip(firsts.tolist(), ends, strict=True)
        ]
        self._at = array("q", at[firsts].tobytes())
        self._read_ms = array("d")

    @property
    def at(self) -> Numbers:
        """The numbers of the points."""
        return np.array(self._at)

    def milliseconds(self, what: str) -> Floats:
        """A percentile ("p99"), the mean or the max of each point."""
        self._read()
        return np.array(self._read_ms).reshape(-1, len(_READ))[:, _READ.index(what)].copy()

    def whole(self, chosen: NDArray[np.bool_]) -> Distribution:
        """All values of some of the points, merged: true or false for each."""
        merged = Distribution()
        for number in np.flatnonzero(chosen).tolist():
            merged.add_each(self._histograms[number])
        return merged

    @property
    def _points_read(self) -> int:
        return len(self._read_ms) // len(_READ)

    def _read(self) -> None:
        """Read the points that were not, or that took more in since."""
        for start in range(self._points_read, len(self._at), _AT_ONCE):
            several = Several(self._histograms[start : start + _AT_ONCE])
            found_ns = (several.quantiles_ns(*QUANTILES.values()), several.means_ns, several.max_ns)
            self._read_ms.frombytes((np.column_stack(found_ns) / _NS_PER_MS).tobytes())


def _few(histograms: tuple[SparseHistogram, ...]) -> tuple[SparseHistogram, ...]:
    """A few stay as they came: to pack them into one costs more than to keep them."""
    if len(histograms) <= _KEPT_MAX:
        return histograms
    merged = Distribution()
    merged.add_each(histograms)
    packed = merged.sparse()
    return histograms if packed is None else (packed,)


def _added(groups: Numbers, values: Floats) -> Floats:
    """The sum of each group: one value after the other, so that it does not matter how many came at once."""
    sums: Floats = np.bincount(groups, weights=values).astype(np.float64, copy=False)
    return sums


def _firsts(at: Numbers) -> Numbers:
    """Where in a column each point's first entry stands."""
    return np.flatnonzero(np.diff(at, prepend=-1))
