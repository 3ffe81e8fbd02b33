"""Sessions of a room on transports of paper, led through anything that can happen: run with the sources of the hot path.

A network of paper serves the room: it knows who has joined it, and keeps what is on its way to whom. From what squall was
told, and when, a naive account says what must come out.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picows import WSMsgType

from oracle.rooms import named
from simulation.naive_room import NaiveRoom
from simulation.sessions_and_network import PERIOD_NS, Clock, Frame, Keeper, Transport, lane_of
from squall.engine import connection as connection_module
from squall.engine import session as session_module
from squall.engine import talking as talking_module
from squall.engine.room_session import RoomSession
from squall.engine.rooms import Room
from squall.engine.session import CLOSING, DOWN, DRAINING, IDLE, OPEN, OPENING
from squall.protocols.base import Seat, Surroundings
from squall.protocols.opening import Script
from squall.scenario.exchanges import RoomExchange

MEMBERS = 3
NAME = "lobby"


class Door(Keeper):
    """Closes who has drained."""

    def __init__(self) -> None:
        super().__init__()
        self.drained_now: list[int] = []

    def awaits(self, *_: Any) -> None:
        """Time does not run out here."""

    def opened(self, *_: Any) -> None:
        """It shows by the state."""

    def drained(self, session: Any) -> None:
        self.drained_now.append(session.number)
        session.close(1000)


class Stage:
    """All sessions of one room, the network between them, and the naive account."""

    def __init__(self, clock: Clock, *, types: tuple[float, ...] = (1.0,), answers: float = 1.0) -> None:
        self.clock, self.door = clock, Door()
        self.room = Room(NAME, MEMBERS, answers, 7)
        self.naive = NaiveRoom()
        self.wires = [Transport() for _ in range(MEMBERS)]
        self.served: set[int] = set()
        """Whom the service has in the room."""
        self.on_the_way: list[list[bytes | str]] = [[] for _ in range(MEMBERS)]
        self.published: list[bytes] = []
        self.read_at: dict[tuple[int, int], int] = {}
        """By message, when the first who was owed it had read it."""
        self.came_at = [0] * MEMBERS
        """When each connected who was not here before."""
        self.history = 0
        """Copies of what was over when their member came."""
        self.not_sent = 0
        script = Script(RoomExchange().joining, Seat(0, 0, {"room": NAME}), Surroundings())
        lane = lane_of(self.door, types)
        self.sessions = [RoomSession(number, number, lane, script, self.room) for number in range(MEMBERS)]
        for session in self.sessions:
            self.room.sessions[session.number] = session

    def connect(self, who: int) -> None:
        session = self.sessions[who]
        if session.state in {IDLE, DOWN}:
            self.wires[who] = Transport()
            if not self.room.ledger.member(who).is_here:
                self.came_at[who] = self.clock.now
            session.connected(self.wires[who], self.door.tallies)
            self.carry()

    def carry(self) -> None:
        """What was sent reaches the service, which answers and passes on."""
        for who, wire in enumerate(self.wires):
            for payload in wire.sent:
                if payload.startswith(b'{"join"'):
                    self.served.add(who)
                    self.on_the_way[who].append(json.dumps({"joined": NAME, "members": len(self.served)}))
                    continue
                self.naive.publish(who, 0)
                self.published.append(payload)
                for member in self.served - {who}:
                    self.on_the_way[member].append(payload)
            wire.sent.clear()

    def pass_time(self) -> None:
        self.clock.now += PERIOD_NS
        for who, session in enumerate(self.sessions):
            before = session.not_sent
            session.on_due(self.clock.now)
            if session.not_sent > before:
                self.not_sent += self.room.ledger.here_besides(who)
        self.carry()

    def read(self, who: int, *, at: int = 0, copies: int = 1) -> None:
        """What is on its way to a member arrives, or something behind it does, or it is lost (no copies)."""
        queue = self.on_the_way[who]
        if not queue:
            return
        frame = queue.pop(at % len(queue))
        for _ in range(1 if isinstance(frame, str) else copies):
            self.clock.now += 1000
            self.arrive(who, frame)

    def arrive(self, who: int, frame: bytes | str) -> None:
        session = self.sessions[who]
        if isinstance(frame, bytes):
            message, cause = named(frame)
            told = self.naive.arrive(*message, who, cause)
            self.history += told == "not owed" and self.read_at.get(message, 1 << 62) < self.came_at[who]
            if told in {"first", "reordered"}:
                self.read_at.setdefault(message, self.clock.now)
            session.on_ws_frame(self.wires[who], Frame(frame))
        else:
            was_opening = session.state == OPENING
            session.on_ws_frame(self.wires[who], Frame(frame.encode(), WSMsgType.TEXT))
            if was_opening:
                self.naive.joined.add(who)
        assert self.door.errors == []

    def replay(self, who: int, *, at: int) -> None:
        """The service says again to a member what was never on its way to it."""
        if self.published and self.sessions[who].state in {OPENING, OPEN, DRAINING}:
            frame = self.published[at % len(self.published)]
            publisher, number = named(frame)[0]
            if publisher != who and (publisher, number, who) not in self.naive.pairs:
                self.clock.now += 1000
                self.arrive(who, frame)

    def drop(self, who: int) -> None:
        """The connection dies, and what was on its way with it."""
        if self.sessions[who].state in {OPENING, OPEN, DRAINING, CLOSING}:
            leaving = self.sessions[who].state in {DRAINING, CLOSING}
            self.naive.breaks(who)
            self.forget(who)
            self.sessions[who].went_down()
            if leaving:
                self.end(who, lived=False)

    def forget(self, who: int) -> None:
        self.served.discard(who)
        self.on_the_way[who].clear()

    def drain(self, who: int) -> None:
        if self.sessions[who].state in {OPENING, OPEN}:
            self.naive.joined.discard(who)
            self.sessions[who].drain()
            self.carry()

    def close(self, who: int) -> None:
        """Its drain is over, or its time is: the close is answered."""
        if self.sessions[who].state in {DRAINING, CLOSING}:
            self.forget(who)
            self.end(who, lived=True)

    def end(self, who: int, *, lived: bool) -> None:
        self.naive.settle(who, lived=lived)
        self.sessions[who].end(lived)
        self.sessions[who].come_again()

    def awaits(self, who: int) -> bool:
        """Whether the naive account knows of a pair of its that can still come."""
        return any(
            who in {publisher, member} and not pair.outcome and not pair.broken
            for (publisher, _, member), pair in self.naive.pairs.items()
        )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (session_module, connection_module, talking_module):
        monkeypatch.setattr(module, "now_ns", lambda: made.now)
    return made


_WHO = st.integers(0, MEMBERS - 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("time"), st.just(0), st.just(0)),
        st.tuples(st.sampled_from(("read", "read", "read", "twice", "lose")), _WHO, st.integers(0, 2)),
        st.tuples(st.just("replay"), _WHO, st.integers(0, 50)),
        st.tuples(st.sampled_from(("connect", "connect", "drop", "drain", "close")), _WHO, st.just(0)),
    ),
    min_size=10,
    max_size=80,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, two_types=st.booleans())
def test_each_owed_pair_is_counted_once(
    clock: Clock, steps: list[tuple[str, int, int]], two_types: bool
) -> None:
    clock.now = 0
    stage = Stage(clock, types=(2.0, 1.0) if two_types else (1.0,))
    for who in range(MEMBERS):
        stage.connect(who)
        stage.read(who)
    for what, who, more in steps:
        if what == "time":
            stage.pass_time()
        elif what in {"read", "twice", "lose"}:
            stage.read(who, at=more, copies={"read": 1, "twice": 2, "lose": 0}[what])
        elif what == "replay":
            stage.replay(who, at=more)
        else:
            getattr(stage, what)(who)
        for session in stage.sessions:
            assert session.state != DRAINING or stage.awaits(session.number)
    for who in range(MEMBERS):
        stage.drain(who)
    for who in range(MEMBERS):
        if stage.sessions[who].state == DOWN:
            stage.end(who, lived=False)
        stage.close(who)
    expected = stage.naive.counts
    got = {
        name: sum(getattr(tally, name) for tally in stage.door.tallies.types)
        for name in ("delivered", "lost", "unknown", "duplicated", "reordered", "recovered")
    }
    assert got == {name: expected[name, 0] for name in got}
    types = stage.door.tallies.types
    not_sent = sum(tally.not_sent_target + tally.not_sent_squall for tally in types)
    assert sum(tally.intended for tally in types) == expected["owed", 0] + not_sent
    assert not_sent == stage.not_sent
    causal = (sum(tally.causal_pairs for tally in types), sum(tally.causal_violations for tally in types))
    assert causal == stage.naive.causality()
    assert stage.door.tallies.connection.unexpected <= stage.history


def test_what_was_over_before_a_member_came_is_unexpected(clock: Clock) -> None:
    """What is on its way when it comes may be meant for it, whoever gets it first; and what it missed while it was down."""
    stage = Stage(clock)
    for who in (0, 1):
        stage.connect(who)
        stage.read(who)
    stage.pass_time()
    over = [named(frame)[0] for frame in stage.published]
    stage.read(0)
    stage.read(1)
    stage.pass_time()  # these two are on their way when it comes
    stage.connect(2)
    for frame in stage.published:
        stage.arrive(2, frame)
    assert stage.door.tallies.connection.unexpected == len(over) == 2
    stage.read(2)
    stage.read(0)
    stage.read(1)
    for frame in stage.published:
        stage.arrive(2, frame)
    assert stage.door.tallies.connection.unexpected == stage.history == 4
    stage.drop(2)
    stage.pass_time()
    for who in (0, 1):
        stage.read(who)
    stage.connect(2)
    stage.read(2)
    stage.replay(2, at=4)
    assert stage.door.tallies.connection.unexpected == 4


@pytest.mark.parametrize(("drain", "unexpected"), [(0, 1), (PERIOD_NS, 1), (2 * PERIOD_NS, 0)])
def test_a_message_is_over_once_nothing_of_it_can_be_under_way(
    clock: Clock, drain: int, unexpected: int
) -> None:
    stage = Stage(clock)
    stage.room.drain_ns = drain
    for who in (0, 1):
        stage.connect(who)
        stage.read(who)
    stage.pass_time()
    stage.read(1)
    clock.now += PERIOD_NS + PERIOD_NS // 2
    stage.connect(2)
    stage.read(2)
    stage.replay(2, at=0)
    assert stage.door.tallies.connection.unexpected == unexpected


def test_what_nobody_is_known_to_have_read_may_still_be_under_way(clock: Clock) -> None:
    stage = Stage(clock)
    stage.connect(0)
    stage.read(0)
    stage.pass_time()
    clock.now += 100 * PERIOD_NS
    stage.connect(2)
    stage.read(2)
    stage.replay(2, at=0)
    assert stage.door.tallies.connection.unexpected == 0


def test_who_drains_waits_for_what_it_sent_and_for_what_it_is_owed(clock: Clock) -> None:
    stage = Stage(clock)
    for who in range(MEMBERS):
        stage.connect(who)
        stage.read(who)
    stage.pass_time()
    stage.drain(0)
    for who in (0, 0, 1):
        stage.read(who)
    assert stage.door.drained_now == []
    stage.read(2)
    assert stage.door.drained_now == [0]
    stage.pass_time()
    assert all(not stage.naive.pairs.get((who, 1, 0)) for who in range(MEMBERS))


def test_who_waits_for_one_that_dies_waits_no_longer(clock: Clock) -> None:
    stage = Stage(clock)
    for who in range(2):
        stage.connect(who)
        stage.read(who)
    stage.pass_time()
    stage.drain(0)
    stage.read(0)
    assert stage.sessions[0].state == DRAINING
    stage.drop(1)
    assert (stage.door.drained_now, stage.sessions[0].state) == ([0], CLOSING)


def test_an_answer_to_a_join_that_comes_when_it_is_leaving_is_not_unexpected(clock: Clock) -> None:
    stage = Stage(clock)
    stage.connect(0)
    stage.drain(0)
    assert stage.sessions[0].state == CLOSING
    stage.read(0)
    assert stage.door.tallies.connection.unexpected == 0
    assert not stage.room.ledger.member(0).joined


@pytest.mark.parametrize("which", ["own", "stranger", "ahead"])
def test_what_nobody_of_the_room_can_have_sent_is_unexpected(clock: Clock, which: str) -> None:
    stage = Stage(clock)
    for who in range(MEMBERS):
        stage.connect(who)
        stage.read(who)
    stage.pass_time()
    codec = stage.sessions[0].lane.codec
    stream = {"own": 0, "stranger": 9, "ahead": 1}[which]
    size = codec.encode(stream, 0, 7 if which == "ahead" else 0, 0, 0, 1, 5, 0)
    payload = bytes(codec.buffer[codec.offset : codec.offset + size])
    stage.sessions[0].on_ws_frame(stage.wires[0], Frame(payload))
    assert stage.door.tallies.connection.unexpected == 1


def test_a_damaged_copy_is_booked_with_its_message_where_it_is_owed(clock: Clock) -> None:
    stage = Stage(clock)
    for who in range(2):
        stage.connect(who)
        stage.read(who)
    stage.pass_time()
    whole = stage.on_the_way[1][0]
    assert isinstance(whole, bytes)
    damaged = whole[:-1] + bytes([whole[-1] ^ 1])
    stage.sessions[1].on_ws_frame(stage.wires[1], Frame(damaged))
    stage.connect(2)
    stage.read(2)
    stage.sessions[2].on_ws_frame(stage.wires[2], Frame(damaged))  # published before it joined
    assert stage.door.tallies.types[0].corrupted_body == 1
    stage.read(1)
    assert stage.door.tallies.types[0].delivered == 1


def test_a_message_that_is_not_sent_is_missed_by_those_who_are_here_or_down(clock: Clock) -> None:
    stage = Stage(clock)
    for who in range(MEMBERS):
        stage.connect(who)
        stage.read(who)
    stage.drop(0)
    stage.drop(1)
    stage.pass_time()
    tally = stage.door.tallies.types[0]
    assert (tally.not_sent_target, tally.intended) == (4, 4)  # of the third, none is owed to anybody
    stage.drain(2)
    stage.close(2)
    stage.pass_time()
    assert (tally.not_sent_target, tally.intended) == (6, 6)
