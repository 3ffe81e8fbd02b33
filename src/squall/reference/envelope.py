"""The service's own reader and writer of envelopes, written from docs/reference/envelope.md and nothing else.

It reads good ones only, of either form, and writes what a service has to: an acknowledgement (flag 4, no body) and
the same message with another attempt in its header. It knows no stream and keeps no account.
"""

from __future__ import annotations

import binascii
import struct
import zlib
from typing import Final, NamedTuple

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
_FLAGS_AT: Final = 4
_CAUSE_AT: Final = 32
_HEADER_SUM_AT: Final = 44
_HEADER: Final = struct.Struct("<4sBBBIIHII7sIIII")


class Envelope(NamedTuple):
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
    (
        magic,
        version_flags,
        _,
        tries,
        run,
        stream,
        _,
        sequence,
        _,
        _,
        cause_stream,
        cause_sequence,
        body_sum,
        sum_,
    ) = _HEADER.unpack(header)
    start = _TEXT_BYTES if is_text else _BINARY_BYTES
    if (
        magic != _MAGIC
        or version_flags >> 4 != _VERSION
        or bool(version_flags & _TEXT_FLAG) is not is_text
        or sum_ != zlib.crc32(header[:_HEADER_SUM_AT])
        or body_sum != _body_sum(payload[start:], len(payload))
    ):
        return None
    return Envelope(
        header,
        is_text,
        bool(version_flags & _ACKNOWLEDGEMENT_FLAG),
        tries & 15,
        tries >> 4,
        run,
        stream,
        sequence,
        (cause_stream, cause_sequence) if version_flags & _CAUSE_FLAG else None,
    )


def acknowledgement(of: Envelope) -> bytes:
    """The whole message that acknowledges this one: its numbers, attempt and priority, no cause, no body."""
    header = of.header
    flags = header[_FLAGS_AT] & ~_CAUSE_FLAG | _ACKNOWLEDGEMENT_FLAG
    no_body = _NO_TEXT_BODY if of.is_text else _NO_BINARY_BODY
    return _sealed(
        b"%b%c%b%b%b" % (_MAGIC, flags, header[_FLAGS_AT + 1 : _CAUSE_AT], _NO_CAUSE, no_body),
        is_text=of.is_text,
    )


def with_attempt(envelope: Envelope, payload: bytes | memoryview, attempt: int) -> bytes:
    """The same message as that attempt."""
    header = bytearray(envelope.header[:_HEADER_SUM_AT])
    header[_ATTEMPT_AT] = header[_ATTEMPT_AT] & 0xF0 | attempt
    body = payload[_TEXT_BYTES if envelope.is_text else _BINARY_BYTES :]
    return _sealed(bytes(header), is_text=envelope.is_text) + bytes(body)


def _sealed(header: bytes, *, is_text: bool) -> bytes:
    """With its checksum behind it, in the form that is sent."""
    sealed = header + zlib.crc32(header).to_bytes(4, "little")
    if not is_text:
        return sealed
    return _MAGIC + binascii.b2a_base64(sealed[len(_MAGIC) :] + b"\0", newline=False)


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


_NO_CAUSE: Final = bytes(8)
_NO_BINARY_BODY: Final = _body_sum(b"", _BINARY_BYTES).to_bytes(4, "little")
_NO_TEXT_BODY: Final = _body_sum(b"", _TEXT_BYTES).to_bytes(4, "little")
