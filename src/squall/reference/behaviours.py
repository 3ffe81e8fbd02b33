"""What the service does with a message.

A behaviour is given every whole data message of every connection of its node and may send on that connection.
It counts what it sends; what arrives is counted before it is asked. It does not know frames, fragments or
close handshakes.
"""

from __future__ import annotations

from typing import Protocol

from picows import WSMsgType, WSTransport

from squall.reference.counters import Tally

__all__ = ["Behaviour", "Echo"]


class Behaviour(Protocol):
    """One way to treat messages; one instance serves all connections of a node."""

    def on_message(self, transport: WSTransport, opcode: WSMsgType, payload: memoryview) -> None:
        """Treat one message. The payload's memory is reused when this returns: copy what must live on."""


class Echo:
    """Every message goes back as it came: same opcode, same bytes, invalid UTF-8 included."""

    __slots__ = ("_tally",)

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def on_message(self, transport: WSTransport, opcode: WSMsgType, payload: memoryview) -> None:
        """Send it back."""
        transport.send(opcode, payload)
        tally = self._tally
        tally.messages_sent += 1
        tally.bytes_sent += len(payload)
