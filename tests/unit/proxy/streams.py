"""Streams of frames for tests, made without the code under test, and ways to cut them."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass

from hypothesis import strategies as st

__all__ = ["Made", "chunked", "cuts", "frame", "frames", "messages"]


@dataclass(frozen=True)
class Made:
    """A frame as it was made."""

    opcode: int
    fin: bool
    payload: bytes
    mask: bytes

    @property
    def raw(self) -> bytes:
        return frame(self.opcode, self.payload, fin=self.fin, mask=self.mask)


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, mask: bytes = b"", rsv: int = 0) -> bytes:
    """The bytes of a frame, byte by byte as RFC 6455 §5.2 draws it."""
    first = (0x80 if fin else 0) | rsv | opcode
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head = struct.pack("!BB", first, bit | len(payload))
    elif len(payload) < 65536:
        head = struct.pack("!BBH", first, bit | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first, bit | 127, len(payload))
    covered = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload)) if mask else payload
    return head + mask + covered


_PAYLOADS = st.binary(max_size=40) | st.sampled_from([b"a" * 125, b"b" * 126, b"c" * 300])
_MASKS = st.sampled_from([b"", b"\x01\x02\x03\x04", b"\x00\x00\x00\x00", b"\xff\xee\xdd\xcc"])


@st.composite
def _message(draw: st.DrawFn) -> list[Made]:
    """The frames of one message, with control frames between them."""
    mask = draw(_MASKS)
    parts = draw(st.lists(_PAYLOADS, min_size=1, max_size=3))
    made: list[Made] = []
    for index, part in enumerate(parts):
        if draw(st.booleans()):
            control = draw(st.sampled_from([9, 10]))
            made.append(Made(control, True, draw(st.binary(max_size=10)), mask))
        opcode = draw(st.sampled_from([1, 2])) if index == 0 else 0
        made.append(Made(opcode, index == len(parts) - 1, part, mask))
    return made


messages = st.lists(_message(), max_size=6)
"""Messages, each as its frames with the control frames that stand before or between them."""

frames = messages.map(lambda found: [each for message in found for each in message])

cuts = st.lists(st.integers(0, 1 << 20), max_size=30)
"""Where a stream is cut; each is taken modulo its length."""


def chunked(data: bytes, places: list[int]) -> list[bytes]:
    """The stream in pieces, none empty."""
    at = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:stop] for start, stop in itertools.pairwise(at) if start < stop]
