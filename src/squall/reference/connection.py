"""One connection: frames in, whole messages to the behaviour, closes by handshake.

picows refuses malformed frames by itself. What is left to us: answering pings, joining fragments, refusing
what no extension was offered for (reserved bits), the close handshake, and back-pressure: a peer that does
not read its answers is not read from either, so that memory stays bounded. Nothing here may raise: picows
would take it for a failure of the connection.

Where a wire log is asked for, messages pass it on their way to the behaviour, and `_wire`, the way out, is one
that logs. Without one nothing stands between.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from typing import Final

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from squall.reference.behaviours import Behaviour, Wire
from squall.reference.counters import Tally
from squall.reference.wire_log import ConnectionLog, LoggedWire

__all__ = ["MESSAGE_BYTES_MAX", "Connection"]

MESSAGE_BYTES_MAX: Final = 16 * 1024 * 1024
"""The largest message taken, in one frame or in fragments; a larger one closes the connection with 1009."""

_CLOSE_REPLY_TIMEOUT_S: Final = 0.5
"""How long a peer that broke the protocol may take to answer our close before the socket is closed."""

_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY
_CLOSE: Final = WSMsgType.CLOSE
_PING: Final = WSMsgType.PING
_PONG: Final = WSMsgType.PONG


class Connection(WSListener):
    """The listener of one connection; `held` is the node's set of connections, kept up to date from here."""

    __slots__ = (
        "_behaviour",
        "_held",
        "_is_open",
        "_joined",
        "_log",
        "_loop",
        "_opcode",
        "_take",
        "_tally",
        "_transport",
        "_wire",
    )

    def __init__(
        self,
        loop: AbstractEventLoop,
        behaviour: Behaviour,
        tally: Tally,
        held: set[Connection],
        log: ConnectionLog | None = None,
    ) -> None:
        self._loop = loop
        self._behaviour = behaviour
        self._log = log
        self._take = behaviour.on_message if log is None else log.taking(behaviour.on_message)
        self._tally = tally
        self._held = held
        self._is_open = True
        self._transport: WSTransport | None = None
        self._wire: Wire  # from the upgrade on
        self._joined: bytearray | None = None  # the fragments so far of the message that is arriving in parts
        self._opcode = _BINARY  # that message's opcode; meaningless while _joined is None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Count it and hold it."""
        self._transport = transport
        self._wire = transport if self._log is None else LoggedWire(transport, self._log)
        self._held.add(self)
        self._tally.connections += 1
        self._tally.connections_total += 1
        if self._log is not None:
            self._log.opened()
        self._behaviour.on_open(self._wire)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Let it go."""
        self._held.discard(self)
        self._tally.connections -= 1
        self._behaviour.on_closed(self._wire)
        if self._log is not None:
            self._log.closed(_code_sent(transport))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Pass an ordinary message on at once; everything else takes the long way."""
        opcode = frame.msg_type
        if (
            (opcode is _BINARY or opcode is _TEXT)
            and frame.fin
            and self._joined is None
            and self._is_open
            and not (frame.rsv1 or frame.rsv2 or frame.rsv3 or transport.is_close_frame_sent)
        ):
            payload = frame.get_payload_as_memoryview()
            tally = self._tally
            tally.messages_received += 1
            tally.bytes_received += len(payload)
            self._take(self._wire, opcode, payload)
        elif opcode is _CLOSE or opcode is _PING or opcode is _PONG:
            self._take_control(frame)
        elif self._is_open and not transport.is_close_frame_sent:
            self._take_unusual(frame)

    def pause_writing(self) -> None:
        """The peer reads too slowly: stop reading from it."""
        if self._transport is not None:
            self._transport.underlying_transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer caught up."""
        if self._transport is not None:
            self._transport.underlying_transport.resume_reading()

    def go_away(self) -> None:
        """Start the close handshake with 1001: the service ends."""
        if self._transport is not None and self._is_open:
            self._is_open = False
            self._wire.send_close(WSCloseCode.GOING_AWAY)

    def abort(self) -> None:
        """Close the socket without another word."""
        if self._transport is not None:
            self._transport.disconnect(False)

    def _take_control(self, frame: WSFrame) -> None:
        """A ping is answered while no close frame has gone either way, a close always, a pong never."""
        opcode, payload = frame.msg_type, frame.get_payload_as_bytes()
        if self._log is not None:
            self._log.came(opcode, payload)
        if opcode is _CLOSE:
            self._answer_close(payload)
        elif self._is_open and not self._wire.is_close_frame_sent:
            if frame.rsv1 or frame.rsv2 or frame.rsv3:
                self._fail(WSCloseCode.PROTOCOL_ERROR)
            elif opcode is _PING:
                self._wire.send(_PONG, payload)

    def _answer_close(self, payload: bytes) -> None:
        self._is_open = False
        if not self._wire.is_close_frame_sent:
            # The peer's code goes back (RFC 6455, 5.5.1), or none: send_close could not send an empty frame.
            self._wire.send(_CLOSE, payload[:2])
        self._wire.disconnect()

    def _take_unusual(self, frame: WSFrame) -> None:
        """A fragment, or a frame that breaks the protocol."""
        continues = frame.msg_type is WSMsgType.CONTINUATION
        if frame.rsv1 or frame.rsv2 or frame.rsv3 or continues is (self._joined is None):
            self._fail(WSCloseCode.PROTOCOL_ERROR)
            return
        if self._joined is None:
            self._joined = bytearray()
            self._opcode = frame.msg_type
        if len(self._joined) + frame.payload_size > MESSAGE_BYTES_MAX:
            self._fail(WSCloseCode.MESSAGE_TOO_BIG)
            return
        self._joined += frame.get_payload_as_memoryview()
        if frame.fin:
            message, self._joined = self._joined, None
            self._tally.messages_received += 1
            self._tally.bytes_received += len(message)
            self._take(self._wire, self._opcode, memoryview(message))

    def _fail(self, code: WSCloseCode) -> None:
        self._is_open = False
        self._joined = None
        self._wire.send_close(code)
        self._loop.call_later(_CLOSE_REPLY_TIMEOUT_S, self._wire.disconnect)


def _code_sent(transport: WSTransport) -> int | None:
    """The code of the close frame that picows knows to have gone; None: it knows of none."""
    handshake = transport.close_handshake
    if handshake is None or handshake.sent is None:
        return None
    code: int = handshake.sent.code.value
    return code
