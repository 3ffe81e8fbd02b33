"""Faults of messages: what each does to frames, that control frames are spared, and that nothing else is touched."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squall.proxy.frames import FrameCursor, masked
from squall.proxy.hub import Room
from squall.proxy.messages import HELD_BYTES_MAX
from squall.scenario.faults import (
    CloseFrame,
    Corrupt,
    Delay,
    Drop,
    Duplicate,
    FaultKind,
    Reorder,
    SwallowPings,
    Truncate,
)
from unit.proxy.stages import MASK, Tried, placed
from unit.proxy.streams import Made, chunked, cuts, frame, messages

A, B, C, D = (frame(2, text * 50, mask=MASK) for text in (b"a", b"b", b"c", b"d"))
PING = frame(9, b"?", mask=MASK)
PARTS = frame(1, b"one", fin=False, mask=MASK), frame(0, b"two", mask=MASK)


def read(stream: bytes) -> list[tuple[int, bytes]]:
    """Opcode and payload of each frame."""
    cursor = FrameCursor()
    pieces = cursor.walk(stream)
    assert cursor.at_boundary
    return [(p.frame.opcode, masked(p.data[len(p.frame.head) :], p.frame.mask)) for p in pieces]


@settings(max_examples=50)
@given(made=messages, places=cuts)
def test_what_no_fault_strikes_passes_byte_for_byte(made: list[list[Made]], places: list[int]) -> None:
    tried = Tried()
    never = [placed(Drop(probability=1e-300)), placed(SwallowPings(probability=1e-300))]
    stream = b"".join(each.raw for message in made for each in message)
    out = b"".join(tried.feed(chunk, never) for chunk in chunked(stream, places))
    assert out + tried.cursor.carried == stream
    assert tried.told == []
    assert tried.stage.is_idle


@settings(max_examples=50)
@given(made=messages, places=cuts, seed=st.integers(0, 1 << 20))
def test_dropping_takes_whole_messages_and_no_control_frame(
    made: list[list[Made]], places: list[int], seed: int
) -> None:
    tried, drop = Tried(), placed(Drop(probability=0.5), seed)
    stream = b"".join(each.raw for message in made for each in message)
    out = b"".join(tried.feed(chunk, [drop]) for chunk in chunked(stream, places))
    struck = [drop.strikes(tried.about, number) for number in range(1, len(made) + 1)]
    assert out == b"".join(
        each.raw
        for message, gone in zip(made, struck, strict=True)
        for each in message
        if not gone or each.opcode >= 8
    )
    numbers = accumulate((len(message) for message in made), initial=0)
    firsts = [
        start + next(place for place, each in enumerate(message, 1) if each.opcode < 8)
        for start, message in zip(numbers, made, strict=False)
    ]
    assert [frame for _, _, frame, _ in tried.told] == [
        first for first, gone in zip(firsts, struck, strict=True) if gone
    ]
    assert drop.struck == sum(struck)
    assert tried.stage.is_idle
    assert tried.room.used == 0


@settings(max_examples=50)
@given(
    made=messages,
    places=cuts,
    fault=st.sampled_from([Duplicate(), Corrupt(), Truncate(), Delay(), Reorder()]),
    probability=st.sampled_from([0.3, 1.0]),
)
def test_how_the_bytes_are_cut_changes_nothing(
    made: list[list[Made]], places: list[int], fault: FaultKind, probability: float
) -> None:
    given_fault = fault.model_copy(update={"probability": probability})
    stream = b"".join(each.raw for message in made for each in message)
    whole, parts = Tried(), Tried()
    expected = whole.feed(stream, [placed(given_fault)]) + b"".join(whole.stage.flush(9))
    one = placed(given_fault)
    found = b"".join(parts.feed(chunk, [one]) for chunk in chunked(stream, places))
    # Control frames between the frames of a message that is collected pass at once, wherever it is cut.
    assert found + b"".join(parts.stage.flush(9)) == expected
    assert parts.told == whole.told
    assert parts.room.used == 0


def test_a_dropped_message_is_dropped_whole() -> None:
    tried = Tried()
    drop = placed(Drop())
    assert tried.feed(PARTS[0] + PING + PARTS[1] + A, [drop]) == PING
    assert tried.told == [("drop", "dropped", 1, ""), ("drop", "dropped", 4, "")]


def test_a_dropped_message_is_not_kept_whole() -> None:
    tried, drop = Tried(), placed(Drop())
    large = frame(2, b"x" * (20 << 20))
    for at in range(0, len(large), 1 << 20):
        assert tried.feed(large[at : at + (1 << 20)], [drop]) == b""
        assert tried.room.used <= (1 << 20) + 16
    assert tried.deeds == {"dropped": 1}


def test_a_message_too_large_to_be_held_passes_and_the_log_says_so() -> None:
    tried, delay = Tried(), placed(Delay())
    large = frame(2, b"x" * (HELD_BYTES_MAX + 1))
    assert tried.feed(large, [delay]) == large
    assert tried.deeds == {"passed": 1}
    assert delay.struck == 0
    scarce = Tried(room=Room(1000))
    assert scarce.feed(frame(2, b"x" * 2000), [placed(Duplicate())]) == frame(2, b"x" * 2000)
    assert scarce.deeds == {"passed": 1}
    assert scarce.room.used == 0


def test_a_duplicate_stands_right_behind_its_message() -> None:
    tried = Tried()
    twice = placed(Duplicate())
    assert tried.feed(A + PARTS[0] + PING + PARTS[1], [twice]) == A + A + PING + b"".join(PARTS) * 2
    assert tried.deeds == {"duplicated": 2}


def test_what_is_delayed_is_passed_by_and_goes_on_between_two_messages() -> None:
    tried, delay = Tried(), placed(Delay(delay=1))
    assert tried.feed(A, [delay], 0) == b""
    assert tried.stage.next_due_ns == 10**9
    assert tried.feed(B + C[:10], [], 0.5) == B + C[:10]
    assert tried.due(1.5) == b""  # within a message there is no place for another
    assert tried.stage.next_due_ns is None
    assert tried.feed(C[10:] + D, [], 2) == C[10:] + A + D
    assert [what for _, what, _, _ in tried.told] == ["held", "delayed"]
    assert tried.stage.is_idle
    assert tried.room.used == 0


def test_what_a_fault_holds_goes_on_when_it_ends() -> None:
    tried, delay = Tried(), placed(Delay(delay=100))
    assert tried.feed(A + B, [delay]) == b""
    delay.is_on = False
    assert tried.due(0) == A + B
    assert tried.deeds == {"held": 2, "delayed": 2}


def test_a_reordered_message_goes_on_once_it_is_overtaken() -> None:
    tried, swap = Tried(), placed(Reorder(by=2))
    assert tried.feed(A, [swap]) == b""
    assert tried.feed(B + PING + C + D, [swap]) == B + PING + C + A  # what overtakes it is not held itself
    assert [(what, frame) for _, what, frame, _ in tried.told] == [
        ("held", 1),
        ("reordered", 1),
        ("held", 5),
    ]
    assert tried.due(1) == D  # none overtook it
    assert tried.told[-1][1] == "delayed"


def test_corruption_flips_one_bit_of_the_payload_and_keeps_the_frames() -> None:
    tried, bad = Tried(), placed(Corrupt())
    out = tried.feed(A + b"".join(PARTS), [bad])
    assert len(out) == len(A + b"".join(PARTS))
    found = read(out)
    assert [opcode for opcode, _ in found] == [2, 1, 0]
    before = read(A + b"".join(PARTS))
    bits = [
        sum((x ^ y).bit_count() for x, y in zip(a[1], b[1], strict=True))
        for a, b in zip(found, before, strict=True)
    ]
    assert bits[0] == 1
    assert sum(bits[1:]) == 1
    assert (found[1][1] + found[2][1]).isascii()
    assert tried.deeds == {"corrupted": 2}


@given(text=st.text(min_size=1, max_size=60), seed=st.integers(0, 1 << 30))
def test_damaged_text_stays_text_where_it_can(text: str, seed: int) -> None:
    payload = text.encode()
    for fault in (Corrupt(), Truncate(keep=0.5)):
        [(_, found)] = read(Tried().feed(frame(1, payload, mask=MASK), [placed(fault, seed)]))
        assert found != payload
        if isinstance(fault, Truncate) or any(byte < 128 for byte in payload):
            found.decode()


def test_an_empty_message_cannot_be_damaged() -> None:
    for fault in (Corrupt(), Truncate()):
        tried = Tried()
        assert tried.feed(frame(2), [placed(fault)]) == frame(2)
        assert tried.told == [(fault.label, "passed", 1, "it is empty")]


def test_a_truncated_message_is_one_valid_frame() -> None:
    tried = Tried()
    out = tried.feed(PARTS[0] + PARTS[1], [placed(Truncate(keep=0.5))])
    assert read(out) == [(1, b"one")]
    assert out[0] & 0x80
    assert tried.told == [("truncate", "truncated", 1, "3 bytes are left")]


@pytest.mark.parametrize("up", [True, False])
def test_a_close_frame_is_put_in_and_nothing_follows_it(up: bool) -> None:
    tried, shut = Tried(up=up), placed(CloseFrame(code=1012))
    out = tried.feed(A + B + PING, [shut])
    assert read(out) == [(2, b"a" * 50), (8, (1012).to_bytes(2))]
    assert bool(out[len(A) + 1] & 0x80) is up
    assert [(what, frame) for _, what, frame, _ in tried.told] == [("closed", 1), ("discarded", 2)]
    shut.is_on = False
    assert tried.feed(C, []) == b""
    assert not tried.stage.is_idle


def test_pings_are_swallowed_and_other_control_frames_are_not() -> None:
    tried, deaf = Tried(), placed(SwallowPings())
    pong, close = frame(10, b"!", mask=MASK), frame(8, b"", mask=MASK)
    stream = PARTS[0] + PING + pong + PARTS[1] + PING + close
    out = b"".join(tried.feed(stream[at : at + 1], [deaf]) for at in range(len(stream)))
    assert out == PARTS[0] + pong + PARTS[1] + close
    assert [(what, frame) for _, what, frame, _ in tried.told] == [("swallowed", 2), ("swallowed", 5)]


def test_what_is_held_goes_before_a_close_frame() -> None:
    tried = Tried()
    close = frame(8, b"", mask=MASK)
    assert tried.feed(A + close, [placed(Delay())]) == A + close
    assert tried.deeds == {"held": 1, "delayed": 1}


def test_the_end_of_the_stream_loses_nothing() -> None:
    tried, delay = Tried(), placed(Delay())
    assert tried.feed(A + B[:10], [delay]) == b""
    assert b"".join(tried.stage.flush(0)) == A + B[:10]
    within = Tried()
    within.feed(A, [delay])
    assert within.feed(B[:10], []) == B[:10]
    assert within.stage.flush(0) == []
    assert within.deeds == {"held": 1, "discarded": 1}


def test_what_has_nowhere_to_go_is_said_to_be_discarded() -> None:
    tried = Tried()
    tried.feed(A + B, [placed(Delay())])
    tried.stage.discard(5)
    assert tried.deeds == {"held": 2, "discarded": 2}
    assert tried.room.used == 0


def test_the_first_fault_of_the_list_that_strikes_has_the_message() -> None:
    tried = Tried()
    assert tried.feed(A, [placed(Duplicate()), placed(Drop())]) == A + A
    assert tried.feed(A, [placed(Drop()), placed(Duplicate())]) == b""


def test_bytes_that_are_no_frames_pass() -> None:
    tried = Tried()
    nonsense = b"\x82\xff" + b"\xff" * 8 + b"rest"
    assert tried.feed(A + nonsense, [placed(Delay())]) == nonsense + A
    assert tried.feed(b"more", [placed(Drop())]) == b"more"
