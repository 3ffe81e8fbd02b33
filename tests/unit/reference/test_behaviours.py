"""What the service does with a message: the echo, and whom it can still send to."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service_wires import BINARY, TEXT, Wire
from squall.reference.behaviours import Echo, is_writable
from squall.reference.counters import Tally
from squall.reference.neighbours import Neighbours
from squall.reference.outlet import Sender


@given(st.lists(st.tuples(st.sampled_from([TEXT, BINARY]), st.binary())))
def test_an_echo_sends_the_same_back(messages) -> None:
    wire, other = Wire(), Wire()
    echo = Echo(Neighbours(), Sender(Tally()).deliver)
    for each in (wire, other):
        echo.on_open(each)
    for opcode, payload in messages:
        echo.on_message(wire, opcode, memoryview(payload))
    assert wire.frames == messages
    assert other.frames == []


def test_a_behaviour_knows_its_open_connections() -> None:
    neighbours: Neighbours[Any] = Neighbours()
    echo = Echo(neighbours, Sender(Tally()).deliver)
    one, other = Wire(), Wire()
    echo.on_open(one)
    echo.on_open(other)
    assert list(neighbours.after(one)) == [other]
    echo.on_closed(other)
    assert len(neighbours) == 1


def test_nothing_can_be_sent_behind_a_close_frame_or_to_a_closing_socket() -> None:
    closed, gone = Wire(), Wire()
    closed.is_close_frame_sent = True
    gone.is_cut = True
    assert [is_writable(each) for each in (Wire(), closed, gone)] == [True, False, False]
