"""The service's own reader and writer of envelopes, written from docs/reference/envelope.md and nothing else.

It reads good ones only, of either form, and writes what a service has to: an acknowledgement (flag 4, no body) and
the same message with another attempt in its header. It knows no stream and keeps no account.
"""

from __future__ import annotations

import binascii
import struct
import zlib
from dataclasses import dataclass
from typing import Final

import xxhash
from picows import WSMsgType

__all__ = ["ATTEMPT_MAX", "Envelope", "acknowledgement", "read", "with_attempt"]

ATTEMPT_MAX: Final = 15
"""The last attempt that an envelope can name."""

_MAGIC: Final = b"sqEl"
_VERSION: Final = 1
_TEXT_FLAG, _CAUSE_FLAG, _ACKNOWLEDGEMENT_FLAG = 1, 2, 4
_BINARY_BYTES: Final = 48
_TEXT_BYTES: Final = 64
_ATTEMPT_AT: Final = 6
_CAUSE_AT: Final = 32
_BODY_SUM_AT: Final = 40
_HEADER_SUM_AT: Final = 44
_HEADER: Final = struct.Struct("<4sBBBIIHII7sIIII")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a good one says. `header` is its binary form, also where it came as text."""

    header: bytes
    is_text: bool
    is_acknowledgement: bool
    attempt: int
    priority: int
    run: int
    stream: int
    sequence: int
    cause: tuple[int, int] | None
    """Stream and sequence of the message that this one follows from."""


def read(opcode: WSMsgType, payload: memoryview) -> Envelope | None:
    """The envelope of a message that is whole: both checksums fit; else None."""
    is_text = opcode is WSMsgType.TEXT
    header = _text_header(payload) if is_text else bytes(payload[:_BINARY_BYTES])
    if len(header) < _BINARY_BYTES:
        return None
    magic, version_flags, _, tries, run, stream, _, sequence, _, _, *cause, body_sum, header_sum = (
        _HEADER.unpack(header)
    )
    flags = version_flags & 15
    if (
        magic != _MAGIC
        or version_flags >> 4 != _VERSION
        or bool(flags & _TEXT_FLAG) is not is_text
        or header_sum != zlib.crc32(header[:_HEADER_SUM_AT])
        or body_sum != _body_sum(payload[_TEXT_BYTES if is_text else _BINARY_BYTES :], len(payload))
    ):
        return None
    return Envelope(
        header=header,
        is_text=is_text,
        is_acknowledgement=bool(flags & _ACKNOWLEDGEMENT_FLAG),
        attempt=tries & 15,
        priority=tries >> 4,
        run=run,
        stream=stream,
        sequence=sequence,
        cause=(cause[0], cause[1]) if flags & _CAUSE_FLAG else None,
    )


def acknowledgement(of: Envelope) -> bytes:
    """The whole message that acknowledges this one: its numbers, attempt and priority, no cause, no body."""
    header = bytearray(of.header)
    header[4] = header[4] & ~_CAUSE_FLAG | _ACKNOWLEDGEMENT_FLAG
    header[_CAUSE_AT:_BODY_SUM_AT] = bytes(_BODY_SUM_AT - _CAUSE_AT)
    size = _TEXT_BYTES if of.is_text else _BINARY_BYTES
    header[_BODY_SUM_AT:_HEADER_SUM_AT] = _body_sum(b"", size).to_bytes(4, "little")
    return _sealed(header, is_text=of.is_text)


def with_attempt(envelope: Envelope, payload: bytes | memoryview, attempt: int) -> bytes:
    """The same message as that attempt."""
    header = bytearray(envelope.header)
    header[_ATTEMPT_AT] = header[_ATTEMPT_AT] & 0xF0 | attempt
    body = payload[_TEXT_BYTES if envelope.is_text else _BINARY_BYTES :]
    return _sealed(header, is_text=envelope.is_text) + bytes(body)


def _sealed(header: bytearray, *, is_text: bool) -> bytes:
    """With its checksum, in the form that is sent."""
    header[_HEADER_SUM_AT:] = zlib.crc32(header[:_HEADER_SUM_AT]).to_bytes(4, "little")
    if not is_text:
        return bytes(header)
    return _MAGIC + binascii.b2a_base64(bytes(header[4:]) + b"\0", newline=False)


def _text_header(payload: memoryview) -> bytes:
    """The binary form of a text header; nothing where it is none."""
    try:
        decoded = binascii.a2b_base64(payload[4:_TEXT_BYTES], strict_mode=True)
    except binascii.Error:
        return b""
    if len(decoded) != _BINARY_BYTES - 3 or decoded[-1]:
        return b""
    return bytes(payload[:4]) + decoded[:-1]


def _body_sum(body: bytes | memoryview, message_size: int) -> int:
    digest: int = xxhash.xxh3_64_intdigest(body, seed=message_size)
    return digest & 0xFFFFFFFF
