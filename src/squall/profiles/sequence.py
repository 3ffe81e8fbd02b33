"""The sequence: one profile after another, each starting from the level at which the one before it ended."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from squall.profiles.base import Levels, Profile, Shape, duration_in_words

__all__ = ["Sequence"]


@dataclass(frozen=True)
class Sequence(Shape):
    """The parts, in their order; a part may itself be a sequence.

    Raises:
        ValueError: there is no part, or a part starts from another level than the one before it ends at.
    """

    parts: tuple[Profile, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("a sequence needs at least one part")
        for number, (before, part) in enumerate(pairwise(self.parts), start=2):
            if part.start != before.end:
                raise ValueError(
                    f"part {number} ({part.describe()}) starts from {part.start:,},"
                    f" but part {number - 1} ({before.describe()}) ends at {before.end:,}"
                )

    @property
    def duration_s(self) -> float:
        """The sum of the parts' durations, in seconds."""
        return self._begins_s[-1]

    @property
    def start(self) -> int:
        """The level that the first part starts from."""
        return self.parts[0].start

    @property
    def end(self) -> int:
        """The level that the last part ends at."""
        return self.parts[-1].end

    def describe(self) -> str:
        """The shape in words."""
        if len(self.parts) == 1:
            return self.parts[0].describe()
        shapes = "; then ".join(part.describe() for part in self.parts)
        return f"{shapes} ({len(self.parts)} parts, {duration_in_words(self.duration_s)} in all)"

    @property
    def _begins_s(self) -> list[float]:
        """Where each part begins, and at last where the sequence ends."""
        return list(accumulate((part.duration_s for part in self.parts), initial=0.0))

    def _levels(self) -> Levels:
        begins_s = self._begins_s
        return Levels(
            np.concatenate(
                [part.levels.offset_s + begin_s for part, begin_s in zip(self.parts, begins_s, strict=False)]
            ),
            np.concatenate([part.levels.level for part in self.parts]),
            duration_s=begins_s[-1],
        )
