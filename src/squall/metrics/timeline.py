"""Figures over time in bounded memory: as many points as allowed, each of one or more seconds.

The rule: past the limit every two neighbours become one, and nothing is lost that a picture needs. A level
or a rate keeps its mean, and the least and the greatest of the single seconds; of times the histograms are
merged, so that a percentile of a point is the percentile of all that it stands for. None is ever averaged.
A figure that a point does not have was not measured there: it is NaN.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from squall.metrics.distribution import Distribution
from squall.metrics.series import Floats, Numbers, Spreads, Times
from squall.record.snapshots import SparseHistogram

__all__ = ["POINTS_MAX", "Point", "Timeline"]

POINTS_MAX: Final = 3_600
"""An hour of seconds."""

_NS_PER_S: Final = 1_000_000_000
_NEVER: Final = -1
"""A silence that was not measured."""
_FRESH_MAX: Final = 256


@dataclass(slots=True)
class Point:
    """A second, or a sample, as it comes: when it ended, how long it was, and the figures in it, by name.

    `figures` are levels, and counts of what happened; `times` the histograms that add up to a distribution.
    """

    at_ns: int
    length_ns: int
    figures: Mapping[str, float]
    times: Mapping[str, Sequence[SparseHistogram]] = field(default_factory=dict)
    silence_ns: int | None = None
    silence_start_ns: int = 0


class Timeline:
    """Points in the order of time, at most `points_max` of them.

    A name among `counted` is a count, and told as a rate: where a point does not have it, nothing of it happened, and
    its rate is 0. Any other is a level; where several seconds become a point, it weighs as much as they are long, or,
    of `samples`, as they are many.
    """

    def __init__(
        self,
        points_max: int = POINTS_MAX,
        *,
        counted: Callable[[str], bool] = lambda _: False,
        samples: bool = False,
    ) -> None:
        if points_max < 2:
            raise ValueError(f"a timeline has two points at least, not {points_max}")
        self.parts = 1
        """How many seconds (or samples) a point stands for; the last one may stand for fewer."""
        self._points_max = points_max
        self._counted = counted
        self._samples = samples
        self._fresh: list[tuple[int, int, Mapping[str, float]]] = []
        """The figures of the last seconds, not among the series yet (many at once cost less): of which point, how long."""
        self._spreads: dict[str, Spreads] = {}
        self._times: dict[str, Times] = {}
        self._at_ns, self._length_ns, self._seconds = array("q"), array("q"), array("q")
        self._silence_ns, self._silence_start_ns = array("q"), array("q")

    def add(self, point: Point) -> None:
        """Take what comes next."""
        self._add_length(point)
        at = len(self._at_ns) - 1
        self._fresh.append((at, point.length_ns, point.figures))
        if len(self._fresh) == _FRESH_MAX:
            self._settle()
        for name, histograms in point.times.items():
            there = [histogram for histogram in histograms if histogram.count]
            if there:
                if name not in self._times:
                    self._times[name] = Times()
                self._times[name].add(at, there)

    def _add_length(self, point: Point) -> None:
        """Make room for it: in the last point, if that stands for fewer than the others, or in one of its own."""
        is_full = bool(self._at_ns) and self._seconds[-1] == self.parts
        if is_full and len(self._at_ns) == self._points_max:
            self._halve()
            is_full = self._seconds[-1] == self.parts
        silence_ns = _NEVER if point.silence_ns is None else point.silence_ns
        if is_full or not self._at_ns:
            self._at_ns.append(point.at_ns)
            self._length_ns.append(point.length_ns)
            self._seconds.append(1)
            self._silence_ns.append(silence_ns)
            self._silence_start_ns.append(point.silence_start_ns)
            return
        self._at_ns[-1] = point.at_ns
        self._length_ns[-1] += point.length_ns
        self._seconds[-1] += 1
        if silence_ns > self._silence_ns[-1]:
            self._silence_ns[-1], self._silence_start_ns[-1] = silence_ns, point.silence_start_ns

    def __len__(self) -> int:
        return len(self._at_ns)

    @property
    def at_ns(self) -> Numbers:
        """When each point ends, in nanoseconds of the run."""
        return np.array(self._at_ns)

    @property
    def length_ns(self) -> Numbers:
        """How long each point is."""
        return np.array(self._length_ns)

    @property
    def seconds(self) -> Numbers:
        """How many seconds (or samples) each point stands for."""
        return np.array(self._seconds)

    @property
    def silence_ms(self) -> Floats:
        """The longest silence of each point; NaN where none was measured."""
        silence_ns = np.array(self._silence_ns)
        return np.where(silence_ns == _NEVER, np.nan, silence_ns / 1e6)

    @property
    def silence_start_ns(self) -> Numbers:
        """When the longest silence of each point began."""
        return np.array(self._silence_start_ns)

    @property
    def grain_s(self) -> float:
        """How long the points are, as a rule: the median."""
        if not self._length_ns:
            return 1.0
        lengths = np.sort(self.length_ns)
        return int(lengths[len(lengths) // 2]) / _NS_PER_S

    def at_s(self) -> Floats:
        """When each point ends, in seconds of the run."""
        return self.at_ns / _NS_PER_S

    def names(self) -> list[str]:
        """The levels and rates that occurred, in the order in which they first did."""
        self._settle()
        return list(self._spreads)

    def has(self, name: str) -> NDArray[np.bool_]:
        """Whether each point has a level, a rate or a distribution of this name."""
        found = np.zeros(len(self), dtype=bool)
        for columns in (self._spread(name), self._times.get(name)):
            if columns is not None:
                found[columns.at] = True
        return found

    def mean(self, name: str) -> Floats:
        """The mean of a level, or a rate, in each point."""
        found, spreads = self._nothing(name), self._spread(name)
        if spreads is not None:
            at = spreads.at
            weight = self.length_ns[at] / _NS_PER_S if self._counted(name) else spreads.weight
            found[at] = spreads.total / weight
        return found

    def least(self, name: str) -> Floats:
        """The least of the single seconds behind each point."""
        found, spreads = self._nothing(name), self._spread(name)
        if spreads is not None:
            least = spreads.least
            found[spreads.at] = np.where(self._was_zero(name, spreads), np.minimum(least, 0), least)
        return found

    def most(self, name: str) -> Floats:
        """The greatest of the single seconds behind each point."""
        found, spreads = self._nothing(name), self._spread(name)
        if spreads is not None:
            most = spreads.most
            found[spreads.at] = np.where(self._was_zero(name, spreads), np.maximum(most, 0), most)
        return found

    def milliseconds(self, name: str, what: str) -> Floats:
        """A percentile ("p99"), the mean or the max of a distribution in each point; NaN without a value."""
        found, times = np.full(len(self), np.nan), self._times.get(name)
        if times is not None:
            found[times.at] = times.milliseconds(what)
        return found

    def whole(self, name: str, *, from_ns: int = -1, to_ns: int | None = None) -> Distribution:
        """All values of a distribution in the points that end after `from_ns` and not after `to_ns`, merged."""
        times = self._times.get(name)
        if times is None:
            return Distribution()
        at_ns = self.at_ns[times.at]
        chosen = at_ns > from_ns
        return times.whole(chosen if to_ns is None else chosen & (at_ns <= to_ns))

    def totals(self, name: str) -> Floats:
        """What was counted under a name in each point."""
        found, spreads = np.zeros(len(self)), self._spread(name)
        if spreads is not None:
            found[spreads.at] = spreads.total
        return found

    def total(self, name: str) -> float:
        """All that was counted under a name."""
        return float(self.totals(name).sum())

    def _spread(self, name: str) -> Spreads | None:
        self._settle()
        return self._spreads.get(name)

    def _settle(self) -> None:
        """Take the figures of the last seconds into their series."""
        if not self._fresh:
            return
        columns: dict[str, tuple[list[int], list[float]]] = {}
        for row, (_, _, figures) in enumerate(self._fresh):
            for name, value in figures.items():
                column = columns.get(name)
                if column is None:
                    column = columns[name] = ([], [])
                column[0].append(row)
                column[1].append(value)
        numbers = np.array([at for at, _, _ in self._fresh])
        lengths_s = np.array([length_ns for _, length_ns, _ in self._fresh]) / _NS_PER_S
        self._fresh.clear()
        for name, (rows, found) in columns.items():
            values, weight = np.array(found, dtype=np.float64), lengths_s[rows]
            spreads = self._spreads.setdefault(name, Spreads())
            if self._counted(name):
                spreads.add(numbers[rows], values, weight, values / weight)
            else:
                weight = np.ones_like(values) if self._samples else weight
                spreads.add(numbers[rows], values * weight, weight, values)

    def _nothing(self, name: str) -> Floats:
        """What each point has that does not name the figure."""
        return np.full(len(self), 0.0 if self._counted(name) else np.nan)

    def _was_zero(self, name: str, spreads: Spreads) -> NDArray[np.bool_]:
        """Whether a point has seconds in which nothing was counted, beside those in which something was."""
        return (spreads.parts < self.seconds[spreads.at]) & self._counted(name)

    def _halve(self) -> None:
        """Every two neighbours become one."""
        self._settle()
        self.parts *= 2
        for spreads in self._spreads.values():
            spreads.halve()
        for times in self._times.values():
            times.halve()
        firsts = np.arange(0, len(self), 2)
        lasts = np.minimum(firsts + 1, len(self) - 1)
        silence_ns = self._silence_ns
        loudest = [
            last if silence_ns[last] > silence_ns[first] else first
            for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
        ]
        self._length_ns = array("q", np.add.reduceat(self.length_ns, firsts).tobytes())
        self._seconds = array("q", np.add.reduceat(self.seconds, firsts).tobytes())
        self._silence_start_ns = array("q", self.silence_start_ns[loudest].tobytes())
        self._silence_ns = array("q", np.array(silence_ns)[loudest].tobytes())
        self._at_ns = array("q", self.at_ns[lasts].tobytes())
