"""One connection through the proxy: a client's side and the service's, and a flow in each direction.

The rule: what ends on one side ends on the other in the same way, after all that came before it: an end of
stream (FIN) as one, a reset as one. Whatever happens on one connection touches no other.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal

from squall.proxy.flow import Flow
from squall.proxy.table import Placed
from squall.record.fault_log import Deed, FaultEntry
from squall.scenario.faults import HalfClose, Reset

if TYPE_CHECKING:
    from squall.proxy.hub import Hub

__all__ = ["Connection", "Side"]

SINK_FULL_BYTES: Final = 64 << 10
"""Unsent bytes on a side past which what is for it is no longer read."""

REFUSED_MAX_S: Final = 1.0
"""How long a client that is refused may take to read why."""

_RESET_AT_CLOSE: Final = struct.pack("ii", 1, 0)


class Side(asyncio.Protocol):
    """One end of a connection: the client's or the service's."""

    __slots__ = (
        "_at_start",
        "_early",
        "_has_ended",
        "_is_open",
        "_lost",
        "_paused",
        "incoming",
        "is_lost",
        "outgoing",
        "transport",
    )

    def __init__(
        self, at_start: Callable[[Side], None], lost: Callable[[Side, Exception | None], None]
    ) -> None:
        self.transport: Any = None
        self.outgoing: Flow
        """What comes from this side."""
        self.incoming: Flow
        """What goes to it."""
        self.is_lost = False
        self._lost = lost
        self._at_start = at_start
        self._paused: set[str] = set()
        """Why it is not read."""
        self._is_open = False
        self._early = b""
        """What came before there was a way for it: a loop may read once before it can be paused."""
        self._has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is connected."""
        self.transport = transport
        self.transport.set_write_buffer_limits(high=SINK_FULL_BYTES)
        self._at_start(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._is_open:
            self.outgoing.feed(data)
        else:
            self._early += data
            self.pause("early", True)

    def open(self) -> None:
        """What comes from it has a way to go: also what came before."""
        self._is_open = True
        early, self._early = self._early, b""
        if early:
            self.outgoing.feed(early)
            self.pause("early", False)
        if self._has_ended:
            self.outgoing.eof()

    def eof_received(self) -> bool:
        """It sends nothing more; whether it is still to be sent to (what TLS cannot)."""
        self._has_ended = True
        if self._is_open:
            self.outgoing.eof()
        return bool(self.transport.can_write_eof())

    def connection_lost(self, error: Exception | None) -> None:
        """It is gone."""
        self.is_lost = True
        self._lost(self, error)

    def pause_writing(self) -> None:
        """It takes less than comes for it."""
        self.incoming.sink_is_full(True)

    def resume_writing(self) -> None:
        """It can take more again."""
        self.incoming.sink_is_full(False)

    def write(self, data: bytes) -> None:
        """Send."""
        if self._is_alive:
            self.transport.write(data)

    def pause(self, why: str, is_paused: bool) -> None:
        """Do not read from it, for one reason of several; or read again, once none is left."""
        if is_paused == (why in self._paused):
            return
        was_paused = bool(self._paused)
        (self._paused.add if is_paused else self._paused.discard)(why)
        if not self._is_alive or was_paused == bool(self._paused):
            return
        if self._paused:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def end(self) -> None:
        """Nothing more is sent to it (FIN), all that is written before."""
        if not self._is_alive:
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def close(self) -> None:
        """Close it, all that is written before."""
        if self._is_alive:
            self.transport.close()

    def reset(self) -> None:
        """End it at once, with a reset."""
        if self.is_lost or self.transport is None:
            return
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        self.transport.abort()

    @property
    def _is_alive(self) -> bool:
        """It is connected, and nobody has closed it here."""
        return self.transport is not None and not self.is_lost and not self.transport.is_closing()


class Connection:
    """Both sides of it.

    Args:
        number: from 1, in the order in which they came.
        hub: what all share.
        begun: told once the client is there.
        ended: told once both sides are gone.
    """

    def __init__(
        self,
        number: int,
        hub: Hub,
        begun: Callable[[Connection], None],
        ended: Callable[[Connection], object],
    ) -> None:
        self.number = number
        self.stream: int | None = None
        """Of the first envelope that was seen on it."""
        self.client = Side(lambda _: begun(self), self._lost)
        self.service = Side(self._connected, self._lost)
        self.up = Flow(self, "up", hub)
        self.down = Flow(self, "down", hub)
        self.up.source = self.down.sink = self.client
        self.up.sink = self.down.source = self.service
        self.client.outgoing = self.service.incoming = self.up
        self.client.incoming = self.service.outgoing = self.down
        self._hub = hub
        self._ended = ended
        self._is_upgraded = False
        self._is_refused = False
        self._is_reset = False
        self._version = -1
        self._timers: dict[Placed, asyncio.TimerHandle] = {}

    # --- its beginning ---

    def _connected(self, _service: Side) -> None:
        """The service is there: let the client speak."""
        if self.client.is_lost:
            self.service.reset()
            return
        self.service.open()
        self.client.open()

    def refuse(self, status: str, why: str) -> None:
        """There is no service for it: say so as HTTP does, and close."""
        self._is_refused = True
        self._tell(None, "refused", f"{status}: {why}")
        body = f"squall proxy: {why}\n".encode()
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        self.up.die()
        self.down.die()
        self.client.write(head.encode() + body)
        # Read what the client has sent, and let it close first: closing over unread bytes would be a reset,
        # and take the answer with it.
        self.client.open()
        self._hub.loop.call_later(REFUSED_MAX_S, self.client.close)

    def is_upgraded(self) -> None:
        """The service has accepted the WebSocket."""
        self._is_upgraded = True
        self.settle()

    def is_no_websocket(self) -> None:
        """Its bytes are not frames."""
        self.up.be_opaque()
        self.down.be_opaque()

    # --- faults ---

    def settle(self) -> None:
        """Go by the faults that are on now."""
        self.up.settle()
        self.down.settle()
        table = self._hub.table
        on = dict.fromkeys(each for faults in table.of_connections.values() for each in faults)
        for placed in [each for each in self._timers if each not in on]:
            self._timers.pop(placed).cancel()
        if not self._is_upgraded:
            return
        for placed in on:
            fault = placed.fault
            if (
                isinstance(fault, (Reset, HalfClose))
                and placed not in self._timers
                and placed.strikes(self.number, 0)
            ):
                self._timers[placed] = self._hub.loop.call_later(fault.after, self._enact, placed)

    def _enact(self, placed: Placed) -> None:
        if isinstance(placed.fault, HalfClose):
            for flow in (self.up, self.down):
                if flow.direction in placed.fault.directions:
                    flow.cut(placed)
            return
        placed.struck += 1
        self._tell(placed, "reset", "")
        self._reset()

    def close(self) -> None:
        """Close both sides, all that is written before."""
        self.client.close()
        self.service.close()
        self.up.die()
        self.down.die()

    def abort(self) -> None:
        """End both sides at once."""
        self._reset()

    # --- its end ---

    def flow_finished(self, flow: Flow) -> None:
        """All that came from one side is handed on: pass on its end."""
        if self._is_reset:
            return
        if flow.source.is_lost or (self.up.is_finished and self.down.is_finished):
            self.client.close()
            self.service.close()
        else:
            flow.sink.end()

    def _reset(self) -> None:
        self._is_reset = True
        self.up.die()
        self.down.die()
        self.client.reset()
        self.service.reset()

    def _lost(self, side: Side, error: Exception | None) -> None:
        """One side is gone."""
        if error is not None and not self._is_refused:
            if side is self.service:
                self._tell(None, "upstream_lost", str(error))
            self._reset()
        side.incoming.die()
        side.outgoing.eof()
        if side.outgoing.is_finished:
            self.client.close()
            self.service.close()
        if self.client.is_lost and (self.service.is_lost or self.service.transport is None):
            for timer in self._timers.values():
                timer.cancel()
            self._ended(self)

    def _tell(self, placed: Placed | None, what: Deed, note: str) -> None:
        direction: Literal["both"] = "both"
        self._hub.log.write(
            FaultEntry(
                at_ns=self._hub.now_ns(),
                connection=self.number,
                direction=direction,
                frame=None,
                fault=placed.name if placed is not None else "",
                what=what,
                stream=self.stream,
                note=note,
            )
        )
