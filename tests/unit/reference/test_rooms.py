"""Rooms and relays: what a member says reaches all others, once and nobody else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_wires import BINARY, TEXT, Wire
from squall.reference.counters import Tally
from squall.reference.neighbours import Neighbours
from squall.reference.outlet import Sender
from squall.reference.rooms import UNSENT_BYTES_MAX, Rooms


def house(size_max: int | None = None) -> Rooms:
    deliver = Sender(Tally()).deliver
    rooms = Rooms(Neighbours(), deliver, size_max)
    rooms.deliver = deliver
    return rooms


def enter(rooms: Rooms, room: str) -> Wire:
    wire = Wire()
    rooms.on_open(wire)
    say(rooms, wire, json.dumps({"join": room}))
    return wire


def say(rooms: Rooms, wire: Wire, *texts: str) -> None:
    for text in texts:
        rooms.on_message(wire, TEXT, memoryview(text.encode()))


def heard(*wires: Wire) -> list[list[str]]:
    """What each got behind the answer to its join."""
    return [wire.sent[1:] for wire in wires]


def test_a_join_is_answered_with_how_many_there_are() -> None:
    rooms = house()
    one, two, other = enter(rooms, "x"), enter(rooms, "x"), enter(rooms, 'ü"')
    assert [json.loads(wire.sent[0]) for wire in (one, two, other)] == [
        {"joined": "x", "members": 1},
        {"joined": "x", "members": 2},
        {"joined": 'ü"', "members": 1},
    ]
    assert {opcode for opcode, _ in one.frames} == {TEXT}


def test_a_message_goes_to_all_others_of_the_room_as_it_came() -> None:
    rooms = house()
    a, b, c, other = (enter(rooms, room) for room in ("x", "x", "x", "y"))
    rooms.on_message(a, BINARY, memoryview(b"\x00"))
    say(rooms, b, "hi", '{"join": "y"}')
    assert heard(a, other) == [["hi", '{"join": "y"}'], []]
    assert b.frames[1:] == [(BINARY, b"\x00")]
    assert c.frames[1:] == [(BINARY, b"\x00"), (TEXT, b"hi"), (TEXT, b'{"join": "y"}')]


@pytest.mark.parametrize("text", ["hi", '{"join": 1}', '{"join": "x", "as": "y"}', "[]", "{", "[" * 1000, ""])
def test_before_a_join_messages_go_to_nobody(text: str) -> None:
    rooms = house()
    member, stranger = enter(rooms, "x"), Wire()
    rooms.on_open(stranger)
    say(rooms, stranger, text)
    rooms.on_message(stranger, BINARY, memoryview(b'{"join": "x"}'))
    say(rooms, stranger, json.dumps({"join": "x" * 2000}))
    assert (stranger.frames, heard(member)) == ([], [[]])


def test_who_is_gone_or_going_gets_nothing_and_a_room_ends_with_its_last_member() -> None:
    rooms = house()
    a, b, c = (enter(rooms, "x") for _ in range(3))
    b.is_close_frame_sent = True
    rooms.on_closed(c)
    say(rooms, a, "hi")
    assert heard(b, c) == [[], []]
    rooms.on_closed(a)
    rooms.on_closed(b)
    assert json.loads(enter(rooms, "x").sent[0])["members"] == 1


def test_a_member_that_does_not_read_is_cut() -> None:
    rooms = house()
    a, b, c = (enter(rooms, "x") for _ in range(3))
    b.unsent = UNSENT_BYTES_MAX + 1
    say(rooms, a, "one", "two")
    assert (heard(b, c), b.did) == ([[], ["one", "two"]], ["abort"])


def test_a_relay_is_for_two_and_refuses_a_third() -> None:
    rooms = house(2)
    a = enter(rooms, "x")
    say(rooms, a, "to nobody yet")
    b, third = enter(rooms, "x"), enter(rooms, "x")
    assert json.loads(third.sent[0]) == {"refused": "x"}
    say(rooms, third, "not in")
    say(rooms, b, "hi")
    assert heard(a, b, third) == [["hi"], [], []]
    rooms.on_closed(b)
    say(rooms, third, '{"join": "x"}')
    assert json.loads(third.sent[-1]) == {"joined": "x", "members": 2}


def test_what_goes_astray_goes_to_another_member_not_to_the_speaker() -> None:
    rooms = house()
    a, b, c, other = (enter(rooms, room) for room in ("x", "x", "x", "y"))
    astray: list[Any] = []
    rooms.deliver = lambda wire, _opcode, _payload: astray.append((wire, next(rooms.after(wire))))
    say(rooms, a, "hi")
    assert astray == [(b, c), (c, b)]
    assert list(rooms.after(other)) == [a, b, c]


def test_of_a_pair_it_goes_to_another_pair() -> None:
    rooms = house(2)
    a, b, c = (enter(rooms, room) for room in ("x", "x", "y"))
    astray: list[Any] = []
    rooms.deliver = lambda wire, _opcode, _payload: astray.append((wire, next(rooms.after(wire))))
    say(rooms, a, "hi")
    assert astray == [(b, c)]


@given(
    st.lists(
        st.tuples(st.integers(0, 7), st.sampled_from(["enter", "leave", "say"]), st.sampled_from("xy")),
        max_size=80,
    )
)
def test_whoever_comes_and_goes_a_message_reaches_exactly_the_others(done) -> None:
    rooms = house()
    seats: dict[int, tuple[str, Wire, list[str]]] = {}
    for count, (seat, what, room) in enumerate(done):
        if what == "enter" and seat not in seats:
            seats[seat] = (room, enter(rooms, room), [])
        elif what == "leave" and seat in seats:
            rooms.on_closed(seats.pop(seat)[1])
        elif what == "say" and seat in seats:
            say(rooms, seats[seat][1], str(count))
            for other, (their_room, _, expected) in seats.items():
                if other != seat and their_room == seats[seat][0]:
                    expected.append(str(count))
    for _, wire, expected in seats.values():
        assert heard(wire) == [expected]
