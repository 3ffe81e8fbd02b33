"""One connection of the oracle's echo server: what goes out for each message that comes in.

Rule: a frame is logged when the library has taken it on a connection that was open before and after, and a
message as soon as the library hands it over. Frames that are held back when the connection ends are never
sent and never logged. It knows nothing of envelopes: it damages bytes.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from oracle.options import Options
from oracle.wire_log import LogWriter

__all__ = ["Echo", "Frame", "Neighbours"]

TEXT = 1
BINARY = 2
CLOSE_ANSWER_TIMEOUT_S = 10.0
"""How long a client has to answer our close frame before its connection is cut."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Something to send, and the message in (its index in the log) that it was made from."""

    opcode: int
    payload: bytes
    source: int | None


@dataclass(slots=True)
class Held:
    """A frame that waits for ``remaining`` others to go first, or for its time to be up."""

    frame: Frame
    remaining: int


class Neighbours(Protocol):
    """The other connections, of which a payload can be taken."""

    def latest_of_another(self, number: int, rng: random.Random) -> Frame | None:
        """The latest message of another open connection, if there is one."""

    def count(self) -> int:
        """How many connections are open."""


class Echo:
    """Answers the messages of one connection as its options and its own seeded dice say."""

    def __init__(
        self,
        number: int,
        connection: ServerConnection,
        options: Options,
        log: LogWriter,
        neighbours: Neighbours,
    ) -> None:
        self.number = number
        self.latest: Frame | None = None
        self.was_reset = False
        self._connection = connection
        self._options = options
        self._log = log
        self._neighbours = neighbours
        self._rng = random.Random(f"{options.seed}/{number}")
        self._loop = asyncio.get_running_loop()
        self._received = 0
        self._held: list[Held] = []
        self._delayed: deque[Frame] = deque()

    @property
    def is_open(self) -> bool:
        """Whether a frame can still be sent."""
        transport_open = not self._connection.transport.is_closing()
        return transport_open and self._connection.protocol.state is State.OPEN

    def on_message(self, message: str | bytes) -> None:
        """Log a message that came in, and send what the dice say."""
        opcode, payload = (TEXT, message.encode()) if isinstance(message, str) else (BINARY, message)
        source = self._log.message_in(self.number, opcode, payload)
        self._received += 1
        if not self.is_open:
            return
        self.latest = Frame(opcode, payload, source)
        if not self._chance(self._options.lose):
            self._answer(self.latest)
        self._send_unasked(opcode)
        self._end_if_due()

    def end(self) -> str:
        """Forget what was still to be sent; says who ended the connection.

        ``client`` and ``server`` by close handshake, ``reset`` by us, ``unanswered``: the client did not
        answer our close frame, ``vanished``: the client left without one.
        """
        self._held.clear()
        self._delayed.clear()
        self.latest = None
        protocol = self._connection.protocol
        if self.was_reset:
            return "reset"
        if protocol.close_rcvd is None:
            return "vanished" if protocol.close_sent is None else "unanswered"
        return "client" if protocol.close_rcvd_then_sent else "server"

    def _answer(self, frame: Frame) -> None:
        is_duplicated = self._chance(self._options.duplicate)
        if self._chance(self._options.swap):
            self._hold(frame, self._rng.randint(1, 3))
        else:
            self._send_and_release(frame)
        if not is_duplicated:
            return
        messages_between = self._rng.randint(0, 3)
        if messages_between == 0:
            self._send_and_release(frame)
        else:
            self._hold(frame, messages_between)

    def _send_unasked(self, opcode: int) -> None:
        if self._chance(self._options.inject):
            garbage = self._rng.randbytes(self._rng.randint(10, 200))
            self._dispatch(Frame(opcode, garbage, None))
        if self._chance(self._options.cross):
            foreign = self._neighbours.latest_of_another(self.number, self._rng)
            if foreign is not None:
                self._dispatch(foreign)

    def _end_if_due(self) -> None:
        options = self._options
        if self._received == options.reset_after or self._chance(options.reset_rate):
            self._reset()
        elif self._received == options.close_after or self._chance(options.close_rate):
            self._close()

    def _close(self) -> None:
        """Start the close handshake and go on reading; cut the connection if it is never answered."""
        if self.is_open:
            self._connection.protocol.send_close(self._options.close_code)
            self._connection.send_data()
            self._loop.call_later(CLOSE_ANSWER_TIMEOUT_S, self._connection.transport.abort)

    def _reset(self) -> None:
        """End the TCP connection by RST: no linger, then close."""
        if self.is_open:
            self.was_reset = True
            # The option belongs to the socket, not to this copy of its descriptor.
            descriptor = self._connection.transport.get_extra_info("socket").fileno()
            with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as same_socket:
                same_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._connection.transport.abort()

    def _hold(self, frame: Frame, others: int) -> None:
        held = Held(frame, others)
        self._held.append(held)
        self._loop.call_later(self._options.hold_ms / 1000, self._release, held)

    def _release(self, held: Held) -> None:
        # By identity: two equal copies of one message can be held at once.
        for place, other in enumerate(self._held):
            if other is held:
                del self._held[place]
                self._dispatch(self._damaged(held.frame))
                return

    def _send_and_release(self, frame: Frame) -> None:
        """Send an ordinary frame, and behind it the held ones that waited for this one only."""
        self._dispatch(self._damaged(frame))
        for held in self._held:
            held.remaining -= 1
        for held in [held for held in self._held if held.remaining <= 0]:
            self._release(held)

    def _damaged(self, frame: Frame) -> Frame:
        """The frame as it will be sent: at most one kind of damage for each copy."""
        options, rng, payload = self._options, self._rng, frame.payload
        if payload and self._chance(options.flip):
            keeps_utf8 = options.flip_keeps_utf8 and frame.opcode == TEXT
            return Frame(frame.opcode, flip_one_bit(payload, rng, keeps_utf8=keeps_utf8), frame.source)
        if payload and self._chance(options.truncate):
            return Frame(frame.opcode, payload[: rng.randrange(len(payload))], frame.source)
        if self._chance(options.extend):
            tail = bytes(rng.choices(b"0123456789abcdef", k=rng.randint(1, 8)))
            return Frame(frame.opcode, payload + tail, frame.source)
        if self._chance(options.retype):
            return Frame(BINARY if frame.opcode == TEXT else TEXT, payload, frame.source)
        return frame

    def _dispatch(self, frame: Frame) -> None:
        """Send now, or after the delay, in the order of dispatch.

        Each timer sends the oldest frame, whichever it was set for: timers due at one time fire in any order.
        """
        options = self._options
        beyond = max(0, self._neighbours.count() - options.slow_from) if options.slow_ms else 0
        delay_ms = options.delay_ms + options.slow_ms * beyond
        if delay_ms or self._delayed:
            self._delayed.append(frame)
            self._loop.call_later(delay_ms / 1000, self._send_oldest_delayed)
        else:
            self._write(frame)

    def _send_oldest_delayed(self) -> None:
        if self._delayed:
            self._write(self._delayed.popleft())

    def _write(self, frame: Frame) -> None:
        if not self.is_open:
            return
        protocol = self._connection.protocol
        parts = self._parts(frame.payload)
        send_first = protocol.send_text if frame.opcode == TEXT else protocol.send_binary
        send_first(parts[0], fin=len(parts) == 1)
        for place, part in enumerate(parts[1:], start=2):
            protocol.send_continuation(part, fin=place == len(parts))
        self._connection.send_data()
        if not self._connection.transport.is_closing():
            self._log.frame_out(self.number, frame.opcode, frame.payload, source=frame.source)

    def _parts(self, payload: bytes) -> list[bytes]:
        if not self._chance(self._options.fragment):
            return [payload]
        cuts = sorted(self._rng.randint(0, len(payload)) for _ in range(self._rng.randint(1, 3)))
        return [payload[start:end] for start, end in zip([0, *cuts], [*cuts, len(payload)], strict=True)]

    def _chance(self, rate: float) -> bool:
        return rate > 0 and self._rng.random() < rate


def flip_one_bit(payload: bytes, rng: random.Random, *, keeps_utf8: bool) -> bytes:
    """A copy with one random bit turned over; with ``keeps_utf8`` one whose turning leaves valid UTF-8."""
    while True:
        flipped = bytearray(payload)
        flipped[rng.randrange(len(payload))] ^= 1 << rng.randrange(8)
        if not keeps_utf8 or is_utf8(flipped):
            return bytes(flipped)


def is_utf8(payload: bytes | bytearray) -> bool:
    """Whether a text frame may carry these bytes."""
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True
