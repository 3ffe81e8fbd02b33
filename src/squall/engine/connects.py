"""Which session connects next: each at its time, and those that try again also in turn.

A session has one place in it, the latest it was given. Whoever tries again waits out his pause and then, where
there is a cap on such tries, for a turn of this worker; first tries are capped by the plan itself. Pure: times are
handed in.
"""

from __future__ import annotations

import heapq
from collections import deque

from squall.profiles.backoff import Turns

__all__ = ["Connects"]


class Connects:
    """The connects of a worker that are still to begin."""

    def __init__(self, turns: Turns | None) -> None:
        self._turns = turns
        self._heap: list[tuple[int, int, bool]] = []  # (time, session, whether it tries again)
        self._in_turn: deque[int] = deque()
        self._places: dict[int, tuple[int, bool]] = {}

    def add(self, session: int, at_ns: int, *, again: bool = False) -> None:
        """A session connects at this time, at the earliest."""
        self._places[session] = (at_ns, again)
        heapq.heappush(self._heap, (at_ns, session, again))

    def forget(self, session: int) -> None:
        """A session connects no more."""
        self._places.pop(session, None)

    def clear(self) -> None:
        """Nobody connects any more."""
        self._heap.clear()
        self._in_turn.clear()
        self._places.clear()

    @property
    def next_ns(self) -> int | None:
        """When to ask again; None where nobody waits."""
        times = [self._heap[0][0]] if self._heap else []
        if self._in_turn and self._turns is not None:
            times.append(self._turns.next_ns)
        return min(times, default=None)

    def take(self, now_ns: int) -> int | None:
        """The session that connects now; None where none does."""
        while self._heap and self._heap[0][0] <= now_ns:
            at_ns, session, again = heapq.heappop(self._heap)
            if self._places.get(session) != (at_ns, again):
                continue
            if not again or self._turns is None:
                del self._places[session]
                return session
            self._in_turn.append(session)
        while self._in_turn and self._places.get(self._in_turn[0], (now_ns + 1, True))[0] > now_ns:
            self._in_turn.popleft()
        if not self._in_turn or self._turns is None or not self._turns.take(now_ns):
            return None
        session = self._in_turn.popleft()
        del self._places[session]
        return session
