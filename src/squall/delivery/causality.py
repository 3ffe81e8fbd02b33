"""Cause and effect at one receiver: was a message seen before the one that it names as its cause?

**Definitions.** A *causal pair* is a message, its effect, and the message of another publisher that it names as its
cause, both owed to the same receiver, and both arrived there; the first good copy of each counts. It is a *violation* if
the effect arrived first. A cause that never arrives is lost, and no violation: then there is no pair, nor is there where
the receiver was not owed the cause, or published it itself.

**Memory.** Effects whose cause is not here yet are kept, at most `WAITING_MAX`; past that the oldest are not judged.

Knows no accounts: whether a cause has come is told to it. What an effect is kept as is the caller's.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

__all__ = ["WAITING_MAX", "Waiting"]

WAITING_MAX: Final = 256

Effect = TypeVar("Effect")


class Waiting(Generic[Effect]):
    """The effects at one receiver whose cause has not come."""

    def __init__(self) -> None:
        self._effects: dict[tuple[int, int], list[Effect]] = {}
        self._order: deque[tuple[int, int]] = deque()

    def __len__(self) -> int:
        return len(self._order)

    def add(self, publisher: int, number: int, effect: Effect) -> None:
        """An effect came before its cause, this message of that publisher."""
        self._effects.setdefault((publisher, number), []).append(effect)
        self._order.append((publisher, number))
        if len(self._order) > WAITING_MAX:
            oldest = self._order.popleft()
            if waiting := self._effects.get(oldest):
                del waiting[0]
                if not waiting:
                    del self._effects[oldest]

    def take(self, publisher: int, number: int) -> list[Effect]:
        """A message came: the effects that it is the cause of, each of them a violation."""
        found = self._effects.pop((publisher, number), [])
        if found:
            self._order = deque(each for each in self._order if each != (publisher, number))
        return found
