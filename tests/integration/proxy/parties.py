"""The parties of a connection through the proxy: a service that logs every byte, a client by hand, a proxy on this loop."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from oracle import envelope
from oracle.mini_websocket import BINARY, CLOSE, Frame, accept_key, encode_frame, read_frame, read_head
from squall.proxy.log import FaultLog
from squall.proxy.server import Proxy, ProxySettings
from squall.proxy.upstream import UpstreamSettings
from squall.record.fault_log import FaultEntry, read_entries
from squall.scenario.faults import FaultKind

__all__ = ["MASK", "Client", "Proxied", "Service", "message", "proxied", "run", "until"]

MASK = b"\x21\x43\x65\x87"
WAIT_S = 20.0


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a test on the loop that the proxy has."""

    async def in_time() -> None:
        await asyncio.wait_for(main(), WAIT_S)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(in_time())


def message(sequence: int, stream: int = 5, body: bytes = b"0123456789") -> bytes:
    """The payload of an enveloped binary message."""
    return envelope.build(stream=stream, sequence=sequence, attempt=1, body=body)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that is about to be so."""
    while not holds():  # noqa: ASYNC110 - what is waited for happens in another process, or in the proxy
        await asyncio.sleep(0.002)


@dataclass
class Service:
    """A WebSocket server that answers each message with itself, and keeps what it gets."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    """How each connection ended: "eof" or "reset"."""
    says: list[asyncio.StreamWriter] = field(default_factory=list)
    """To each client."""
    echoes: bool = True
    raw: bytearray | None = None
    """All bytes behind the upgrade, where frames are not to be read."""

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def sequences(self) -> list[int]:
        """Of the good envelopes that came, in order."""
        found = [envelope.parse(frame.opcode, frame.payload) for frame in self.frames]
        return [each.sequence for each in found if each is not None and each.body_good]

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[Service]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self.says:
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.says.append(writer)
        try:
            await self._talk(reader, writer)
            self.ends.append("eof")
        except asyncio.IncompleteReadError:
            self.ends.append("eof")
        except OSError:
            self.ends.append("reset")
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, fields = await read_head(reader)
        self.heads.append(first.encode())
        accept = accept_key(fields["sec-websocket-key"])
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept.encode() + b"\r\n\r\n"
        )
        while self.raw is not None:
            data = await reader.read(65536)
            if not data:
                return
            self.raw += data
        while True:
            frame = await read_frame(reader)
            assert frame.masked
            self.frames.append(frame)
            if frame.opcode == CLOSE:
                writer.write(encode_frame(CLOSE, frame.payload))
                return
            if self.echoes:
                writer.write(encode_frame(frame.opcode, frame.payload, fin=frame.fin))


class Client:
    """A WebSocket client by hand."""

    REQUEST = (
        b"GET /any?thing=1 HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    @asynccontextmanager
    async def connected(cls, port: int) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        client = cls(reader, writer)
        try:
            writer.write(cls.REQUEST)
            first, _ = await read_head(reader)
            assert " 101 " in first, first
            yield client
        finally:
            writer.transport.abort()

    def send(self, payload: bytes, opcode: int = BINARY, *, fin: bool = True) -> None:
        self.writer.write(encode_frame(opcode, payload, fin=fin, mask=MASK))

    async def read(self) -> Frame:
        return await read_frame(self.reader)

    async def read_to_end(self) -> list[Frame]:
        """All frames, until the end of the stream; a close frame is answered."""
        found: list[Frame] = []
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                found.append(frame := await self.read())
                if frame.opcode == CLOSE:
                    self.send(frame.payload, CLOSE)
        return found

    async def sequences(self) -> list[int]:
        """Of the envelopes that come until a text message that says so."""
        found = []
        while (frame := await self.read()).payload != b"the end":
            envelope_read = envelope.parse(frame.opcode, frame.payload)
            if envelope_read is not None:
                found.append(envelope_read.sequence)
        return found


@dataclass
class Proxied:
    """A proxy that runs on this loop."""

    proxy: Proxy
    log: FaultLog

    @property
    def port(self) -> int:
        return self.proxy.port

    @property
    def entries(self) -> list[FaultEntry]:
        return list(read_entries(b"".join(self.log.after(0, 1_000_000)[1])))

    @property
    def deeds(self) -> Counter[str]:
        """How often each, those to the list as a whole left out."""
        return Counter(each.what for each in self.entries if each.connection)

    def done(self, what: str, direction: str = "up") -> list[int | None]:
        """The sequences of the messages to which that was done."""
        return [each.sequence for each in self.entries if each.what == what and each.direction == direction]

    def put(self, *faults: FaultKind) -> None:
        self.proxy.change(lambda table, now_ns: table.replace(faults, now_ns))


@asynccontextmanager
async def proxied(
    upstream: str,
    *faults: FaultKind,
    seed: int = 1,
    ca_file: Path | None = None,
    verify: bool = True,
) -> AsyncIterator[Proxied]:
    """A proxy in front of a service, with faults from its beginning."""
    way = UpstreamSettings(url=upstream, ca_file=None if ca_file is None else str(ca_file), verify=verify)
    settings = ProxySettings(listen="127.0.0.1:0", upstream=way, faults=faults, seed=seed)
    stop, ready = asyncio.Event(), asyncio.Event()
    with FaultLog(None) as log:
        proxy = Proxy(settings, log)
        asyncio.get_running_loop().set_exception_handler(proxy.count_bug)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(proxy.run(ready.set, stop))
            await ready.wait()
            try:
                yield Proxied(proxy, log)
            finally:
                stop.set()
        assert proxy.hub.room.used == 0
        assert proxy.connections == {}
        assert proxy.bugs == 0
