"""The ledger of one stream: which messages went out, which came in, and what is still owed.

**Definitions.** A message is *sent* when `assign` gives it its number. It is *delivered* at its first good copy;
each further good copy is *duplicated*. An arrival is *reordered* if its number is less than one that arrived
before it (RFC 4737 §3.3, type-P-reordered, over distinct messages): with `expected` one past the highest number
seen, arrival s is reordered iff s < expected. Its *extent* is how many distinct messages arrived since the first
one that overtook it (§4.2), its *late time* how long that was ago (§4.3). A good copy of a number that was never
given out is *foreign*.

What has not arrived when a session ends is *lost* if its connection lived through its drain, or if it was
acknowledged, and *unknown* if the connection died first. A stream that reconnects goes on under the next epoch; what
the dead connection took along stays unknown unless a good copy comes later (*recovered*). A *gap* is a maximal run of
lost numbers with a later arrival behind it.

**Order.** An in-order receiver would hold an arrival back until all its predecessors are there that come at all: its
*wait* runs until the last of them. A predecessor that comes late lengthens the wait of all that are after it, there
and then (`take_waits`); what never comes makes nobody wait. With `orders` off none of this is kept, and no gaps.

**Memory.** A stream in order needs a few numbers only. What was overtaken is kept, at most `WINDOW` numbers (or as many
as its own `window` says); past that the oldest become unknown and are handed out by `take_evicted`. A copy of one that
comes later is *undecided*: neither delivery nor duplicate can be told, so it counts as neither. While something is
missing, the arrival times of at most `HELD_MAX` later arrivals are kept; where the time of an earlier one would have
been needed, its wait is known only up to when it was forgotten (`take_unmeasured`).

Sequence numbers are given in the order of sending, so that the labels (the caller's: a phase and a place, say) and
epochs of a stream are ranges of numbers (`segments`), and no message needs a record of its own. Knows no types,
clocks or sockets: times are handed in.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator

import cython

from squall.delivery.ranges import Ranges

__all__ = [
    "ACKNOWLEDGED",
    "DUPLICATE",
    "FIRST",
    "FOREIGN",
    "HELD_MAX",
    "LOST",
    "REORDERED",
    "UNDECIDED",
    "UNKNOWN",
    "WINDOW",
    "Fate",
    "GapPiece",
    "Range",
    "Stream",
    "Wait",
]

WINDOW = 4096
HELD_MAX = 4096
_FORGOTTEN_AT_ONCE = 1024

_MISSED_KEPT = 64
"""Runs of numbers remembered that were given up: of what is older than these nobody can tell whether it had come."""

_SEGMENTS_KEPT = 16
"""Segments remembered though nothing is owed in them: a copy that comes late is still told its own label."""

FIRST = 0
REORDERED = 1
DUPLICATE = 2
FOREIGN = 3
UNDECIDED = 4

LOST = 0
UNKNOWN = 1
ACKNOWLEDGED = 2

Fate = Callable[[int], int]
"""What became of a number that is owed at the end: LOST, UNKNOWN, or lost although ACKNOWLEDGED."""
Range = tuple[int, int, int, bool, bool]
"""(first number, one past the last, label, whether unknown rather than lost, whether acknowledged)."""
Wait = tuple[int, int, bool]
"""(number, by how much its wait became longer, whether it had not waited before)."""
GapPiece = tuple[int, int, int, bool]
"""(first number, one past the last, label, whether the gap begins here)."""


@cython.cclass
class Stream:
    """The account of one stream. Numbers start at 0; times are nanoseconds, not below 0.

    Args:
        orders: whether waits and gaps are kept account of.
        window: how many missing numbers, and later arrivals, are remembered; 0 for `WINDOW` and `HELD_MAX`.
    """

    def __init__(self, orders: bool = True, window: int = 0) -> None:
        self.window = window
        self.orders = orders
        self.holding = False
        self.duplicated = 0
        self.reordered = 0
        self.settled_below = 0
        self.came_below = 0
        self.next_sequence = 0
        self.expected = 0
        self.arrived = 0
        self.segment_first = 0
        self.evicted_below = 0
        self.epoch = 0
        self.epoch_first = 0
        self.label = -1
        self.extent = 0
        self.late_ns = 0
        self.segments = None
        self.missing = None
        self.revealed_at = None
        self.revealed_ns = None
        self.evicted = None
        self.missed = None
        self.told_from = 0
        self.held = None
        self.held_ns = None
        self.forgotten = None
        self.waits = None
        self.unmeasured = None
        self.tail = None
        self.gaps = None

    # --- sending ---

    @cython.ccall
    def assign(self) -> cython.longlong:
        """The number of the message that is being sent."""
        number: cython.longlong = self.next_sequence
        self.next_sequence = number + 1
        return number

    def begin_segment(self, label: int, epoch: int) -> None:
        """From the next number on, messages carry this label and epoch."""
        if self.next_sequence > self.segment_first:
            if self.segments is None:
                self.segments = []
            self.segments.append((self.segment_first, self.label, self.epoch))
            if len(self.segments) > _SEGMENTS_KEPT:
                self._forget_settled_segments()
        self.segment_first = self.next_sequence
        self.label = label
        if epoch != self.epoch:
            self.epoch = epoch
            self.epoch_first = self.next_sequence

    def _forget_settled_segments(self) -> None:
        """Drop the oldest segments, as far as nothing is owed in them, down to those that are kept anyway."""
        firsts = [segment[0] for segment in self.segments]
        settled = bisect_left(firsts, self.oldest_owed() + 1) - 1
        del self.segments[: max(0, min(settled, len(firsts) - _SEGMENTS_KEPT))]

    def oldest_owed(self) -> int:
        """The lowest number that may still come; the next one where all have."""
        return self.missing[0] if self.missing else self.expected

    # --- arriving ---

    @cython.ccall
    def arrive(self, sequence: cython.longlong, now_ns: cython.longlong) -> cython.int:
        """Enter a good copy; FIRST, REORDERED (a first copy too), DUPLICATE, FOREIGN or UNDECIDED."""
        if sequence >= self.next_sequence:
            return 3
        if sequence >= self.expected:
            if sequence > self.expected:
                self._reveal(sequence, now_ns)
            self.expected = sequence + 1
            self.arrived += 1
            if self.holding:
                self._hold(sequence, now_ns)
            return 0
        if self.missing is not None and self._claim(sequence, now_ns):
            self.arrived += 1
            self.reordered += 1
            return 1
        if sequence < self.evicted_below and not self.has_come(sequence):
            return 4
        self.duplicated += 1
        return 2

    def _reveal(self, sequence: int, now_ns: int) -> None:
        """Numbers before this arrival have not come: keep them as missing, within the window."""
        if self.missing is None:
            self.missing = array("I")
            self.revealed_at = array("I")
            self.revealed_ns = array("q")
        first = self.expected
        self._evict(len(self.missing) + (sequence - first) - (self.window or WINDOW))
        first = max(first, self.evicted_below)
        self.missing.extend(range(first, sequence))
        self.revealed_at.extend([self.arrived & 0xFFFFFFFF] * (sequence - first))
        self.revealed_ns.extend([now_ns] * (sequence - first))
        self.holding = self.orders and len(self.missing) > 0

    def _evict(self, excess: int) -> None:
        """Give up the `excess` oldest missing numbers, and then numbers from `expected` on."""
        if excess <= 0:
            return
        if self.evicted is None:
            self.evicted = []
        kept = min(excess, len(self.missing))
        for number in self.missing[:kept]:
            self._note_evicted(number, number + 1)
        del self.missing[:kept]
        del self.revealed_at[:kept]
        del self.revealed_ns[:kept]
        if excess > kept:
            self._note_evicted(self.expected, self.expected + excess - kept)

    def _note_evicted(self, first: int, end: int) -> None:
        if self.evicted and self.evicted[-1][1] == first:
            self.evicted[-1] = (self.evicted[-1][0], end)
        else:
            self.evicted.append((first, end))
        self.evicted_below = end
        self._note_missed(first, end)

    def _note_missed(self, first: int, end: int) -> None:
        """These never came before they were given up: a copy of them is none of a message that was delivered."""
        if self.missed is None:
            self.missed = []
        if self.missed and self.missed[-1][1] == first:
            self.missed[-1] = (self.missed[-1][0], end)
            return
        self.missed.append((first, end))
        if len(self.missed) > _MISSED_KEPT:
            self.told_from = self.missed.pop(0)[1]

    def _claim(self, sequence: int, now_ns: int) -> bool:
        """Take a number off the missing; False where it is not among them. Sets extent and late time."""
        at = bisect_left(self.missing, sequence)
        if at == len(self.missing) or self.missing[at] != sequence:
            return False
        self.extent = (self.arrived - self.revealed_at[at]) & 0xFFFFFFFF
        self.late_ns = now_ns - self.revealed_ns[at]
        del self.missing[at]
        del self.revealed_at[at]
        del self.revealed_ns[at]
        if self.holding:
            self._release(sequence, now_ns)
        return True

    def give_up_below(self, number: int) -> list[Range]:
        """What is owed below a number becomes unknown now, as ranges that each have one label."""
        kept = bisect_left(self.missing, number) if self.missing else 0
        if self.missing is None:
            self.missing, self.revealed_at, self.revealed_ns = array("I"), array("I"), array("q")
        self._evict(kept + max(0, number - self.expected))
        self.expected = max(self.expected, number)
        if not self.missing:
            self._forget_held()
        return self.take_evicted()

    # --- waiting ---

    def _hold(self, sequence: int, now_ns: int) -> None:
        """Something before this arrival is missing: an in-order receiver may have to hold it back, from now on."""
        if self.held is None:
            self.held = array("I")
            self.held_ns = array("q")
        elif len(self.held) >= (self.window or HELD_MAX):
            self._forget_oldest()
        if not self.held or sequence > self.held[-1]:
            self.held.append(sequence)
            self.held_ns.append(now_ns)
        else:
            at = bisect_left(self.held, sequence)
            self.held.insert(at, sequence)
            self.held_ns.insert(at, now_ns)

    def _forget_oldest(self) -> None:
        """Make room: first of those that nothing is missing before, else of the oldest."""
        settled = bisect_left(self.held, self.missing[0])
        if settled == 0:
            settled = min(_FORGOTTEN_AT_ONCE, ((self.window or HELD_MAX) + 1) // 2)
            if self.forgotten is None:
                self.forgotten = Ranges()
            for number in self.held[:settled]:
                self.forgotten.add(number, number + 1)
        del self.held[:settled]
        del self.held_ns[:settled]

    def _release(self, sequence: int, now_ns: int) -> None:
        """A missing number is here: all after it had to wait until now, as far as this is its wait's latest cause.

        A time in `held_ns` is when the arrival's wait was last lengthened, as its complement, or when it came.
        """
        at = bisect_left(self.held, sequence)
        waits: list[Wait] = []
        for place in range(at, len(self.held)):
            since_ns: cython.longlong = self.held_ns[place]
            waits.append((self.held[place], now_ns - max(since_ns, ~since_ns), since_ns >= 0))
            self.held_ns[place] = ~now_ns
        self.waits = (self.waits or []) + waits
        if self.forgotten is not None:
            self.unmeasured = (self.unmeasured or []) + self.forgotten.take_from(sequence)
        if not self.missing:
            self._forget_held()
        elif sequence > self.missing[0]:
            self._hold(sequence, now_ns)

    def _forget_held(self) -> None:
        """Nothing is missing: nobody waits."""
        self.holding = False
        self.held = self.held_ns = self.forgotten = None

    def came_after(self, sequence: int) -> Iterator[int]:
        """The later numbers that have arrived, from the highest down."""
        for number in range(self.expected - 1, sequence, -1):
            if not self.is_missing(number):
                yield number

    def take_waits(self) -> list[Wait]:
        """By how much waits became longer since the last call."""
        waits, self.waits = self.waits or [], None
        return waits

    def take_unmeasured(self) -> list[tuple[int, int]]:
        """Arrivals whose wait went on after their time was forgotten, found since the last call, as ranges."""
        unmeasured, self.unmeasured = self.unmeasured or [], None
        return unmeasured

    # --- asking ---

    @cython.ccall
    def outstanding(self) -> cython.longlong:
        """How many numbers are given out and neither arrived nor evicted."""
        owed: cython.longlong = self.next_sequence - self.expected
        if self.missing is not None:
            owed += len(self.missing)
        return owed

    @cython.ccall
    def awaited(self) -> cython.longlong:
        """How many of those can still come on the present connection: what an earlier one took along is left out."""
        owed: cython.longlong = self.next_sequence - max(self.expected, self.epoch_first)
        if self.missing:
            owed += len(self.missing) - bisect_left(self.missing, self.epoch_first)
        return owed

    @cython.ccall
    def is_missing(self, sequence: cython.longlong) -> cython.bint:
        """Whether a number was overtaken and is still owed."""
        if self.missing is None:
            return False
        at = bisect_left(self.missing, sequence)
        return at < len(self.missing) and self.missing[at] == sequence

    @cython.ccall
    def has_come(self, sequence: cython.longlong) -> cython.bint:
        """Whether a good copy of a number has come; False where that is not known any more."""
        if sequence >= self.expected or self.is_missing(sequence):
            return False
        if self.missed is not None:
            for first, end in self.missed:
                if first <= sequence < end:
                    return False
        return sequence >= self.told_from

    @cython.ccall
    def label_of(self, sequence: cython.longlong) -> cython.int:
        """The label of a number; for one older than all segments that are kept, that of the oldest of them."""
        if sequence >= self.segment_first or self.segments is None:
            return self.label
        label: int = self._segment_of(sequence)[1]
        return label

    @cython.ccall
    def epoch_of(self, sequence: cython.longlong) -> cython.int:
        """The epoch in which a number was given out."""
        if sequence >= self.segment_first or self.segments is None:
            return self.epoch
        epoch: int = self._segment_of(sequence)[2]
        return epoch

    def _segment_of(self, sequence: int) -> tuple[int, int, int]:
        at = max(0, bisect_left([segment[0] for segment in self.segments], sequence + 1) - 1)
        if at < len(self.segments):
            segment: tuple[int, int, int] = self.segments[at]
            return segment
        return (self.segment_first, self.label, self.epoch)

    def take_evicted(self) -> list[Range]:
        """What fell out of the window since the last call, as unknown ranges that each have one label."""
        evicted, self.evicted = self.evicted or [], None
        return [piece for first, end in evicted for piece in self._split(first, end, lived=False)]

    def settle(self, lived: bool, fate: Fate | None = None) -> list[Range]:
        """What is owed at the session's end, as ranges that each have one label.

        Args:
            lived: whether the last connection lived through its drain.
            fate: says of each number what became of it, for who knows more than that.

        Everything is settled after that: the stream owes nothing.
        """
        ranges: list[Range] = []
        for first, end in self._owed():
            ranges.extend(self._split(first, end, lived=lived, fate=fate))
            self._note_missed(first, end)
        if self.orders:
            self._find_gaps([(first, end, label) for first, end, label, unknown, _ in ranges if not unknown])
        self.missing = self.revealed_at = self.revealed_ns = None
        self._forget_held()
        self.expected = self.settled_below = self.evicted_below = self.next_sequence
        return ranges

    def _find_gaps(self, lost: list[tuple[int, int, int]]) -> None:
        """Keep the runs of lost numbers with an arrival behind them; for others it may come on the next visit."""
        if self.expected > self.settled_below:
            self.came_below = self.expected
        pieces: list[GapPiece] = []
        for first, end, label in (self.tail or []) + lost:
            begins = not pieces or pieces[-1][1] != first
            if not begins and pieces[-1][2] == label:
                pieces[-1] = (pieces[-1][0], end, label, pieces[-1][3])
            else:
                pieces.append((first, end, label, begins))
        self.gaps = (self.gaps or []) + [piece for piece in pieces if piece[1] < self.came_below]
        self.tail = [piece[:3] for piece in pieces if piece[1] >= self.came_below]

    def take_gaps(self) -> list[GapPiece]:
        """The gaps found since the last call, cut where the label changes."""
        gaps, self.gaps = self.gaps or [], None
        return gaps

    def _owed(self) -> list[tuple[int, int]]:
        """The owed numbers as maximal runs."""
        runs: list[tuple[int, int]] = []
        for number in self.missing or ():
            if runs and runs[-1][1] == number:
                runs[-1] = (runs[-1][0], number + 1)
            else:
                runs.append((number, number + 1))
        if self.next_sequence > self.expected:
            runs.append((self.expected, self.next_sequence))
        return runs

    def _split(self, first: int, end: int, *, lived: bool, fate: Fate | None = None) -> list[Range]:
        """Cut a run where a segment ends, and where fates differ: unknown if the epoch is over or the connection died."""
        pieces: list[Range] = []
        borders = [*(segment[0] for segment in (self.segments or ())[1:]), self.segment_first]
        while first < end:
            border = next((border for border in borders if border > first), end)
            stop = min(end, border)
            label = self.label_of(first)
            if fate is None:
                unknown = not lived or self.epoch_of(first) != self.epoch
                pieces.append((first, stop, label, unknown, False))
            else:
                for low, high, found in _alike(first, stop, fate):
                    pieces.append((low, high, label, found == UNKNOWN, found == ACKNOWLEDGED))
            first = stop
        return pieces


def _alike(first: int, end: int, fate: Fate) -> list[tuple[int, int, int]]:
    """The numbers from `first` to before `end` as pieces of one fate each."""
    pieces: list[tuple[int, int, int]] = []
    for number in range(first, end):
        found = fate(number)
        if pieces and pieces[-1][2] == found:
            pieces[-1] = (pieces[-1][0], number + 1, found)
        else:
            pieces.append((number, number + 1, found))
    return pieces
