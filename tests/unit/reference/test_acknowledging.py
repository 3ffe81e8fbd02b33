"""Acknowledged send: every good message is acknowledged, a retry too, and delivered once."""

from __future__ import annotations

from typing import Any

import pytest

from service_wires import BINARY, TEXT, Wire, acknowledged, message, strikes_of
from squall.reference.acknowledging import Acknowledging
from squall.reference.counters import Tally
from squall.reference.neighbours import Neighbours
from squall.reference.outlet import Sender


def service(bugs: str = "", *, delivers: bool = True) -> Acknowledging:
    deliver = Sender(Tally()).deliver
    return Acknowledging(Neighbours(), deliver, deliver if delivers else None, strikes_of(bugs))


def answers(behaviour: Acknowledging, *payloads: bytes, opcode: Any = BINARY) -> list[bytes]:
    wire = Wire()
    for payload in payloads:
        behaviour.on_message(wire, opcode, memoryview(payload))
    assert {each for each, _ in wire.frames} <= {opcode}
    return [payload for _, payload in wire.frames]


@pytest.mark.parametrize("text", [False, True])
def test_a_message_is_acknowledged_and_delivered_once(text: bool) -> None:
    first, retry = message(sequence=4, text=text), message(sequence=4, text=text, attempt=2)
    opcode = TEXT if text else BINARY
    acks = [acknowledged(each, text=text) for each in (first, retry)]
    assert acks[0] != acks[1], "the acknowledgement names the attempt"
    assert answers(service(), first, retry, retry, opcode=opcode) == [acks[0], first, acks[1], acks[1]]
    assert answers(service(delivers=False), first, retry, opcode=opcode) == acks


def test_a_retry_on_another_connection_is_known_and_another_stream_or_run_is_not() -> None:
    behaviour = service()
    first = message()
    assert len(answers(behaviour, first)) == 2
    assert answers(behaviour, first) == [acknowledged(first)]
    for other in (message(stream=1), message(run=8), message(sequence=1)):
        assert answers(behaviour, other) == [acknowledged(other), other]


def test_what_is_no_good_message_gets_no_answer() -> None:
    damaged = bytearray(message())
    damaged[-1] ^= 1
    ack = acknowledged(message())
    assert answers(service(), bytes(damaged), b"hello", b"", ack, message(text=True)) == []
    for text in (
        b"hello",
        b"{",
        b"{}",
        b'["id"]',
        b'{"id": null}',
        b'{"id": true}',
        b'{"id": []}',
        b"\xff",
        b"[" * 9999,
    ):
        assert answers(service(), text, opcode=TEXT) == []
    assert answers(service(), b'{"id": ' + b"[" * 100_000, opcode=TEXT) == []


def test_a_json_service_is_acknowledged_by_its_id() -> None:
    behaviour = service(delivers=False)
    said = [b'{"id": "a-1", "text": "x"}', b'{"id": 7, "attempt": 2}', b'{"id": "a-1"}', b'{"id": 1.5}']
    expected = [b'{"ack": "a-1"}', b'{"ack": 7, "attempt": 2}', b'{"ack": "a-1"}', b'{"ack": 1.5}']
    assert answers(behaviour, *said, opcode=TEXT) == expected
    assert answers(service(), said[0], said[2], opcode=TEXT) == [expected[0], said[0], expected[0]]


def test_a_lost_message_is_as_if_it_had_not_come() -> None:
    a, b, retry = message(), message(sequence=1), message(sequence=1, attempt=2)
    assert answers(service("lose:2"), a, b, retry) == [acknowledged(a), a, acknowledged(retry), retry]


def test_ack_then_lose_acknowledges_each_attempt_and_never_delivers() -> None:
    a, b, retry = message(), message(sequence=1), message(sequence=1, attempt=2)
    assert answers(service("ack-then-lose:2"), a, b, retry) == [
        acknowledged(a),
        a,
        acknowledged(b),
        acknowledged(retry),
    ]
    assert answers(service("ack-then-lose:1", delivers=False), a) == [acknowledged(a)]


def test_ack_never_delivers_once_and_acknowledges_no_attempt() -> None:
    a, b, retry, c = message(), message(sequence=1), message(sequence=1, attempt=2), message(sequence=2)
    assert answers(service("ack-never:2"), a, b, retry, retry, c) == [
        acknowledged(a),
        a,
        b,
        acknowledged(c),
        c,
    ]
    assert answers(service("ack-never:1"), b'{"id": 1}', b'{"id": 1}', opcode=TEXT) == [b'{"id": 1}']


def test_the_bugs_of_messages_do_not_count_retries() -> None:
    messages = [message(sequence=number // 3, attempt=1 + number % 3) for number in range(30)]
    got = answers(service("ack-never:5"), *messages)
    acks = {each for each in got if len(each) == 48}
    assert {number for number in range(10) if acknowledged(message(sequence=number)) not in acks} == {4, 9}
    assert len([each for each in got if len(each) == 80]) == 10
