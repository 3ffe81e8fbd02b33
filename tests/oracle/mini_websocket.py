"""RFC 6455 in small, on asyncio streams, for servers that must be able to break it.

The handshake's key, frames with every bit settable, and a reader of frames. It does not judge what it reads:
the caller does.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import struct
from dataclasses import dataclass

__all__ = [
    "BINARY",
    "CLOSE",
    "CONTINUATION",
    "PING",
    "PONG",
    "TEXT",
    "Frame",
    "accept_key",
    "close_payload",
    "encode_frame",
    "read_frame",
    "read_head",
]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as read, unmasked."""

    opcode: int
    payload: bytes
    fin: bool
    rsv: int
    masked: bool

    @property
    def close_code(self) -> int | None:
        """The code in a close frame; None where it has none."""
        return int.from_bytes(self.payload[:2], "big") if len(self.payload) >= 2 else None


def accept_key(key: str) -> str:
    """The answer to a client's ``Sec-WebSocket-Key`` (RFC 6455, section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + GUID, usedforsecurity=False).digest()).decode()


def close_payload(code: int, reason: str = "") -> bytes:
    """The payload of a close frame, whatever the code is."""
    return struct.pack(">H", code) + reason.encode()


def encode_frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bytes | None = None
) -> bytes:
    """A frame (RFC 6455, section 5.2); ``rsv`` are its three reserved bits, ``mask`` four bytes."""
    length = len(payload)
    mask_bit = 0 if mask is None else 0x80
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if length < 126:
        head += bytes([mask_bit | length])
    elif length < 65536:
        head += struct.pack(">BH", mask_bit | 126, length)
    else:
        head += struct.pack(">BQ", mask_bit | 127, length)
    return head + payload if mask is None else head + mask + apply_mask(payload, mask)


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """Read one frame.

    Raises:
        asyncio.IncompleteReadError: the stream ended.
        ConnectionError: it was reset.
    """
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    elif length == 127:
        length = int.from_bytes(await reader.readexactly(8), "big")
    masked = bool(second & 0x80)
    mask = await reader.readexactly(4) if masked else bytes(4)
    payload = apply_mask(await reader.readexactly(length), mask)
    return Frame(first & 15, payload, fin=bool(first & 0x80), rsv=first >> 4 & 7, masked=masked)


async def read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    """Read the head of an HTTP message: its first line, and its fields by their names in lower case."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip().lower()] = value.strip()
    return lines[0], fields


def apply_mask(payload: bytes, mask: bytes) -> bytes:
    """Mask or unmask: the same operation."""
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    combined = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return combined.to_bytes(len(payload), "big")
