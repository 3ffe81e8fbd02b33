"""WebSocket frames in a stream of bytes (RFC 6455 §5.2), found by their headers alone.

A `FrameCursor` is fed what comes, in pieces of any size, and knows at each byte where it is: `skip` only keeps
count, for a stream that passes untouched; `walk` cuts it into frames. Both leave the cursor in the same state.
It judges nothing: masks, opcodes and lengths are taken as they stand. Payloads are never copied by `skip`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "BINARY",
    "CLOSE",
    "CONTINUATION",
    "PING",
    "PONG",
    "TEXT",
    "Frame",
    "FrameCursor",
    "Piece",
    "encode_frame",
    "masked",
]

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

_FIN: Final = 0x80
_MASKED: Final = 0x80
_SHORT_MAX: Final = 125
_MEDIUM_MAX: Final = 0xFFFF
_HEADER_MAX: Final = 14
_WHOLE: Final = (_FIN | BINARY, _FIN | TEXT)
_LENGTH_MAX: Final = (1 << 63) - 1  # RFC 6455 §5.2: the most significant bit is 0


@dataclass(slots=True)
class Frame:
    """A frame's header."""

    number: int
    """In its stream, from 1."""
    first_byte: int
    head: bytes
    """All of the header."""
    size: int
    """Of the payload, in bytes."""
    message: int
    """The number of the last message that had begun, from 1: its own, where it is no control frame."""

    @property
    def opcode(self) -> int:
        """What it is."""
        return self.first_byte & 0x0F

    @property
    def is_last(self) -> bool:
        """Whether its message ends with it (FIN)."""
        return bool(self.first_byte & _FIN)

    @property
    def is_control(self) -> bool:
        """Close, ping or pong: it may stand between the frames of a message."""
        return self.opcode >= CLOSE

    @property
    def is_extended(self) -> bool:
        """A reserved bit is set: an extension has changed the payload (it is compressed, say)."""
        return bool(self.first_byte & 0x70)

    @property
    def mask(self) -> bytes:
        """Its masking key; nothing where it is not masked."""
        return self.head[-4:] if self.head[1] & _MASKED else b""


@dataclass(slots=True)
class Piece:
    """A part of a frame, as it came."""

    frame: Frame
    data: bytes
    """With the header where the frame begins here."""
    begins: bool
    ends: bool


class FrameCursor:
    """Where in a stream of frames we are."""

    __slots__ = ("_first_byte", "_frame", "_head", "_left", "frames", "is_lost", "is_open", "messages")

    def __init__(self) -> None:
        self.frames = 0
        """Frames whose header has come, control frames among them."""
        self.messages = 0
        """Messages of which a header has come."""
        self.is_open = False
        """A message has begun, and the header of its last frame has not come, or not all of that frame."""
        self.is_lost = False
        """A header was none: frames cannot be told apart any more."""
        self._head = b""
        self._left = 0
        self._first_byte = 0
        self._frame: Frame | None = None

    @property
    def at_boundary(self) -> bool:
        """Between two messages, and in no frame."""
        return not (self._left or self._head or self.is_open)

    @property
    def in_frame(self) -> bool:
        """A frame has begun (of its header all has come), and not ended."""
        return self._left > 0

    @property
    def carried(self) -> bytes:
        """The part of a header that has come; `walk` has not handed it out yet."""
        return self._head

    def skip(self, data: bytes, *, to_boundary: bool = False) -> int:
        """Go on by `data`; how much of it was taken: all, or with `to_boundary` up to the first boundary."""
        at, end = 0, len(data)
        if not to_boundary and end == _whole_size(data) and self.at_boundary and not self.is_lost:
            # The usual read: one message in one frame, and nothing else.
            self.frames += 1
            self.messages += 1
            return end
        while not self.is_lost:
            if self._left:
                step = min(self._left, end - at)
                self._left -= step
                at += step
                if not self._left:
                    self._ended()
            if to_boundary and self.at_boundary:
                return at
            if at == end:
                return end
            at, head = self._header(data, at)
            if head and not self._left:
                self._ended()
        return end

    def walk(self, data: bytes) -> list[Piece]:
        """Go on by `data`, cut into pieces of frames, from a boundary on.

        A header that is not whole is kept for the next call. What cannot be told apart comes as one piece of a
        control frame that is none (opcode 15).
        """
        pieces: list[Piece] = []
        at, end = 0, len(data)
        while at < end:
            start, carried = at, b""
            if begins := self._frame is None:
                carried = self._head
                at, head = self._header(data, at)
                if self.is_lost:
                    pieces.append(Piece(_NO_FRAME, carried + data[start:], begins=True, ends=True))
                    break
                if not head:
                    break
                self._frame = Frame(self.frames, self._first_byte, head, self._left, self.messages)
            frame = self._frame
            assert frame is not None  # noqa: S101 - it was there, or has just been made
            stop = min(end, at + self._left)
            self._left -= stop - at
            at = stop
            part = carried + data[start:stop] if carried else data[start:stop]
            pieces.append(Piece(frame, part, begins, ends=not self._left))
            if not self._left:
                self._ended()
        return pieces

    def _header(self, data: bytes, at: int) -> tuple[int, bytes]:
        """Take a header, or what there is of one: where it ends, and all of it once it is whole."""
        if self.is_lost:
            return len(data), b""
        carried = len(self._head)
        head = self._head + data[at : at + _HEADER_MAX - carried]
        size = _header_size(head)
        if len(head) < size:
            self._head = head
            return len(data), b""
        head, self._head = head[:size], b""
        self._first_byte = head[0]
        short = head[1] & 0x7F
        if short > _SHORT_MAX:
            short = int.from_bytes(head[2:4] if short == _SHORT_MAX + 1 else head[2:10])
        if short > _LENGTH_MAX:
            self.is_lost = True
            return len(data), b""
        self._left = short
        self.frames += 1
        opcode = head[0] & 0x0F
        if opcode < CLOSE:
            self.messages += opcode != CONTINUATION
            self.is_open = True
        return at + size - carried, head

    def _ended(self) -> None:
        """The frame's last byte has passed."""
        if self._first_byte & _FIN and self._first_byte & 0x0F < CLOSE:
            self.is_open = False
        self._frame = None


def encode_frame(first_byte: int, payload: bytes, mask: bytes = b"") -> bytes:
    """A frame: FIN, reserved bits and opcode as in `first_byte`; masked where a key of four bytes is given."""
    flag, size = _MASKED if mask else 0, len(payload)
    if size <= _SHORT_MAX:
        head = bytes((first_byte, flag | size))
    elif size <= _MEDIUM_MAX:
        head = bytes((first_byte, flag | 126)) + size.to_bytes(2)
    else:
        head = bytes((first_byte, flag | 127)) + size.to_bytes(8)
    return head + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    """The payload under a mask, or from under it (RFC 6455 §5.3); as it is where there is none."""
    if not mask or not payload:
        return payload
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(size)


def _whole_size(data: bytes) -> int:
    """Bytes of the unfragmented message of less than 64 KiB whose only frame begins so; -1: it is none."""
    if len(data) < 4 or data[0] not in _WHOLE:
        return -1
    size = data[1] & 0x7F
    if size > _SHORT_MAX + 1:
        return -1
    if size > _SHORT_MAX:
        size = 2 + (data[2] << 8 | data[3])
    return size + (6 if data[1] & _MASKED else 2)


def _header_size(head: bytes) -> int:
    """How long the header is that begins so; 2 while nothing is known."""
    if len(head) < 2:
        return 2
    short = head[1] & 0x7F
    extended = 0 if short <= _SHORT_MAX else 2 if short == _SHORT_MAX + 1 else 8
    return 2 + extended + (4 if head[1] & _MASKED else 0)


_NO_FRAME: Final = Frame(0, 0x8F, b"\0\0", 0, 0)
