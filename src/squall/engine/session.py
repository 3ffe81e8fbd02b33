"""A session: one stream and the connection that carries it, from the first upgrade to the last close.

It sends what is due, reads what comes, and enters both into its ledger and its tallies; the worker decides when
it connects and leaves, the pacer when it is asked what is due. This is the hot path: compiled where possible,
the same source otherwise.

States: a session is IDLE until it is connected, OPENING while what goes before its traffic is not done (see
`talking`), OPEN while it sends, DRAINING once it has sent its last and waits for what is owed, CLOSING from our close
frame on, DOWN after a connection that ended without our planning it, and GONE when nothing more will come of it. One that
comes again after its visit is IDLE anew: its stream goes on.

Times are nanoseconds since the start of the run. Knows nothing of connecting, of other sessions, of reports.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.picows.picows import WSTransport
    from cython.cimports.squall.delivery.envelope import Codec
    from cython.cimports.squall.delivery.ledger import Stream
    from cython.cimports.squall.engine.connection import Connection
    from cython.cimports.squall.engine.lane import Lane
    from cython.cimports.squall.engine.send_times import SendTimes
    from cython.cimports.squall.engine.tally import MessageTally, Tallies
    from cython.cimports.squall.engine.ticks import now_ns
else:
    from picows import WSTransport

    from squall.delivery.envelope import Codec
    from squall.delivery.ledger import Stream
    from squall.engine.connection import Connection
    from squall.engine.lane import Lane
    from squall.engine.send_times import SendTimes
    from squall.engine.tally import MessageTally, Tallies
    from squall.engine.ticks import now_ns

from squall.engine import aftermath

__all__ = ["CLOSING", "DOWN", "DRAINING", "GONE", "IDLE", "OPEN", "OPENING", "Session"]

IDLE = 0
OPEN = 1
DRAINING = 2
CLOSING = 3
DOWN = 4
GONE = 5
OPENING = 6


@cython.cclass
class Session(Connection):
    """One stream, on one connection at a time.

    `number` is the session's index in the run, and its stream; `index` is that within its population, by which its
    due times are told.
    """

    def __init__(self, number: int, index: int, lane: Lane) -> None:
        super().__init__(lane)
        self.number = number
        self.index = index
        self.stream = Stream(lane.orders)
        self.latest_intended = 0
        self.epoch = self.invalid_text_epoch = -1
        self.due_ns = self.leave_ns = 1 << 62
        self.upgraded_ns = 0
        self.started = self.scheduled = False
        self.tallies = self.sent_tallies = self.heard_tallies = None
        self.type_counts = [0] * lane.mix.types if lane.mix.types > 1 else None
        self.times = SendTimes()
        self.points = None
        self.point = self.block = 0
        self.held = None
        self.not_sent = 0
        self.cause_stream = self.cause_sequence = -1
        self.unsent = self.unsent_mark_ns = 0
        self.down_by_tester = False
        self.place = self.attempts = 0
        self.slot = self.silent_from = -1
        self.attempt = self.refusal = None
        self.cut_by_fault = self.silence_harmed = False

    # --- connecting and leaving, as the worker says ---

    def connected(self, transport: WSTransport, tallies: Tallies) -> None:
        """The upgrade was accepted: an epoch of the stream begins."""
        now: cython.longlong = now_ns() - self.lane.start_ns
        self.epoch += 1
        self.transport = transport
        self.paused = False
        self.down_by_tester = False
        self.cut_by_fault = False
        self.fragments = None
        self.upgraded_ns = now
        self.tallies = tallies
        self.sent_tallies = tallies
        self.heard_tallies = tallies
        self.stream.begin_segment(tallies.label, self.epoch)
        if cython.compiled:
            # picows keeps these for its users; here they would be kilobytes a connection.
            transport.request = None
            transport.response = None
        self.may_send(now)

    def may_send(self, now: int) -> None:
        """The connection stands; a session with an opening has something to do first."""
        self.begin_traffic(now)

    def begin_traffic(self, now: int) -> None:
        """The connection is ready for traffic. The first time in a visit decides from when on messages are due."""
        self.state = 1
        if not self.scheduled:
            self.scheduled = True
            if not self.lane.silent:
                self.due_ns = self.lane.first_due(self.index, now)
            self.lane.keeper.ready(self)

    def opening_late(self) -> None:
        """An answer did not come in time; only a session with an opening waits for one."""

    def retune(self, lane: Lane, from_ns: int) -> None:
        """From a time on, send what another lane of the population says; only as long as nothing was sent."""
        self.lane = lane
        self.stream.orders = lane.orders
        self.type_counts = [0] * lane.mix.types if lane.mix.types > 1 else None
        self.points = None
        if self.scheduled and not lane.silent:
            self.due_ns = lane.first_due(self.index, from_ns)

    def drain(self) -> None:
        """Send what is due by now, and no more; the keeper is told as soon as nothing is owed."""
        if self.state in {1, 6}:
            self.recover()
            self._catch_up()
            self.state = 2
            if self.owes_nothing():
                self.lane.keeper.drained(self)

    def _catch_up(self) -> None:
        """What is due by now was intended, though the pacer's window is not over; what is due later will not be."""
        now = now_ns() - self.lane.start_ns
        self.on_due(now)
        self.leave_ns = min(self.leave_ns, now)

    def close(self, code: int) -> None:
        """Begin the close handshake, once."""
        if self.state in {1, 2}:
            self.state = 3
            self.transport.send_close(code)

    @cython.ccall
    def owes_nothing(self) -> cython.bint:
        """Whether nothing is in flight on this connection, and nothing held back."""
        return self.stream.awaited() == 0 and not self.held

    def went_down(self) -> None:
        """The connection is gone without our planning it; what was held back could not be sent."""
        self.state = 4
        self.transport = None
        self.slow = None
        self.give_up_held()
        self.afflicted = False
        self.withholds_acks = False

    def give_up_held(self) -> None:
        """What is still held back was never sent: by the target's doing, or by that of a fault of ours."""
        held, self.held = self.held, None
        self.lane.held_total -= len(held or ())
        for intended, _ in held or ():
            self.lane.checks.unsent_at(intended)
            self._count_not_sent(self.lane.keeper.tallies_at(self, intended), not self.afflicted)
        self._forget_unsent()

    def end(self, lived: bool) -> None:
        """Nothing more will come of this session: enter what it still holds and owes."""
        if self.state == 4:
            self._catch_up()
        self.give_up_held()
        self.settle(lived)
        self.state = 5

    def come_again(self) -> None:
        """Its visit is over, and another may follow: a new beginning in all but its stream."""
        self.state = 0
        self.scheduled = False
        self.transport = None
        self.points = None
        self.due_ns = 1 << 62
        self.leave_ns = 1 << 62

    def settle(self, lived: bool) -> None:
        """Enter what is owed as lost (the connection lived through its drain) or unknown."""
        aftermath.enter_settled(self, lived=lived)
        self.times.forget()

    # --- sending ---

    @cython.ccall
    def on_due(self, now: cython.longlong) -> cython.longlong:
        """Send all that is due by `now`; returns when the next message is due."""
        intended: cython.longlong
        _more: cython.longlong
        while self.due_ns <= now:
            intended = self.due_ns
            if intended >= self.leave_ns or self.state == 5:
                self.due_ns = 1 << 62
                break
            if self.lane.period_ns:
                self.due_ns = intended + self.lane.period_ns
            else:
                self.due_ns = self._next_point(intended)
            if now >= self.tallies.until_ns:
                self.tallies = self.lane.keeper.tallies_at(self, intended)
            if self.tallies.sends:
                self._submit(intended, now)
                for _more in range(self.lane.burst_more):
                    self._submit(intended, now)
            elif self.lane.sequential:
                # Nothing is sent in this phase, and no reply will say when the next one begins: look again soon.
                self.due_ns = intended + 100_000_000
        return self.due_ns

    @cython.cfunc
    def _next_point(self, after: cython.longlong) -> cython.longlong:
        """The next due time of a schedule without a period; a block of them is drawn at once and kept."""
        while True:
            if self.points is not None:
                while self.point < len(self.points):
                    due: cython.longlong = self.points[self.point]
                    self.point += 1
                    if due > after:
                        return due
                self.block += 1
            else:
                self.block = after // self.lane.block_ns
            self.points = self.lane.points(self.index, self.block)
            self.point = 0

    @cython.cfunc
    def _submit(self, intended: cython.longlong, now: cython.longlong) -> cython.int:
        """A message is intended: send it, hold it back, or count it as not sent."""
        if self.lane.mix.messages_per_session and self._has_intended_all():
            self.due_ns = 1 << 62
        elif self.state != 1 or self.transport.is_close_frame_sent:
            # picows says nothing of a message that it drops behind a close frame.
            self._count_not_sent(self.tallies, not self.down_by_tester)
        elif self._must_wait(now):
            self._hold_back(intended, now)
        else:
            self._transmit(self.tallies, intended, -1)
        return 0

    @cython.cfunc
    def _has_intended_all(self) -> cython.bint:
        held = len(self.held) if self.held else 0
        return self.stream.next_sequence + self.not_sent + held >= self.lane.mix.messages_per_session

    @cython.cfunc
    def _transmit(self, tallies: Tallies, intended: cython.longlong, seen: cython.longlong) -> cython.int:
        """Hand one message to the transport. `seen`: when it was found due and held back; -1 if it was not."""
        lane: Lane = self.lane
        codec: Codec = lane.codec
        sequence: cython.longlong = self._assign(tallies)
        type_index: cython.Py_ssize_t = self._type_of(sequence)
        type_sequence: cython.longlong = sequence
        if self.type_counts is not None:
            type_sequence = self.type_counts[type_index]
            self.type_counts[type_index] = type_sequence + 1
        size_index: cython.Py_ssize_t = 0
        if lane.mix.sizes.count > 1:
            size_index = lane.mix.size_index_of(self.number, sequence)
        size: cython.Py_ssize_t = codec.encode(
            self.number, self.epoch, sequence, type_index, type_sequence, 1, intended, size_index,
            self.cause_stream, self.cause_sequence,
        )  # fmt: skip
        sent: cython.longlong = now_ns() - lane.start_ns
        self.times.note(sequence, sent, self.stream)
        self._hand_over(size)
        self._count_sent(
            tallies, cython.cast(MessageTally, tallies.types[type_index]), sequence, intended, seen, sent
        )
        tallies.connection.bytes_sent += size
        return 0

    @cython.cfunc
    def _assign(self, tallies: Tallies) -> cython.longlong:
        """The number of the message that is about to be sent, and booked in these tallies."""
        if tallies is not self.sent_tallies:
            self.sent_tallies = tallies
            self.stream.begin_segment(tallies.label, self.epoch)
        return self.stream.assign()

    @cython.cfunc
    def _count_sent(
        self,
        tallies: Tallies,
        tally: MessageTally,
        sequence: cython.longlong,
        intended: cython.longlong,
        seen: cython.longlong,
        sent: cython.longlong,
    ) -> cython.int:
        """A message was handed to the transport at `sent`."""
        tally.intended += 1
        if seen < 0:
            self.lane.checks.sent_at(intended)
        else:
            self.times.note_held(sequence, seen)
        tally.sent_late_by(intended, seen, sent)
        tallies.connection.messages_sent += 1
        return 0

    @cython.cfunc
    def _type_of(self, sequence: cython.longlong) -> cython.Py_ssize_t:
        """The type of the message with this number: a pure function of the seed."""
        if self.lane.mix.types == 1:
            return 0
        return self.lane.mix.type_of(self.number, sequence)

    def _count_not_sent(self, tallies: Tallies, by_target: bool) -> None:
        """A message was intended and is not sent."""
        tally = tallies.types[self.lane.mix.type_of_not_sent(self.number, self.not_sent)]
        receivers = self._receivers()
        self.not_sent += 1
        tally.intended += receivers
        if by_target:
            tally.not_sent_target += receivers
        else:
            tally.not_sent_squall += receivers
            tally.not_sent_fault += receivers * (self.cut_by_fault or self.afflicted)

    def _receivers(self) -> int:
        """At how many places a message that is not sent is missed."""
        return 1

    # --- backpressure ---

    @cython.ccall
    def pause_writing(self) -> None:
        """The transport begins to keep bytes that the peer does not take (its watermarks are set to zero)."""
        self.paused = True
        self.unsent_mark_ns = now_ns() - self.lane.start_ns

    @cython.ccall
    def resume_writing(self) -> None:
        """The peer has taken all; what is left of a slow frame still comes first."""
        self._forget_unsent()
        if self.slow is not None and self.slow.begun:
            return
        self.paused = False
        if self.held and not self.transport.is_close_frame_sent:
            self._release(now_ns() - self.lane.start_ns)

    def _forget_unsent(self) -> None:
        self.lane.backlog.unsent -= self.unsent
        self.unsent = 0

    @cython.cfunc
    def _must_wait(self, now: cython.longlong) -> cython.bint:
        """Whether a message that is due cannot go out yet: those before it wait, or the peer does not read."""
        return self.paused and (self.held is not None or self._is_blocked(now))

    def _is_blocked(self, now: int) -> bool:
        """Whether the unsent bytes of this connection, or of all of the worker's, are too many or too old.

        Bytes count as young again whenever the peer has taken some: then it reads, if slowly. A slow frame that is
        on its way blocks as well.
        """
        if self.slow is not None and self.slow.begun:
            return True
        lane = self.lane
        unsent: cython.longlong = self.transport.underlying_transport.get_write_buffer_size()
        if unsent < self.unsent:
            self.unsent_mark_ns = now
        lane.backlog.unsent += unsent - self.unsent
        self.unsent = unsent
        return bool(
            unsent > lane.send_buffer_max
            or now - self.unsent_mark_ns > lane.send_buffer_age_max_ns
            or lane.backlog.unsent > lane.backlog.unsent_max
        )

    def _hold_back(self, intended: int, now: int) -> None:
        """Keep a due message until the peer reads again; past the limit it is not sent."""
        if self.held is None:
            self.held = []
        self.held.append((intended, now))
        self.lane.held_total += 1
        self.lane.checks.sent_at(intended)
        self._release(now)
        if self.held and len(self.held) > self.lane.blocked_max:
            self.held.pop()
            self.lane.held_total -= 1
            self.lane.checks.unsent_at(intended)
            self._count_not_sent(self.tallies, not self.afflicted)

    def _release(self, now: int) -> None:
        """Send what was held back, in order, until the connection is blocked again."""
        held, self.held = self.held, None
        for index, (intended, seen) in enumerate(held):
            if self._must_wait(now):
                self.held = held[index:]
                return
            self.lane.held_total -= 1
            self._transmit(self.lane.keeper.tallies_at(self, intended), intended, seen)

    # --- receiving ---

    @cython.cfunc
    def _receive(
        self, data: cython.p_uchar, size: cython.Py_ssize_t, text: cython.bint, now: cython.longlong
    ) -> cython.int:
        """Enter a whole message."""
        self._count_received(size, now)
        self._enter_message(data, size, text, now)
        return 0

    @cython.cfunc
    def _enter_message(
        self, data: cython.p_uchar, size: cython.Py_ssize_t, text: cython.bint, now: cython.longlong
    ) -> cython.int:
        """Book what a message was that should carry the envelope."""
        codec: Codec = self.lane.codec
        found: cython.int = codec.decode(data, size, text)
        if found:
            self._misread(found, data, size, text)
        elif not self._is_mine():
            self._hear_other(now)
        else:
            self._arrived(
                codec.sequence,
                codec.type_index,
                codec.attempt > 1 or codec.epoch != self.epoch & 0xFFFF,
                codec.intended_ns,
                now,
            )
        return 0

    @cython.cfunc
    def _hear_other(self, now: cython.longlong) -> cython.int:  # noqa: ARG002 - a member of a room wants it
        """A good envelope that is none of this stream's."""
        self.heard_tallies.connection.unexpected += 1
        return 0

    @cython.cfunc
    def _count_received(self, size: cython.Py_ssize_t, now: cython.longlong) -> cython.int:
        """A whole message is here, whatever it is."""
        lane: Lane = self.lane
        if now >= self.heard_tallies.until_ns:
            self.heard_tallies = lane.keeper.tallies_at(self, now)
        lane.heard(now)
        self.heard_tallies.connection.messages_received += 1
        self.heard_tallies.connection.bytes_received += size
        return 0

    @cython.cfunc
    def _is_mine(self) -> cython.bint:
        """Whether the good envelope in the codec can be a message of ours.

        What can't must not choose where it is booked; an acknowledgement is none.
        """
        codec: Codec = self.lane.codec
        return (
            not codec.flags & 4
            and codec.run == codec.run_number
            and codec.stream == self.number
            and codec.sequence < self.stream.next_sequence
            and codec.type_index == self._type_of(codec.sequence)
        )

    @cython.cfunc
    def _arrived(
        self,
        sequence: cython.longlong,
        type_index: cython.Py_ssize_t,
        recovered: cython.bint,
        intended: cython.longlong,
        now: cython.longlong,
    ) -> cython.int:
        """A good copy of a message of this stream; `intended` is -1 where that is no longer known."""
        stream: Stream = self.stream
        found: cython.int = stream.arrive(sequence, now)
        tally: MessageTally = self._tally_of(sequence, type_index, now)
        if found > 1:
            if found == 2:
                self._came_again(tally)
            return 0
        if found == 1 and stream.orders:
            aftermath.enter_late(self, tally, sequence, type_index)
        tally.recovered += recovered
        if self.lane.timestamps and intended >= 0:
            self._judge_time(tally, intended, now)
        if self._clock(tally, self.times, sequence, stream.next_sequence, intended, now):
            self.lane.note_late(self.number, sequence)
        if stream.evicted is not None:
            aftermath.enter_evicted(self)
        if self.state == 2 and self.owes_nothing():
            self.lane.keeper.drained(self)
        if self.lane.sequential:
            self._replied(sequence, now)
        return 0

    @cython.cfunc
    def _replied(self, sequence: cython.longlong, now: cython.longlong) -> cython.int:
        """In a sequential session the reply to the last message makes the next one due, sooner than its time-out.

        The pacer still has it where that time-out was to be, finds it due later, and lets it be.
        """
        if self.state == 1 and sequence == self.stream.next_sequence - 1 and self.due_ns < 1 << 62:
            self.due_ns = now
            self.on_due(now)
        return 0

    @cython.cfunc
    def _tally_of(
        self, sequence: cython.longlong, type_index: cython.Py_ssize_t, now: cython.longlong
    ) -> MessageTally:
        """Where a message of this stream is booked."""
        tallies: Tallies = self.sent_tallies
        if sequence < self.stream.segment_first or now >= tallies.until_ns:
            tallies = self.lane.keeper.tallies_labelled(self.stream.label_of(sequence))
        return cython.cast(MessageTally, tallies.types[type_index])

    @cython.cfunc
    def _came_again(self, tally: MessageTally) -> cython.int:
        """A further good copy of a message that was delivered."""
        tally.duplicated += 1
        return 0

    @cython.cfunc
    @cython.inline
    def _judge_time(self, tally: MessageTally, intended: cython.longlong, now: cython.longlong) -> cython.int:
        """Whether the time in a delivered envelope goes back within the stream, or lies after the arrival."""
        tally.timestamps_judged += 1
        if intended < self.latest_intended or intended > now:
            tally.timestamps_wrong += 1
        self.latest_intended = max(self.latest_intended, intended)
        return 0

    @cython.cfunc
    def _clock(
        self,
        tally: MessageTally,
        times: SendTimes,
        sequence: cython.longlong,
        next_sequence: cython.longlong,
        intended: cython.longlong,
        now: cython.longlong,
    ) -> cython.int:
        """Record the times of a delivery; 1 where it is late."""
        sent: cython.longlong = times.take(sequence, next_sequence)
        seen: cython.longlong = times.take_held(sequence)
        unlagged: cython.longlong = now - intended
        if intended < 0:
            tally.delivered_untimed()
            return 0
        if sent < 0:
            tally.service_unmeasured += 1
        else:
            tally.service.record(now - sent)
            unlagged = now - sent
        if seen >= 0:
            unlagged = now - seen
            tally.blocked_delivered = True
        late: cython.bint = tally.delivered_after(now - intended, unlagged)
        connection: cython.longlong = self.number
        self.lane.checks.delivered_at(intended, now, (connection << 16) | (self.epoch & 0xFFFF))
        return late

    @cython.cfunc
    def _misread(
        self, found: cython.int, data: cython.p_uchar, size: cython.Py_ssize_t, text: cython.bint
    ) -> cython.int:
        """An arrival that is no good envelope."""
        connection = self.heard_tallies.connection
        if found == 3:
            tally = self._tally_of_damaged()
            if tally is not None:
                tally.corrupted_body += 1
        elif found == 2:
            connection.corrupted_header += 1
        elif self.lane.ignore_foreign:
            connection.foreign += 1
        else:
            connection.unexpected += 1
        payload = bytes(data[:size]) if text else b""
        if payload.decode(errors="ignore").encode() != payload:
            aftermath.enter_invalid_text(self)
        return 0

    def _tally_of_damaged(self) -> MessageTally | None:
        """Where a copy with a good header and a bad body is booked (None: nowhere): with its message if we sent it."""
        codec = self.lane.codec
        if not self._is_mine():
            types = self.heard_tallies.types
            return types[min(codec.type_index, len(types) - 1)]
        tallies = self.lane.keeper.tallies_labelled(self.stream.label_of(codec.sequence))
        return tallies.types[codec.type_index]
