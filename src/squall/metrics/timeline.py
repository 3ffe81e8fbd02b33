"""Figures over time in bounded memory: as many points as allowed, each of one or more seconds.

The rule: past the limit every two neighbours become one, and nothing is lost that a picture needs. A level
or a rate keeps its mean, and the least and the greatest of the single seconds; of times the histograms are
merged, so that a percentile of a point is the percentile of all that it stands for. None is ever averaged.
A figure that a point does not have was not measured there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Self

from squall.metrics.distribution import Distribution
from squall.record.snapshots import SparseHistogram

__all__ = ["POINTS_MAX", "QUANTILES", "Point", "Spread", "Timeline", "Times"]

POINTS_MAX: Final = 3_600
"""An hour of seconds."""
QUANTILES: Final[dict[str, float]] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}

_KEPT_MAX: Final = 16
_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000


@dataclass(slots=True)
class Spread:
    """A level or a rate: `total / weight` is its mean; `least` and `most` are those of the single seconds."""

    total: float
    weight: float
    least: float
    most: float

    @classmethod
    def rate(cls, count: int, seconds: float) -> Self:
        """So many in so many seconds."""
        each = count / seconds
        return cls(count, seconds, each, each)

    @classmethod
    def level(cls, value: float, weight: float = 1.0) -> Self:
        """A level that stands for so much time (or for one sample)."""
        return cls(value * weight, weight, value, value)

    @property
    def mean(self) -> float:
        """Over the time that it stands for."""
        return self.total / self.weight

    def merge(self, other: Spread) -> None:
        """Take another stretch as well."""
        self.total += other.total
        self.weight += other.weight
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)


@dataclass(slots=True)
class Times:
    """A distribution of times: the histograms that it is made of, and what is read from them in milliseconds."""

    histograms: tuple[SparseHistogram, ...]
    """A few as they came: to pack them into one costs more than to keep them."""
    read_ms: dict[str, float]
    """p50, p90, p95, p99, p999, mean, max."""

    @classmethod
    def of(cls, histograms: Iterable[SparseHistogram], scratch: Distribution) -> Self:
        """What several say together, of which one at least is not empty; `scratch` is overwritten."""
        kept = tuple(histograms)
        scratch.clear()
        scratch.add_each(kept)
        if not scratch.count:
            raise ValueError("there is nothing to read from empty histograms")
        return cls.read(kept, scratch)

    @classmethod
    def read(cls, histograms: Iterable[SparseHistogram], times: Distribution) -> Self:
        """What several say that are added up already, in a distribution that is not empty."""
        kept = tuple(histograms)
        if len(kept) > _KEPT_MAX:
            packed = times.sparse()
            kept = kept if packed is None else (packed,)
        return cls(kept, read_ms(times))

    def merge(self, other: Times, scratch: Distribution) -> None:
        """Take the times of another stretch as well; `scratch` is overwritten."""
        both = Times.of(self.histograms + other.histograms, scratch)
        self.histograms, self.read_ms = both.histograms, both.read_ms


@dataclass(slots=True)
class Point:
    """A stretch of time that ends at `at_ns`, and the figures in it, by name."""

    at_ns: int
    length_ns: int
    spreads: dict[str, Spread] = field(default_factory=dict)
    times: dict[str, Times] = field(default_factory=dict)
    silence_ns: int | None = None
    silence_start_ns: int = 0
    parts: int = 1

    def merge(
        self, later: Point, scratch: Distribution, counted: Callable[[str], bool] = lambda _: False
    ) -> None:
        """Take the stretch that follows; `scratch` is overwritten. What is `counted` is zero where it is not named."""
        for one, other in ((self, later), (later, self)):
            for name in [each for each in other.spreads if each not in one.spreads and counted(each)]:
                one.spreads[name] = Spread.rate(0, one.length_ns / _NS_PER_S)
        self.at_ns = later.at_ns
        self.length_ns += later.length_ns
        self.parts += later.parts
        for name, spread in later.spreads.items():
            if name in self.spreads:
                self.spreads[name].merge(spread)
            else:
                self.spreads[name] = spread
        for name, times in later.times.items():
            if name in self.times:
                self.times[name].merge(times, scratch)
            else:
                self.times[name] = times
        if later.silence_ns is not None and (self.silence_ns is None or later.silence_ns > self.silence_ns):
            self.silence_ns, self.silence_start_ns = later.silence_ns, later.silence_start_ns


class Timeline:
    """Points in the order of time, at most `points_max` of them.

    A name among `counted` is a count: where a point does not have it, nothing of it happened, and its rate is 0.
    """

    def __init__(
        self, points_max: int = POINTS_MAX, *, counted: Callable[[str], bool] = lambda _: False
    ) -> None:
        if points_max < 2:
            raise ValueError(f"a timeline has two points at least, not {points_max}")
        self.points: list[Point] = []
        self.parts = 1
        """How many seconds (or samples) a point stands for; the last one may stand for fewer."""
        self._points_max = points_max
        self._counted = counted
        self._scratch = Distribution()

    def add(self, point: Point) -> None:
        """Take what comes next."""
        if self.points and self.points[-1].parts < self.parts:
            self.points[-1].merge(point, self._scratch, self._counted)
            return
        if len(self.points) == self._points_max:
            self._halve()
            if self.points[-1].parts < self.parts:
                self.points[-1].merge(point, self._scratch, self._counted)
                return
        self.points.append(point)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def grain_s(self) -> float:
        """How long the points are, as a rule: the median."""
        if not self.points:
            return 1.0
        lengths = sorted(point.length_ns for point in self.points)
        return lengths[len(lengths) // 2] / _NS_PER_S

    def at_s(self) -> list[float]:
        """When each point ends, in seconds of the run."""
        return [point.at_ns / _NS_PER_S for point in self.points]

    def names(self) -> list[str]:
        """The levels and rates that occurred, in the order in which they first did."""
        return list(dict.fromkeys(name for point in self.points for name in point.spreads))

    def mean(self, name: str) -> list[float | None]:
        """The mean of a level, or a rate, in each point."""
        return self._each(name, lambda spread: spread.mean)

    def least(self, name: str) -> list[float | None]:
        """The least of the single seconds behind each point."""
        return self._each(name, lambda spread: spread.least)

    def most(self, name: str) -> list[float | None]:
        """The greatest of the single seconds behind each point."""
        return self._each(name, lambda spread: spread.most)

    def milliseconds(self, name: str, what: str) -> list[float | None]:
        """A percentile ("p99"), the mean or the max of a distribution in each point; None without a value."""
        return [
            times.read_ms[what] if (times := point.times.get(name)) is not None else None
            for point in self.points
        ]

    def whole(self, name: str, *, from_ns: int = -1, to_ns: int | None = None) -> Distribution:
        """All values of a distribution in the points that end after `from_ns` and not after `to_ns`, merged."""
        merged = Distribution()
        for point in self.points:
            if point.at_ns > from_ns and (to_ns is None or point.at_ns <= to_ns) and name in point.times:
                merged.add_each(point.times[name].histograms)
        return merged

    def total(self, name: str) -> float:
        """All that was counted under a name."""
        return sum(point.spreads[name].total for point in self.points if name in point.spreads)

    def _each(self, name: str, read: Callable[[Spread], float]) -> list[float | None]:
        missing = 0.0 if self._counted(name) else None
        return [
            read(spread) if (spread := point.spreads.get(name)) is not None else missing
            for point in self.points
        ]

    def _halve(self) -> None:
        """Every two neighbours become one."""
        self.parts *= 2
        merged = self.points[::2]
        for point, later in zip(merged, self.points[1::2], strict=False):
            point.merge(later, self._scratch, self._counted)
        self.points = merged


def read_ms(times: Distribution) -> dict[str, float]:
    """The percentiles, the mean and the greatest of a distribution that is not empty, in milliseconds."""
    quantiles = times.quantiles_ns(*QUANTILES.values())
    named = dict(zip(QUANTILES, quantiles, strict=True)) | {"mean": times.mean_ns, "max": times.max_ns}
    return {name: value / _NS_PER_MS for name, value in named.items() if value is not None}
