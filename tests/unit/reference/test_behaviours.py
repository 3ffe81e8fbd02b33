"""What the service does with a message."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from picows import WSMsgType

from squall.reference.behaviours import Echo
from squall.reference.counters import Tally


class Transport:
    def __init__(self) -> None:
        self.sent: list[tuple[WSMsgType, bytes]] = []

    def send(self, opcode: WSMsgType, payload: memoryview) -> None:
        self.sent.append((opcode, bytes(payload)))


@given(st.lists(st.tuples(st.sampled_from([WSMsgType.TEXT, WSMsgType.BINARY]), st.binary())))
def test_an_echo_sends_the_same_and_counts_it(messages) -> None:
    tally, transport = Tally(), Transport()
    echo = Echo(tally)
    for opcode, payload in messages:
        echo.on_message(transport, opcode, memoryview(payload))
    assert transport.sent == messages
    assert tally.messages_sent == len(messages)
    assert tally.bytes_sent == sum(len(payload) for _, payload in messages)
    assert tally.messages_received == 0  # counted where it arrives
