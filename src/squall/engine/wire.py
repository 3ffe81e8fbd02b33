"""Coordinator and worker over a byte stream: each message is a length (u32, big-endian) and its msgpack form.

Both ends are non-blocking and bounded: a message larger than `MESSAGE_MAX`, one that cannot be read, or a
peer that leaves more than `UNSENT_MAX` bytes unread ends the stream with a `FleetError`. The end of the
stream is how each side learns that the other is gone. It does not know what the messages mean.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar, cast

import msgspec

from squall.engine.base import FromWorker, ToWorker
from squall.errors import FleetError

__all__ = ["MESSAGE_MAX", "UNSENT_MAX", "CoordinatorEnd", "Framer", "MessageStream", "WorkerEnd", "encode"]

MESSAGE_MAX = 64 << 20
"""Bytes of one message: a scenario with a large data set, or a snapshot with every cell it may have."""

UNSENT_MAX = 128 << 20
"""Bytes that may wait for a peer that does not read, before it is given up."""

PENDING_MAX = 1_000
"""Messages that may wait to be taken, before reading pauses."""

CLOSE_GRACE_S = 2.0
"""How long a closing stream waits for its peer to read what was sent."""

_LENGTH_BYTES = 4

In_co = TypeVar("In_co", covariant=True)
In = TypeVar("In")
Out = TypeVar("Out", ToWorker, FromWorker)


class _Decoder(Protocol[In_co]):
    """What reads one message: msgspec's decoder of a union of tagged structs."""

    def decode(self, payload: bytes | memoryview, /) -> In_co:
        """The message, or msgspec.MsgspecError."""
        ...


def encode(message: ToWorker | FromWorker) -> bytes:
    """The frame of one message. Raises `FleetError` where it is larger than `MESSAGE_MAX`."""
    buffer = bytearray(_LENGTH_BYTES)
    _ENCODER.encode_into(message, buffer, _LENGTH_BYTES)
    size = len(buffer) - _LENGTH_BYTES
    if size > MESSAGE_MAX:
        raise FleetError(f"a {type(message).__name__} message of {size} bytes is larger than {MESSAGE_MAX}")
    buffer[:_LENGTH_BYTES] = size.to_bytes(_LENGTH_BYTES, "big")
    return bytes(buffer)


class Framer(Generic[In]):
    """Cuts a byte stream into messages, however it arrives. Pure; broken for good after an error."""

    def __init__(self, decoder: _Decoder[In]) -> None:
        self._decoder = decoder
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[In]:
        """The messages that are complete with `data`. Raises `FleetError` at one that cannot be read."""
        self._buffer += data
        start = 0
        while len(self._buffer) - start >= _LENGTH_BYTES:
            body = start + _LENGTH_BYTES
            size = int.from_bytes(self._buffer[start:body], "big")
            if size > MESSAGE_MAX:
                raise FleetError(f"a message of {size} bytes was announced; at most {MESSAGE_MAX} are taken")
            if len(self._buffer) - body < size:
                break
            yield self._read(bytes(self._buffer[body : body + size]))
            start = body + size
        del self._buffer[:start]

    def _read(self, payload: bytes) -> In:
        try:
            return self._decoder.decode(payload)
        except msgspec.MsgspecError as error:
            # The message itself is not shown: it may hold a scenario with its secrets.
            raise FleetError(f"a message between coordinator and worker cannot be read: {error}") from error


class MessageStream(asyncio.Protocol, Generic[In, Out]):
    """One end of a stream: takes messages of one union, sends those of the other. For one consumer task."""

    def __init__(self, decoder: _Decoder[In]) -> None:
        self._framer = Framer(decoder)
        self._transport: asyncio.Transport | None = None
        self._pending: deque[In] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._error: FleetError | None = None
        self.ended = asyncio.Event()
        """Set once nothing more can arrive."""

    async def receive(self) -> In | None:
        """The next message; None once the peer is gone. Raises `FleetError` where the stream broke."""
        while not self._pending:
            if self._error is not None:
                raise self._error
            if self.ended.is_set():
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        message = self._pending.popleft()
        if self._transport is not None and len(self._pending) == PENDING_MAX // 2:
            self._transport.resume_reading()
        return message

    def send(self, message: Out) -> None:
        """Hand a message over, or drop it where the peer is gone. Never waits."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        frame = encode(message)
        if transport.get_write_buffer_size() + len(frame) > UNSENT_MAX:
            self._break(FleetError(f"the peer left {UNSENT_MAX} bytes unread"))
            return
        transport.write(frame)

    async def close(self) -> None:
        """Send what waits, for at most `CLOSE_GRACE_S`, and free the socket. May be repeated."""
        if self._transport is None:
            return
        self._transport.close()
        try:
            await asyncio.wait_for(self.ended.wait(), CLOSE_GRACE_S)
        except TimeoutError:
            self._transport.abort()
            await self.ended.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio's protocol."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Part of asyncio's protocol."""
        try:
            for message in self._framer.feed(data):
                self._pending.append(message)  # one by one: those before a bad one count
        except FleetError as error:
            self._break(error)
        if len(self._pending) > PENDING_MAX and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, _error: Exception | None) -> None:
        """Part of asyncio's protocol. A reset says no more than an end: the peer is gone."""
        self.ended.set()
        self._wake()

    def _break(self, error: FleetError) -> None:
        self._error = self._error or error
        if self._transport is not None:
            self._transport.abort()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class WorkerEnd(MessageStream[ToWorker, FromWorker]):
    """The worker's end of its channel: takes orders, sends reports."""

    def __init__(self) -> None:
        super().__init__(_TO_WORKER)

    @classmethod
    async def open(cls, fd: int) -> WorkerEnd:
        """Take over the connected stream socket `fd`, inherited from whoever started this worker."""
        return await _attach(cls(), socket.socket(fileno=fd))


class CoordinatorEnd(MessageStream[FromWorker, ToWorker]):
    """The coordinator's end of the channel to one worker."""

    def __init__(self) -> None:
        super().__init__(_FROM_WORKER)

    @classmethod
    async def open(cls, sock: socket.socket) -> CoordinatorEnd:
        """Take over the connected stream socket."""
        return await _attach(cls(), sock)


Stream = TypeVar("Stream", bound=asyncio.Protocol)


async def _attach(stream: Stream, sock: socket.socket) -> Stream:
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    if sock.family == socket.AF_UNIX:
        await loop.create_unix_connection(lambda: stream, sock=sock)
    else:
        await loop.create_connection(lambda: stream, sock=sock)
    return stream


_ENCODER = msgspec.msgpack.Encoder()
_TO_WORKER: _Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_FROM_WORKER: _Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
