"""Each bug does what its name says to the deliveries that it strikes, and nothing to the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service_wires import BINARY, TEXT, Loop, Wire, message, strikes_of
from squall.reference.behaviours import Behaviour, Echo
from squall.reference.bugs import parse_bug
from squall.reference.counters import Tally
from squall.reference.delivery_bugs import Budget, with_arrival_bugs, with_delivery_bugs
from squall.reference.neighbours import Neighbours
from squall.reference.outlet import Sender


class Service:
    """An echo with bugs, its connections, its clock and its counts."""

    def __init__(self, bugs: str, *, seed: int = 0, budget: Budget | None = None) -> None:
        self.loop = Loop()
        self.tally = Tally()
        self.wires: list[Wire] = []
        self.neighbours: Neighbours[Any] = Neighbours()
        strikes = strikes_of(bugs, seed)
        loop: Any = self.loop
        outlet = with_delivery_bugs(
            Sender(self.tally), strikes, loop, budget or Budget(), self.neighbours.after
        )
        self.behaviour: Behaviour = with_arrival_bugs(Echo(self.neighbours, outlet.deliver), strikes)

    def connect(self) -> Wire:
        wire = Wire()
        self.wires.append(wire)
        self.behaviour.on_open(wire)
        return wire

    def say(self, wire: Wire, *texts: str) -> None:
        for text in texts:
            self.behaviour.on_message(wire, TEXT, memoryview(text.encode()))

    def assert_counted(self) -> None:
        """What is counted as sent was sent."""
        frames = [payload for wire in self.wires for _, payload in wire.frames]
        assert self.tally.messages_sent == len(frames)
        assert self.tally.bytes_sent == sum(map(len, frames))


@pytest.mark.parametrize(
    ("bugs", "expected"),
    [
        ("", ["a", "b", "c", "d"]),
        ("lose:2", ["a", "c"]),
        ("lose:5", ["a", "b", "c", "d"]),
        ("duplicate:3", ["a", "b", "c", "c", "d"]),
        ("corrupt:4", ["a", "b", "c", "e"]),
        ("reorder:2", ["a", "c", "b"]),
        ("reorder:1", ["b", "a", "d", "c"]),
        ("reorder:4", ["a", "b", "c"]),
        ("stall:3", ["a", "b"]),
        ("lose:2 duplicate:2", ["a", "c", "c"]),
        ("duplicate:2 lose:2", ["a", "b", "d"]),
        ("refuse:1", ["a", "b", "c", "d"]),
    ],
)
def test_a_bug_strikes_each_so_many_messages(bugs: str, expected: list[str]) -> None:
    service = Service(bugs)
    wire = service.connect()
    service.say(wire, "a", "b", "c", "d")
    assert wire.sent == expected
    service.assert_counted()


def test_a_cut_is_no_close_handshake() -> None:
    service = Service("cut:2")
    wire = service.connect()
    service.say(wire, "a", "b")
    assert (wire.sent, wire.did) == (["a"], ["abort"])
    service.behaviour.on_closed(wire)
    assert len(service.neighbours) == 0


def test_a_delayed_answer_comes_later_unless_its_connection_is_gone() -> None:
    service = Service("delay:2:0.25")
    wire = service.connect()
    service.say(wire, "a", "b", "c", "d")
    service.loop.pass_time(0.24)
    assert wire.sent == ["a", "c"]
    service.loop.pass_time(0.02)
    assert wire.sent == ["a", "c", "b", "d"]
    service.say(wire, "e", "f")
    wire.is_close_frame_sent = True
    service.loop.pass_time(1)
    assert wire.sent == ["a", "c", "b", "d", "e"]
    service.assert_counted()


def test_what_is_held_back_waits_for_its_own_connection_and_not_for_ever() -> None:
    service = Service("reorder:1:0.5")
    one, other = service.connect(), service.connect()
    service.say(one, "a")
    service.say(other, "x")
    assert (one.sent, other.sent) == ([], [])
    service.say(one, "b")
    assert one.sent == ["b", "a"]
    service.loop.pass_time(0.5)
    assert other.sent == ["x"]
    service.say(one, "c")
    one.is_cut = True
    service.loop.pass_time(0.5)
    assert one.sent == ["b", "a"]
    service.assert_counted()


def test_answers_pause_for_the_stalled_connection_alone_and_keep_their_order() -> None:
    service = Service("stall:3:2")
    one, other = service.connect(), service.connect()
    service.say(one, "a")
    service.say(other, "x")
    service.say(one, "b", "c")
    service.say(other, "y")
    service.loop.pass_time(1.9)
    assert (one.sent, other.sent) == (["a"], ["x", "y"])
    service.loop.pass_time(0.2)
    assert one.sent == ["a", "b", "c"]
    service.say(other, "z")
    service.say(one, "e")
    assert one.sent[-1] == "e"
    service.assert_counted()


def test_a_cross_delivered_answer_goes_to_the_next_connection_instead() -> None:
    service = Service("cross-deliver:2")
    alone = service.connect()
    service.say(alone, "a", "b")
    assert alone.sent == ["a", "b"]
    second, third = service.connect(), service.connect()
    service.say(second, "c", "d")
    assert (second.sent, third.sent) == (["c"], ["d"])
    third.is_cut = True
    service.say(second, "e", "f")
    assert (alone.sent, second.sent, third.sent) == (["a", "b", "f"], ["c", "e"], ["d"])
    service.assert_counted()


@pytest.mark.parametrize(("opcode", "header"), [(TEXT, 64), (BINARY, 48)])
def test_a_corrupted_header_has_one_wrong_byte_behind_its_magic(opcode, header: int) -> None:
    service = Service("corrupt-header:1", seed=3)
    wire = service.connect()
    payload = b"s" * 80
    for _ in range(300):
        service.behaviour.on_message(wire, opcode, memoryview(payload))
    wrong = [[at for at in range(80) if found[at] != payload[at]] for _, found in wire.frames]
    assert all(len(each) == 1 for each in wrong)
    assert {at for each in wrong for at in each} == set(range(4, header))
    service.behaviour.on_message(wire, opcode, memoryview(payload[: header - 1]))
    assert wire.frames[-1][1] == payload[: header - 1]


def test_an_empty_message_cannot_be_changed() -> None:
    service = Service("corrupt:1 corrupt-header:1")
    wire = service.connect()
    service.say(wire, "")
    assert wire.sent == [""]


@pytest.mark.parametrize("bug", ["delay:2", "reorder:2", "stall:2"])
def test_what_there_is_no_room_for_is_not_held_back(bug: str) -> None:
    service = Service(bug, budget=Budget(250))
    wire = service.connect()
    service.say(wire, "a", "b" * 100, "c", "d")
    assert sorted(wire.sent) == sorted(["a", "b" * 100, "c"])  # d is held: it fits
    service.loop.pass_time(1)
    assert len(wire.sent) == 4
    service.assert_counted()


def test_a_stall_without_room_ends_in_order() -> None:
    service = Service("stall:1", budget=Budget(450))
    wire = service.connect()
    service.say(wire, "a", "b")
    assert wire.sent == []
    service.say(wire, "c")
    assert wire.sent == ["a", "b", "c"]
    service.loop.pass_time(2)
    assert wire.sent == ["a", "b", "c"]


@pytest.mark.parametrize(
    "name", ["lose", "duplicate", "reorder", "corrupt", "delay", "stall", "cross-deliver"]
)
def test_a_rate_strikes_exactly_what_the_seed_draws(name: str) -> None:
    """Messages that are not struck are answered as if there were no bug; the strikes are those of the seed."""
    service = Service(f"{name}:0.2", seed=11)
    wire, other = service.connect(), service.connect()
    texts = [f"{number:03}" for number in range(200)]
    service.say(wire, *texts)
    service.loop.pass_time(10)
    (strikes,) = strikes_of(f"{name}:0.2", 11)
    assert strikes.bug == parse_bug(f"{name}:0.2")
    hit = [text for text in texts if strikes.next()]
    assert 20 < len(hit) < 60
    left = {
        "lose": lambda: [text for text in texts if text not in wire.sent] == hit,
        "duplicate": lambda: [text for text in texts if wire.sent.count(text) == 2] == hit,
        "corrupt": lambda: [text for text in texts if text not in wire.sent or wire.sent.count(text) == 2],
        "cross-deliver": lambda: other.sent == hit,
        "delay": lambda: wire.sent == [text for text in texts if text not in hit] + hit,
        "stall": lambda: wire.sent == texts,
        "reorder": lambda: sorted(wire.sent) == texts != wire.sent,
    }
    checked: dict[str, Callable[[], object]] = left
    assert checked[name]()
    service.assert_counted()


class Room(Service):
    """Deliveries to members, as a room would make them."""

    def deliver(self, wire: Wire, *payloads: bytes) -> None:
        for payload in payloads:
            self.behaviour.on_message(wire, BINARY, memoryview(payload))


def test_a_cause_is_held_back_for_one_member_until_what_follows_from_it_was_there() -> None:
    service = Room("break-causality:2")
    one, other = service.connect(), service.connect()
    cause, behind = message(stream=1, sequence=5), message(stream=1, sequence=6)
    unrelated = message(stream=2, sequence=0, cause=(1, 4))
    effect = message(stream=3, sequence=0, cause=(1, 5))
    service.deliver(other, cause)
    service.deliver(one, cause, behind, unrelated, effect, behind)
    assert [payload for _, payload in other.frames] == [cause]
    assert [payload for _, payload in one.frames] == [unrelated, effect, cause, behind]
    service.loop.pass_time(1)
    assert len(one.frames) == 5
    service.assert_counted()


def test_a_cause_from_which_nothing_follows_comes_late_and_in_order() -> None:
    service = Room("break-causality:1:0.5")
    wire = service.connect()
    first, second = message(stream=1, sequence=5), message(stream=1, sequence=6)
    service.deliver(wire, first, second)
    service.say(wire, "no envelope")
    assert wire.frames == [(TEXT, b"no envelope")]
    service.loop.pass_time(0.5)
    assert [payload for _, payload in wire.frames[1:]] == [first, second]
    service.say(wire, "still none")
    assert wire.frames[-1] == (TEXT, b"still none")


def test_a_cause_for_whose_followers_there_is_no_room_is_let_go() -> None:
    service = Room("break-causality:1", budget=Budget(300))
    wire = service.connect()
    payloads = [message(stream=1, sequence=number) for number in range(2)]
    service.deliver(wire, *payloads)
    assert [payload for _, payload in wire.frames] == payloads
