"""Each bad server does what it says, seen from a raw socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from oracle import bad_servers
from oracle.certificates import make_certificates
from oracle.mini_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Frame,
    accept_key,
    close_payload,
    encode_frame,
    read_frame,
    read_head,
)
from oracle.peer import BadServer

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
SILENCE_S = 0.1
"""How long a test listens before it says that nothing comes."""
PATIENCE_S = 10.0
Result = TypeVar("Result")


class RawClient:
    """A connection of which nothing is assumed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def upgrade(self) -> tuple[str, dict[str, str]]:
        self.request()
        return await in_time(read_head(self.reader))

    def request(self) -> None:
        self.writer.write(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY.encode() + b"\r\n\r\n"
        )

    async def exchange(self, payload: bytes) -> Frame:
        self.send(BINARY, payload)
        return await self.frame()

    def send(self, opcode: int, payload: bytes = b"") -> None:
        self.writer.write(encode_frame(opcode, payload, mask=b"\x0a\x0b\x0c\x0d"))

    async def frame(self) -> Frame:
        return await in_time(read_frame(self.reader))

    async def rest(self) -> bytes:
        """Everything until the server ends the connection."""
        return await in_time(self.reader.read())

    async def hears_nothing(self) -> bool:
        """Whether neither a byte nor an end comes for a while."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.reader.read(1), SILENCE_S)
            return False
        return True


async def in_time(reading: Coroutine[Any, Any, Result]) -> Result:
    return await asyncio.wait_for(reading, PATIENCE_S)


@asynccontextmanager
async def connected(server: BadServer, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawClient]:
    reader, writer = await asyncio.open_connection("localhost" if tls else "127.0.0.1", server.port, ssl=tls)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def upgraded(server: BadServer) -> AsyncIterator[RawClient]:
    async with server, connected(server) as client:
        first, fields = await client.upgrade()
        assert first == "HTTP/1.1 101 Switching Protocols"
        assert fields["sec-websocket-accept"] == accept_key(KEY)
        yield client


def test_the_honest_one_echoes_pongs_and_answers_the_close() -> None:
    async def talk(server: BadServer) -> None:
        async with upgraded(server) as client:
            assert await client.exchange(b"one") == Frame(BINARY, b"one", fin=True, rsv=0, masked=False)
            client.send(TEXT, b"two")
            assert (await client.frame()).opcode == TEXT
            client.send(PING, b"are you there")
            assert await client.frame() == Frame(PONG, b"are you there", fin=True, rsv=0, masked=False)
            client.send(CLOSE, close_payload(1000))
            assert (await client.frame()).close_code == 1000
            assert await client.rest() == b""

    server = bad_servers.honest()
    asyncio.run(talk(server))
    assert server.seen.messages == [(BINARY, b"one"), (TEXT, b"two")]
    assert (server.seen.connections, server.seen.pings, server.seen.close_codes) == (1, 1, [1000])
    assert (server.seen.left_without_close, server.seen.unmasked_frames) == (0, 0)
    assert server.seen.requests[0][":first"] == "GET / HTTP/1.1"
    assert server.seen.requests[0]["sec-websocket-key"] == KEY


def test_the_honest_one_joins_fragments() -> None:
    async def talk(server: BadServer) -> None:
        async with upgraded(server) as client:
            client.writer.write(encode_frame(TEXT, b"in ", fin=False, mask=b"abcd"))
            client.send(PING)
            client.writer.write(encode_frame(CONTINUATION, b"parts", mask=b"abcd"))
            assert (await client.frame()).opcode == PONG
            assert (await client.frame()).payload == b"in parts"

    asyncio.run(talk(bad_servers.honest()))


def test_the_honest_one_speaks_tls_where_told_to(tmp_path: Path) -> None:
    async def talk(server: BadServer, trust: ssl.SSLContext) -> bytes:
        async with server, connected(server, trust) as client:
            await client.upgrade()
            return (await client.exchange(b"secret")).payload

    certificates = make_certificates(tmp_path)
    server = bad_servers.honest()
    server.tls = certificates.right.server_context()
    assert asyncio.run(talk(server, certificates.client_context())) == b"secret"
    assert server.url.startswith("wss://localhost:")


def test_a_server_serves_from_a_thread_for_a_test_that_blocks() -> None:
    with bad_servers.answers_status(403) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(4096), b""))
        assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port)):
        pass
    assert server.seen.connections == 1


def test_a_mistake_in_a_behaviour_is_raised_and_not_hidden() -> None:
    async def mistaken(peer: object) -> None:
        raise LookupError("a mistake")

    async def talk() -> None:
        server = BadServer(mistaken)
        async with server, connected(server) as client:
            await client.rest()

    with pytest.raises(LookupError, match="a mistake"):
        asyncio.run(talk())


@pytest.mark.parametrize("status", [200, 301, 403, 404, 500, 503])
def test_a_status_is_answered_and_the_connection_closed(status: int) -> None:
    async def talk(server: BadServer) -> tuple[str, dict[str, str], bytes]:
        async with server, connected(server) as client:
            return *await client.upgrade(), await client.rest()

    server = bad_servers.answers_status(status)
    first, fields, body = asyncio.run(talk(server))
    assert first.startswith(f"HTTP/1.1 {status} ")
    assert len(body) == int(fields["content-length"])
    assert fields.get("location") == (server.url if status == 301 else None)


def test_wrong_answers_are_wrong_in_one_thing() -> None:
    async def talk(server: BadServer) -> tuple[dict[str, str], bytes]:
        async with server, connected(server) as client:
            first, fields = await client.upgrade()
            assert first.startswith("HTTP/1.1 101")
            return fields, (await client.exchange(b"still echoed")).payload

    good = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-accept": accept_key(KEY)}
    for server, fields in [
        (bad_servers.wrong_extension(), {**good, "sec-websocket-extensions": "permessage-deflate"}),
        (bad_servers.wrong_subprotocol("other"), {**good, "sec-websocket-protocol": "other"}),
        (bad_servers.without_upgrade_field(), {name: good[name] for name in good if name != "upgrade"}),
    ]:
        assert asyncio.run(talk(server)) == (fields, b"still echoed")
    fields, _ = asyncio.run(talk(bad_servers.wrong_accept_key()))
    assert fields.keys() == good.keys()
    assert fields["sec-websocket-accept"] != good["sec-websocket-accept"]


def test_half_an_answer_is_no_head_and_then_an_end_or_silence() -> None:
    async def talk(*, then_closes: bool) -> bytes:
        server = bad_servers.answers_half(then_closes=then_closes)
        async with server, connected(server) as client:
            client.request()
            if then_closes:
                return await client.rest()
            answer = await in_time(client.reader.readuntil(b"webso"))
            assert await client.hears_nothing()
            return answer

    assert asyncio.run(talk(then_closes=True)) == asyncio.run(talk(then_closes=False))


def test_no_answer_at_all() -> None:
    async def talk(server: BadServer) -> bool:
        async with server, connected(server) as client:
            client.request()
            return await client.hears_nothing()

    assert asyncio.run(talk(bad_servers.never_answers()))


def test_a_connection_is_closed_at_once() -> None:
    async def talk(server: BadServer) -> bytes:
        async with server, connected(server) as client:
            return await client.rest()

    assert asyncio.run(talk(bad_servers.accepts_and_closes())) == b""


@pytest.mark.parametrize("after", [0, 2])
def test_a_drop_has_no_close_frame_and_a_reset_is_a_reset(after: int) -> None:
    async def talk(server: BadServer) -> bytes:
        async with upgraded(server) as client:
            for _ in range(after):
                assert (await client.exchange(b"echoed")).payload == b"echoed"
            client.send(BINARY, b"never echoed")
            return await client.rest()

    dropping = bad_servers.drops_after(after)
    assert asyncio.run(talk(dropping)) == b""
    with pytest.raises(ConnectionResetError):
        asyncio.run(talk(bad_servers.resets_after(after)))


def test_a_close_handshake_in_the_middle_waits_for_its_answer() -> None:
    async def talk(server: BadServer) -> bytes:
        async with upgraded(server) as client:
            await client.exchange(b"echoed")
            closing = await client.frame()
            client.send(BINARY, b"crossing")
            client.send(CLOSE, closing.payload)
            assert await client.rest() == b""
            return closing.payload

    server = bad_servers.closes_after(1, code=4001, reason="enough")
    assert asyncio.run(talk(server)) == close_payload(4001, "enough")
    assert server.seen.close_codes == [4001]
    assert len(server.seen.messages) == 2
    assert asyncio.run(talk(bad_servers.sends_bad_close(1))) == close_payload(1005)
    assert asyncio.run(talk(bad_servers.sends_short_close(1))) == b"\x03"


def test_a_close_frame_without_an_answer() -> None:
    async def talk(server: BadServer) -> None:
        async with upgraded(server) as client:
            client.send(CLOSE, close_payload(1000))
            assert await client.hears_nothing()

    server = bad_servers.never_answers_close()
    asyncio.run(talk(server))
    assert server.seen.close_codes == [1000]


def test_pings_without_a_pong() -> None:
    async def talk(server: BadServer) -> None:
        async with upgraded(server) as client:
            client.send(PING)
            assert (await client.exchange(b"echoed")).payload == b"echoed"

    server = bad_servers.never_answers_pings()
    asyncio.run(talk(server))
    assert server.seen.pings == 1


def test_a_server_that_stops_reading_lets_the_senders_buffer_fill() -> None:
    async def talk(server: BadServer) -> None:
        async with upgraded(server) as client:
            await client.exchange(b"echoed")
            client.send(BINARY, bytes(16_000_000))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.writer.drain(), 3 * SILENCE_S)
            client.writer.transport.abort()

    server = bad_servers.stops_reading_after(1)
    asyncio.run(talk(server))
    assert server.seen.messages == [(BINARY, b"echoed")]


def test_broken_frames_come_after_the_honest_ones() -> None:
    async def talk(server: BadServer, count: int) -> bytes:
        async with upgraded(server) as client:
            await client.exchange(b"echoed")
            return await in_time(client.reader.readexactly(count))

    assert asyncio.run(talk(bad_servers.sends_garbage(1), 8)) == b"ERROR at"
    assert asyncio.run(talk(bad_servers.sends_reserved_opcode(1), 2)) == b"\x83\x08"
    assert asyncio.run(talk(bad_servers.sends_oversize_header(1), 10)) == b"\x82\x7f\x80" + bytes(7)


def test_masked_and_compressed_echoes_carry_the_payload() -> None:
    async def talk(server: BadServer) -> Frame:
        async with upgraded(server) as client:
            return await client.exchange(b"payload payload")

    masked = asyncio.run(talk(bad_servers.masks_frames()))
    assert (masked.masked, masked.payload) == (True, b"payload payload")
    compressed = asyncio.run(talk(bad_servers.compresses_unasked()))
    assert compressed.rsv == 4
    inflate = zlib.decompressobj(wbits=-15)
    assert inflate.decompress(compressed.payload + b"\x00\x00\xff\xff") == b"payload payload"


def test_text_that_is_no_utf8() -> None:
    async def talk(server: BadServer) -> Frame:
        async with upgraded(server) as client:
            return await client.exchange(b"text")

    frame = asyncio.run(talk(bad_servers.sends_invalid_utf8(0)))
    assert (frame.opcode, frame.payload) == (TEXT, b"tex\xff")


def test_fragments_have_control_frames_between_them() -> None:
    async def talk(server: BadServer) -> list[Frame]:
        async with upgraded(server) as client:
            client.send(TEXT, b"a message")
            return [await client.frame() for _ in range(5)]

    frames = asyncio.run(talk(bad_servers.fragments()))
    assert [frame.opcode for frame in frames] == [TEXT, PING, CONTINUATION, PONG, CONTINUATION]
    assert [frame.fin for frame in frames] == [False, True, False, True, True]
    assert b"".join(frame.payload for frame in frames[::2]) == b"a message"


def test_a_neighbours_payload_is_echoed_where_there_is_a_neighbour() -> None:
    async def talk(server: BadServer) -> tuple[bytes, bytes]:
        async with upgraded(server) as first, connected(server) as second:
            alone = await first.exchange(b"of the first")
            await second.upgrade()
            crossed = await second.exchange(b"of the second")
            return alone.payload, crossed.payload

    assert asyncio.run(talk(bad_servers.echoes_neighbour())) == (b"of the first", b"of the first")


def test_unasked_messages_and_pings_come_beside_the_echo() -> None:
    async def talk(server: BadServer) -> set[tuple[int, bytes]]:
        async with upgraded(server) as client:
            client.send(BINARY, b"echoed")
            frames = [await client.frame() for _ in range(4)]
            client.send(PONG, b"are you there")
            client.send(CLOSE)
            return {(frame.opcode, frame.payload) for frame in frames}

    unasked = bad_servers.talks_unasked(period_s=0.01)
    assert asyncio.run(talk(unasked)) == {(BINARY, b"echoed"), (TEXT, bad_servers.UNASKED_TEXT)}
    pinging = bad_servers.pings(period_s=0.01)
    assert asyncio.run(talk(pinging)) == {(BINARY, b"echoed"), (PING, b"are you there")}


@pytest.mark.parametrize("kind", bad_servers.EVERY_KIND)
def test_every_kind_can_be_left_at_any_time_and_leaves_nothing_behind(kind: str) -> None:
    async def leave_it(server: BadServer) -> None:
        async with server, connected(server) as client:
            client.request()
            with contextlib.suppress(TimeoutError, ConnectionError):
                await asyncio.wait_for(client.reader.read(1), SILENCE_S)

    server = bad_servers.EVERY_KIND[kind]()
    asyncio.run(leave_it(server))
    assert server.seen.connections == 1
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port)):
        pass
