"""The window of one stream: messages that are sent and not acknowledged, when each is sent again, when it is given up.

**Definitions.** An *attempt* is one send of a message; the first has number 1. Its time-out runs from its intended
send: for the first that is when the message was due (or when the peer or a full window let it go at last), for a
retry when its pause was over (or when there was a connection again). A message whose time-out has run out pauses and
is sent again; with its last attempt timed out it is *given up*. The pause before retry n (from 0) is drawn evenly
between nothing and min(longest, first · factor^n): full jitter (Brooker: Exponential Backoff and Jitter, AWS
Architecture Blog, 2015), a pure function of the seed, the stream, the message and n.

An acknowledgement names a message, and perhaps the attempt. One that names none counts after a retry for success and
for the time since the first intended send only: nobody can tell which attempt it belongs to (Karn and Partridge,
SIGCOMM 1987). A further one of the same message is *again*; one of a message that was given up is *late*.

**Memory.** What waits, which the caller bounds by `room`, and the numbers that were given up, as runs, at most
`RUNS_MAX` of them: past that the oldest are forgotten, and what is said of their numbers is UNDECIDED. All other
numbers below the next one were acknowledged. Knows no sockets and no clock: times are handed in, nanoseconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import cython

from squall.seeds import derive, unit_draw

__all__ = [
    "ACKNOWLEDGED",
    "AGAIN",
    "ATTEMPTS_MAX",
    "LATE",
    "RUNS_MAX",
    "UNDECIDED",
    "AckWindow",
    "Retries",
    "Unacknowledged",
]

ATTEMPTS_MAX = 15
"""What the four bits of the envelope's attempt can say."""
RUNS_MAX = 4096

ACKNOWLEDGED = 0
AGAIN = 1
LATE = 2
UNDECIDED = 3

_NEVER_NS = 1 << 62


class Retries:
    """When messages are sent again: the same for all streams of a population.

    Args:
        timeout_s: how long an attempt waits for its acknowledgement.
        pauses_s: the longest pause before each retry; as many as there are retries.
        jitter: whether a pause is drawn, or taken whole.
        seed: the population's.
    """

    def __init__(self, timeout_s: float, pauses_s: Sequence[float], *, jitter: bool, seed: int) -> None:
        if len(pauses_s) >= ATTEMPTS_MAX:
            raise ValueError(f"{len(pauses_s)} retries are more than the envelope can count")
        self.timeout_ns = round(timeout_s * 1e9)
        self.attempts = 1 + len(pauses_s)
        self._pauses_ns = [round(pause_s * 1e9) for pause_s in pauses_s]
        self._jitter = jitter
        self._seed = derive(seed, "retries")

    def pause_ns(self, stream: int, sequence: int, retry: int) -> int:
        """How long a message waits, after the time-out, for this retry of it (from 0)."""
        longest_ns = self._pauses_ns[retry]
        if not self._jitter:
            return longest_ns
        return int(longest_ns * unit_draw(self._seed, stream, sequence * ATTEMPTS_MAX + retry))

    @property
    def longest_ns(self) -> int:
        """From the first intended send to the last time-out, at most."""
        return self.attempts * self.timeout_ns + sum(self._pauses_ns)


@cython.cclass
class Unacknowledged:
    """One message that waits. `attempt` is the number of its last one, `epoch` that of the connection it went out on.

    `due_ns` is when that attempt times out, or, while it `pauses`, when the next one is due. `expired_ns` is when its
    first time-out ran out; -1 while none has. Made by the window alone, field by field: there is one for each message.
    """

    def begun_ns(self, attempt: int) -> int:
        """The intended send of an attempt; -1 where that was never made, or none is named and it could be several."""
        if self.retried_ns is None:
            return self.intended_ns if attempt <= 1 else -1
        if attempt == 1:
            return self.intended_ns
        if 2 <= attempt <= self.attempt:
            begun: int = self.retried_ns[attempt - 2]
            return begun
        return -1


@cython.cclass
class AckWindow:
    """See the module. `next_ns` is no later than the next time-out or retry; `found` is what `acknowledge` took out."""

    def __init__(self, retries: Retries, stream: int, room: int) -> None:
        self.retries = retries
        self.timeout_ns = retries.timeout_ns
        self.stream = stream
        self.room = room
        self.waiting = []
        self.next_ns = _NEVER_NS
        self.timed_out = 0
        self.found = None
        self.firsts = None
        self.ends = None
        self.epochs = None
        self.undecided_below = 0

    # --- sending ---

    @cython.ccall
    def count(self) -> cython.Py_ssize_t:
        """How many messages wait."""
        return len(self.waiting)

    @cython.ccall
    def is_full(self) -> cython.bint:
        """Whether no message may be added before another is acknowledged or given up."""
        return len(self.waiting) >= self.room

    @cython.ccall
    def add(
        self,
        sequence: cython.longlong,
        type_index: cython.Py_ssize_t,
        type_sequence: cython.longlong,
        intended_ns: cython.longlong,
        let_go_ns: cython.longlong,
        epoch: cython.int,
    ) -> cython.int:
        """A message was sent for the first time, the next of its stream.

        `let_go_ns`: since when it could be, which may be after it was due.
        """
        message: Unacknowledged = Unacknowledged.__new__(Unacknowledged)
        message.sequence = sequence
        message.type_index = type_index
        message.type_sequence = type_sequence
        message.intended_ns = intended_ns
        message.epoch = epoch
        message.attempt = 1
        message.due_ns = let_go_ns + self.timeout_ns
        message.pauses = False
        message.expired_ns = -1
        message.retried_ns = None
        self.next_ns = min(self.next_ns, message.due_ns)
        self.waiting.append(message)
        return 0

    def sent_again(self, message: Unacknowledged, begun_ns: int, epoch: int) -> None:
        """The next attempt of a message was made; its intended send was at `begun_ns`."""
        message.attempt += 1
        message.epoch = epoch
        message.pauses = False
        if message.retried_ns is None:
            message.retried_ns = []
        message.retried_ns.append(begun_ns)
        message.due_ns = begun_ns + self.timeout_ns
        self.next_ns = min(self.next_ns, message.due_ns)

    def put_off(self, message: Unacknowledged) -> None:
        """The retry of a message is due, and cannot be made now."""
        self.next_ns = min(self.next_ns, message.due_ns)

    # --- time passes ---

    def advance(self, now_ns: int) -> tuple[list[Unacknowledged], list[Unacknowledged]]:
        """Let the time be `now_ns`: the messages whose retry is due, which stay, and those that are given up, which go.

        Each that is due is either `sent_again` or `put_off`; then it is due again at the next call.
        """
        due: list[Unacknowledged] = []
        through: list[Unacknowledged] = []
        kept: list[Unacknowledged] = []
        next_ns = _NEVER_NS
        for message in self.waiting:
            if not message.pauses and message.due_ns <= now_ns:
                self._time_out(message)
                if not message.pauses:
                    through.append(message)
                    self._give_up(message.sequence, message.epoch)
                    continue
            kept.append(message)
            if message.due_ns <= now_ns:
                due.append(message)
            else:
                next_ns = min(next_ns, message.due_ns)
        self.next_ns = next_ns
        if through:
            self.waiting = kept
        due.sort(key=_order)
        return due, through

    def _time_out(self, message: Unacknowledged) -> None:
        """An attempt is over: the message pauses before the next one, if there is one."""
        self.timed_out += 1
        if message.expired_ns < 0:
            message.expired_ns = message.due_ns
        if message.attempt < self.retries.attempts:
            message.pauses = True
            message.due_ns += self.retries.pause_ns(self.stream, message.sequence, message.attempt - 1)

    # --- acknowledgements ---

    @cython.ccall
    def acknowledge(self, sequence: cython.longlong) -> cython.int:
        """A number that was given out is acknowledged; ACKNOWLEDGED (then it is in `found`), AGAIN, LATE or UNDECIDED."""
        at: cython.Py_ssize_t = self._index_of(sequence)
        if at >= 0:
            self.found = self.waiting.pop(at)
            return 0
        self.found = None
        if sequence < self.undecided_below:
            return 3
        return 2 if self.firsts is not None and self._take_back(sequence) else 1

    def epoch_unacknowledged(self, sequence: int) -> int:
        """The epoch of a message's last attempt, if it is not acknowledged; -1 if it is, -2 where nobody can tell."""
        at = self._index_of(sequence)
        if at >= 0:
            epoch: int = self.waiting[at].epoch
            return epoch
        if sequence < self.undecided_below:
            return -2
        place = self._place_of(sequence)
        if place < 0:
            return -1
        found: int = self.epochs[place]
        return found

    def settle(self, next_sequence: int) -> None:
        """Nothing is waited for any more; what comes of numbers below the next one is UNDECIDED."""
        self.waiting = []
        self.found = None
        self.firsts = self.ends = self.epochs = None
        self.next_ns = _NEVER_NS
        self.undecided_below = next_sequence

    @cython.cfunc
    def _index_of(self, sequence: cython.longlong) -> cython.Py_ssize_t:
        """Where a message is among those that wait, which stand in the order of their numbers; -1 where it is not.

        Acknowledgements mostly come in order: it is the first.
        """
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = len(self.waiting)
        at: cython.Py_ssize_t = 0
        message: Unacknowledged
        while low < high:
            message = cython.cast(Unacknowledged, self.waiting[at])
            if message.sequence == sequence:
                return at
            if message.sequence < sequence:
                low = at + 1
            else:
                high = at
            at = (low + high) // 2
        return -1

    # --- what was given up, as runs of numbers with one epoch ---

    def _give_up(self, sequence: int, epoch: int) -> None:
        if self.firsts is None:
            self.firsts, self.ends, self.epochs = [], [], []
        at = bisect_right(self.firsts, sequence)
        if at and self.ends[at - 1] == sequence and self.epochs[at - 1] == epoch:
            self.ends[at - 1] = sequence + 1
        else:
            self.firsts.insert(at, sequence)
            self.ends.insert(at, sequence + 1)
            self.epochs.insert(at, epoch)
            at += 1
        if at < len(self.firsts) and self.firsts[at] == sequence + 1 and self.epochs[at] == epoch:
            self.ends[at - 1] = self.ends[at]
            self._remove(at)
        if len(self.firsts) > RUNS_MAX:
            self.undecided_below = self.ends[0]
            self._remove(0)

    def _remove(self, at: int) -> None:
        del self.firsts[at]
        del self.ends[at]
        del self.epochs[at]

    def _place_of(self, sequence: int) -> int:
        """The run in which a number is; -1 where it is in none."""
        if self.firsts is None:
            return -1
        at = bisect_right(self.firsts, sequence) - 1
        return at if at >= 0 and sequence < self.ends[at] else -1

    def _take_back(self, sequence: int) -> bool:
        """Take a number out of the runs; False where it is in none."""
        at = self._place_of(sequence)
        if at < 0:
            return False
        first, end, epoch = self.firsts[at], self.ends[at], self.epochs[at]
        left = [(start, stop) for start, stop in ((first, sequence), (sequence + 1, end)) if start < stop]
        self.firsts[at : at + 1] = [start for start, _ in left]
        self.ends[at : at + 1] = [stop for _, stop in left]
        self.epochs[at : at + 1] = [epoch] * len(left)
        return True


def _order(message: Unacknowledged) -> tuple[int, int]:
    return message.due_ns, message.sequence
