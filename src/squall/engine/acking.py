"""A session whose messages the service acknowledges: they are sent again until it does, or no attempt is left.

Which message waits, and when it is sent again, is the window's (`delivery.acks`); how an acknowledgement looks is the
envelope's, or a talk's for a service that speaks a language of its own. Retries go out under the epoch of the
connection that carries them, so that those of a message that an earlier connection took along are *recovered*.

With `evidence: acknowledgement` a message is delivered when it is acknowledged: nothing else comes. With `evidence:
receiver` the service delivers it to its sender too, and then it is delivered when it comes; what was acknowledged and
never came is lost, also where its connection died. When a full window holds messages back they are *blocked*, as by a
peer that does not read.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.picows.picows import WSMsgType
    from cython.cimports.squall.delivery.acks import AckWindow, Unacknowledged
    from cython.cimports.squall.delivery.envelope import Codec
    from cython.cimports.squall.engine.lane import Lane
    from cython.cimports.squall.engine.session import Session
    from cython.cimports.squall.engine.talking import TalkingSession
    from cython.cimports.squall.engine.tally import MessageTally, Tallies
    from cython.cimports.squall.engine.ticks import now_ns
else:
    from picows import WSMsgType

    from squall.delivery.acks import AckWindow, Unacknowledged
    from squall.delivery.envelope import Codec
    from squall.engine.lane import Lane
    from squall.engine.session import Session
    from squall.engine.talking import TalkingSession
    from squall.engine.tally import MessageTally, Tallies
    from squall.engine.ticks import now_ns

from squall.delivery.ledger import ACKNOWLEDGED, LOST, UNKNOWN
from squall.engine import aftermath
from squall.protocols.base import Acknowledged, Foreign, UnknownAck
from squall.units import format_duration

__all__ = ["AckTerms", "AckingSession"]

_LOOK_AGAIN_NS = 100_000_000
"""A retry that is due while the peer does not read is tried again after this."""
_NEVER_NS = 1 << 62


@cython.cclass
class AckTerms:
    """What the acknowledging sessions of one population in one process share.

    Args:
        retries: when messages are sent again (`delivery.acks.Retries`).
        room: unacknowledged messages of a session at most.
        by_receiver: a message is delivered when it comes itself, not when it is acknowledged.
    """

    def __init__(self, retries: object, room: int, *, by_receiver: bool) -> None:
        self.retries = retries
        self.room = room
        self.by_receiver = by_receiver
        self.recognised = False
        self.complained = False
        self.strangers = {}

    def stranger(self, why: str) -> None:
        """A message came that is no acknowledgement, by a fixed word."""
        if not self.recognised:
            self.strangers[why] = self.strangers.get(why, 0) + 1

    def complaint(self) -> str:
        """What is to be said, once, after the first time-out if no acknowledgement was ever recognised; else ""."""
        if self.recognised or self.complained:
            return ""
        self.complained = True
        after = format_duration(self.retries.timeout_ns / 1e9)
        came = ", ".join(f"{count} {why}" for why, count in sorted(self.strangers.items()))
        return f"no acknowledgement was ever recognised: none within {after}; what came: {came or 'nothing'}"


@cython.cclass
class AckingSession(TalkingSession):
    """See the module. `schedule_ns` is when the next message is due; `due_ns` may be sooner, for a time-out."""

    def __init__(
        self, number: int, index: int, lane: Lane, talk: object, script: object, terms: AckTerms
    ) -> None:
        super().__init__(number, index, lane, talk, script)
        self.terms = terms
        self.window = AckWindow(terms.retries, number, terms.room)
        self.schedule_ns = _NEVER_NS
        self.can_send_ns = 0
        self.crossed = False
        self.in_turn = False

    # --- when it is asked ---

    def begin_traffic(self, now: int) -> None:
        """The connection is ready: what waits from an earlier one is sent again when its time has come."""
        is_first: bool = not self.scheduled
        super().begin_traffic(now)
        self.can_send_ns = now
        if is_first:
            self.schedule_ns = self.due_ns
        self._serve_window(now)
        self._ask_sooner(now)

    def retune(self, lane: Lane, from_ns: int) -> None:
        """See the base; nothing was sent so far, so nothing waits."""
        super().retune(lane, from_ns)
        self.schedule_ns = self.due_ns

    def come_again(self) -> None:
        """See the base."""
        super().come_again()
        self.schedule_ns = _NEVER_NS

    @cython.ccall
    def on_due(self, now: cython.longlong) -> cython.longlong:
        """Send all that is due by `now`, retries too; returns when there is something to do next."""
        self.in_turn = True
        self.due_ns = self.schedule_ns
        Session.on_due(self, now)
        self.schedule_ns = self.due_ns
        if now >= self.window.next_ns:
            self._serve_window(now)
        self.due_ns = self._next_due(now)
        self.in_turn = False
        return self.due_ns

    @cython.cfunc
    def _next_due(self, now: cython.longlong) -> cython.longlong:
        due: cython.longlong = self.schedule_ns
        if self.window.next_ns < due and (self.state == 1 or self.state == 2):  # noqa: PLR1714 - C numbers
            due = self.window.next_ns
            if due <= now:
                due = now + _LOOK_AGAIN_NS
        return due

    @cython.cfunc
    def _ask_sooner(self, now: cython.longlong) -> cython.int:
        """What was sent outside of `on_due` may time out before the pacer would ask again."""
        due: cython.longlong = self._next_due(now)
        if due < self.due_ns and not self.in_turn:
            self.due_ns = due
            self.lane.keeper.due_sooner(self)
        return 0

    def _catch_up(self) -> None:
        """See the base."""
        before: cython.longlong = self.due_ns
        super()._catch_up()
        if self.due_ns < before:
            self.lane.keeper.due_sooner(self)

    # --- sending ---

    @cython.cfunc
    def _replied(self, sequence: cython.longlong, now: cython.longlong) -> cython.int:
        """See the base: the schedule is kept apart here."""
        if self.state == 1 and sequence == self.stream.next_sequence - 1 and self.schedule_ns < _NEVER_NS:
            before: cython.longlong = self.due_ns
            self.schedule_ns = now
            self.on_due(now)
            if self.due_ns < before:
                self.lane.keeper.due_sooner(self)
        return 0

    @cython.cfunc
    def _must_wait(self, now: cython.longlong) -> cython.bint:
        """See the base; a full window takes no more either."""
        return self.held is not None or self.window.is_full() or Session._must_wait(self, now)

    @cython.cfunc
    def _transmit(self, tallies: Tallies, intended: cython.longlong, seen: cython.longlong) -> cython.int:
        """Send a message for the first time; from now on it waits for its acknowledgement."""
        sequence: cython.longlong = self.stream.next_sequence
        type_index: cython.Py_ssize_t = self._type_of(sequence)
        type_sequence: cython.longlong = sequence
        if self.type_counts is not None:
            type_sequence = self.type_counts[type_index]
        TalkingSession._transmit(self, tallies, intended, seen)
        let_go: cython.longlong = intended if seen < 0 else now_ns() - self.lane.start_ns
        self.window.add(sequence, type_index, type_sequence, intended, let_go, self.epoch)
        return 0

    @cython.cfunc
    def _serve_window(self, now: cython.longlong) -> cython.int:
        """Send again what is due for it, and give up what has no attempt left; not without a connection."""
        if not (self.state == 1 or self.state == 2) or self.transport.is_close_frame_sent:  # noqa: PLR1714 - C numbers
            return 0
        message: Unacknowledged
        tally: MessageTally
        due, through = self.window.advance(now)
        for message in through:
            tally = self._tally_of(message.sequence, message.type_index, now)
            tally.gave_up += 1
        for message in due:
            if self.paused and self._is_blocked(now):
                self.window.put_off(message)
            else:
                self._send_again(message, now)
        if self.window.timed_out and (complaint := self.terms.complaint()):
            self.lane.keeper.noted(self, "no_acknowledgement", complaint)
        if through:
            self._window_has_room(now)
        return 0

    def _send_again(self, message: Unacknowledged, now: int) -> None:
        """The next attempt of a message, marked as such."""
        lane: Lane = self.lane
        attempt: int = message.attempt + 1
        sequence: cython.longlong = message.sequence
        if self.talk is None:
            size_index: cython.Py_ssize_t = 0
            if lane.mix.sizes.count > 1:
                size_index = lane.mix.size_index_of(self.number, sequence)
            size: cython.Py_ssize_t = lane.codec.encode(
                self.number, self.epoch, sequence, message.type_index, message.type_sequence, attempt,
                message.intended_ns, size_index,
            )  # fmt: skip
            self._hand_over(size)
        else:
            payload: bytes = self.talk.message(sequence, message.type_index, now, attempt).encode()
            self.clear_way()
            self.transport.send(WSMsgType.TEXT, payload)
            size = len(payload)
        tally: MessageTally = self._tally_of(sequence, message.type_index, now)
        tally.retries_sent += 1
        if attempt == 2:
            tally.retried += 1
            lane.sending_troubles.count(message.intended_ns, retried=1)
        connection = lane.keeper.tallies_now(self).connection
        connection.messages_sent += 1
        connection.bytes_sent += size
        self.crossed = self.crossed or self._is_from_before(sequence)
        self.window.sent_again(message, max(message.due_ns, self.can_send_ns), self.epoch)

    @cython.cfunc
    def _window_has_room(self, now: cython.longlong) -> cython.int:
        """A message waits no longer: others may go, or nothing is owed any more."""
        if self.held and not self.transport.is_close_frame_sent:
            self._release(now)
            self._ask_sooner(now)
        if self.state == 2 and self.owes_nothing():
            self.lane.keeper.drained(self)
        return 0

    @cython.ccall
    def resume_writing(self) -> None:
        """See the base; retries that were due meanwhile can be made now."""
        now: cython.longlong = now_ns() - self.lane.start_ns
        Session.resume_writing(self)
        if not self.paused:
            self.can_send_ns = now
            if now >= self.window.next_ns:
                self._serve_window(now)
        self._ask_sooner(now)

    # --- receiving ---

    @cython.cfunc
    def _enter_message(
        self, data: cython.p_uchar, size: cython.Py_ssize_t, text: cython.bint, now: cython.longlong
    ) -> cython.int:
        """Book what an envelope was: an acknowledgement, or the message itself where the service delivers it."""
        codec: Codec = self.lane.codec
        found: cython.int = codec.decode(data, size, text)
        if found:
            self.terms.stranger("without an envelope" if found == 1 else "damaged")
            self._misread(found, data, size, text)
        elif codec.run != codec.run_number or codec.stream != self.number:
            self.terms.stranger("of others")
            self.heard_tallies.connection.unexpected += 1
        elif codec.flags & 4:
            self._enter_ack(codec.sequence, codec.type_index, codec.attempt, codec.intended_ns, now)
        elif self.terms.by_receiver and self._is_mine():
            recovered: cython.bint = codec.attempt > 1 or codec.epoch != self.epoch & 0xFFFF
            self._arrived(codec.sequence, codec.type_index, recovered, codec.intended_ns, now)
        else:
            self.terms.stranger("messages themselves")
            self.heard_tallies.connection.unexpected += 1
        return 0

    def _enter(self, event: object, frame: object, now: int) -> None:
        """Book what a talk has read."""
        if isinstance(event, Acknowledged):
            intended: cython.longlong = self.intended.take(event.sequence, self.stream.next_sequence)
            self._enter_ack(event.sequence, self._type_of(event.sequence), event.attempt, intended, now)
            return
        if isinstance(event, UnknownAck):
            self.terms.stranger("of ids never sent")
            self.heard_tallies.connection.ack_unexpected += 1
            return
        if not isinstance(event, Foreign):
            self.terms.stranger(event.why)
        super()._enter(event, frame, now)

    @cython.cfunc
    def _enter_ack(
        self,
        sequence: cython.longlong,
        type_index: cython.Py_ssize_t,
        attempt: cython.int,
        intended: cython.longlong,
        now: cython.longlong,
    ) -> cython.int:
        """An acknowledgement of one of our messages, or of one that never was; `attempt` 0: it names none.

        `intended` is when the message was due; -1 where that is no longer known.
        """
        if sequence >= self.stream.next_sequence or type_index != self._type_of(sequence):
            self.terms.stranger("of ids never sent")
            self.heard_tallies.connection.ack_unexpected += 1
            return 0
        self.terms.recognised = True
        found: cython.int = self.window.acknowledge(sequence)
        tally: MessageTally = self._tally_of(sequence, type_index, now)
        if found == 1:
            tally.ack_duplicates += 1
        elif found == 2:
            tally.acknowledged_late += 1
            if not self.terms.by_receiver:
                self._arrived(
                    sequence, type_index, attempt != 1 or self._is_from_before(sequence), intended, now
                )
        elif found == 0:
            self._count_acknowledged(tally, self.window.found, attempt, now)
            self._window_has_room(now)
        return 0

    @cython.cfunc
    def _count_acknowledged(
        self, tally: MessageTally, message: Unacknowledged, attempt: cython.int, now: cython.longlong
    ) -> cython.int:
        """A message is acknowledged, for the first time and before it was given up."""
        is_retried: cython.bint = message.attempt > 1
        ack_ns: cython.longlong = -1
        if not is_retried:
            if attempt <= 1:
                ack_ns = now - message.intended_ns
        elif (begun := message.begun_ns(attempt)) >= 0:
            ack_ns = now - begun
        tally.acknowledged += 1
        if is_retried:
            tally.retry_acknowledged += 1
        else:
            tally.acknowledged_first += 1
        if ack_ns >= 0:
            tally.acknowledged_after(ack_ns, is_retried)
        tally.acknowledged_in_all_after(now - message.intended_ns)
        if message.expired_ns >= 0:
            tally.recovered_after(now - message.expired_ns)
        if not self.terms.by_receiver:
            recovered: cython.bint = is_retried and attempt != 1
            recovered = recovered or self._is_from_before(message.sequence)
            self._arrived(message.sequence, message.type_index, recovered, message.intended_ns, now)
        return 0

    # --- the end ---

    @cython.ccall
    def owes_nothing(self) -> cython.bint:
        """Whether nothing waits for an acknowledgement, nothing is held back, and nothing is still to be delivered."""
        if self.held or self.window.count():
            return False
        if not self.terms.by_receiver:
            return True
        return (self.stream.outstanding() if self.crossed else self.stream.awaited()) == 0

    def settle(self, lived: bool) -> None:
        """Enter what is owed: lost if it was acknowledged, or if the connection of its last attempt lived; else unknown."""
        present: int = self.epoch if lived else -3

        def fate(sequence: int) -> int:
            epoch: int = self.window.epoch_unacknowledged(sequence)
            return ACKNOWLEDGED if epoch == -1 else LOST if epoch == present else UNKNOWN

        aftermath.enter_settled(self, lived=lived, fate=fate)
        self.window.settle(self.stream.next_sequence)
        self.times.forget()
        self.intended.forget()
