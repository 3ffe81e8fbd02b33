"""The ledger against an account that remembers everything and works each figure out from its definition; and the
envelope, damaged at random, against a reader that shares no code with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from both_forms import FORMS, module_in
from oracle.envelope import BINARY, TEXT, looks_like_envelope, parse
from simulation.naive import Naive

KINDS = ("FIRST", "REORDERED", "DUPLICATE", "FOREIGN", "UNDECIDED")
STREAM_CASES = 2_000
"""In each of the two forms."""


def each_of(ranges: list[tuple[int, int, int, bool, bool]]) -> Counter[tuple[int, int, bool, bool]]:
    """(number, label, unknown, acknowledged) of each number in the ranges."""
    return Counter(
        (n, label, unknown, acknowledged)
        for first, end, label, unknown, acknowledged in ranges
        for n in range(first, end)
    )


def runs_of(pieces: list[tuple[int, int, int, bool]]) -> tuple[list[list[int]], dict[int, int]]:
    """Gaps as lists of numbers, and the label of each."""
    runs: list[list[int]] = []
    labels = {}
    for first, end, label, begins in pieces:
        if begins:
            runs.append([])
        runs[-1] += range(first, end)
        labels |= dict.fromkeys(range(first, end), label)
    return runs, labels


@contextmanager
def bounded(ledger: ModuleType, **bounds: int) -> Iterator[None]:
    """The ledger with other limits of what it remembers."""
    before = {name: getattr(ledger, name) for name in bounds}
    for name, value in bounds.items():
        setattr(ledger, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(ledger, name, value)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 12)),
        # How far behind the next number (or past it): mostly recent, sometimes old or never sent.
        st.tuples(st.just("arrive"), st.one_of(st.integers(1, 6), st.integers(-2, 40))),
        st.tuples(st.just("in order"), st.integers(1, 8)),
        st.tuples(st.just("segment"), st.integers(0, 3)),
        st.tuples(st.just("reconnect"), st.integers(0, 3)),
        st.tuples(st.just("acknowledge"), st.integers(-1, 12)),
        st.tuples(st.just("settle"), st.integers(0, 1)),
    ),
    max_size=60,
)


class Both:
    """A stream and its naive account, told the same; what the stream hands out is gathered."""

    def __init__(self, ledger: ModuleType, window: int) -> None:
        self.stream: Any = ledger.Stream()
        self.naive = Naive(window)
        self.names = {getattr(ledger, name): name.lower() for name in KINDS}
        self.lost, self.unknown, self.acknowledged = ledger.LOST, ledger.UNKNOWN, ledger.ACKNOWLEDGED
        self.kinds: Counter[str] = Counter()
        self.evicted: Counter[tuple[int, int, bool, bool]] = Counter()
        self.waits: Counter[int] = Counter()
        self.waited: list[int] = []
        self.unmeasured: list[int] = []
        self.gaps: list[tuple[int, int, int, bool]] = []
        self.now_ns = 0
        self.begin(0, reconnects=False)

    def begin(self, label: int, *, reconnects: bool) -> None:
        self.naive.label, self.naive.epoch = label, self.naive.epoch + reconnects
        self.stream.begin_segment(self.naive.label, self.naive.epoch)

    def send(self, count: int) -> list[int]:
        sent = [self.stream.assign() for _ in range(count)]
        assert sent == [self.naive.send() for _ in range(count)]
        return sent

    def arrive(self, number: int) -> None:
        self.now_ns += 1 + number % 3
        kind = self.names[self.stream.arrive(number, self.now_ns)]
        expected = self.naive.arrive(number, self.now_ns)
        assert kind == expected[0]
        if kind == "reordered":
            assert (self.stream.extent, self.stream.late_ns) == expected[1:]
        self.kinds[kind] += 1
        self.evicted.update(each_of(self.stream.take_evicted()))
        for other, longer_ns, first in self.stream.take_waits():
            self.waits[other] += longer_ns
            self.waited.extend([other] * first)
        self.unmeasured += [n for first, end in self.stream.take_unmeasured() for n in range(first, end)]

    def settle(self, *, lived: bool) -> None:
        naive, fate = self.naive, None
        if naive.acknowledged:
            unsure = {n for n, epoch in enumerate(naive.epochs) if not lived or epoch != naive.epoch}
            known = set(naive.acknowledged)
            fate = lambda n: self.acknowledged if n in known else self.unknown if n in unsure else self.lost  # noqa: E731 - short
        assert each_of(self.stream.settle(lived, fate)) == naive.settle(lived)
        self.gaps.extend(self.stream.take_gaps())

    def do(self, kind: str, value: int) -> None:
        """One step of a case; numbers are told by how far behind the next one they are."""
        behind = len(self.naive.labels) - value
        if kind == "send":
            self.send(value)
        elif kind == "arrive":
            if behind >= 0:
                self.arrive(behind)
        elif kind == "in order":
            for _ in range(min(value, len(self.naive.labels) - self.stream.expected)):
                self.arrive(self.stream.expected)
        elif kind == "acknowledge":
            self.naive.acknowledge(max(0, behind))
        elif kind == "settle":
            self.settle(lived=bool(value))
        else:
            self.begin(value, reconnects=kind == "reconnect")


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=STREAM_CASES, deadline=None)
@given(STEPS, st.integers(1, 9), st.booleans(), st.integers(0, 5))
def test_the_ledger_counts_as_the_definitions_do(
    form: str, steps: list[tuple[str, int]], window: int, lived: bool, after: int
) -> None:
    ledger = module_in(form, "squall.delivery.ledger")
    both = Both(ledger, window)
    stream, naive = both.stream, both.naive
    with bounded(ledger, WINDOW=window):
        for kind, value in steps:
            both.do(kind, value)
            assert stream.outstanding() == len(naive.owed())
        assert stream.arrived == len(naive.arrivals)
        assert both.evicted == Counter((n, naive.labels[n], True, False) for n in naive.evicted)
        assert [stream.is_missing(n) for n in range(stream.expected)] == [
            n in naive.owed() for n in range(stream.expected)
        ]
        both.settle(lived=lived)
        for number in range(after):
            both.arrive(number)
    assert (stream.duplicated, stream.reordered) == (both.kinds["duplicate"], both.kinds["reordered"])
    assert (dict(both.waits), sorted(both.waited)) == (naive.waits(), sorted(naive.waits()))
    assert both.unmeasured == []
    runs, labels = runs_of(both.gaps)
    assert sorted(runs) == naive.gaps()
    assert labels == {n: naive.labels[n] for run in naive.gaps() for n in run}


ORDERS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), min_size=1, max_size=120)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=500, deadline=None)
@given(ORDERS, st.integers(2, 6))
def test_waits_are_exact_or_said_not_to_be(form: str, orders: list[tuple[int, int]], held_max: int) -> None:
    """With few arrival times kept: a wait is what it was, or too short and said to be so."""
    ledger = module_in(form, "squall.delivery.ledger")
    both = Both(ledger, 1000)
    skipped: list[int] = []
    with bounded(ledger, HELD_MAX=held_max):
        for skips, late in orders:
            skipped += both.send(skips)
            both.arrive(*both.send(1))
            if skipped and late < 10:
                both.arrive(skipped.pop(late % len(skipped)))
    assert len(both.unmeasured) == len(set(both.unmeasured))
    true_ns = both.naive.waits()
    for number, _ in both.naive.arrivals:
        if number in both.unmeasured:
            assert both.waits[number] < true_ns[number]
        else:
            assert both.waits[number] == true_ns.get(number, 0)


@pytest.mark.parametrize("form", FORMS)
def test_at_most_so_many_arrival_times_are_kept_and_the_oldest_are_forgotten(form: str) -> None:
    stream = module_in(form, "squall.delivery.ledger").Stream()
    for _ in range(6_000):
        stream.assign()
    for number in [*range(1, 5_000), *range(5_001, 6_000), 5_000]:
        stream.arrive(number, number)
    assert (len(stream.take_waits()), stream.take_unmeasured()) == (999, [])
    stream.arrive(0, 9_000)
    first_known = stream.take_unmeasured()[0][1]
    assert [number for number, _, _ in stream.take_waits()] == list(range(first_known, 6_000))
    assert 3_000 < 6_000 - first_known <= 4_096


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
