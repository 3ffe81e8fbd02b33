"""A cap on how fast any profile may connect: `connect_rate_max`.

The capped level follows the planned one. It falls with it at once, and rises towards it by one connection
at a time, two connects never closer than 1 / rate. On a ramp that only rises, session g therefore opens at

    t'(g) = max(t(g), t'(g − 1) + 1 / rate)

and the ramp takes longer where that asks for it. Where the plan falls again before a held-back connect came
to its turn, neither that connect nor its close is made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from squall.profiles.base import Levels, Profile, Shape, checked_level, duration_in_words

__all__ = ["Capped", "capped"]


def capped(profile: Profile, connect_rate_max: float, *, previous: int) -> Capped:
    """`profile` with at most `connect_rate_max` connects per second, taking over from the level `previous`.

    The level before matters: the jump to the profile's first level is capped like everything else.

    Raises:
        ValueError: the rate is not above zero, or not finite.
    """
    return Capped(profile, connect_rate_max, previous)


@dataclass(frozen=True)
class Capped(Shape):
    """A profile under a cap; see `capped`."""

    profile: Profile
    connect_rate_max: float
    previous: int

    def __post_init__(self) -> None:
        checked_level("previous", self.previous)
        if not math.isfinite(self.connect_rate_max) or self.connect_rate_max <= 0:
            raise ValueError(
                f"connect_rate_max is {self.connect_rate_max}/s; it must be above zero, and finite"
            )

    @property
    def start(self) -> int:
        """The level that it takes over from."""
        return self.previous

    @property
    def end(self) -> int:
        """The level that the profile ends at."""
        return self.profile.end

    @property
    def duration_s(self) -> float:
        """The profile's duration, or the offset of the last connect where that is later, in seconds."""
        return self.levels.duration_s

    def describe(self) -> str:
        """The shape in words, and what the cap changes."""
        planned_s = self.profile.duration_s
        if self.duration_s > planned_s:
            now, planned = duration_in_words(self.duration_s), duration_in_words(planned_s)
            effect = f"makes it {now} long instead of {planned}"
        elif self._delays():
            effect = "holds some of them back, but not the end"
        else:
            effect = "it never reaches"
        return f"{self.profile.describe()}, at most {self.connect_rate_max:,.10g} connects/s (which {effect})"

    def _delays(self) -> bool:
        """Whether any connect comes later than planned, or not at all."""
        planned, made = self.profile.moves(self.previous), self.moves(self.previous)
        return len(planned) != len(made) or bool((made.offset_s - planned.offset_s > 2e-9).any())

    def _levels(self) -> Levels:
        offset_s, level = _followed(self.profile.levels, self.previous, 1 / self.connect_rate_max)
        return Levels(offset_s, level, duration_s=max(self.profile.duration_s, offset_s[-1]))


def _followed(planned: Levels, previous: int, spacing_s: float) -> tuple[list[float], list[int]]:
    """Offsets and levels of the staircase that follows `planned` from `previous` on, as the module says."""
    offsets, levels, level = [0.0], [previous], previous
    anchor_s, since_anchor = -math.inf, 0  # connects come at the anchor's spacings: a running sum would drift
    untils = np.append(planned.offset_s[1:], math.inf).tolist()
    for offset_s, target, until_s in zip(
        planned.offset_s.tolist(), planned.level.tolist(), untils, strict=True
    ):
        if target < level:
            level = target
            offsets.append(offset_s)
            levels.append(level)
        while level < target:
            due_s = anchor_s + since_anchor * spacing_s
            if due_s < offset_s:
                due_s, anchor_s, since_anchor = offset_s, offset_s, 0
            if due_s >= until_s:
                break
            level += 1
            since_anchor += 1
            offsets.append(due_s)
            levels.append(level)
    return offsets, levels
