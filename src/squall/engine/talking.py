"""A session of an exchange other than the plain echo: one that logs in first, or speaks the service's own language.

What it says and how it reads what comes is a *talk*'s (`squall.protocols`); numbers, account and times are the
session's, as ever. Before the traffic of each connection comes the *opening*, if there is one: meanwhile the session
is OPENING, and nothing is due before its first one is done. Here a message may cost some Python; the sessions of the
hot path are plain `Session`s and pay nothing for it.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.picows.picows import WSMsgType
    from cython.cimports.squall.engine.lane import Lane
    from cython.cimports.squall.engine.send_times import SendTimes
    from cython.cimports.squall.engine.session import Session
    from cython.cimports.squall.engine.tally import MessageTally, Tallies
    from cython.cimports.squall.engine.ticks import now_ns
else:
    from picows import WSMsgType

    from squall.engine.lane import Lane
    from squall.engine.send_times import SendTimes
    from squall.engine.session import Session
    from squall.engine.tally import MessageTally, Tallies
    from squall.engine.ticks import now_ns

from squall.engine import aftermath
from squall.protocols.base import Answered, Foreign, Frame, Pushed, Unexpected, Wrong
from squall.protocols.opening import Opening

__all__ = ["TalkingSession"]

_OPENING_FAILED = 1008


@cython.cclass
class TalkingSession(Session):
    """See the module. `talk` is None where messages carry the envelope, `script` where no opening is asked for.

    `intended` keeps when each message that is still owed was due: a reply does not say it, as an envelope does.
    """

    def __init__(self, number: int, index: int, lane: Lane, talk: object, script: object) -> None:
        super().__init__(number, index, lane)
        self.talk = talk
        self.script = script
        self.opening = None
        self.intended = SendTimes()

    # --- the opening ---

    def may_send(self, now: int) -> None:
        """The connection stands: first what goes before the traffic."""
        if self.talk is not None:
            self.talk.begin()
        if self.script is None:
            self.begin_traffic(now)
            return
        self.state = 6
        self.opening = Opening(self.script)
        self._take_turn(self.opening.begin(now), now)

    def _take_turn(self, turn: object, now: int) -> None:
        """Do what the opening says next."""
        for text in turn.says:
            self._say(self.heard_tallies, text.encode())
        if turn.failed:
            self.opening_failed(turn.failed)
        elif turn.is_over:
            self.opening = None
            self.lane.keeper.opened(self)
            self.begin_traffic(now)
        else:
            self.lane.keeper.awaits(self, turn.wait_s)

    def opening_late(self) -> None:
        """No answer came in time."""
        if self.state == 6:
            self.opening_failed(self.opening.late())

    def opening_failed(self, why: str) -> None:
        """The service does not let us in: leave it."""
        self._refuse(self.transport, _OPENING_FAILED, why)

    # --- sending ---

    @cython.cfunc
    def _transmit(self, tallies: Tallies, intended: cython.longlong, seen: cython.longlong) -> cython.int:
        """Hand one message to the transport."""
        if self.talk is None:
            return Session._transmit(self, tallies, intended, seen)
        sequence: cython.longlong = self._assign(tallies)
        type_index: cython.Py_ssize_t = self._type_of(sequence)
        now: cython.longlong = now_ns() - self.lane.start_ns
        payload: bytes = self.talk.message(sequence, type_index, now).encode()
        sent: cython.longlong = now_ns() - self.lane.start_ns
        self.times.note(sequence, sent, self.stream)
        self.intended.note(sequence, intended, self.stream)
        if self.slow is not None:
            self.paused = True
            self._send_slowly(1, payload)
        else:
            self.transport.send(WSMsgType.TEXT, payload)
        self._count_sent(
            tallies, cython.cast(MessageTally, tallies.types[type_index]), sequence, intended, seen, sent
        )
        tallies.connection.bytes_sent += len(payload)
        return 0

    def _say(self, tallies: Tallies, payload: bytes) -> None:
        """Send a frame that is no message of the schedule."""
        self.clear_way()
        self.transport.send(WSMsgType.TEXT, payload)
        tallies.connection.messages_sent += 1
        tallies.connection.bytes_sent += len(payload)

    def settle(self, lived: bool) -> None:
        """Enter what is owed; nothing is owed after that."""
        super().settle(lived)
        self.intended.forget()

    # --- receiving ---

    @cython.cfunc
    def _receive(
        self, data: cython.p_uchar, size: cython.Py_ssize_t, text: cython.bint, now: cython.longlong
    ) -> cython.int:
        """Take a whole message."""
        if self.talk is None and self.opening is None:
            return Session._receive(self, data, size, text, now)
        frame = Frame(bytes(data[:size]), text, now)
        turn = None if self.opening is None else self.opening.read(frame)
        if turn is None and self.talk is None:
            return Session._receive(self, data, size, text, now)
        self._count_received(size, now)
        if turn is None:
            self._enter(self.talk.read(frame), frame, now)
        elif self.state == 6:
            self._take_turn(turn, now)
        elif turn.is_over:  # it is leaving already: the answer changes nothing
            self.opening = None
        return 0

    def _enter(self, event: object, frame: object, now: int) -> None:
        """Book what a message was."""
        connection = self.heard_tallies.connection
        if isinstance(event, Pushed):
            self._enter_push(event)
        elif isinstance(event, Answered):
            sequence: cython.longlong = event.sequence
            recovered: cython.bint = self._is_from_before(sequence)
            intended: cython.longlong = self.intended.take(sequence, self.stream.next_sequence)
            self._arrived(sequence, self._type_of(sequence), recovered, intended, now)
        elif isinstance(event, Wrong):
            tallies: Tallies = self.lane.keeper.tallies_labelled(self.stream.label_of(event.sequence))
            tallies.types[self._type_of(event.sequence)].corrupted_body += 1
            connection.misfit(event.why)
        elif isinstance(event, Foreign) or self.lane.ignore_foreign:
            connection.foreign += 1
        elif isinstance(event, Unexpected):
            connection.unexpected += 1
            if event.why:
                connection.misfit(event.why)
            if frame.text and not _is_utf8(frame.payload):
                aftermath.enter_invalid_text(self)

    @cython.cfunc
    def _is_from_before(self, sequence: cython.longlong) -> cython.bint:
        """Whether a message was first sent on an earlier connection than the present one."""
        return self.stream.epoch_of(sequence) != self.epoch

    def _enter_push(self, pushed: object) -> None:
        connection = self.heard_tallies.connection
        connection.pushed += 1
        connection.push_sequenced += pushed.sequenced
        connection.push_missing += pushed.missing
        connection.push_gaps += pushed.gaps
        connection.push_duplicated += pushed.duplicated
        connection.push_reordered += pushed.reordered
        for why in pushed.misfits:
            connection.misfit(why)
        if pushed.delay_ns is not None:
            if pushed.delay_ns < 0:
                connection.push_early += 1
            else:
                connection.push_delay.record(pushed.delay_ns)


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True
