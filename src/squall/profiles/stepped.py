"""The stepped profile: jumps of equal size, each level held for the same time.

The first jump comes at offset 0, and the last level, the target, is held like every other one: from 0 to
100 in 5 steps over 30 s holds 20, 40, 60, 80 and 100 connections for 6 s each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from squall.profiles.base import (
    LEVEL_MAX,
    Levels,
    Shape,
    checked_duration_s,
    checked_level,
    connections_in_words,
    duration_in_words,
)

__all__ = ["Stepped"]


@dataclass(frozen=True)
class Stepped(Shape):
    """From `start` to `target` in `steps` jumps; up or down.

    Without `step_size` the jumps differ by at most one connection; with it each has that size, and the last
    one what is left.

    Raises:
        ValueError: a value is out of range, or so many steps of that size do not lead to the target.
    """

    start: int
    target: int
    steps: int
    duration_s: float
    step_size: int | None = None

    def __post_init__(self) -> None:
        checked_level("start", self.start)
        checked_level("target", self.target)
        checked_duration_s("duration", self.duration_s)
        if not 1 <= self.steps <= LEVEL_MAX:
            raise ValueError(f"a stepped ramp takes from 1 to {LEVEL_MAX:,} steps, not {self.steps:,}")
        if self.step_size is not None and self.steps != _steps_of_size(
            self.start, self.target, self.step_size
        ):
            raise ValueError(
                f"{self.steps:,} steps of {self.step_size:,} do not lead from {self.start:,} to"
                f" {connections_in_words(self.target)}"
            )

    @classmethod
    def of(
        cls,
        start: int,
        target: int,
        *,
        steps: int | None = None,
        step_size: int | None = None,
        duration_s: float | None = None,
        hold_s: float | None = None,
    ) -> Stepped:
        """The profile from the number or size of its steps, and its duration or the hold of each step.

        Raises:
            ValueError: not exactly one of each pair is given, or a value is out of range.
        """
        match steps, step_size:
            case int(), None:
                count = steps
            case None, int():
                count = _steps_of_size(start, target, step_size)
            case _:
                raise ValueError("a stepped ramp needs either the number of its steps or their size")
        if duration_s is None and hold_s is not None:
            duration_s = checked_duration_s("hold", hold_s) * count
        elif duration_s is None or hold_s is not None:
            raise ValueError("a stepped ramp needs either its duration or how long each step is held")
        return cls(start, target, count, duration_s, step_size)

    @property
    def end(self) -> int:
        """The target."""
        return self.target

    @property
    def hold_s(self) -> float:
        """How long each step is held, in seconds."""
        return self.duration_s / self.steps

    def describe(self) -> str:
        """The shape in words."""
        size = (
            self.step_size
            if self.step_size is not None
            else round(abs(self.target - self.start) / self.steps)
        )
        about = (
            ""
            if size * self.steps == abs(self.target - self.start)
            else "up to "
            if self.step_size
            else "about "
        )
        return (
            f"{self.steps:,} step{'' if self.steps == 1 else 's'} of {about}{connections_in_words(size)}"
            f" from {self.start:,} to {self.target:,}, each held for {duration_in_words(self.hold_s)}"
        )

    def _levels(self) -> Levels:
        step = np.arange(self.steps)
        distance = abs(self.target - self.start)
        if self.step_size is None:
            climbed = distance * (step + 1) // self.steps
        else:
            climbed = np.minimum((step + 1) * self.step_size, distance)
        level = self.start + climbed if self.target >= self.start else self.start - climbed
        return Levels(step * self.duration_s / self.steps, level, duration_s=self.duration_s)


def _steps_of_size(start: int, target: int, step_size: int) -> int:
    if step_size < 1:
        raise ValueError(f"a step of {step_size} connections leads nowhere")
    return max(1, -(-abs(target - start) // step_size))
