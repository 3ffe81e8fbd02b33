"""The service's own envelopes agree with squall's, byte for byte, though they share no code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picows import WSMsgType

from service_wires import BINARY, TEXT, acknowledged, message, reading
from squall.reference.envelope import acknowledgement, read, with_attempt

NUMBERS = st.integers(0, 2**32 - 1)
CAUSES = st.none() | st.tuples(NUMBERS, NUMBERS)


def form(text: bool) -> WSMsgType:
    return TEXT if text else BINARY


@given(
    st.booleans(),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.integers(0, 15),
    st.integers(0, 4),
    CAUSES,
    st.integers(64, 300),
)
def test_it_reads_what_squall_writes_and_squall_reads_what_it_writes(
    text, run, stream, sequence, attempt, priority, cause, size
) -> None:
    payload = message(
        run=run, stream=stream, sequence=sequence, text=text, attempt=attempt, priority=priority,
        cause=cause or (-1, -1), size=size,
    )  # fmt: skip
    found = read(form(text), memoryview(payload))
    assert found is not None
    assert (found.run, found.stream, found.sequence) == (run, stream, sequence)
    assert (found.attempt, found.priority, found.cause) == (attempt, priority, cause)
    assert not found.is_acknowledgement

    answer = acknowledgement(found)
    assert answer == acknowledged(payload, text=text)
    back = read(form(text), memoryview(answer))
    assert back is not None
    assert back.is_acknowledgement
    assert (back.run, back.stream, back.sequence, back.attempt) == (run, stream, sequence, attempt)
    assert back.cause is None

    again = with_attempt(found, payload, 7)
    read_by_squall = reading(again, text=text)
    assert (read_by_squall.attempt, read_by_squall.priority) == (7, priority)
    assert (read_by_squall.sequence, len(again)) == (sequence, size)
    assert with_attempt(found, payload, attempt) == payload


def test_it_reads_the_example_of_the_documentation() -> None:
    found = read(
        BINARY,
        memoryview(
            bytes.fromhex(
                "7371456c1003017856341207000000020009010000050000"
                "0015cd5b0700000000000000000000005ef58ba1960ca7736865 6c6c6f"
            )
        ),
    )
    assert found is not None
    assert (found.run, found.stream, found.sequence, found.attempt) == (0x12345678, 7, 265, 1)


@pytest.mark.parametrize("text", [False, True])
def test_any_changed_byte_makes_it_none(text: bool) -> None:
    payload = message(text=text, sequence=5)
    for at in range(len(payload)):
        changed = bytearray(payload)
        changed[at] ^= 1
        assert read(form(text), memoryview(changed)) is None, at


@pytest.mark.parametrize("text", [False, True])
def test_what_is_too_short_too_long_or_of_the_other_kind_is_none(text: bool) -> None:
    payload = message(text=text)
    for size in (0, 3, 47, 48, 63, 64, len(payload) - 1):
        assert read(form(text), memoryview(payload[:size])) is None
    assert read(form(text), memoryview(payload + b" ")) is None
    assert read(form(not text), memoryview(payload)) is None


@given(st.sampled_from([TEXT, BINARY]), st.binary(max_size=100))
def test_no_bytes_make_it_raise(opcode: WSMsgType, payload: bytes) -> None:
    assert read(opcode, memoryview(payload)) is None
    read(opcode, memoryview(b"sqEl" + payload))
