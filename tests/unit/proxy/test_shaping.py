"""Faults of bytes: when each goes on, that none is lost or overtakes, and which bits flip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.proxy.shaping import Corruptor, Shaper
from squall.scenario.faults import Bandwidth, Blackhole, CorruptBytes, FaultKind, Latency, Slice
from unit.proxy.stages import S, placed

MS = S // 1000


def shaper(*faults: FaultKind) -> Shaper:
    made = Shaper(about=1)
    made.settle([placed(each) for each in faults])
    return made


def run_out(queue: Shaper, now_ns: int = 0) -> list[tuple[int, bytes]]:
    """What goes on from then on, each at the moment at which it is due."""
    found = []
    while (due_ns := queue.next_due_ns) is not None:
        now_ns = max(now_ns, due_ns)
        found += [(now_ns, piece) for piece in queue.pop(now_ns)]
    return found


def test_latency_counts_from_each_arrival_and_does_not_add_up() -> None:
    queue = shaper(Latency(delay=0.1))
    for number in range(5):
        queue.push(bytes([number]), number * 10 * MS)
    assert run_out(queue) == [((100 + number * 10) * MS, bytes([number])) for number in range(5)]


def test_two_latencies_add_up() -> None:
    queue = shaper(Latency(delay=0.1), Latency(name="more", delay=0.05))
    queue.push(b"a", 0)
    assert run_out(queue) == [(150 * MS, b"a")]


def test_jitter_stays_within_its_bounds_and_lets_nothing_overtake() -> None:
    queue = shaper(Latency(delay=0.1, jitter=0.02))
    for number in range(200):
        queue.push(bytes([number]), number * MS)
    found = run_out(queue)
    assert [piece for _, piece in found] == [bytes([number]) for number in range(200)]
    late_ns = [at - number * MS for number, (at, _) in enumerate(found)]
    assert all(late >= 80 * MS for late in late_ns)
    assert max(late_ns) <= 120 * MS
    assert len(set(late_ns)) > 50


def test_bandwidth_lets_so_many_bytes_go_a_second() -> None:
    queue = shaper(Bandwidth(rate=1000))
    queue.push(b"x" * 5000, 0)
    found = run_out(queue)
    assert sum(len(piece) for at, piece in found if at < S) == 1000
    assert found[-1][0] == pytest.approx(5 * S, abs=0.03 * S)


def test_bandwidth_that_was_not_used_is_not_saved_up() -> None:
    queue = shaper(Bandwidth(rate=1000))
    queue.push(b"x" * 100, 0)
    run_out(queue)
    queue.push(b"x" * 1000, 60 * S)
    assert run_out(queue)[-1][0] == pytest.approx(61 * S, abs=0.03 * S)


def test_the_narrowest_bandwidth_counts() -> None:
    queue = shaper(Bandwidth(rate=1000), Bandwidth(name="narrow", rate=100))
    queue.push(b"x" * 100, 0)
    assert run_out(queue)[-1][0] == pytest.approx(S, abs=0.03 * S)


def test_slices_are_small_and_apart() -> None:
    queue = shaper(Slice(size=3, delay=0.01))
    queue.push(b"abcdefgh", 0)
    assert run_out(queue) == [(0, b"abc"), (10 * MS, b"def"), (20 * MS, b"gh")]


def test_a_black_hole_keeps_everything_for_later() -> None:
    queue = shaper(Blackhole(), Latency(delay=0.1))
    queue.push(b"a", 0)
    assert queue.next_due_ns is None
    assert queue.pop(100 * S) == []
    queue.settle([placed(Latency(delay=0.1))])
    assert queue.pop(100 * S) == [b"a"]


def test_a_change_acts_on_what_is_under_way() -> None:
    queue = shaper(Latency(delay=100), Bandwidth(rate=1))
    queue.push(b"ab", 0)
    queue.settle([])
    assert queue.is_on
    assert queue.pop(0) == [b"ab"]
    assert not queue.is_on


_FAULTS = st.lists(
    st.sampled_from(
        [
            Latency(delay=0.01),
            Latency(delay=0.5, jitter=0.5),
            Bandwidth(rate=10_000),
            Slice(size=7, delay=0.001),
            Blackhole(),
        ]
    ),
    max_size=3,
)


@given(
    steps=st.lists(st.tuples(st.binary(max_size=30), st.integers(0, 200), _FAULTS), max_size=25),
)
def test_changes_lose_no_byte_and_keep_the_order(steps: list[tuple[bytes, int, list[FaultKind]]]) -> None:
    queue = Shaper(about=3)
    now_ns, sent, came = 0, b"", b""
    for data, wait_ms, faults in steps:
        queue.push(data, now_ns)
        sent += data
        assert queue.held == len(sent) - len(came)
        now_ns += wait_ms * MS
        came += b"".join(queue.pop(now_ns))
        queue.settle([placed(fault) for fault in faults])
    queue.settle([])
    came += b"".join(queue.pop(now_ns))
    assert came == sent
    assert (queue.held, queue.is_on) == (0, False)


def test_what_is_cleared_is_gone() -> None:
    queue = shaper(Latency(delay=1))
    queue.push(b"abc", 0)
    queue.clear()
    assert (queue.held, queue.next_due_ns) == (0, None)


@pytest.mark.parametrize("share", [0.01, 0.2, 1.0])
def test_so_many_bytes_are_damaged_however_they_are_cut(share: float) -> None:
    whole = Corruptor(placed(CorruptBytes(share=share)), about=5)
    parts = Corruptor(placed(CorruptBytes(share=share)), about=5)
    places = whole.places(50_000)
    cut, at = [], 0
    for size in (1, 2, 0, 997) * 200:
        cut += [at + place for place in parts.places(size)]
        at += size
    assert [place for place in cut if place < 50_000] == [place for place in places if place < at]
    assert len(places) == pytest.approx(50_000 * share, rel=0.2)


def test_a_flip_changes_one_bit() -> None:
    corruptor = Corruptor(placed(CorruptBytes()), about=5)
    flips = {corruptor.flip(0) for _ in range(200)}
    assert flips == {1 << bit for bit in range(8)}
