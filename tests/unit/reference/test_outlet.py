"""The way out hands on what it is given, and counts it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service_wires import BINARY, TEXT, Wire
from squall.reference.counters import Tally
from squall.reference.outlet import Sender


@given(st.lists(st.tuples(st.sampled_from([TEXT, BINARY]), st.binary())))
def test_what_is_sent_is_counted(messages) -> None:
    tally, wire = Tally(), Wire()
    sender = Sender(tally)
    for opcode, payload in messages:
        sender.deliver(wire, opcode, memoryview(payload))
    assert wire.frames == messages
    assert tally.messages_sent == len(messages)
    assert tally.bytes_sent == sum(len(payload) for _, payload in messages)
    assert tally.messages_received == 0  # counted where it arrives
