"""The small WebSocket against the examples of RFC 6455."""

from __future__ import annotations

import asyncio

import pytest

from oracle.mini_websocket import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    Frame,
    accept_key,
    close_payload,
    encode_frame,
    read_frame,
    read_head,
)


def fed(octets: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(octets)
    reader.feed_eof()
    return reader


async def parsed(octets: bytes) -> Frame:
    return await read_frame(fed(octets))


def test_the_accept_key_of_section_1_3() -> None:
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(
    ("octets", "frame"),
    [
        ("810548656c6c6f", Frame(TEXT, b"Hello", fin=True, rsv=0, masked=False)),
        ("818537fa213d7f9f4d5158", Frame(TEXT, b"Hello", fin=True, rsv=0, masked=True)),
        ("010348656c", Frame(TEXT, b"Hel", fin=False, rsv=0, masked=False)),
        ("890548656c6c6f", Frame(PING, b"Hello", fin=True, rsv=0, masked=False)),
        ("c107f248cdc9c90700", Frame(TEXT, bytes.fromhex("f248cdc9c90700"), fin=True, rsv=4, masked=False)),
    ],
)
def test_the_frames_of_section_5_7_and_rfc_7692(octets: str, frame: Frame) -> None:
    assert asyncio.run(parsed(bytes.fromhex(octets))) == frame


@pytest.mark.parametrize("length", [0, 125, 126, 65535, 65536])
@pytest.mark.parametrize("mask", [None, b"\x01\x02\x03\x04"])
def test_frames_of_every_length_form_read_back(length: int, mask: bytes | None) -> None:
    payload = bytes(place % 251 for place in range(length))
    octets = encode_frame(BINARY, payload, fin=False, rsv=2, mask=mask)
    expected = Frame(BINARY, payload, fin=False, rsv=2, masked=mask is not None)
    assert asyncio.run(parsed(octets)) == expected


def test_the_head_of_section_5_7_for_64_kibibytes() -> None:
    assert encode_frame(BINARY, bytes(65536))[:10] == bytes.fromhex("827f0000000000010000")


def test_close_codes_are_read_where_there_are_two_bytes() -> None:
    assert asyncio.run(parsed(encode_frame(CLOSE, close_payload(1005, "x")))).close_code == 1005
    assert asyncio.run(parsed(encode_frame(CLOSE, b"\x03"))).close_code is None


def test_a_cut_frame_is_an_error() -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        asyncio.run(parsed(encode_frame(BINARY, b"payload")[:-1]))


def test_a_request_head_is_read_with_names_in_lower_case() -> None:
    async def read() -> tuple[str, dict[str, str]]:
        return await read_head(fed(b"GET /x HTTP/1.1\r\nHost: a:1\r\nSec-WebSocket-Key:  k= \r\n\r\nrest"))

    assert asyncio.run(read()) == ("GET /x HTTP/1.1", {"host": "a:1", "sec-websocket-key": "k="})
