"""Which sessions a client-side fault strikes, and when: once each, by the seed.

A share of the sessions is drawn exactly: of the first `sessions` numbers those with the smallest draws, rounded to whole
sessions, and at least one where the share is above nothing. Whoever comes beyond those numbers is drawn by the same
limit, so that the share holds there too, on average. A strike lies whole in its window: it begins at a drawn time, at
the latest so that it is over when the window is. Pure functions of the seed: the number of workers changes nothing.
"""

from __future__ import annotations

from squall.seeds import derive, unit_draw

__all__ = ["Strikes"]

_NOBODY = -1.0
_EVERYBODY = 1.0


class Strikes:
    """The strikes of one fault. Times are nanoseconds of the run.

    Args:
        seed: the fault's own.
        share: of the sessions, in 0 … 1.
        sessions: how many there are to be.
        from_ns: the beginning of the window.
        until_ns: its end.
        lasts_ns: how long one strike is.
    """

    def __init__(
        self, *, seed: int, share: float, sessions: int, from_ns: int, until_ns: int, lasts_ns: int
    ) -> None:
        self._who = derive(seed, "who is struck")
        self._when = derive(seed, "when it strikes")
        self._limit = self._limit_of(share, sessions)
        self._from_ns = from_ns
        self._spread_ns = max(0, until_ns - from_ns - lasts_ns)

    def _limit_of(self, share: float, sessions: int) -> float:
        """Sessions whose draw is at most this are struck."""
        if share <= 0 or sessions <= 0:
            return _NOBODY
        struck = max(1, round(share * sessions))
        if struck >= sessions:
            return _EVERYBODY
        draws = sorted(unit_draw(self._who, session, 0) for session in range(sessions))
        return float(draws[struck - 1])

    def at_ns(self, session: int) -> int | None:
        """When a session is struck; None where it is not."""
        if unit_draw(self._who, session, 0) > self._limit:
            return None
        return self._from_ns + int(unit_draw(self._when, session, 0) * self._spread_ns)
