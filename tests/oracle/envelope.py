"""The oracle's own small reader of message envelopes, written from the layout and from nothing else.

An envelope is the first part of a message: 48 bytes in a binary message, 64 characters in a text one, the
body directly behind it. All numbers are little-endian. It knows nothing of who wrote the message.

offset  size  field
0       4     magic ``sqEl``
4       1     version in the high four bits (1), flags in the low four (1 = text, 2 = has a cause, 4 = an acknowledgement)
5       1     type
6       1     attempt in the low four bits, priority in the high four
7       4     run
11      4     stream
15      2     epoch
17      4     sequence
21      4     sequence within the type
25      7     intended time in ns
32      4     cause: stream
36      4     cause: sequence
40      4     checksum of the body: the low 32 bits of xxh3_64, seeded with the length of the whole message
44      4     checksum of bytes 0 to 43: CRC-32

The text form keeps the four bytes of magic, and writes bytes 4 to 47 and a zero byte as 60 base64 characters.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass

import xxhash

__all__ = ["BINARY", "MAGIC", "TEXT", "Envelope", "build", "header_size", "looks_like_envelope", "parse"]

MAGIC = b"sqEl"
TEXT = 1
"""The WebSocket opcode of a text message."""
BINARY = 2
"""The WebSocket opcode of a binary message."""

VERSION = 1
FLAG_TEXT = 1
FLAG_CAUSE = 2
FLAG_ACK = 4


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an envelope says, and whether its two checksums agree with the message that it stands in."""

    version: int
    flags: int
    type: int
    attempt: int
    priority: int
    run: int
    stream: int
    epoch: int
    sequence: int
    type_sequence: int
    intended_ns: int
    cause_stream: int
    cause_sequence: int
    header_good: bool
    body_good: bool

    @property
    def is_ack(self) -> bool:
        """Whether it acknowledges the message whose numbers it bears."""
        return bool(self.flags & FLAG_ACK)

    @property
    def cause(self) -> tuple[int, int] | None:
        """The message that this one follows from: stream and sequence."""
        return (self.cause_stream, self.cause_sequence) if self.flags & FLAG_CAUSE else None


def header_size(opcode: int) -> int:
    """Bytes that the envelope takes in a message of this opcode."""
    return 64 if opcode == TEXT else 48


def looks_like_envelope(opcode: int, payload: bytes) -> bool:
    """Whether an arrival is taken for an envelope: long enough, and at most one wrong byte of magic.

    ``opcode`` is that of the messages sent: whether to expect the text form, whatever the arrival came as.
    """
    if len(payload) < header_size(opcode):
        return False
    wrong = sum(1 for got, wanted in zip(payload, MAGIC, strict=False) if got != wanted)
    return wrong <= 1


def parse(opcode: int, payload: bytes) -> Envelope | None:
    """Read the envelope of a message; None where there is none, or its text form is no base64."""
    if not looks_like_envelope(opcode, payload):
        return None
    size = header_size(opcode)
    head = payload[:48]
    padding = 0
    if opcode == TEXT:
        try:
            decoded = base64.b64decode(payload[4:size], validate=True)
        except binascii.Error:
            return None
        if len(decoded) != 45:
            return None
        head = payload[:4] + decoded[:44]
        padding = decoded[44]
    return Envelope(
        version=head[4] >> 4,
        flags=head[4] & 15,
        type=head[5],
        attempt=head[6] & 15,
        priority=head[6] >> 4,
        run=_number(head, 7, 11),
        stream=_number(head, 11, 15),
        epoch=_number(head, 15, 17),
        sequence=_number(head, 17, 21),
        type_sequence=_number(head, 21, 25),
        intended_ns=_number(head, 25, 32),
        cause_stream=_number(head, 32, 36),
        cause_sequence=_number(head, 36, 40),
        header_good=_number(head, 44, 48) == zlib.crc32(head[:44]) and padding == 0,
        body_good=_number(head, 40, 44) == _body_checksum(payload[size:], len(payload)),
    )


def build(
    *,
    opcode: int = BINARY,
    run: int = 1,
    stream: int = 0,
    sequence: int = 0,
    type_sequence: int | None = None,
    message_type: int = 0,
    epoch: int = 0,
    attempt: int = 0,
    intended_ns: int = 0,
    body: bytes = b"",
    priority: int = 0,
    cause: tuple[int, int] | None = None,
    is_ack: bool = False,
) -> bytes:
    """A whole message with a good envelope, for the tests of the oracle itself.

    ``type_sequence`` is the sequence where it is not given, as if there were one type.
    """
    size = header_size(opcode)
    flags = (FLAG_TEXT if opcode == TEXT else 0) | (FLAG_ACK if is_ack else 0) | (FLAG_CAUSE if cause else 0)
    cause_stream, cause_sequence = cause or (0, 0)
    head = MAGIC + bytes([VERSION << 4 | flags, message_type, priority << 4 | attempt])
    head += run.to_bytes(4, "little") + stream.to_bytes(4, "little") + epoch.to_bytes(2, "little")
    head += sequence.to_bytes(4, "little")
    head += (sequence if type_sequence is None else type_sequence).to_bytes(4, "little")
    head += intended_ns.to_bytes(7, "little")
    head += cause_stream.to_bytes(4, "little") + cause_sequence.to_bytes(4, "little")
    head += _body_checksum(body, size + len(body)).to_bytes(4, "little")
    head += zlib.crc32(head).to_bytes(4, "little")
    if opcode == TEXT:
        head = MAGIC + base64.b64encode(head[4:] + b"\0")
    return head + body


def _number(head: bytes, start: int, end: int) -> int:
    return int.from_bytes(head[start:end], "little")


def _body_checksum(body: bytes, message_length: int) -> int:
    return xxhash.xxh3_64_intdigest(body, seed=message_length) & 0xFFFFFFFF
