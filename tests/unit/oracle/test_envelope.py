"""The oracle's own envelope: one written out by hand, both forms, and damage."""

from __future__ import annotations

import base64
import zlib

import pytest
import xxhash

from oracle.envelope import BINARY, TEXT, build, header_size, looks_like_envelope, parse


def test_reads_an_envelope_written_out_byte_by_byte() -> None:
    body = b"hello"
    head = bytes.fromhex(
        "7371456c"  # magic
        "12"  # version 1, has a cause
        "03"  # type
        "01"  # attempt
        "78563412"  # run
        "07000000"  # stream
        "0200"  # epoch
        "09010000"  # sequence
        "05000000"  # sequence within the type
        "15cd5b07000000"  # intended: 123456789 ns
        "06000000"  # cause: stream
        "08000000"  # cause: sequence
    )
    head += (xxhash.xxh3_64_intdigest(body, seed=53) % 2**32).to_bytes(4, "little")
    head += zlib.crc32(head).to_bytes(4, "little")
    envelope = parse(BINARY, head + body)
    assert envelope is not None
    assert (envelope.version, envelope.flags, envelope.type, envelope.attempt) == (1, 2, 3, 1)
    assert (envelope.run, envelope.stream, envelope.epoch) == (0x12345678, 7, 2)
    assert (envelope.sequence, envelope.type_sequence, envelope.intended_ns) == (265, 5, 123456789)
    assert (envelope.cause_stream, envelope.cause_sequence) == (6, 8)
    assert envelope.header_good
    assert envelope.body_good


@pytest.mark.parametrize("opcode", [BINARY, TEXT])
def test_built_messages_read_back(opcode: int) -> None:
    message = build(
        opcode=opcode, run=4, stream=5, sequence=6, type_sequence=2, message_type=1, body=b"x" * 30
    )
    envelope = parse(opcode, message)
    assert envelope is not None
    assert len(message) == header_size(opcode) + 30
    assert (envelope.run, envelope.stream, envelope.sequence) == (4, 5, 6)
    assert (envelope.type, envelope.type_sequence, envelope.flags) == (1, 2, 1 if opcode == TEXT else 0)
    assert envelope.header_good
    assert envelope.body_good


def test_the_text_form_is_ascii_and_holds_the_same_44_bytes() -> None:
    text = build(opcode=TEXT, stream=77, body=b"abc")
    assert text.isascii()
    decoded = base64.b64decode(text[4:64])
    assert len(decoded) == 45
    assert decoded[44] == 0
    assert zlib.crc32(text[:4] + decoded[:40]) == int.from_bytes(decoded[40:44], "little")


@pytest.mark.parametrize("opcode", [BINARY, TEXT])
def test_every_single_flipped_bit_is_found_in_its_region(opcode: int) -> None:
    message = build(opcode=opcode, stream=3, sequence=9, body=b"0123456789")
    size = header_size(opcode)
    for bit in range(len(message) * 8):
        damaged = bytearray(message)
        damaged[bit // 8] ^= 1 << bit % 8
        envelope = parse(opcode, bytes(damaged))
        header_good = envelope is not None and envelope.header_good
        assert header_good == (bit >= size * 8)
        assert envelope is None or not header_good or not envelope.body_good


def test_a_cut_or_lengthened_body_is_bad_and_its_header_good() -> None:
    message = build(body=b"0123456789")
    for changed in (message[:-1], message + b"9"):
        envelope = parse(BINARY, changed)
        assert envelope is not None
        assert envelope.header_good
        assert not envelope.body_good


def test_what_looks_like_an_envelope() -> None:
    message = build(body=b"x" * 20)
    assert looks_like_envelope(BINARY, message)
    assert looks_like_envelope(BINARY, b"sqXl" + message[4:])
    assert not looks_like_envelope(BINARY, b"sXXl" + message[4:])
    assert looks_like_envelope(BINARY, message[:48])
    assert not looks_like_envelope(BINARY, message[:47])
    assert looks_like_envelope(TEXT, message[:64])
    assert not looks_like_envelope(TEXT, message[:63])


def test_text_that_is_no_base64_has_no_readable_envelope() -> None:
    message = build(opcode=TEXT)
    assert parse(TEXT, message[:10] + b"*" + message[11:]) is None
    assert parse(TEXT, message[:62] + b"==") is None
