"""What a load profile is: the level of connections over time, and the opens and closes that follow from it.

**Level** is the number of connections that the plan holds at an offset since the phase's start, always a
whole number: of a curve it is *the last whole number that the curve has reached* (rounded down on the way
up, rounded up on the way down), so a ramp from 0 to 100 opens its last connection at its very end, and none
before its time.

**Sessions** have global indices 0, 1, 2, …; session g is open exactly while g < level. So an open takes the
lowest free index, a close the highest one in use, and everyone who knows the profile knows who does what,
and when.

The rule: a profile has one truth, its `Levels`, a staircase with exact offsets; `level_at` and `moves` both
read it and cannot disagree. Offsets are seconds on a grid of whole nanoseconds, so that what is due at 0.3
s has happened at `level_at(0.3)`.

A profile knows no worker, no clock, no connection: what really happens (failures, drops) is not its business.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from squall.units import format_count, format_duration

__all__ = [
    "LEVEL_MAX",
    "Levels",
    "Moves",
    "Needs",
    "Profile",
    "Shape",
    "checked_duration_s",
    "checked_level",
    "connections_in_words",
    "duration_in_words",
]

LEVEL_MAX: Final = 10_000_000
"""More connections than any fleet holds; the limit keeps a slip of the pen from filling the memory."""

_WINDOW_S: Final = 1.0 - 1e-8  # a second, less the rounding of offsets, as the half-open window that it is


class Profile(Protocol):
    """A shape of the load over time. Frozen; two profiles with equal fields are the same profile."""

    @property
    def duration_s(self) -> float:
        """How long the shape takes, in seconds."""

    @property
    def start(self) -> int:
        """The level that the shape starts from; the first change may come at offset 0."""

    @property
    def end(self) -> int:
        """The level at `duration_s` and after."""

    @property
    def levels(self) -> Levels:
        """The whole shape as a staircase."""

    def level_at(self, t_s: float) -> int:
        """The level `t_s` seconds after the phase's start; outside the shape its first or last one."""

    def moves(self, previous: int) -> Moves:
        """Every open and close, in order of time, for a phase that takes over from the level `previous`."""

    def needs(self, previous: int) -> Needs:
        """What it asks of the machine, for a phase that takes over from the level `previous`."""

    def describe(self) -> str:
        """The shape in words."""


@dataclass(frozen=True)
class Needs:
    """What a profile asks of the machine at its peak, known before the run."""

    connections_peak: int
    connect_rate_peak_per_s: float
    """The most connects planned within any one second (half-open)."""
    duration_s: float


@dataclass(frozen=True, eq=False)
class Moves:
    """Opens and closes in order of time, as three arrays of one length."""

    offset_s: NDArray[np.float64]
    """Seconds since the phase's start, never decreasing."""
    session: NDArray[np.int64]
    """The global index of the session that moves."""
    opens: NDArray[np.bool_]
    """True: it opens; False: it closes."""

    def __len__(self) -> int:
        return len(self.offset_s)

    def of_worker(self, worker: int, workers: int) -> Moves:
        """The moves of the sessions that belong to one worker (`squall.profiles.share`)."""
        mine = self.session % workers == worker
        return Moves(self.offset_s[mine], self.session[mine], self.opens[mine])


class Levels:
    """A staircase: from `offset_s[i]` on, until the next offset, the level is `level[i]`.

    The first offset is 0, offsets increase strictly, neighbouring levels differ. Of several levels at one
    offset the last one counts.
    """

    __slots__ = ("duration_s", "level", "offset_s")

    def __init__(self, offset_s: ArrayLike, level: ArrayLike, *, duration_s: float) -> None:
        grid = np.rint(np.asarray(offset_s, dtype=np.float64) * 1e9) / 1e9
        # A rounding up must not carry a change past the end, where `level_at(duration_s)` would miss it.
        offsets = np.minimum(np.maximum.accumulate(grid), duration_s)
        levels = np.asarray(level, dtype=np.int64)
        last_at_offset = np.append(offsets[1:] != offsets[:-1], True)
        offsets, levels = offsets[last_at_offset], levels[last_at_offset]
        changes = np.insert(levels[1:] != levels[:-1], 0, True)
        self.duration_s = duration_s
        self.offset_s: NDArray[np.float64] = offsets[changes]
        self.level: NDArray[np.int64] = levels[changes]

    def at(self, t_s: float) -> int:
        """The level at an offset; before the first offset it is the first level."""
        return int(self.level[max(0, int(np.searchsorted(self.offset_s, t_s, side="right")) - 1)])

    def moves(self, previous: int) -> Moves:
        """One move for each connection that opens or closes; the step from `previous` is made at offset 0."""
        before = np.insert(self.level[:-1], 0, previous)
        change = self.level - before
        count = np.abs(change)
        first = np.cumsum(count) - count
        within = np.arange(int(count.sum())) - np.repeat(first, count)
        opens = np.repeat(change > 0, count)
        held = np.repeat(before, count)
        session = np.where(opens, held + within, held - 1 - within)
        return Moves(np.repeat(self.offset_s, count), session, opens)


class Shape(ABC):
    """What all profiles share: a kind gives its staircase and its words, the rest is read off it."""

    @abstractmethod
    def _levels(self) -> Levels:
        """The staircase, computed anew."""

    @cached_property
    def levels(self) -> Levels:
        """The whole shape as a staircase, computed once."""
        return self._levels()

    def level_at(self, t_s: float) -> int:
        """The level `t_s` seconds after the phase's start; outside the shape its first or last one."""
        return self.levels.at(t_s)

    def moves(self, previous: int) -> Moves:
        """Every open and close, in order of time, for a phase that takes over from the level `previous`."""
        return self.levels.moves(previous)

    def needs(self, previous: int) -> Needs:
        """What it asks of the machine, for a phase that takes over from the level `previous`."""
        moves = self.moves(previous)
        opens_s = moves.offset_s[moves.opens]
        in_a_second = np.searchsorted(opens_s, opens_s + _WINDOW_S) - np.arange(len(opens_s))
        return Needs(
            connections_peak=max(previous, int(self.levels.level.max())),
            connect_rate_peak_per_s=float(in_a_second.max(initial=0)),
            duration_s=self.levels.duration_s,
        )


def checked_level(name: str, level: int) -> int:
    """`level`, if it is one.

    Raises:
        ValueError: it is negative, or above `LEVEL_MAX`.
    """
    if not 0 <= level <= LEVEL_MAX:
        raise ValueError(
            f"{name} is {format_count(level)} connections; it goes from 0 to {format_count(LEVEL_MAX)}"
        )
    return level


def checked_duration_s(name: str, duration_s: float) -> float:
    """`duration_s`, if it is one.

    Raises:
        ValueError: it is negative or not finite.
    """
    if not math.isfinite(duration_s) or duration_s < 0:
        raise ValueError(f"{name} is {duration_s} seconds; it must be zero or more, and finite")
    return duration_s


def connections_in_words(count: int) -> str:
    """ "1 connection", "10,000 connections"."""
    return f"{format_count(count)} connection{'' if count == 1 else 's'}"


def duration_in_words(duration_s: float) -> str:
    """A duration to four significant digits: "5 min", "30.1 s", also where it follows from a formula."""
    return format_duration(float(f"{duration_s:.4g}") if duration_s < 1000 else round(duration_s))
