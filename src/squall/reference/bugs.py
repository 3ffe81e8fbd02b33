"""Bugs that the service can be given, so that whoever looks for one can be seen to find it.

    --bug lose:10              each tenth message gets no answer
    --bug lose:0.01            one in a hundred, drawn by --bug-seed
    --bug delay:10:0.2         each tenth answer comes 0.2 s late

A bug counts what it can strike at its node, over all connections, from the start: with EVERY = n it strikes at
the n-th, the 2n-th, …; with a RATE below 1 the seed, the bug's name and the count decide. It lies in no figure:
what is counted and logged as sent was sent. What a strike does is in `delivery_bugs` and in the behaviours.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from squall.reference.draws import drawn

__all__ = ["BUGS", "Bug", "Strikes", "find", "parse_bug"]

BUGS: Final = {
    "lose": "the message gets no answer",
    "duplicate": "the answer is sent twice",
    "reorder": "the answer comes after the next one to its connection, or SECONDS later (1) where none follows",
    "corrupt": "the last byte of the answer is changed",
    "corrupt-header": "a byte of the answer's envelope is changed, behind its magic",
    "delay": "the answer comes SECONDS late (1 by default)",
    "stall": "the answers to the connection pause for SECONDS (1 by default), and then come in order",
    "ack-then-lose": "the message is acknowledged, and not delivered",
    "ack-never": "the message is delivered, and never acknowledged, at its retries neither",
    "cross-deliver": "the answer goes to another connection instead, in a room to another member",
    "break-causality": "a member of a room gets a message after one that follows from it, or SECONDS (1) later",
    "ignore-priorities": "the message is answered when it arrives, whatever waits with a higher priority",
    "cut": "the connection is cut, without an answer and without a close frame",
    "refuse": "not a message but an upgrade: it is answered with 503",
}
"""By name, what happens each time it strikes."""

TIMED: Final = frozenset({"reorder", "delay", "stall", "break-causality"})
"""The bugs that take SECONDS."""

_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One bug: its name, how often it strikes (one of `every` and `rate`), and for how long, if it lasts."""

    name: str
    every: int | None = None
    rate: float | None = None
    seconds: float = _SECONDS


def parse_bug(text: str) -> Bug:
    """NAME:EVERY or NAME:RATE, with :SECONDS behind it for those that last.

    Raises:
        ValueError: it is not, with what it must be.
    """
    name, _, rest = text.partition(":")
    often, _, seconds = rest.partition(":")
    if name not in BUGS:
        raise ValueError(f"{name!r} is no bug; there are {', '.join(BUGS)}")
    every, rate = None, None
    if often.isdecimal():
        every = int(often)
    else:
        rate = _number(often)
    if every == 0 or (rate is not None and not 0 < rate < 1):
        raise ValueError(
            f"{text!r}: a bug is written {name}:10 (each tenth) or {name}:0.1 (one in ten, drawn by the seed)"
        )
    if not seconds:
        return Bug(name=name, every=every, rate=rate)
    if name not in TIMED:
        raise ValueError(f"{text!r}: only {', '.join(sorted(TIMED))} take seconds")
    lasts_s = _number(seconds)
    if not 0 < lasts_s < math.inf:
        raise ValueError(f"{text!r}: {seconds!r} is no time; {name} is written as in {name}:10:0.2")
    return Bug(name=name, every=every, rate=rate, seconds=lasts_s)


class Strikes:
    """Decides, for one bug of one node, at which of what it counts it strikes."""

    __slots__ = ("_every", "_seed", "_seen", "_threshold", "bug")

    def __init__(self, bug: Bug, seed: int) -> None:
        self.bug = bug
        self._every = bug.every
        self._threshold = round((bug.rate or 0.0) * 2**64)
        self._seed = drawn(seed, zlib.crc32(bug.name.encode()))  # no two bugs strike at the same draws
        self._seen = 0

    def next(self) -> bool:
        """Count one more; whether it is struck."""
        self._seen += 1
        if self._every is not None:
            return self._seen % self._every == 0
        return drawn(self._seed, self._seen) < self._threshold

    def draw(self) -> int:
        """64 bits to choose by in the strike at hand, independent of whether there was one."""
        return drawn(self._seed, self._seen, 1)


def find(name: str, strikes: Iterable[Strikes]) -> Strikes | None:
    """Those of this bug; None where it was not asked for."""
    return next((each for each in strikes if each.bug.name == name), None)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
