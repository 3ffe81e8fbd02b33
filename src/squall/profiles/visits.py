"""How long sessions stay, and how long they are away before they come again.

A **visit** is one stay of a session: from when the plan lets it come to when the plan lets it leave. Its length,
and the think time behind it, are fixed, or drawn from an exponential distribution, which has no memory: as many
leave in the next second however long they have been here. Each is a pure function of the population's seed, the
session's index and the number of the visit, so that any visit replays, whichever worker it belongs to.

Times are counted by the plan: a target that is slow to accept makes a visit shorter, and none later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from squall.seeds import derive, unit_draw

__all__ = ["Span", "Visits"]


@dataclass(frozen=True)
class Span:
    """A time in seconds, the same each time or drawn."""

    mean_s: float
    exponential: bool = False

    def drawn_ns(self, seed: int, session: int, visit: int) -> int:
        """The time of one visit, in nanoseconds."""
        if not self.exponential:
            return round(self.mean_s * 1e9)
        return round(-self.mean_s * math.log1p(-unit_draw(seed, session, visit)) * 1e9)


class Visits:
    """The visits of a population's sessions.

    Args:
        length: how long a visit is.
        think: how long a session is away between two visits.
        seed: the population's.
    """

    def __init__(self, length: Span, think: Span, seed: int) -> None:
        self.length = length
        self.think = think
        self._length_seed = derive(seed, "session length")
        self._think_seed = derive(seed, "think time")

    def length_ns(self, session: int, visit: int) -> int:
        """How long a visit (from 0) of a session is."""
        return self.length.drawn_ns(self._length_seed, session, visit)

    def think_ns(self, session: int, visit: int) -> int:
        """How long a session is away after a visit."""
        return self.think.drawn_ns(self._think_seed, session, visit)
