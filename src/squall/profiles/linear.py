"""The linear profile: a straight line, N(t) = start + (target − start) · t / duration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from squall.profiles.base import (
    Levels,
    Shape,
    checked_duration_s,
    checked_level,
    connections_in_words,
    duration_in_words,
)

__all__ = ["Linear"]


@dataclass(frozen=True)
class Linear(Shape):
    """From `start` to `target` in a straight line; up or down.

    Raises:
        ValueError: a level or the duration is out of range.
    """

    start: int
    target: int
    duration_s: float

    def __post_init__(self) -> None:
        checked_level("start", self.start)
        checked_level("target", self.target)
        checked_duration_s("duration", self.duration_s)

    @property
    def end(self) -> int:
        """The target."""
        return self.target

    def describe(self) -> str:
        """The shape in words."""
        return (
            f"linear from {self.start:,} to {connections_in_words(self.target)}"
            f" in {duration_in_words(self.duration_s)}"
        )

    def _levels(self) -> Levels:
        distance = abs(self.target - self.start)
        reached = np.arange(distance + 1)
        # Multiplied first, divided then: a single rounding where the product is exact.
        offset_s = reached * self.duration_s / max(distance, 1)
        level = self.start + reached if self.target >= self.start else self.start - reached
        return Levels(offset_s, level, duration_s=self.duration_s)
