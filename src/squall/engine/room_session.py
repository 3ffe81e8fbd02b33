"""A session that sends to a room, and reads what the other members send.

Rooms live whole in one process (`squall.engine.rooms`), so that what a member reads is booked at once in the account of
its publisher and itself (`squall.delivery.fanout`): under the phase, place and type of the publish. A message counts
once for each member that it is owed to; its lag, and that it was sent, count once.

A member answers: of its messages some name the one that it read last from another member as their cause, and each member
that was owed both judges whether it saw them in that order.

Part of the hot path: compiled where possible, the same source otherwise.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.squall.delivery.envelope import Codec
    from cython.cimports.squall.delivery.fanout import Account
    from cython.cimports.squall.delivery.ledger import Stream
    from cython.cimports.squall.engine.lane import Lane
    from cython.cimports.squall.engine.send_times import SendTimes
    from cython.cimports.squall.engine.session import Session
    from cython.cimports.squall.engine.talking import TalkingSession
    from cython.cimports.squall.engine.tally import MessageTally, Tallies
    from cython.cimports.squall.seeds import unit_draw
else:
    from squall.delivery.envelope import Codec
    from squall.delivery.fanout import Account
    from squall.delivery.ledger import Stream
    from squall.engine.lane import Lane
    from squall.engine.send_times import SendTimes
    from squall.engine.session import Session
    from squall.engine.talking import TalkingSession
    from squall.engine.tally import MessageTally, Tallies
    from squall.seeds import unit_draw

from squall.delivery.causality import Waiting
from squall.engine import aftermath

__all__ = ["Pair", "RoomSession"]


@cython.cclass
class Pair(Account):
    """The account of a publisher and a member, with the times of what is owed and the tallies that it was sent under."""

    def __init__(self, publisher: int, member: int, window: int, orders: bool = True) -> None:
        super().__init__(publisher, member, window, orders)
        self.times = SendTimes(window)
        self.tallies = None
        self.latest_intended = 0

    def forget_times(self) -> None:
        """Nothing is owed any more."""
        self.times.forget()

    def sent_at(self, number: int) -> int:
        """When a message was handed over that is still owed; -1 where that is forgotten."""
        place = self.place_of(number)
        return -1 if place < 0 else int(self.times.of(place, self.stream.next_sequence))


@cython.cclass
class RoomSession(TalkingSession):
    """See the module. `room` is what its members share."""

    def __init__(self, number: int, index: int, lane: Lane, script: object, room: object) -> None:
        super().__init__(number, index, lane, None, script)
        self.room = room
        self.sessions = room.sessions
        self.member = room.ledger.member(number)
        self.stream = self.member.stream
        self.answers = room.answers
        self.answer_seed = room.answer_seed
        self.read_stream = -1
        self.read_sequence = -1
        self.waiting = Waiting()
        self.came_ns = 0
        self.slowest_ns = 0

    # --- coming and leaving ---

    def may_send(self, now: int) -> None:
        """The connection stands: it came when that was begun, as the upgrade may be the join. Who is back after a drop
        was here all the time."""
        if not self.member.is_here:
            self.came_ns = now if self.attempt is None else self.attempt.begun_ns
        super().may_send(now)

    def begin_traffic(self, now: int) -> None:
        """It has joined: from now on it is owed what the others publish."""
        for pair, ranges in self.room.ledger.join(self.number):
            aftermath.enter_outcomes(self, ranges, "", pair)
        super().begin_traffic(now)

    def _catch_up(self) -> None:
        """It begins to leave: what is published from now on is not owed to it."""
        super()._catch_up()
        self.room.ledger.leave(self.number)

    @cython.ccall
    def owes_nothing(self) -> cython.bint:
        """Whether nothing that it sent, and nothing that it is to read, is in flight, and nothing held back."""
        return self.member.awaited() == 0 and not self.held

    def went_down(self) -> None:
        """The connection is gone without our planning it: what was on its way from and to it cannot come on it."""
        super().went_down()
        self.room.ledger.breaks(self.number)
        self._release_others()

    def settle(self, lived: bool) -> None:
        """Enter what is owed to it and by it; what it published before it died may still reach the others."""
        for pair, both_lived in self.room.ledger.ends(self.number, lived=lived):
            aftermath.enter_settled(self, lived=both_lived, pair=pair)
            pair.forget_times()
        self.times.forget()
        self._release_others()

    def _release_others(self) -> None:
        """Those who were waiting for it only, to leave, need not any more."""
        for session in list(self.sessions.values()):
            if session.state == 2 and session.owes_nothing():
                session.lane.keeper.drained(session)

    # --- sending ---

    @cython.cfunc
    def _transmit(self, tallies: Tallies, intended: cython.longlong, seen: cython.longlong) -> cython.int:
        """Publish a message; some answer what was read last."""
        self.cause_stream = -1
        if self.read_stream >= 0 and self.answers > 0:
            drawn: cython.double = unit_draw(self.answer_seed, self.number, self.stream.next_sequence)
            if drawn < self.answers:
                self.cause_stream = self.read_stream
                self.cause_sequence = self.read_sequence
        return Session._transmit(self, tallies, intended, seen)

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
        """A message was published: from now on it is owed to all who are joined."""
        pair: Pair
        place: cython.longlong
        owed: cython.int = 0
        for each in self.member.owed:
            pair = cython.cast(Pair, each)
            place = pair.publish(tallies.label)
            pair.times.note(place, sent, pair.stream)
            if seen >= 0:
                pair.times.note_held(place, seen)
            owed += 1
        self.stream.arrive(sequence, sent)  # it only gives the numbers: what is owed stands in the accounts
        tally.intended += owed
        tallies.connection.messages_sent += 1
        tally.sent_late_by(intended, seen, sent)
        if seen >= 0:
            owed -= 1  # counted once as due, when it was held back
        if owed < 0:
            self.lane.checks.unsent_at(intended)
        while owed > 0:
            self.lane.checks.sent_at(intended)
            owed -= 1
        return 0

    def _receivers(self) -> int:
        """A message that is not sent is missed by all others whom the plan has in the room, joined or down."""
        return int(self.room.ledger.here_besides(self.number))

    # --- receiving ---

    @cython.cfunc
    def _is_mine(self) -> cython.bint:
        """What it sent does not come back."""
        return False

    @cython.cfunc
    def _hear_other(self, now: cython.longlong) -> cython.int:
        """A good envelope: what another member has published, or unexpected."""
        codec: Codec = self.lane.codec
        publisher: RoomSession = self._publisher()
        if publisher is None:
            self.heard_tallies.connection.unexpected += 1
            return 0
        self.read_stream = codec.stream
        self.read_sequence = codec.sequence
        found = self.member.accounts_from.get(codec.stream)
        pair: Pair
        place: cython.longlong = -1
        if found is not None:
            pair = cython.cast(Pair, found)
            place = pair.place_of(codec.sequence)
        if place >= 0:
            self._hear_owed(pair, place, now)
            if publisher.state == 2 and publisher.owes_nothing():
                self.lane.keeper.drained(publisher)
        elif self._is_history(publisher):
            self.heard_tallies.connection.unexpected += 1
        return 0

    @cython.cfunc
    def _is_history(self, publisher: RoomSession) -> cython.bint:
        """Whether what is in the codec, which nobody owes it, was over before it came, and so is not meant for it.

        What another member has read took at most as long as the slowest that any of the room has read. If that member
        then had it longer than a message may be under way, nothing of it was on its way any more.
        """
        codec: Codec = self.lane.codec
        slowest_ns: cython.longlong = 0
        session: RoomSession
        for each in self.sessions.values():
            session = cython.cast(RoomSession, each)
            slowest_ns = max(slowest_ns, session.slowest_ns)
        if codec.intended_ns + slowest_ns + self.room.drain_ns >= self.came_ns:
            return False
        pair: Pair
        for each in publisher.member.accounts_to.values():
            pair = cython.cast(Pair, each)
            if pair.has_come(pair.place_of(codec.sequence)):
                return True
        return False

    @cython.cfunc
    def _publisher(self) -> RoomSession:
        """Who of the room has published what is in the codec; None where nobody can have."""
        codec: Codec = self.lane.codec
        found = self.sessions.get(codec.stream)
        if found is None or found is self or codec.run != codec.run_number or codec.flags & 4:
            return None
        publisher: RoomSession = cython.cast(RoomSession, found)
        if codec.sequence >= publisher.stream.next_sequence:
            return None
        if codec.type_index != publisher._type_of(codec.sequence):
            return None
        return publisher

    @cython.cfunc
    def _hear_owed(self, pair: Pair, place: cython.longlong, now: cython.longlong) -> cython.int:
        """A good copy of a message that is, or was, owed to this member."""
        codec: Codec = self.lane.codec
        stream: Stream = pair.stream
        found: cython.int = pair.arrive(place, now)
        tally: MessageTally = cython.cast(
            MessageTally, self._tallies_of(pair, place, now).types[codec.type_index]
        )
        if found > 1:
            if found == 2:
                tally.duplicated += 1
            return 0
        if found == 1 and stream.orders:
            aftermath.enter_late(self, tally, codec.sequence, codec.type_index, pair)
        tally.recovered += pair.is_recovered(place)
        self.slowest_ns = max(self.slowest_ns, now - codec.intended_ns)
        if self.lane.timestamps:
            tally.timestamps_judged += 1
            tally.timestamps_wrong += codec.intended_ns < pair.latest_intended or codec.intended_ns > now
            pair.latest_intended = max(pair.latest_intended, codec.intended_ns)
        if self._clock(tally, pair.times, place, stream.next_sequence, codec.intended_ns, now):
            self.lane.note_late(codec.stream, codec.sequence)
        self._judge_causality(pair, place, tally)
        if stream.evicted is not None:
            aftermath.enter_evicted(self, pair)
        if self.state == 2 and self.owes_nothing():
            self.lane.keeper.drained(self)
        return 0

    @cython.cfunc
    def _tallies_of(self, pair: Pair, place: cython.longlong, now: cython.longlong) -> Tallies:
        """The tallies that a message was sent under."""
        label: cython.int = pair.stream.label_of(place)
        tallies: Tallies = pair.tallies
        if tallies is None or tallies.label != label or now >= tallies.until_ns:
            tallies = pair.tallies = self.lane.keeper.tallies_labelled(label)
        return tallies

    # --- cause and effect ---

    @cython.cfunc
    def _judge_causality(self, pair: Pair, place: cython.longlong, tally: MessageTally) -> cython.int:
        """The first good copy of a message is here: was its cause before it, and is it the cause of one before it?"""
        codec: Codec = self.lane.codec
        if len(self.waiting):
            for label, type_index in self.waiting.take(codec.stream, codec.sequence):
                late = self.lane.keeper.tallies_labelled(label).types[type_index]
                late.causal_pairs += 1
                late.causal_violations += 1
        if not codec.flags & 2:
            return 0
        found = self.member.accounts_from.get(codec.cause_stream)
        if found is None:
            return 0
        cause: Pair = cython.cast(Pair, found)
        cause_place: cython.longlong = cause.place_of(codec.cause_sequence)
        if cause.has_come(cause_place):
            tally.causal_pairs += 1
        elif cause_place >= 0:
            effect = (pair.stream.label_of(place), codec.type_index)
            self.waiting.add(codec.cause_stream, codec.cause_sequence, effect)
        return 0

    # --- damage ---

    def _tally_of_damaged(self) -> MessageTally | None:
        """Where a copy with a good header and a bad body is booked; None where that message is not owed."""
        codec = self.lane.codec
        publisher = self._publisher()
        if publisher is None:
            types = self.heard_tallies.types
            return types[min(codec.type_index, len(types) - 1)]
        pair = self.member.accounts_from.get(codec.stream)
        place = -1 if pair is None else pair.place_of(codec.sequence)
        if place < 0:
            return None
        return self.lane.keeper.tallies_labelled(pair.stream.label_of(place)).types[codec.type_index]
