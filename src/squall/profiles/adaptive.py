"""The adaptive profile: a planned shape that grows as fast as the target takes it, and stops where told to.

**Growth** is a share of the planned one. It is judged once an interval: one that was slow halves it; from the
second clear one in a row on, each gives back a tenth of the planned growth; one of which nothing is known
leaves it as it is, and is no clear one. A stop freezes it at 0 for good.

**Level.** A growth of one half lets the plan's own time pass half as fast from then on: the level goes through
the same values as planned, later. So an undisturbed ramp is the planned one, move by move, and whoever knows
the turns knows who does what, and when.

It knows no figure: what makes an interval slow is not its business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from squall.profiles.base import Levels, Profile, Shape

__all__ = ["CLEAR_MIN", "GIVEN_BACK", "Adaptive", "Growth", "Turn"]

CLEAR_MIN: Final = 2
"""Clear intervals in a row after which growth returns."""

GIVEN_BACK: Final = 0.1
"""The share of the planned growth that each of them gives back."""


@dataclass(frozen=True)
class Growth:
    """How fast a ramp grows after the intervals so far."""

    share: float = 1.0
    """Of the planned growth: 1 as planned, 0 frozen."""
    clear: int = 0
    """Clear intervals in a row, up to now."""

    @property
    def is_frozen(self) -> bool:
        """Whether it was stopped: then nothing moves it any more."""
        return self.share == 0

    def after(self, slow: bool | None, *, stop: bool = False) -> Growth:
        """What one more interval makes of it; `slow` None: nobody knows."""
        if stop or self.is_frozen:
            return Growth(0.0)
        if slow is None:
            return replace(self, clear=0)
        if slow:
            return Growth(self.share / 2)
        clear = self.clear + 1
        given_back = GIVEN_BACK if clear >= CLEAR_MIN else 0.0
        return Growth(min(1.0, self.share + given_back), clear)


@dataclass(frozen=True)
class Turn:
    """From an offset on, the ramp grows by this share of what is planned; with 0 it is frozen."""

    at_s: float
    share: float


@dataclass(frozen=True)
class Adaptive(Shape):
    """A planned shape and the turns that were taken so far.

    Raises:
        ValueError: the turns are not in order of time, or one follows a freeze, or a share is not in 0 … 1.
    """

    planned: Profile
    turns: tuple[Turn, ...] = ()

    def __post_init__(self) -> None:
        before = Turn(0.0, 1.0)
        for turn in self.turns:
            if not 0 <= turn.share <= 1 or turn.at_s < before.at_s or before.share == 0:
                raise ValueError(f"a turn at {turn.at_s} s to {turn.share} cannot follow {before}")
            before = turn

    def turned(self, at_s: float, share: float) -> Adaptive:
        """The profile with one more turn."""
        return replace(self, turns=(*self.turns, Turn(at_s, share)))

    @property
    def share(self) -> float:
        """The share of the planned growth by which it grows now."""
        return self.turns[-1].share if self.turns else 1.0

    @property
    def start(self) -> int:
        """The level that the planned shape starts from."""
        return self.planned.start

    @property
    def end(self) -> int:
        """The level that the planned shape ends at, or that it was frozen at."""
        return int(self.levels.level[-1])

    @property
    def duration_s(self) -> float:
        """How long it takes with the turns so far, in seconds."""
        return self.levels.duration_s

    def describe(self) -> str:
        """The shape in words."""
        return f"{self.planned.describe()}, slower while the target is slow"

    def _levels(self) -> Levels:
        planned = self.planned.levels
        offset_s, level, duration_s = planned.offset_s, planned.level, planned.duration_s
        share = 1.0
        for turn in self.turns:
            if turn.at_s >= duration_s:
                break
            if turn.share == 0:
                done = offset_s <= turn.at_s
                offset_s, level, duration_s = offset_s[done], level[done], turn.at_s
                break
            stretch = share / turn.share
            offset_s = np.where(offset_s > turn.at_s, turn.at_s + (offset_s - turn.at_s) * stretch, offset_s)
            duration_s = turn.at_s + (duration_s - turn.at_s) * stretch
            share = turn.share
        return Levels(offset_s, level, duration_s=duration_s)
