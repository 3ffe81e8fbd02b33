"""The envelope, compiled and from the source: round trips, every single flipped bit, the page that describes it."""

from __future__ import annotations

import binascii
import re
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import xxhash

from both_forms import FORMS, module_in
from oracle.envelope import BINARY, TEXT, parse

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "envelope.md"
FIELDS = (
    ("stream", 4),
    ("epoch", 2),
    ("sequence", 4),
    ("type_index", 1),
    ("type_sequence", 4),
    ("attempt", 1),
    ("intended_ns", 7),
)
"""What `encode` is given, in its order, and how many bytes each has; of the attempt only the low four bits are kept."""


@pytest.fixture(scope="session", params=FORMS)
def envelope(request: pytest.FixtureRequest) -> ModuleType:
    return module_in(request.param, "squall.delivery.envelope")


@pytest.fixture(params=["binary", "text"])
def text(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "text")


def message(codec: Any, *fields: int, size_index: int = 0, cause: tuple[int, int] | None = None) -> bytes:
    """A copy of what `encode` puts into the buffer."""
    size = codec.encode(*(fields or (7, 2, 265, 3, 5, 1, 123_456_789)), size_index, *(cause or ()))
    return bytes(codec.buffer[codec.offset : codec.offset + size])


def acknowledgement(codec: Any) -> bytes:
    """A copy of what `encode_ack` puts into the buffer."""
    size = codec.encode_ack()
    return bytes(codec.buffer[codec.offset : codec.offset + size])


def page_examples() -> tuple[bytes, bytes]:
    """The binary and the text message that the page gives as examples."""
    page = PAGE.read_text(encoding="utf-8")
    binary = re.search(r"```hex\n(.*?)```", page, re.DOTALL)
    text = re.search(r"```text\n(.*?)\n```", page, re.DOTALL)
    assert binary is not None
    assert text is not None
    return bytes.fromhex(binary[1]), text[1].encode()


def test_each_field_comes_back_at_its_least_and_greatest(envelope: ModuleType, text: bool) -> None:
    codec = envelope.Codec(0xFFFFFFFF, text, (200,), 1)
    reader = envelope.Codec(1, text, (64,), 2)
    for number in range(len(FIELDS)):
        for pattern in (0, -1):
            values = [(pattern if place == number else place + 1) for place in range(len(FIELDS))]
            values = [value & ((1 << 8 * size) - 1) for value, (_, size) in zip(values, FIELDS, strict=True)]
            values[5] &= 15
            assert reader.decode_bytes(message(codec, *values), text) == envelope.GOOD
            assert [getattr(reader, name) for name, _ in FIELDS] == values
            assert (reader.run, reader.flags) == (0xFFFFFFFF, 0x11 if text else 0x10)
            assert (reader.cause_stream, reader.cause_sequence) == (0, 0)


def test_the_bytes_are_those_that_the_oracle_reads(envelope: ModuleType, text: bool) -> None:
    codec = envelope.Codec(0xFEDCBA98, text, (100, 4096), 5)
    for size_index, size in enumerate((100, 4096)):
        sent = message(
            codec, 70_000, 3, 9_000_000, 2, 4_000_000, 1, 86_400_000_000_000, size_index=size_index
        )
        read = parse(TEXT if text else BINARY, sent)
        assert read is not None
        assert len(sent) == size
        assert (read.header_good, read.body_good, read.version) == (True, True, 1)
        assert (read.run, read.stream, read.epoch, read.sequence) == (0xFEDCBA98, 70_000, 3, 9_000_000)
        assert (read.type, read.type_sequence, read.attempt) == (2, 4_000_000, 1)
        assert (read.intended_ns, read.cause_stream, read.cause_sequence) == (86_400_000_000_000, 0, 0)


def test_a_cause_is_written_and_read_and_none_is_told_from_the_first_of_all(
    envelope: ModuleType, text: bool
) -> None:
    codec = envelope.Codec(9, text, (100,), 3)
    for cause in ((0, 0), (0xFFFFFFFF, 0), (7, 0xFFFFFFFF)):
        assert codec.decode_bytes(message(codec, cause=cause), text) == envelope.GOOD
        assert codec.flags & envelope.FLAG_CAUSE
        assert (codec.cause_stream, codec.cause_sequence) == cause
        read = parse(TEXT if text else BINARY, message(codec, cause=cause))
        assert read is not None
        assert (read.header_good, read.body_good) == (True, True)
        assert (read.cause_stream, read.cause_sequence) == cause
    assert codec.decode_bytes(message(codec), text) == envelope.GOOD
    assert not codec.flags & envelope.FLAG_CAUSE


def test_the_priority_is_that_of_the_type_and_stands_beside_the_attempt(
    envelope: ModuleType, text: bool
) -> None:
    codec = envelope.Codec(9, text, (100,), 3, (4, 0, 1))
    for kind, priority in ((0, 4), (1, 0), (2, 1), (3, 0)):
        for attempt in (1, 15):
            sent = message(codec, 1, 0, 0, kind, 0, attempt, 5)
            assert codec.decode_bytes(sent, text) == envelope.GOOD
            assert (codec.priority, codec.attempt) == (priority, attempt)
            read = parse(TEXT if text else BINARY, sent)
            assert read is not None
            assert (read.priority, read.attempt) == (priority, attempt)


def test_an_acknowledgement_repeats_its_message_without_body_and_cause(
    envelope: ModuleType, text: bool
) -> None:
    codec = envelope.Codec(0xFEDCBA98, text, (200,), 3, (0, 0, 0, 3))
    sent = message(codec, 70_000, 3, 265, 3, 5, 2, 1 << 55, cause=(1, 2))
    assert codec.decode_bytes(sent, text) == envelope.GOOD
    answer = acknowledgement(codec)
    assert len(answer) == envelope.smallest_size(text)
    reader = envelope.Codec(1, text, (64,), 2)
    assert reader.decode_bytes(answer, text) == envelope.GOOD
    assert [getattr(reader, name) for name, _ in FIELDS] == [70_000, 3, 265, 3, 5, 2, 1 << 55]
    assert (reader.run, reader.priority, reader.flags) == (0xFEDCBA98, 3, 0x15 if text else 0x14)
    assert (reader.cause_stream, reader.cause_sequence) == (0, 0)
    read = parse(TEXT if text else BINARY, answer)
    assert read is not None
    assert (read.header_good, read.body_good, read.flags & envelope.FLAG_ACK) == (True, True, 4)


def test_both_forms_acknowledge_with_the_same_bytes(text: bool) -> None:
    answers = []
    for form in FORMS:
        codec = module_in(form, "squall.delivery.envelope").Codec(77, text, (150,), 12345)
        codec.decode_bytes(message(codec), text)
        answers.append(acknowledgement(codec))
    assert answers[0] == answers[1]


def test_both_forms_write_the_same_bytes(text: bool) -> None:
    installed, source = (
        module_in(form, "squall.delivery.envelope").Codec(77, text, (64, 65, 200, 8192), 12345, (2, 3))
        for form in FORMS
    )
    for sequence in range(130):
        fields = (3_000_000_000, 65_535, sequence, sequence % 3, sequence // 2, 1 + sequence % 15, 1 << 55)
        cause = (3_000_000_000, sequence) if sequence % 2 else None
        for size_index in range(4):
            assert message(installed, *fields, size_index=size_index, cause=cause) == message(
                source, *fields, size_index=size_index, cause=cause
            )


@pytest.mark.parametrize("size", [0, 1, 37, 64])
def test_every_single_flipped_bit_is_found_and_told_apart(
    envelope: ModuleType, text: bool, size: int
) -> None:
    header_size = envelope.smallest_size(text)
    codec = envelope.Codec(9, text, (header_size + size,), 3)
    sent = message(codec)
    for bit in range(len(sent) * 8):
        damaged = bytearray(sent)
        damaged[bit // 8] ^= 1 << bit % 8
        expected = envelope.BAD_HEADER if bit < header_size * 8 else envelope.BAD_BODY
        assert codec.decode_bytes(bytes(damaged), text) == expected, f"bit {bit}"
    assert codec.decode_bytes(sent, text) == envelope.GOOD


def test_every_single_flipped_bit_of_a_long_body_is_found(envelope: ModuleType, text: bool) -> None:
    codec = envelope.Codec(9, text, (1024,), 3)
    sent = message(codec)
    for bit in range(envelope.smallest_size(text) * 8, len(sent) * 8, 3):
        damaged = bytearray(sent)
        damaged[bit // 8] ^= 1 << bit % 8
        assert codec.decode_bytes(bytes(damaged), text) == envelope.BAD_BODY


def test_every_cut_is_found(envelope: ModuleType, text: bool) -> None:
    header_size = envelope.smallest_size(text)
    codec = envelope.Codec(9, text, (header_size + 90,), 3)
    sent = message(codec)
    for length in range(len(sent)):
        expected = envelope.NO_ENVELOPE if length < header_size else envelope.BAD_BODY
        assert codec.decode_bytes(sent[:length], text) == expected, f"{length} bytes"


@pytest.mark.parametrize("more", [b"\0", b"A", b"x" * 500])
def test_every_extension_is_found(envelope: ModuleType, text: bool, more: bytes) -> None:
    for size in (envelope.smallest_size(text), 150):
        codec = envelope.Codec(9, text, (size,), 3)
        assert codec.decode_bytes(message(codec) + more, text) == envelope.BAD_BODY


def test_the_other_opcode_is_damage_behind_the_header(envelope: ModuleType, text: bool) -> None:
    codec = envelope.Codec(9, text, (150,), 3)
    assert codec.decode_bytes(message(codec), not text) == envelope.BAD_BODY


def test_the_fields_of_a_copy_with_a_bad_body_are_known(envelope: ModuleType, text: bool) -> None:
    codec = envelope.Codec(9, text, (150,), 3)
    assert codec.decode_bytes(message(codec)[:-1], text) == envelope.BAD_BODY
    assert [getattr(codec, name) for name, _ in FIELDS] == [7, 2, 265, 3, 5, 1, 123_456_789]


def test_one_wrong_byte_of_magic_is_damage_and_two_are_no_envelope(envelope: ModuleType, text: bool) -> None:
    codec = envelope.Codec(9, text, (150,), 3)
    sent = message(codec)
    for first in range(4):
        one = bytearray(sent)
        one[first] ^= 0xFF
        assert codec.decode_bytes(bytes(one), text) == envelope.BAD_HEADER
        for second in range(4):
            if second != first:
                two = bytearray(one)
                two[second] ^= 0x20
                assert codec.decode_bytes(bytes(two), text) == envelope.NO_ENVELOPE


@pytest.mark.parametrize("payload", [b"", b"sqEl", b"{}", b"x" * 47, b"x" * 48, b"x" * 64, b"\0" * 300])
def test_what_is_no_envelope(envelope: ModuleType, text: bool, payload: bytes) -> None:
    codec = envelope.Codec(9, text, (150,), 3)
    assert codec.decode_bytes(payload, text) == envelope.NO_ENVELOPE


def test_a_copy_of_another_run_is_good_and_names_its_run(envelope: ModuleType, text: bool) -> None:
    codec, other = envelope.Codec(9, text, (150,), 3), envelope.Codec(10, text, (300,), 4)
    assert codec.decode_bytes(message(other), text) == envelope.GOOD
    assert (codec.run, codec.run_number) == (10, 9)


def resealed(payload: bytes, flags: int) -> bytes:
    """A binary message with other flags and a header checksum that fits them."""
    head = payload[:4] + bytes([flags]) + payload[5:44]
    return head + zlib.crc32(head).to_bytes(4, "little") + payload[48:]


def test_another_version_or_form_is_a_bad_header_though_its_checksum_fits(envelope: ModuleType) -> None:
    codec = envelope.Codec(9, False, (150,), 3)
    sent = message(codec)
    assert codec.decode_bytes(resealed(sent, 0x10), False) == envelope.GOOD
    assert codec.decode_bytes(resealed(sent, 0x12), False) == envelope.GOOD  # has a cause
    for flags in (0x00, 0x20, 0xF0, 0x11):
        assert codec.decode_bytes(resealed(sent, flags), False) == envelope.BAD_HEADER


def test_text_that_is_no_base64_of_a_header_is_a_bad_header(envelope: ModuleType) -> None:
    codec = envelope.Codec(9, True, (150,), 3)
    sent = message(codec)
    plain = binascii.a2b_base64(sent[4:64])
    not_zero = binascii.b2a_base64(plain[:44] + b"\1", newline=False)
    for damaged in (
        sent[:20] + b"*" + sent[21:],
        sent[:20] + b"\n" + sent[21:],
        sent[:20] + b"\xff" + sent[21:],
        sent[:63] + b"=" + sent[64:],
        sent[:62] + b"==" + sent[64:],
        sent[:4] + not_zero + sent[64:],
    ):
        assert codec.decode_bytes(damaged, True) == envelope.BAD_HEADER


def test_text_messages_are_printable_ascii_that_json_need_not_escape(envelope: ModuleType) -> None:
    codec = envelope.Codec(9, True, (8192,), 3)
    for sequence in range(64):
        assert re.fullmatch(rb"[A-Za-z0-9+/ .=]+", message(codec, 1, 0, sequence, 0, sequence, 1, 0))


@pytest.mark.parametrize(("is_text", "least"), [(False, 48), (True, 64)])
def test_the_smallest_message_is_the_envelope_alone(envelope: ModuleType, is_text: bool, least: int) -> None:
    assert envelope.smallest_size(is_text) == least
    codec = envelope.Codec(9, is_text, (least,), 3)
    sent = message(codec)
    assert len(sent) == least
    assert codec.decode_bytes(sent, is_text) == envelope.GOOD
    assert codec.body_sum == xxhash.xxh3_64_intdigest(b"", least) & 0xFFFFFFFF
    with pytest.raises(ValueError, match=f"a message of {least - 1} bytes cannot hold the envelope"):
        envelope.Codec(9, is_text, (200, least - 1), 3)


def test_there_is_room_for_a_frame_header_in_front_of_the_message(envelope: ModuleType, text: bool) -> None:
    codec = envelope.Codec(9, text, (64, 70_000), 3)
    assert codec.offset >= 14
    codec.buffer[: codec.offset] = b"\xff" * codec.offset
    assert codec.decode_bytes(message(codec, size_index=1), text) == envelope.GOOD
    assert bytes(codec.buffer[: codec.offset]) == b"\xff" * codec.offset


def test_bodies_come_from_the_seed_and_differ_between_neighbours(envelope: ModuleType, text: bool) -> None:
    def bodies(seed: int) -> list[bytes]:
        codec = envelope.Codec(9, text, (200,), seed)
        return [message(codec, 5, 0, number, 0, number, 1, 0)[64:] for number in range(65)]

    first = bodies(1)
    assert len(set(first)) == 64
    assert first[64] == first[0]
    assert first == bodies(1)
    assert not set(first) & set(bodies(2))


def test_the_examples_of_the_page_are_good_and_say_what_it_says(envelope: ModuleType) -> None:
    for text, example in enumerate(page_examples()):
        codec = envelope.Codec(0x12345678, bool(text), (100,), 1)
        assert codec.decode_bytes(example, bool(text)) == envelope.GOOD
        assert [getattr(codec, name) for name, _ in FIELDS] == [7, 2, 265, 3, 5, 1, 123_456_789]
        assert (codec.run, codec.cause_stream, codec.cause_sequence) == (0x12345678, 0, 0)
        assert example.endswith(b"hello")


def test_the_headers_of_the_page_are_the_ones_that_are_written(envelope: ModuleType) -> None:
    """The bodies are squall's own, so the checksums are compared with those worked out for them."""
    for text, example in enumerate(page_examples()):
        codec = envelope.Codec(0x12345678, bool(text), (len(example),), 1)
        sent = message(codec)
        digest = xxhash.xxh3_64_intdigest(sent[64 if text else 48 :], len(sent)) & 0xFFFFFFFF
        plain, shown = (
            each[:4] + binascii.a2b_base64(each[4:64]) if text else each for each in (sent, example)
        )
        assert plain[:40] == shown[:40]
        assert plain[40:44] == digest.to_bytes(4, "little")
        assert plain[44:48] == zlib.crc32(plain[:44]).to_bytes(4, "little")


def test_the_page_states_the_checksums_of_its_examples() -> None:
    page = PAGE.read_text(encoding="utf-8")
    binary, text = page_examples()
    for example, opcode, size in ((binary, BINARY, 48), (text, TEXT, 64)):
        read = parse(opcode, example)
        assert read is not None
        assert read.header_good
        assert read.body_good
        plain = example if size == 48 else example[:4] + binascii.a2b_base64(example[4:64])
        assert f"{zlib.crc32(plain[:44]):08x}" in page
        assert f"{xxhash.xxh3_64_intdigest(b'hello', len(example)) & 0xFFFFFFFF:08x}" in page
