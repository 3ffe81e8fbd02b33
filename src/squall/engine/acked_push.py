"""A session that has its messages pushed back and acknowledges them: the service sends each again until it does.

The other direction of `acking`: here squall is the receiver. It acknowledges every copy, names the attempt that it
came by, and drops further copies as a receiver must to whom a retry may bring one: they are `duplicate_arrivals`, and
after that nothing is duplicated unless the scenario says that copies are not dropped. A message of which a retry was the
first to come, or came before one was acknowledged, *needed* one. The times of the service's attempts are its own: there
is no ack_time here.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.squall.delivery.envelope import Codec
    from cython.cimports.squall.engine.lane import Lane
    from cython.cimports.squall.engine.talking import TalkingSession
    from cython.cimports.squall.engine.tally import MessageTally
else:
    from squall.delivery.envelope import Codec
    from squall.engine.lane import Lane
    from squall.engine.talking import TalkingSession
    from squall.engine.tally import MessageTally

__all__ = ["UNANSWERED_MAX", "AckedPushSession"]

UNANSWERED_MAX = 4096
"""Messages remembered that came while nothing was acknowledged; of further ones nobody knows when they first are."""


@cython.cclass
class AckedPushSession(TalkingSession):
    """See the module. While a fault lets it withhold acknowledgements, it is an unresponsive client."""

    def __init__(
        self, number: int, index: int, lane: Lane, script: object, *, acknowledges: bool, deduplicates: bool
    ) -> None:
        super().__init__(number, index, lane, None, script)
        self.acknowledges = acknowledges
        self.deduplicates = deduplicates
        self.unanswered = None

    @cython.cfunc
    def _enter_message(
        self, data: cython.p_uchar, size: cython.Py_ssize_t, text: cython.bint, now: cython.longlong
    ) -> cython.int:
        """Acknowledge a message and book it; an acknowledgement has no business here."""
        codec: Codec = self.lane.codec
        found: cython.int = codec.decode(data, size, text)
        if found:
            self._misread(found, data, size, text)
        elif not self._is_mine():
            self.heard_tallies.connection.unexpected += 1
        else:
            self._enter_push_back(now)
        return 0

    @cython.cfunc
    def _enter_push_back(self, now: cython.longlong) -> cython.int:
        """A good copy of one of ours, its fields in the codec."""
        codec: Codec = self.lane.codec
        sequence: cython.longlong = codec.sequence
        type_index: cython.Py_ssize_t = codec.type_index
        by_retry: cython.bint = codec.attempt > 1
        tally: MessageTally = self._tally_of(sequence, type_index, now)
        tally.retries_sent += by_retry
        answered: cython.bint = self._acknowledge(now)
        before: cython.longlong = self.stream.arrived
        self._arrived(
            sequence, type_index, by_retry or codec.epoch != self.epoch & 0xFFFF, codec.intended_ns, now
        )
        is_first: cython.bint = self.stream.arrived != before
        awaits: cython.bint = is_first or self._is_unanswered(sequence)
        if awaits and by_retry and (is_first or not self.unanswered[sequence]):
            tally.retried += 1
        if awaits and answered:
            tally.acknowledged += 1
            tally.acknowledged_first += not by_retry
            tally.retry_acknowledged += by_retry
            if not is_first:
                del self.unanswered[sequence]
        elif awaits:
            self._remember(sequence, by_retry)
        return 0

    @cython.cfunc
    def _acknowledge(self, now: cython.longlong) -> cython.bint:
        """Send the acknowledgement of what the codec has read; False where none is sent."""
        if (
            not self.acknowledges
            or self.withholds_acks
            or self.transport.is_close_frame_sent
            or (self.paused and self._is_blocked(now))
        ):
            return False
        size: cython.Py_ssize_t = self.lane.codec.encode_ack()
        self._hand_over(size)
        connection = self.heard_tallies.connection
        connection.messages_sent += 1
        connection.bytes_sent += size
        return True

    @cython.cfunc
    def _came_again(self, tally: MessageTally) -> cython.int:
        """A further copy: dropped, unless the scenario wants it passed on."""
        tally.duplicate_arrivals += 1
        tally.duplicated += not self.deduplicates
        return 0

    def _remember(self, sequence: int, retried: bool) -> None:
        """A message is here and was not acknowledged; `retried` says whether it has come by a retry."""
        if self.unanswered is None:
            self.unanswered = {}
        if sequence in self.unanswered or len(self.unanswered) < UNANSWERED_MAX:
            self.unanswered[sequence] = retried or self.unanswered.get(sequence, False)

    @cython.cfunc
    def _is_unanswered(self, sequence: cython.longlong) -> cython.bint:
        return self.unanswered is not None and sequence in self.unanswered

    def settle(self, lived: bool) -> None:
        """See the base."""
        super().settle(lived)
        self.unanswered = None
