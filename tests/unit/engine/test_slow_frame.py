"""A slow frame: its pieces are the frame, and the frame is what RFC 6455 says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.engine.slow_frame import SlowFrame, masked_frame


def unmasked(frame: bytes) -> tuple[int, bytes]:
    """Opcode and payload of a client's frame, read byte by byte."""
    size, at = frame[1] & 0x7F, 2
    assert frame[0] & 0x80
    assert frame[1] & 0x80
    if size >= 126:
        width = 2 if size == 126 else 8
        size, at = int.from_bytes(frame[2 : 2 + width], "big"), 2 + width
    key, body = frame[at : at + 4], frame[at + 4 :]
    assert len(body) == size
    return frame[0] & 0x0F, bytes(byte ^ key[place % 4] for place, byte in enumerate(body))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536])
def test_the_frame_is_one_of_a_client(size: int) -> None:
    payload = bytes(place * 7 % 256 for place in range(size))
    assert unmasked(masked_frame(2, payload)) == (2, payload)


@given(st.binary(min_size=1, max_size=300), st.integers(1, 20))
def test_the_pieces_are_the_frame_in_order(frame: bytes, pieces: int) -> None:
    slow = SlowFrame(pieces)
    found = [slow.begin(frame)]
    while slow.begun:
        found.append(slow.next())
    assert b"".join(found) == frame
    assert len(found) <= min(pieces, len(frame))
    assert all(found)


@given(st.binary(min_size=1, max_size=300), st.integers(1, 20))
def test_the_rest_ends_it_at_once(frame: bytes, pieces: int) -> None:
    slow = SlowFrame(pieces)
    assert slow.begin(frame) + slow.rest() == frame
    assert not slow.begun
