"""The exponential profile: N(t) = start · 2^(t / double_every), continuous, up or down.

With `start`, `target` and `duration` the doubling time follows; with `double_every` the duration does:
duration = double_every · log2(target / start). Downward, `double_every` is the time in which N halves.

**Down to zero.** The curve never reaches 0, so the end is defined: the last connection closes one halving
after the level 1 was reached. A ramp from 8 to 0 that halves every 10 s is at 4, 2, 1 and 0 after 10, 20,
30 and 40 s.

**Staircase** (`steps`): the level changes only at whole multiples of the doubling time, and at the end to the
target whatever is left of the last step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from squall.profiles.base import (
    Levels,
    Shape,
    checked_duration_s,
    checked_level,
    connections_in_words,
    duration_in_words,
)

__all__ = ["Exponential"]

_AGREEMENT: Final = 0.01  # "5m" and "30s" may stand together where 30.1 s would be exact: people round


@dataclass(frozen=True)
class Exponential(Shape):
    """From `start` (1 or more) to `target`, doubling or halving at a steady pace.

    Raises:
        ValueError: `start` is 0, or a level or the duration is out of range.
    """

    start: int
    target: int
    duration_s: float
    steps: bool = False

    def __post_init__(self) -> None:
        checked_level("start", self.start)
        checked_level("target", self.target)
        checked_duration_s("duration", self.duration_s)
        if self.start == 0:
            raise ValueError(
                "an exponential ramp cannot start at 0 connections: doubling nothing stays nothing"
            )

    @classmethod
    def of(
        cls,
        start: int,
        target: int,
        *,
        duration_s: float | None = None,
        double_every_s: float | None = None,
        steps: bool = False,
    ) -> Exponential:
        """The profile from its duration or its doubling time; with both, the duration is kept.

        Raises:
            ValueError: neither is given, or both are and differ by more than 1 %, or a value is out of range.
        """
        if double_every_s is None:
            if duration_s is None:
                raise ValueError("an exponential ramp needs its duration or its doubling time (double_every)")
            return cls(start, target, duration_s, steps)
        if not math.isfinite(double_every_s) or double_every_s <= 0:
            raise ValueError(f"double_every is {double_every_s} seconds; it must be above zero, and finite")
        following_s = double_every_s * cls(start, target, 0.0).doublings
        if duration_s is None:
            return cls(start, target, following_s, steps)
        if abs(duration_s - following_s) > _AGREEMENT * max(duration_s, following_s):
            raise ValueError(
                f"duration ({duration_in_words(duration_s)}) and double_every"
                f" ({duration_in_words(double_every_s)}) contradict each other: with that double_every,"
                f" {start:,} to {connections_in_words(target)} takes {duration_in_words(following_s)};"
                " give one of them"
            )
        return cls(start, target, duration_s, steps)

    @property
    def end(self) -> int:
        """The target."""
        return self.target

    @property
    def doublings(self) -> float:
        """How many doublings, or halvings, lie between start and target."""
        if self.target == 0:
            return math.log2(self.start) + 1
        return abs(math.log2(self.target / self.start))

    @property
    def double_every_s(self) -> float:
        """The time in which the level doubles or halves, in seconds; infinite where it does neither."""
        return self.duration_s / self.doublings if self.doublings else math.inf

    def describe(self) -> str:
        """The shape in words."""
        text = (
            f"exponential from {self.start:,} to {connections_in_words(self.target)}"
            f" in {duration_in_words(self.duration_s)}"
        )
        if self.target == self.start:
            return text
        verb = "doubling" if self.target > self.start else "halving"
        stairs = ", in steps" if self.steps else ""
        return f"{text}, {verb} every {duration_in_words(self.double_every_s)}{stairs}"

    def _levels(self) -> Levels:
        if self.target == self.start:
            return Levels([0.0], [self.start], duration_s=self.duration_s)
        return self._staircase() if self.steps else self._curve()

    def _curve(self) -> Levels:
        reached = np.arange(abs(self.target - self.start) + 1)
        if self.target > self.start:
            level = self.start + reached
            ratio = level / self.start
        else:
            level = self.start - reached
            ratio = self.start / np.maximum(level, 1)
        offset_s = np.log2(ratio) * self.double_every_s
        offset_s[-1] = self.duration_s
        return Levels(offset_s, level, duration_s=self.duration_s)

    def _staircase(self) -> Levels:
        level = [self.start]
        while len(level) < self.doublings:
            times = 1 << len(level)
            level.append(self.start * times if self.target > self.start else -(-self.start // times))
        offset_s = [step * self.double_every_s for step in range(len(level))]
        return Levels([*offset_s, self.duration_s], [*level, self.target], duration_s=self.duration_s)
