"""A set of numbers that mostly stand in rows: kept as ranges, so that its size is that of its breaks.

The rule: ranges are disjoint, in ascending order, and never touch. Ends are one past the last. It knows nothing of
what the numbers count.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

__all__ = ["Ranges"]


class Ranges:
    """See the module. Iteration gives the ranges as (first, end)."""

    __slots__ = ("_ends", "_firsts")

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._ends: list[int] = []

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._firsts, self._ends, strict=True))

    def add(self, first: int, end: int) -> None:
        """Put in all numbers from `first` on, before `end`."""
        if self._ends and first == self._ends[-1]:
            self._ends[-1] = end
            return
        low = bisect_left(self._ends, first)
        high = bisect_right(self._firsts, end)
        if low < high:
            first, end = min(first, self._firsts[low]), max(end, self._ends[high - 1])
        self._firsts[low:high] = [first]
        self._ends[low:high] = [end]

    def take_from(self, number: int) -> list[tuple[int, int]]:
        """Take out all that are not below a number, as ranges."""
        at = bisect_right(self._ends, number)
        taken = [(max(number, first), end) for first, end in list(self)[at:]]
        kept_end = number if at < len(self._firsts) and self._firsts[at] < number else None
        del self._firsts[at + (kept_end is not None) :]
        del self._ends[at + (kept_end is not None) :]
        if kept_end is not None:
            self._ends[at] = kept_end
        return taken
