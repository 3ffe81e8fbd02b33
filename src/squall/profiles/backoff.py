"""When a connect is tried again: how long each session waits, and how often all of them together may try.

**Pause.** Before try n (from 0) after a failed connect or a drop, a session waits a time drawn evenly between
nothing and min(longest, first · 2^n): "full jitter", which spreads a herd that was dropped at once over the whole
pause (Brooker: Exponential Backoff and Jitter, AWS Architecture Blog, 2015). Without jitter it waits the whole
pause. The draw is a pure function of the seed, the session, its epoch and n.

**Turns.** Under a cap of r tries per second there is a turn every 1/r seconds; turn k is worker k mod W's. So the
workers share the cap exactly, without talking to each other, and over any number of them no second has more than
r tries and one for each worker. A turn that nobody uses is gone: there is no burst to make up for it.

Times are nanoseconds. Knows neither clock nor connection.
"""

from __future__ import annotations

from squall.seeds import derive, unit_draw

__all__ = ["Backoff", "Turns"]

_DOUBLINGS_MAX = 40  # past this any first pause is above any longest one
_TRIES_APART = 1 << 20


class Backoff:
    """The pauses of all sessions.

    Args:
        first_s: the longest that the first pause can be.
        longest_s: what no pause is longer than.
        jitter: whether a pause is drawn, or taken whole.
        seed: the run's.
    """

    def __init__(self, first_s: float, longest_s: float, *, jitter: bool, seed: int) -> None:
        self._first_ns = first_s * 1e9
        self._longest_ns = longest_s * 1e9
        self._jitter = jitter
        self._seed = derive(seed, "connect back-off")

    def pause_ns(self, session: int, epoch: int, tries: int) -> int:
        """How long a session waits that has tried `tries` times since it lost the connection of its epoch."""
        ceiling_ns = min(self._longest_ns, self._first_ns * 2.0 ** min(tries, _DOUBLINGS_MAX))
        if not self._jitter:
            return round(ceiling_ns)
        about = (epoch + 1) * _TRIES_APART + tries
        return int(ceiling_ns * unit_draw(self._seed, session, about))


class Turns:
    """One worker's turns under a cap on tries per second over all workers."""

    def __init__(self, rate_hz: float, worker: int, workers: int) -> None:
        self._rate_hz = rate_hz
        self._workers = workers
        self._turn = worker
        self.next_ns = self._at_ns(worker)
        """When the next turn begins."""

    def take(self, now_ns: int) -> bool:
        """Use a turn, if one has begun since the last that was used."""
        if now_ns < self.next_ns:
            return False
        missed = int((now_ns - self.next_ns) * self._rate_hz / 1e9) // self._workers
        self._turn += missed * self._workers
        while self._at_ns(self._turn) <= now_ns:
            self._turn += self._workers
        self.next_ns = self._at_ns(self._turn)
        return True

    def _at_ns(self, turn: int) -> int:
        return round(turn * 1e9 / self._rate_hz)
