"""Frames found by their headers: however the bytes are cut, the same frames; counting and cutting agree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squall.proxy.frames import BINARY, FrameCursor, Piece, encode_frame, masked
from unit.proxy.streams import Made, chunked, cuts, frame, frames


def joined(pieces: list[Piece]) -> list[tuple[int, int, bool, bytes]]:
    """Number, opcode, last and bytes of each frame that has ended, from its pieces."""
    found = []
    raw = b""
    for piece in pieces:
        raw = piece.data if piece.begins else raw + piece.data
        if piece.ends:
            found.append((piece.frame.number, piece.frame.opcode, piece.frame.is_last, raw))
    return found


@settings(max_examples=50)
@given(made=frames, places=cuts)
def test_any_chunking_gives_the_same_frames(made: list[Made], places: list[int]) -> None:
    cursor = FrameCursor()
    stream = b"".join(each.raw for each in made)
    pieces = [piece for chunk in chunked(stream, places) for piece in cursor.walk(chunk)]
    assert joined(pieces) == [(n, each.opcode, each.fin, each.raw) for n, each in enumerate(made, 1)]
    assert b"".join(piece.data for piece in pieces) == stream
    assert cursor.at_boundary
    assert not cursor.carried


@settings(max_examples=50)
@given(made=frames, places=cuts)
def test_payload_and_mask_are_found(made: list[Made], places: list[int]) -> None:
    cursor = FrameCursor()
    payload: dict[int, bytes] = {}
    for chunk in chunked(b"".join(each.raw for each in made), places):
        for piece in cursor.walk(chunk):
            body = piece.data[len(piece.frame.head) :] if piece.begins else piece.data
            payload[piece.frame.number] = payload.get(piece.frame.number, b"") + body
            assert piece.frame.mask == made[piece.frame.number - 1].mask
            assert piece.frame.size == len(made[piece.frame.number - 1].payload)
    assert [masked(payload[n], each.mask) for n, each in enumerate(made, 1)] == [
        each.payload for each in made
    ]


@settings(max_examples=50)
@given(made=frames, places=cuts)
def test_skipping_and_walking_come_to_the_same(made: list[Made], places: list[int]) -> None:
    skips, walks = FrameCursor(), FrameCursor()
    for chunk in chunked(b"".join(each.raw for each in made), places):
        assert skips.skip(chunk) == len(chunk)
        walks.walk(chunk)
        assert (skips.frames, skips.messages) == (walks.frames, walks.messages)
        assert (skips.at_boundary, skips.is_open) == (walks.at_boundary, walks.is_open)
        assert skips.carried == walks.carried
    assert skips.messages == sum(each.opcode in (1, 2) for each in made)


@settings(max_examples=50)
@given(made=frames, places=cuts, turns=st.lists(st.booleans(), min_size=1, max_size=8))
def test_walking_may_begin_at_any_boundary(made: list[Made], places: list[int], turns: list[bool]) -> None:
    """Between skipping and walking by turns not a byte is lost, and frames keep their numbers."""
    cursor, out, walking = FrameCursor(), b"", False
    stream = b"".join(each.raw for each in made)
    seen: list[Piece] = []
    for index, chunk in enumerate(chunked(stream, places)):
        wanted = turns[index % len(turns)]
        if walking and not wanted:
            out += cursor.carried
            walking = False
        rest = chunk
        if not walking:
            taken = cursor.skip(chunk, to_boundary=wanted)
            out, rest = out + chunk[:taken], chunk[taken:]
            walking = wanted and cursor.at_boundary
        if walking:
            pieces = cursor.walk(rest)
            seen += pieces
            out += b"".join(piece.data for piece in pieces)
    assert out + (cursor.carried if walking else b"") == stream
    for piece in seen:
        assert piece.frame.opcode == made[piece.frame.number - 1].opcode


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
@pytest.mark.parametrize("mask", [b"", b"\x01\x80\xff\x00"])
def test_a_frame_is_written_as_the_rfc_draws_it(size: int, mask: bytes) -> None:
    payload = bytes(index % 251 for index in range(size))
    assert encode_frame(0x80 | BINARY, payload, mask) == frame(BINARY, payload, mask=mask)


def test_a_boundary_is_between_messages_and_not_between_frames_of_one() -> None:
    cursor = FrameCursor()
    first, ping, last = frame(1, b"a", fin=False), frame(9), frame(0, b"b")
    assert cursor.skip(first + ping, to_boundary=True) == 0
    assert cursor.skip(first + ping) == len(first + ping)
    assert not cursor.at_boundary
    assert cursor.skip(last + frame(1, b"next"), to_boundary=True) == len(last)


def test_what_is_no_length_ends_the_counting_and_loses_no_byte() -> None:
    nonsense = b"\x82\x7f" + b"\xff" * 8 + b"rest"
    cursor = FrameCursor()
    assert b"".join(p.data for p in cursor.walk(nonsense[:5]) + cursor.walk(nonsense[5:])) == nonsense
    assert cursor.is_lost
    assert [piece.data for piece in cursor.walk(b"more")] == [b"more"]
    other = FrameCursor()
    assert other.skip(nonsense) == len(nonsense)
    assert other.is_lost
