"""The echo over real sockets: with the `websockets` client, and raw frames where it would not send them."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.sync.client import ClientConnection, connect

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA
MIB = 1024 * 1024


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """A client's frame, masked with zeros."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    else:
        length = b"\xfe" + struct.pack("!H", size) if size < 65536 else b"\xff" + struct.pack("!Q", size)
    return bytes([fin << 7 | rsv << 4 | opcode]) + length + bytes(4) + payload


@contextmanager
def raw(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
        peer.sendall(REQUEST)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += peer.recv(1)
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
        yield peer


def exactly(peer: socket.socket, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        piece = peer.recv(size - len(got))
        assert piece, f"the service closed after {len(got)} of {size} bytes"
        got += piece
    return bytes(got)


def next_frame(peer: socket.socket) -> tuple[int, bytes]:
    first, size = exactly(peer, 2)
    assert first & 0x80, "the service sends whole messages"
    assert not size & 0x80, "a server does not mask"
    if size == 126:
        (size,) = struct.unpack("!H", exactly(peer, 2))
    elif size == 127:
        (size,) = struct.unpack("!Q", exactly(peer, 8))
    return first & 0x7F, exactly(peer, size)


def is_closed(peer: socket.socket) -> bool:
    """Whether the service ends the connection now, in either way a socket can end."""
    try:
        return peer.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.fixture
def client(service) -> Iterator[ClientConnection]:
    with connect(service.url, max_size=None, compression=None) as connection:
        yield connection


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 8192, 8193, 65535, 65536, MIB])
def test_binary_comes_back_as_it_went(client, size) -> None:
    message = os.urandom(size)
    client.send(message)
    assert client.recv(timeout=10) == message


@pytest.mark.parametrize("message", ["", "ÿ – 漢字 – 🌊", "x" * MIB])
def test_text_comes_back_as_text(client, message) -> None:
    client.send(message)
    assert client.recv(timeout=10) == message


def test_messages_come_back_in_order(client) -> None:
    sent = [os.urandom(1 + number * 37 % 3000) for number in range(500)]
    for message in sent:
        client.send(message)
    assert [client.recv(timeout=10) for _ in sent] == sent


def test_fragments_come_back_as_one_message(client) -> None:
    client.send([b"one, ", b"", b"two, ", b"z" * 100_000])
    assert client.recv(timeout=10) == b"one, two, " + b"z" * 100_000
    client.send(["drei ", "Stück"])
    assert client.recv(timeout=10) == "drei Stück"


def test_a_ping_between_fragments_is_answered_before_the_message(service) -> None:
    with raw(service.port) as peer:
        peer.sendall(frame(TEXT, b"be", fin=False) + frame(PING, b"there?") + frame(CONTINUATION, b"fore"))
        assert next_frame(peer) == (PONG, b"there?")
        assert next_frame(peer) == (TEXT, b"before")


def test_bytes_that_are_no_utf_8_come_back_unchanged(service) -> None:
    with raw(service.port) as peer:
        peer.sendall(frame(TEXT, b"\xff\xfe\xc0"))
        assert next_frame(peer) == (TEXT, b"\xff\xfe\xc0")


def test_a_message_cut_anywhere_on_the_wire_comes_back_whole(service) -> None:
    wire = frame(BINARY, bytes(range(200))) + frame(TEXT, b"tail")
    with raw(service.port) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(wire), 7):
            peer.sendall(wire[start : start + 7])
        assert next_frame(peer) == (BINARY, bytes(range(200)))
        assert next_frame(peer) == (TEXT, b"tail")


def test_a_frame_that_came_with_the_upgrade_is_answered(service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as peer:
        peer.sendall(REQUEST + frame(TEXT, b"early"))
        got = b""
        while not got.endswith(b"\x81\x05early"):
            piece = peer.recv(4096)
            assert piece
            got += piece
        assert got.startswith(b"HTTP/1.1 101 ")


def test_the_websockets_client_gets_a_pong_and_a_clean_close(service) -> None:
    with connect(service.url) as connection:
        assert connection.ping(b"beat").wait(10)
        connection.close(code=3456, reason="done")
    assert connection.protocol.close_rcvd is not None
    assert connection.protocol.close_rcvd.code == 3456


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x0f\xa0with a reason"])
def test_a_close_is_answered_with_its_code_or_none(service, payload) -> None:
    with raw(service.port) as peer:
        peer.sendall(frame(CLOSE, payload) + frame(TEXT, b"too late"))
        assert next_frame(peer) == (CLOSE, payload[:2])
        assert is_closed(peer)


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (frame(BINARY, b"x", rsv=4), 1002),
        (frame(CONTINUATION, b"of nothing"), 1002),
        (frame(TEXT, b"one", fin=False) + frame(TEXT, b"two"), 1002),
        (frame(0x3, b"unknown opcode"), 1002),
        (b"\x82\x01x", 1002),  # not masked
        (b"\x82\xff" + struct.pack("!Q", 1 << 40) + bytes(4), 1009),
    ],
    ids=["reserved bit", "continuation", "message in message", "opcode", "no mask", "length"],
)
def test_a_peer_that_breaks_the_protocol_is_closed_with_the_code_for_it(service, wire, code) -> None:
    with raw(service.port) as peer:
        peer.sendall(frame(TEXT, b"fine") + wire)
        while (got := next_frame(peer)) == (TEXT, b"fine"):
            pass
        opcode, payload = got
        assert (opcode, payload[:2]) == (CLOSE, struct.pack("!H", code))
        assert is_closed(peer)


def test_fragments_without_end_are_refused_at_the_limit(service) -> None:
    with raw(service.port) as peer:
        part = bytes(5 * MIB)
        peer.sendall(frame(BINARY, part, fin=False) + frame(CONTINUATION, part, fin=False) * 3)
        assert next_frame(peer) == (CLOSE, struct.pack("!H", 1009))


def test_a_peer_that_does_not_read_is_not_read_from(service) -> None:
    message = frame(BINARY, os.urandom(65536))
    with raw(service.port) as peer:
        peer.settimeout(1)
        sent = 0
        try:
            while sent < 256 * MIB:
                sent += peer.send(message[sent % len(message) :])
        except TimeoutError:
            pass
        assert sent < 64 * MIB, "the service takes what it cannot give back"
        peer.settimeout(10)
        whole = sent // len(message)
        assert whole > 0
        for _ in range(whole):
            assert next_frame(peer) == (BINARY, message[14:])
