"""Acknowledged push: a message is delivered until it is acknowledged, at the times and as often as it should be."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from service_wires import BINARY, TEXT, Loop, Wire, acknowledged, message, reading
from squall.reference import pushing
from squall.reference.counters import Tally
from squall.reference.draws import share
from squall.reference.neighbours import Neighbours
from squall.reference.outlet import Sender
from squall.reference.pushing import AckedPush, PushTiming


class Service:
    """One connection that pushes."""

    def __init__(self, timing: PushTiming | None = None, seed: int = 5) -> None:
        self.loop = Loop()
        self.wire = Wire()
        loop: Any = self.loop
        self.push = AckedPush(Neighbours(), Sender(Tally()).deliver, loop, timing or PushTiming(), seed)
        self.push.on_open(self.wire)

    def take(self, *payloads: bytes, text: bool = False) -> None:
        for payload in payloads:
            self.push.on_message(self.wire, TEXT if text else BINARY, memoryview(payload))

    def attempts(self) -> list[int]:
        return [reading(payload).attempt for _, payload in self.wire.frames]


def waits(sequence: int, *, seed: int = 5) -> list[float]:
    """The back-offs behind the first three attempts of a message."""
    return [min(0.5 * 2**n, 5) * share(seed, 9, 0, sequence, n + 1) for n in range(3)]


def test_an_acknowledged_message_is_pushed_once() -> None:
    service = Service()
    payload = message(sequence=3, attempt=1)
    service.take(payload)
    assert service.wire.frames == [(BINARY, payload)]
    service.loop.pass_time(4.9)
    service.take(acknowledged(payload))
    service.loop.pass_time(1000)
    assert len(service.wire.frames) == 1
    assert service.loop.timers == []


def test_without_an_acknowledgement_each_attempt_follows_its_time_out_and_back_off() -> None:
    service = Service()
    service.take(message(sequence=3))
    at = [0.0]
    for wait in waits(3):
        at.append(at[-1] + 5 + wait)
    for count, due in enumerate(at[1:], 1):
        service.loop.pass_time(due - service.loop.now - 0.001)
        assert len(service.wire.frames) == count
        service.loop.pass_time(0.002)
        assert len(service.wire.frames) == count + 1
    service.loop.pass_time(1000)
    assert service.attempts() == [1, 2, 3, 4]
    assert service.loop.timers == []


@pytest.mark.parametrize("text", [False, True])
def test_every_attempt_is_the_same_message_with_its_number(text: bool) -> None:
    service = Service(PushTiming(timeout_s=1, retries=14))
    service.take(message(text=text, priority=3, size=90), text=text)
    service.loop.pass_time(1000)
    expected = [message(text=text, priority=3, size=90, attempt=number) for number in range(1, 16)]
    assert [payload for _, payload in service.wire.frames] == expected
    assert {opcode for opcode, _ in service.wire.frames} == {TEXT if text else BINARY}


def test_an_acknowledgement_during_the_back_off_counts_too() -> None:
    service = Service()
    service.take(message(sequence=3))
    service.loop.pass_time(5 + waits(3)[0] / 2)
    service.take(acknowledged(message(sequence=3)))
    service.loop.pass_time(1000)
    assert service.attempts() == [1]


def test_the_back_off_is_drawn_over_its_whole_width_and_never_longer_than_five_seconds() -> None:
    first = [waits(number)[0] for number in range(2000)]
    assert 0 <= min(first) < 0.01
    assert 0.49 < max(first) < 0.5
    service = Service(PushTiming(timeout_s=0.001, retries=14))
    service.take(message())
    service.loop.pass_time(60)
    assert len(service.wire.frames) == 15, "14 back-offs of at most 5 s"


def test_messages_are_told_apart_and_one_under_way_is_not_begun_again() -> None:
    service = Service()
    a, b = message(stream=1), message(stream=2)
    service.take(a, b, a)
    assert [payload for _, payload in service.wire.frames] == [a, b]
    service.take(acknowledged(b))
    service.loop.pass_time(7)
    assert {reading(payload).stream for _, payload in service.wire.frames[2:]} == {1}
    service.take(b)
    assert service.wire.frames[-1][1] == b, "it was acknowledged: this is a new one"


def test_an_acknowledgement_of_nothing_and_what_is_no_envelope_do_nothing() -> None:
    service = Service()
    service.take(acknowledged(message()), b"hello", b"")
    service.take(b"{}", text=True)
    assert service.wire.frames == service.loop.timers == []


def test_with_its_connection_all_are_given_up() -> None:
    service = Service()
    service.take(*(message(sequence=number) for number in range(5)))
    service.push.on_closed(service.wire)
    service.loop.pass_time(1000)
    assert len(service.wire.frames) == 5


def test_nothing_is_pushed_behind_a_close_frame() -> None:
    service = Service()
    service.take(message())
    service.wire.is_close_frame_sent = True
    service.loop.pass_time(1000)
    assert len(service.wire.frames) == 1
    assert service.loop.timers == []


@pytest.mark.parametrize(("limit", "most"), [("UNDER_WAY_MAX", 3), ("UNDER_WAY_BYTES_MAX", 3 * 80)])
def test_too_many_or_too_much_under_way_close_the_connection(
    limit: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, limit, most)
    service = Service()
    service.take(*(message(sequence=number) for number in range(3)))
    service.take(acknowledged(message(sequence=1)), message(sequence=3))
    assert service.wire.did == [], "one made room for another"
    service.take(message(sequence=4))
    assert len(service.wire.frames) == 4
    assert service.wire.did == [("close", 1013)]
    service.loop.pass_time(0.5)
    assert service.wire.did[1:] == ["disconnect"]


def test_the_query_says_how_long_and_how_often() -> None:
    assert PushTiming.from_query({}) == PushTiming(timeout_s=5, retries=3)
    assert PushTiming.from_query(parse_qs("timeout=250&retries=0")) == PushTiming(timeout_s=0.25, retries=0)


@pytest.mark.parametrize(
    "query",
    ["timeout=0", "timeout=x", "timeout=", "retries=15", "retries=-1", "retries=1&retries=2", "time=1"],
)
def test_a_query_that_makes_no_sense_is_refused(query: str) -> None:
    with pytest.raises(ValueError, match=r"whole number|not known"):
        PushTiming.from_query(parse_qs(query, keep_blank_values=True))
