"""What every badly behaved server is made of: a listener, a ``Peer`` a connection, a count of what it saw.

A behaviour is a coroutine that gets a ``Peer`` and does with it as it likes. A server runs in the test's own
event loop (``async with``), or in a thread (``with``) for a test that blocks. Leaving it ends everything.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from oracle.mini_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Frame,
    accept_key,
    encode_frame,
    read_frame,
    read_head,
)

__all__ = ["BadServer", "Behaviour", "Peer", "PeerLeftError", "Seen"]

Fields = tuple[tuple[str, str], ...]
Message = tuple[int, bytes]
START_TIMEOUT_S = 10.0


@dataclass(slots=True)
class Seen:
    """What a server has seen of its clients so far."""

    connections: int = 0
    requests: list[dict[str, str]] = field(default_factory=list)
    """The header fields of each upgrade request, names in lower case; ``:first`` is the request line."""
    messages: list[Message] = field(default_factory=list)
    """Each whole message, as opcode and payload."""
    pings: int = 0
    pongs: int = 0
    close_codes: list[int | None] = field(default_factory=list)
    """Of each close frame received; None is one without a code."""
    left_without_close: int = 0
    """Connections that ended, by FIN or RST, before a close frame came."""
    unmasked_frames: int = 0
    """Frames that a client failed to mask."""


class PeerLeftError(Exception):
    """The client closed by handshake (it was answered), or its stream ended."""


class Peer:
    """One client's connection, with everything an honest server does and the raw means to do otherwise."""

    def __init__(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: BadServer
    ) -> None:
        self.number = number
        self.reader = reader
        self.writer = writer
        self.server = server
        self.seen = server.seen
        self.latest: Message | None = None
        self.answers_pings = True
        self.answers_close = True
        self.ends_on_close = True

    async def read_request(self) -> dict[str, str]:
        """Read the upgrade request."""
        first, fields = await read_head(self.reader)
        request = {":first": first, **fields}
        self.seen.requests.append(request)
        return request

    def answer(self, status: str, fields: Fields, body: bytes = b"") -> None:
        """Send an HTTP answer; ``status`` as ``403 Forbidden``."""
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        self.writer.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)

    async def upgrade(self, *more: tuple[str, str]) -> None:
        """Read the request and accept it as RFC 6455 says, with ``more`` fields."""
        request = await self.read_request()
        accept = accept_key(request.get("sec-websocket-key", ""))
        fields = (
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", accept),
            *more,
        )
        self.answer("101 Switching Protocols", fields)

    async def message(self) -> Message:
        """The next whole message; pings and the close handshake are answered on the way.

        Raises:
            PeerLeftError: there is none.
        """
        parts: list[Frame] = []
        while True:
            frame = await self._next_frame()
            if frame.opcode in {TEXT, BINARY, CONTINUATION}:
                parts.append(frame)
                if frame.fin:
                    break
            else:
                self._on_control(frame)
        message = (parts[0].opcode, b"".join(part.payload for part in parts))
        self.seen.messages.append(message)
        self.latest = message
        return message

    def send(self, opcode: int, payload: bytes = b"") -> None:
        """Send one good frame."""
        self.writer.write(encode_frame(opcode, payload))

    def send_raw(self, octets: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(octets)

    async def echo(self, count: int | None = None) -> None:
        """Echo the next ``count`` messages, or all."""
        echoed = 0
        while count is None or echoed < count:
            self.send(*await self.message())
            await self.writer.drain()
            echoed += 1

    async def listen(self) -> None:
        """Read on and answer nothing, until the client leaves."""
        while True:
            await self.message()

    async def close(self, payload: bytes) -> None:
        """Send a close frame with this payload, and read until the client answers it or leaves."""
        self.answers_close = False
        self.send(CLOSE, payload)
        await self.listen()

    async def drop(self) -> None:
        """End our side of the TCP connection by FIN, and read until the client ends its own.

        To close with something unread would make it a RST. TLS is not half-open: there it is just closed.
        """
        if self.writer.can_write_eof():
            self.writer.write_eof()
            await self.listen()

    def reset(self) -> None:
        """End the TCP connection by RST: no linger, then close."""
        transport_socket = self.writer.get_extra_info("socket")
        transport_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def stop_reading(self) -> None:
        """Leave everything that comes in the kernel's buffers, for good."""
        transport = self.writer.transport
        if isinstance(transport, asyncio.ReadTransport):
            transport.pause_reading()

    async def silence(self) -> None:
        """Do nothing until the server ends."""
        await asyncio.get_running_loop().create_future()

    async def _next_frame(self) -> Frame:
        try:
            frame = await read_frame(self.reader)
        except (asyncio.IncompleteReadError, OSError) as error:
            self.seen.left_without_close += 1
            raise PeerLeftError from error
        self.seen.unmasked_frames += not frame.masked
        return frame

    def _on_control(self, frame: Frame) -> None:
        if frame.opcode == PING:
            self.seen.pings += 1
            if self.answers_pings:
                self.send(PONG, frame.payload)
        elif frame.opcode == PONG:
            self.seen.pongs += 1
        elif frame.opcode == CLOSE:
            self.seen.close_codes.append(frame.close_code)
            if self.answers_close:
                self.send(CLOSE, frame.payload)
            if self.ends_on_close:
                raise PeerLeftError


Behaviour = Callable[[Peer], Awaitable[None]]


class BadServer:
    """A server on a free loopback port with one behaviour for all its connections."""

    def __init__(self, behaviour: Behaviour, *, receive_buffer_bytes: int | None = None) -> None:
        self.seen = Seen()
        self.tls: ssl.SSLContext | None = None
        """Set before it starts, it makes it a TLS server."""
        self.peers: list[Peer] = []
        self.port = 0
        self._behaviour = behaviour
        self._receive_buffer_bytes = receive_buffer_bytes
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._thread: threading.Thread | None = None
        self._thread_loop: asyncio.AbstractEventLoop | None = None
        self._thread_stop: asyncio.Event | None = None
        self._error: BaseException | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        scheme, host = ("ws", "127.0.0.1") if self.tls is None else ("wss", "localhost")
        return f"{scheme}://{host}:{self.port}/"

    async def __aenter__(self) -> Self:
        # The size must be set before listening: accepted sockets inherit it.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if self._receive_buffer_bytes is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer_bytes)
        listening.bind(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        self._listener = await asyncio.start_server(self._accept, sock=listening, ssl=self.tls, backlog=4096)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for peer in self.peers:
            # Python 3.11.2 forgets what is behind a TLS transport once it was closed twice: nothing is left to abort.
            with suppress(AttributeError):
                peer.writer.transport.abort()
        await asyncio.sleep(0)  # lets the aborted transports close their sockets
        failures = [result for result in results if isinstance(result, Exception)]
        if failures and error is None:
            raise failures[0]

    def __enter__(self) -> Self:
        started = threading.Event()
        self._thread = threading.Thread(target=self._run_in_thread, args=(started,), daemon=True)
        self._thread.start()
        if not started.wait(START_TIMEOUT_S):
            raise TimeoutError("the server's thread did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread_loop is not None and self._thread_stop is not None:
            self._thread_loop.call_soon_threadsafe(self._thread_stop.set)
        if self._thread is not None:
            self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def _run_in_thread(self, started: threading.Event) -> None:
        async def serve() -> None:
            self._thread_loop = asyncio.get_running_loop()
            self._thread_stop = asyncio.Event()
            async with self:
                started.set()
                await self._thread_stop.wait()

        try:
            asyncio.run(serve())
        except Exception as error:  # noqa: BLE001 - handed to the thread that waits in __exit__
            self._error = error

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._listener is None:  # it was in the queue when the server ended
            writer.transport.abort()
            return
        peer = Peer(len(self.peers), reader, writer, self)
        self.peers.append(peer)
        self.seen.connections += 1
        self._tasks.add(asyncio.get_running_loop().create_task(self._behave(peer)))

    async def _behave(self, peer: Peer) -> None:
        try:
            await self._behaviour(peer)
        except PeerLeftError:
            pass
        except (asyncio.IncompleteReadError, ConnectionError):
            self.seen.left_without_close += 1
        finally:
            peer.writer.close()
