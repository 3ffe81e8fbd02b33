"""The numbers of one pushed sequence: which were skipped, which came late, which came twice.

The first number that comes is where the account begins: what was before it is not missing. A number above the next one
leaves a gap: the run of numbers skipped is *missing*. One out of a gap that comes after all is *reordered*, and is
missing no longer; it makes its gap shorter, closes it, or cuts it in two. Any other number below the next one has come
before: *duplicated*.

Gaps are kept as ranges, `GAPS_KEPT` of them: past that the oldest is missing for good, and of a number out of it, as of
one before the first, nobody can tell whether it came before: `unknown`.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, NamedTuple

__all__ = ["GAPS_KEPT", "Change", "Track"]

GAPS_KEPT: Final = 64


class Change(NamedTuple):
    """What an arrival changes: how many numbers and gaps are missing more (or less), and what it is itself."""

    missing: int = 0
    gaps: int = 0
    duplicated: bool = False
    reordered: bool = False
    unknown: bool = False


_NEXT: Final = Change()
_DUPLICATE: Final = Change(duplicated=True)
_UNKNOWN: Final = Change(unknown=True)


class Track:
    """One sequence, on one connection."""

    __slots__ = ("_ends", "_next", "_starts", "_told_from")

    def __init__(self) -> None:
        self._next: int | None = None
        self._told_from = 0
        self._starts: list[int] = []
        self._ends: list[int] = []

    def arrive(self, number: int) -> Change:
        """Enter a number."""
        if self._next is None:
            self._next, self._told_from = number + 1, number
            return _NEXT
        if number == self._next:
            self._next += 1
            return _NEXT
        if number > self._next:
            skipped = number - self._next
            self._starts.append(self._next)
            self._ends.append(number)
            self._next = number + 1
            if len(self._starts) > GAPS_KEPT:
                self._starts.pop(0)
                self._told_from = self._ends.pop(0)
            return Change(missing=skipped, gaps=1)
        if number < self._told_from:
            return _UNKNOWN
        return self._fill(number)

    def _fill(self, number: int) -> Change:
        """A number below the next one: out of a gap, or come before."""
        place = bisect_right(self._starts, number) - 1
        if place < 0 or number >= self._ends[place]:
            return _DUPLICATE
        left = [(self._starts[place], number), (number + 1, self._ends[place])]
        kept = [(start, end) for start, end in left if start < end]
        self._starts[place : place + 1] = [start for start, _ in kept]
        self._ends[place : place + 1] = [end for _, end in kept]
        return Change(missing=-1, gaps=len(kept) - 1, reordered=True)
