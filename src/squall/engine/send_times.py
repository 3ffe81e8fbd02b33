"""When each message that is still owed was handed to the transport: for its service_time.

The rule: bounded, and exact within the bound. The latest eight stand in a ring; what falls out of it is kept beside
only if the ledger still owes it, and of that at most `SPILL_MAX` (or as many as asked), the oldest forgotten first.
For a message that was held back by the peer it also keeps when it had been found due.

Times are whatever it is given; it knows no clock and no connection.
"""

from __future__ import annotations

from array import array

import cython

if cython.compiled:
    from cython.cimports.squall.delivery.ledger import Stream
else:
    from squall.delivery.ledger import Stream

__all__ = ["SPILL_MAX", "SendTimes"]

SPILL_MAX = 4096


@cython.cclass
class SendTimes:
    """The times of one stream. Nothing but the ring exists until it is needed."""

    def __init__(self, spill_max: int = SPILL_MAX) -> None:
        self.spill_max = spill_max
        if not cython.compiled:
            self.ring = array("q", bytes(8 * 8))
        self.spilled = None
        self.held = None

    @cython.ccall
    def note(self, sequence: cython.longlong, sent: cython.longlong, stream: Stream) -> cython.int:
        """A message was handed over. `stream` says of an older one, which makes room, whether it is owed."""
        older: cython.longlong = sequence - 8
        if older >= stream.expected or stream.is_missing(older):
            if self.spilled is None:
                self.spilled = {}
            elif len(self.spilled) >= self.spill_max:
                self.spilled.pop(next(iter(self.spilled)))
            self.spilled[older] = self.ring[sequence & 7]
        self.ring[sequence & 7] = sent
        return 0

    @cython.ccall
    def take(self, sequence: cython.longlong, next_sequence: cython.longlong) -> cython.longlong:
        """When a message was handed over, which is owed no longer; -1 where that is forgotten."""
        sent: cython.longlong = -1
        if self.spilled:
            sent = self.spilled.pop(sequence, -1)
        if sent < 0 and next_sequence - sequence <= 8:
            sent = self.ring[sequence & 7]
        return sent

    @cython.ccall
    def of(self, sequence: cython.longlong, next_sequence: cython.longlong) -> cython.longlong:
        """When a message was handed over that is still owed; -1 where that is forgotten."""
        sent: cython.longlong = -1
        if self.spilled:
            sent = self.spilled.get(sequence, -1)
        if sent < 0 and next_sequence - sequence <= 8:
            sent = self.ring[sequence & 7]
        return sent

    @cython.ccall
    def note_held(self, sequence: cython.longlong, seen: cython.longlong) -> cython.int:
        """A message was handed over that had been found due at `seen` and held back."""
        if self.held is None:
            self.held = {}
        elif len(self.held) >= self.spill_max:
            self.held.pop(next(iter(self.held)))
        self.held[sequence] = seen
        return 0

    @cython.ccall
    def take_held(self, sequence: cython.longlong) -> cython.longlong:
        """When a message that was held back had been found due; -1 where it was not held back, or that is forgotten."""
        if not self.held:
            return -1
        return self.held.pop(sequence, -1)

    def forget(self) -> None:
        """Nothing is owed any more."""
        self.spilled = None
        self.held = None
