"""The ledger against an account that remembers everything and works each figure out from its definition; and the
envelope, damaged at random, against a reader that shares no code with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from both_forms import FORMS, module_in
from oracle.envelope import BINARY, TEXT, looks_like_envelope, parse
from simulation.naive import Naive

STREAM_CASES = 2_000
"""In each of the two forms."""


def each_of(ranges: list[tuple[int, int, int, bool]]) -> Counter[tuple[int, int, bool]]:
    """(number, label, unknown) of each number in the ranges."""
    return Counter((n, label, unknown) for first, end, label, unknown in ranges for n in range(first, end))


@contextmanager
def window_of(ledger: ModuleType, size: int) -> Iterator[None]:
    whole, ledger.WINDOW = ledger.WINDOW, size
    try:
        yield
    finally:
        ledger.WINDOW = whole


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 12)),
        # How far behind the next number (or past it): mostly recent, sometimes old or never sent.
        st.tuples(st.just("arrive"), st.one_of(st.integers(1, 6), st.integers(-2, 40))),
        st.tuples(st.just("in order"), st.integers(1, 8)),
        st.tuples(st.just("segment"), st.integers(0, 3)),
        st.tuples(st.just("reconnect"), st.integers(0, 3)),
    ),
    max_size=60,
)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=STREAM_CASES, deadline=None)
@given(STEPS, st.integers(1, 9), st.booleans(), st.integers(0, 5))
def test_the_ledger_counts_as_the_definitions_do(
    form: str, steps: list[tuple[str, int]], window: int, lived: bool, after: int
) -> None:
    ledger = module_in(form, "squall.delivery.ledger")
    names = {
        ledger.FIRST: "first",
        ledger.REORDERED: "reordered",
        ledger.DUPLICATE: "duplicate",
        ledger.FOREIGN: "foreign",
        ledger.UNDECIDED: "undecided",
    }
    stream, naive = ledger.Stream(), Naive(window)
    stream.begin_segment(0, 0)
    naive.label = 0
    evicted: Counter[tuple[int, int, bool]] = Counter()
    now_ns = 0

    def arrive(number: int) -> None:
        nonlocal now_ns
        now_ns += 1 + number % 3
        kind = names[stream.arrive(number, now_ns)]
        expected = naive.arrive(number, now_ns)
        assert kind == expected[0]
        if kind == "reordered":
            assert (stream.extent, stream.late_ns) == expected[1:]
        evicted.update(each_of(stream.take_evicted()))

    with window_of(ledger, window):
        for kind, value in steps:
            if kind == "send":
                assert [stream.assign() for _ in range(value)] == [naive.send() for _ in range(value)]
            elif kind == "arrive":
                if len(naive.labels) >= value:
                    arrive(len(naive.labels) - value)
            elif kind == "in order":
                for _ in range(min(value, len(naive.labels) - stream.expected)):
                    arrive(stream.expected)
            else:
                naive.label, naive.epoch = value, naive.epoch + (kind == "reconnect")
                stream.begin_segment(naive.label, naive.epoch)
            assert stream.outstanding() == len(naive.owed())
        assert stream.arrived == len(naive.arrivals)
        assert evicted == Counter((n, naive.labels[n], True) for n in naive.evicted)
        assert [stream.is_missing(n) for n in range(stream.expected)] == [
            n in naive.owed() for n in range(stream.expected)
        ]
        assert each_of(stream.settle(lived=lived)) == naive.settle(lived)
        for number in range(after):
            arrive(number)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 9), st.booleans()), max_size=15))
def test_the_latest_sixteen_labels_are_told_exactly(form: str, parts: list[tuple[int, int, bool]]) -> None:
    stream = module_in(form, "squall.delivery.ledger").Stream()
    labels, epochs, epoch = [], [], 0
    for count, label, reconnects in parts:
        epoch += reconnects
        stream.begin_segment(label, epoch)
        for _ in range(count):
            stream.arrive(stream.assign(), 1)
        labels += [label] * count
        epochs += [epoch] * count
    assert [stream.label_of(number) for number in range(len(labels))] == labels
    assert [stream.epoch_of(number) for number in range(len(labels))] == epochs


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "set", "delete", "insert", "swap"]), st.integers(0, 140), st.integers(0, 255)
    ),
    max_size=4,
)


def edited(payload: bytes, edits: list[tuple[str, int, int]]) -> bytes:
    """The payload after all that happened to it."""
    found = bytearray(payload)
    for what, place, value in edits:
        at = place % (len(found) or 1)
        if what == "insert":
            found.insert(at, value)
        elif not found:
            continue
        elif what == "flip":
            found[at] ^= 1 << value % 8
        elif what == "set":
            found[at] = value
        elif what == "delete":
            del found[at : at + 1 + value // 64]
        else:
            other = value % len(found)
            found[at], found[other] = found[other], found[at]
    return bytes(found)


@settings(max_examples=1_500, deadline=None)
@given(
    st.booleans(),
    st.booleans(),
    st.integers(0, 40),
    st.integers(0, (1 << 32) - 1),
    st.integers(0, (1 << 56) - 1),
    EDITS,
)
def test_damage_is_judged_alike_by_both_forms_and_the_oracle(
    text: bool,
    came_as_text: bool,
    more: int,
    sequence: int,
    intended_ns: int,
    edits: list[tuple[str, int, int]],
) -> None:
    installed, source = (module_in(form, "squall.delivery.envelope") for form in FORMS)
    size = installed.smallest_size(text) + more
    codecs = [module.Codec(5, text, (size,), 1) for module in (installed, source)]
    codecs[0].encode(3, 1, sequence, 0, sequence, 1, intended_ns, 0)
    arrived = edited(bytes(codecs[0].buffer[codecs[0].offset :][:size]), edits)
    found = [codec.decode_bytes(arrived, came_as_text) for codec in codecs]

    opcode = TEXT if text else BINARY
    read = parse(opcode, arrived)
    if not looks_like_envelope(opcode, arrived):
        expected = installed.NO_ENVELOPE
    elif read is None or not read.header_good or arrived[:4] != installed.MAGIC:
        expected = installed.BAD_HEADER
    elif not read.body_good or came_as_text != text:
        expected = installed.BAD_BODY
    else:
        expected = installed.GOOD
    assert found == [expected, expected]
    if read is not None and expected in {installed.GOOD, installed.BAD_BODY}:
        for codec in codecs:
            assert (codec.run, codec.stream, codec.sequence) == (read.run, read.stream, read.sequence)
            assert (codec.epoch, codec.intended_ns) == (read.epoch, read.intended_ns)


ACK_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 4)),
        st.tuples(st.just("wait"), st.integers(0, 40)),
        st.tuples(st.just("acknowledge"), st.integers(1, 12)),
        st.tuples(st.just("reconnect"), st.integers(0, 1)),
        st.tuples(st.just("stall"), st.integers(0, 1)),
    ),
    max_size=60,
)


class NaiveWindow:
    """Every message with all its attempts, looked through from the start each time."""

    def __init__(self, timeout: int, pauses: list[int]) -> None:
        self.timeout, self.pauses = timeout, pauses
        self.attempts: list[list[int]] = []  # of each message, when each attempt was intended
        self.epochs: list[int] = []
        self.ended: dict[int, str] = {}  # "acknowledged", "given up", "late"

    def due_ns(self, number: int) -> int | None:
        """When the next attempt of a message is due; None for one that has had its last."""
        tried = len(self.attempts[number])
        if tried > len(self.pauses):
            return None
        return self.attempts[number][-1] + self.timeout + self.pauses[tried - 1]

    def advance(self, now: int) -> tuple[list[int], list[int]]:
        waiting = [number for number in range(len(self.attempts)) if number not in self.ended]
        through = [
            number
            for number in waiting
            if self.due_ns(number) is None and self.attempts[number][-1] + self.timeout <= now
        ]
        self.ended.update(dict.fromkeys(through, "given up"))
        due = [(at, number) for number in waiting if (at := self.due_ns(number)) is not None and at <= now]
        return [number for _, number in sorted(due)], through

    def acknowledge(self, number: int) -> str:
        before = self.ended.get(number)
        if before is None:
            self.ended[number] = "acknowledged"
            return "acknowledged"
        if before == "given up":
            self.ended[number] = "late"
            return "late"
        return "again"

    def epoch_unacknowledged(self, number: int) -> int:
        return self.epochs[number] if self.ended.get(number, "given up") == "given up" else -1


class Windows:
    """The window and the naive one, told the same."""

    def __init__(self, acks: ModuleType, pauses: list[int]) -> None:
        self.names = {acks.ACKNOWLEDGED: "acknowledged", acks.AGAIN: "again", acks.LATE: "late"}
        retries = acks.Retries(10e-9, [pause * 1e-9 for pause in pauses], jitter=False, seed=0)
        self.window, self.naive = acks.AckWindow(retries, 0, 1000), NaiveWindow(10, pauses)
        self.now, self.epoch, self.is_stalled = 0, 0, False

    def send(self, how_many: int) -> None:
        for _ in range(how_many):
            self.window.add(len(self.naive.attempts), 0, 0, self.now, self.now, self.epoch)
            self.naive.attempts.append([self.now])
            self.naive.epochs.append(self.epoch)

    def acknowledge(self, how_far_back: int) -> None:
        number = len(self.naive.attempts) - how_far_back
        if number < 0:
            return
        assert self.names[self.window.acknowledge(number)] == self.naive.acknowledge(number)
        if (found := self.window.found) is not None:
            begun = [found.begun_ns(attempt + 1) for attempt in range(found.attempt)]
            assert begun == self.naive.attempts[number]

    def wait(self, how_long: int) -> None:
        self.now += how_long

    def reconnect(self, _: int) -> None:
        self.epoch += 1

    def stall(self, _: int) -> None:
        """From now on, or no longer, no retry can be made."""
        self.is_stalled = not self.is_stalled

    def advance(self) -> None:
        is_asked = self.window.next_ns <= self.now
        due, through = self.window.advance(self.now)
        assert is_asked or not (due or through)
        expected = self.naive.advance(self.now)
        assert ([each.sequence for each in due], sorted(each.sequence for each in through)) == expected
        for message in due:
            if self.is_stalled:
                self.window.put_off(message)
            else:
                self.window.sent_again(message, self.now, self.epoch)
                self.naive.attempts[message.sequence].append(self.now)
                self.naive.epochs[message.sequence] = self.epoch


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=250, deadline=None)
@given(ACK_STEPS, st.lists(st.integers(0, 9), max_size=3))
def test_the_window_of_the_unacknowledged_counts_as_the_definitions_do(
    form: str, steps: list[tuple[str, int]], pauses: list[int]
) -> None:
    both = Windows(module_in(form, "squall.delivery.acks"), pauses)
    for what, how_many in steps:
        getattr(both, what)(how_many)
        both.advance()
    for number in range(len(both.naive.attempts)):
        assert both.window.epoch_unacknowledged(number) == both.naive.epoch_unacknowledged(number)
