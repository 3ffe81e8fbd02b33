"""The open connections of a path in the order in which they came, so that each has a next one.

What a member is does not matter here; it serves as a key. Removing is a search by number and one short move of
memory, also among many thousands.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Generic, TypeVar

__all__ = ["Neighbours"]

T = TypeVar("T")


class Neighbours(Generic[T]):
    """See the module."""

    def __init__(self) -> None:
        self._number_of: dict[T, int] = {}
        self._numbers: list[int] = []
        self._members: list[T] = []
        self._next_number = 0

    def __len__(self) -> int:
        return len(self._members)

    def add(self, member: T) -> None:
        """It came, as the last so far."""
        self._number_of[member] = self._next_number
        self._numbers.append(self._next_number)
        self._members.append(member)
        self._next_number += 1

    def remove(self, member: T) -> None:
        """It went."""
        at = bisect_left(self._numbers, self._number_of.pop(member))
        del self._numbers[at], self._members[at]

    def after(self, member: T) -> Iterator[T]:
        """All others, from the one that came next after it, round to the one before it."""
        number = self._number_of.get(member)
        if number is None:
            return
        at = bisect_left(self._numbers, number)
        for step in range(1, len(self._members)):
            yield self._members[(at + step) % len(self._members)]
