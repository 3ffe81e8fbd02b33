"""Which messages have come, so that a retry is known for one, in bounded memory.

A stream is kept as the ranges of numbers that have *not* come below the highest that has: in order that is nothing
at all, and a gap is one range however wide. Past `GAPS_MAX` ranges of a stream the oldest is forgotten, past
`STREAMS_MAX` streams the one that was silent longest, past `NAMES_MAX` ids that are no numbers the oldest. What is
forgotten counts as new: a retry may then be delivered twice, but no message is taken for one that came.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

__all__ = ["GAPS_MAX", "NAMES_MAX", "STREAMS_MAX", "Recent", "SeenNumbers"]

GAPS_MAX: Final = 4096
STREAMS_MAX: Final = 200_000
NAMES_MAX: Final = 100_000


class Recent:
    """The last ids that were added."""

    def __init__(self, most: int = NAMES_MAX) -> None:
        self._most = most
        self._names: dict[Hashable, None] = {}

    def __contains__(self, name: Hashable) -> bool:
        return name in self._names

    def add(self, name: Hashable) -> bool:
        """Whether it is new."""
        if name in self._names:
            return False
        self._names[name] = None
        if len(self._names) > self._most:
            del self._names[next(iter(self._names))]
        return True


class SeenNumbers:
    """The numbers that came, of each stream."""

    def __init__(self, streams_max: int = STREAMS_MAX, gaps_max: int = GAPS_MAX) -> None:
        self._streams_max = streams_max
        self._gaps_max = gaps_max
        self._streams: OrderedDict[Hashable, _Stream] = OrderedDict()

    def add(self, name: Hashable, number: int) -> bool:
        """Whether it is new in the stream of that name, or can no longer be told from new."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = _Stream()
            if len(self._streams) > self._streams_max:
                self._streams.popitem(last=False)
        else:
            self._streams.move_to_end(name)
        return stream.add(number, self._gaps_max)


class _Stream:
    """`gaps` are disjoint and in order, each from its first number to behind its last."""

    __slots__ = ("_forgotten_below", "_gaps", "_next")

    def __init__(self) -> None:
        self._next = 0
        self._gaps: list[tuple[int, int]] = []
        self._forgotten_below = 0

    def add(self, number: int, gaps_max: int) -> bool:
        """Whether it is new."""
        if number >= self._next:
            if number > self._next:
                self._gaps.append((self._next, number))
            self._next = number + 1
        else:
            at = bisect_right(self._gaps, number, key=lambda gap: gap[0]) - 1
            if at < 0 or number >= self._gaps[at][1]:
                return number < self._forgotten_below
            first, end = self._gaps[at]
            parts = ((first, number), (number + 1, end))
            self._gaps[at : at + 1] = [part for part in parts if part[0] < part[1]]
        if len(self._gaps) > gaps_max:
            self._forgotten_below = self._gaps.pop(0)[1]
        return True
