"""Each path has its behaviour, with the bugs that concern it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service_wires import BINARY, TEXT, Loop, Wire, acknowledged, message, strikes_of
from squall.reference.behaviours import Behaviour
from squall.reference.counters import Tally
from squall.reference.paths import Paths


class Node:
    def __init__(self, bugs: str = "") -> None:
        self.loop = Loop()
        loop: Any = self.loop
        self.tally = Tally()
        self.paths = Paths(self.tally, strikes_of(bugs), loop, 0)

    def connect(self, path: str, query: str = "") -> tuple[Behaviour, Wire]:
        behaviour, wire = self.paths.behaviour(path, query), Wire()
        behaviour.on_open(wire)
        return behaviour, wire

    def answers(self, path: str, *payloads: bytes) -> list[bytes]:
        behaviour, wire = self.connect(path)
        for payload in payloads:
            behaviour.on_message(wire, BINARY, memoryview(payload))
        self.loop.pass_time(0)
        return [payload for _, payload in wire.frames]


A, B, RETRY = message(), message(sequence=1), message(sequence=1, attempt=2)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", [A, b"x"]),
        ("/anything", [A, b"x"]),
        ("/ack", [acknowledged(A)]),
        ("/ack/", [A, b"x"]),
        ("/ack/echo", [acknowledged(A), A]),
        ("/push/acked", [A]),
        ("/priority", [A, b"x"]),
        ("/room", []),
        ("/relay", []),
    ],
)
def test_a_path_has_its_behaviour(path: str, expected: list[bytes]) -> None:
    node = Node()
    assert node.answers(path, A, b"x") == expected
    assert node.tally.messages_sent == len(expected)


def test_pushes_have_each_their_timing_and_a_bad_query_is_refused() -> None:
    node = Node()
    quick, one = node.connect("/push/acked", "timeout=100&retries=1")
    slow, other = node.connect("/push/acked", "timeout=60000")
    quick.on_message(one, BINARY, memoryview(A))
    slow.on_message(other, BINARY, memoryview(A))
    node.loop.pass_time(30)
    assert (len(one.frames), len(other.frames)) == (2, 1)
    with pytest.raises(ValueError, match="retries is a whole number from 0 to 14"):
        node.paths.behaviour("/push/acked", "retries=99")
    node.connect("/", "anything=goes")


def test_a_bug_counts_over_all_paths_of_the_node() -> None:
    node = Node("lose:3")
    assert node.answers("/", A) == [A]
    assert node.answers("/other", A) == [A]
    assert node.answers("/ack", A) == []
    assert node.answers("/ack", A) == [acknowledged(A)]


def test_where_messages_are_acknowledged_a_lost_one_is_neither_and_others_bugs_strike_deliveries() -> None:
    assert Node("lose:2").answers("/ack/echo", A, B, RETRY) == [
        acknowledged(A),
        A,
        acknowledged(RETRY),
        RETRY,
    ]
    assert Node("duplicate:2").answers("/ack/echo", A, B) == [acknowledged(A), A, acknowledged(B), B, B]
    assert Node("duplicate:2").answers("/ack", A, B) == [acknowledged(A), acknowledged(B), acknowledged(B)]


def heard(path: str, bugs: str, *, members: int) -> list[list[bytes]]:
    """What the others of a room get, when its first member says A and B."""
    node = Node(bugs)
    behaviour, speaker = node.connect(path)
    others = [node.connect(path)[1] for _ in range(members - 1)]
    for wire in (speaker, *others):
        behaviour.on_message(wire, TEXT, memoryview(json.dumps({"join": "x"}).encode()))
    for payload in (A, B):
        behaviour.on_message(speaker, BINARY, memoryview(payload))
    return [[payload for opcode, payload in wire.frames if opcode is BINARY] for wire in others]


def test_in_a_room_a_bug_strikes_for_one_member() -> None:
    assert heard("/room", "lose:2", members=3) == [[A, B], []]
    assert heard("/room", "duplicate:3", members=3) == [[A, B, B], [A, B]]
    assert heard("/room", "cross-deliver:4", members=3) == [[A, B, B], [A]]


def test_causality_is_broken_in_rooms_alone() -> None:
    assert heard("/room", "break-causality:1", members=3) == [[], []]
    assert heard("/relay", "break-causality:1", members=2) == [[A, B]]
    assert Node("break-causality:1").answers("/", A, B) == [A, B]


def test_a_cut_connection_is_cut_whatever_its_path_and_what_it_said_behind_is_not_answered() -> None:
    for path in ("/", "/ack", "/ack/echo", "/push/acked", "/priority"):
        node = Node("cut:2")
        behaviour, wire = node.connect(path)
        for number in range(4):
            behaviour.on_message(wire, BINARY, memoryview(message(sequence=number)))
        node.loop.pass_time(0)
        assert wire.did == ["abort"]
        assert node.tally.messages_sent == len(wire.frames) <= 2
