"""How long sessions are missing: those that the plan has here, and that hold no connection.

Sums up connection-time exactly, where levels read each second would miss what lies between two readings.
"""

from __future__ import annotations

__all__ = ["Absences"]


class Absences:
    """Who is missing at present, and for how long sessions were since the last `take`; times are of the run, in ns."""

    def __init__(self) -> None:
        self._missing: set[int] = set()
        self._since_ns = 0
        self._sum_ns = 0

    @property
    def count(self) -> int:
        """How many are missing."""
        return len(self._missing)

    def begin(self, session: int, now_ns: int) -> None:
        """The plan has a session here, and it holds no connection."""
        if session not in self._missing:
            self._pass(now_ns)
            self._missing.add(session)

    def end(self, session: int, now_ns: int) -> None:
        """It is connected, or not wanted any more."""
        if session in self._missing:
            self._pass(now_ns)
            self._missing.remove(session)

    def clear(self, now_ns: int) -> None:
        """Nobody is wanted any more."""
        self._pass(now_ns)
        self._missing.clear()

    def take(self, now_ns: int) -> int:
        """Session-nanoseconds that were missing since the last call."""
        self._pass(now_ns)
        taken, self._sum_ns = self._sum_ns, 0
        return taken

    def _pass(self, now_ns: int) -> None:
        self._sum_ns += (now_ns - self._since_ns) * len(self._missing)
        self._since_ns = now_ns
