"""What a worker tells in words: the first few events of a kind in each report, and of the rest how many there were.

Counts are never taken from here: they stand in the cells.
"""

from __future__ import annotations

from collections import Counter

from squall.record.snapshots import Event

__all__ = ["EACH_MAX", "Journal"]

EACH_MAX = 20
"""Events of one kind that one report tells one by one."""


class Journal:
    """The events since the last report."""

    def __init__(self, worker: int) -> None:
        self._worker = worker
        self._events: list[Event] = []
        self._said: Counter[str] = Counter()

    def say(self, at_ns: int, kind: str, text: str, stream: int) -> None:
        """Something happened to a stream."""
        self._said[kind] += 1
        if self._said[kind] <= EACH_MAX:
            self._events.append(Event(at_ns=at_ns, kind=kind, text=text, worker=self._worker, stream=stream))

    def take(self) -> tuple[list[Event], int]:
        """The events since the last call, and how many were not kept; the last of a kind says so."""
        taken, untold = self._events, 0
        for kind, count in self._said.items():
            more = count - EACH_MAX
            if more > 0:
                last = next(event for event in reversed(taken) if event.kind == kind)
                text = f"and {more} more in the same second"
                taken.append(Event(at_ns=last.at_ns, kind=kind, text=text, worker=self._worker))
                untold += more
        self._events, self._said = [], Counter()
        return taken, untold
