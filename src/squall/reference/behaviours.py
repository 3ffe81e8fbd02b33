"""What the service does with a message, and what it may do with a connection.

A behaviour is given every whole data message of the connections of its path, and may send on any of them. What
arrives is counted before it is asked; what goes out is counted by the outlet. It does not know frames,
fragments or close handshakes.
"""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Callable
from typing import Protocol

from picows import WSCloseCode, WSMsgType

from squall.reference.neighbours import Neighbours

__all__ = ["Attended", "Behaviour", "Echo", "Taking", "Wire", "is_writable"]


class Wire(Protocol):
    """The way out of one connection: picows' transport, or what logs in front of it."""

    @property
    def is_close_frame_sent(self) -> bool:
        """Whether a close handshake has begun from here."""
        ...

    @property
    def underlying_transport(self) -> Transport:
        """The socket's."""
        ...

    def send(self, opcode: WSMsgType, payload: bytes | bytearray | memoryview, /) -> None:
        """Send one whole frame."""
        ...

    def send_close(self, code: WSCloseCode, /) -> None:
        """Begin the close handshake."""
        ...

    def disconnect(self, graceful: bool = True, /) -> None:
        """Close the socket; not gracefully: without what waits to be written."""
        ...


Taking = Callable[[Wire, WSMsgType, memoryview], None]
"""Takes one message of a connection. The payload's memory is reused when it returns: copy what must live on."""


class Behaviour(Protocol):
    """One way to treat messages; one instance serves all connections of a path."""

    @property
    def on_message(self) -> Taking:
        """Treats one message."""
        ...

    def on_open(self, wire: Wire, /) -> None:
        """A connection was upgraded."""
        ...

    def on_closed(self, wire: Wire, /) -> None:
        """A connection is gone."""
        ...


class Attended:
    """A behaviour that knows its open connections in their order."""

    __slots__ = ("_neighbours",)

    def __init__(self, neighbours: Neighbours[Wire]) -> None:
        self._neighbours = neighbours

    def on_open(self, wire: Wire) -> None:
        """It came."""
        self._neighbours.add(wire)

    def on_closed(self, wire: Wire) -> None:
        """It went."""
        self._neighbours.remove(wire)


class Echo(Attended):
    """Every message goes back as it came: same opcode, same bytes, invalid UTF-8 included."""

    __slots__ = ("on_message",)

    def __init__(self, neighbours: Neighbours[Wire], deliver: Taking) -> None:
        super().__init__(neighbours)
        self.on_message = deliver  # nothing stands between: an echo is what arrives, delivered


def is_writable(wire: Wire) -> bool:
    """Whether something can still be sent: no close frame has gone, and the socket is there."""
    return not (wire.is_close_frame_sent or wire.underlying_transport.is_closing())
