"""Faults of the bytes in one direction of one connection: when each may go on.

Bytes keep their order, and none is lost or made. A piece is due by the latency from its own arrival, so that
delays do not add up; bandwidth and slicing say how soon after the piece before. What is under way obeys the
faults that are on now: a change acts at once. Time is handed in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from math import log
from typing import Final

from squall.proxy.table import Placed
from squall.scenario.faults import Bandwidth, Blackhole, CorruptBytes, Latency, Slice
from squall.seeds import unit_draw

__all__ = ["Corruptor", "Shaper"]

_GRAIN_S: Final = 0.02
"""How much of a second's bytes a limited bandwidth lets go at once."""


class Shaper:
    """A queue of bytes with the faults that slow it down.

    Args:
        about: what the draws are about: a number of this connection and direction alone.
    """

    __slots__ = (
        "_about",
        "_blocked",
        "_free_ns",
        "_latencies",
        "_number",
        "_queue",
        "_rate",
        "_slice",
        "held",
        "is_on",
    )

    def __init__(self, about: int) -> None:
        self.held = 0
        """Bytes that wait."""
        self.is_on = False
        """A fault slows it down, or something still waits."""
        self._about = about
        self._queue: deque[tuple[int, int, bytes]] = deque()
        self._number = 0
        self._free_ns = 0
        self._latencies: list[tuple[int, int, int]] = []
        self._rate: int | None = None
        self._slice: tuple[int, int] | None = None
        self._blocked = False

    def settle(self, faults: Iterable[Placed]) -> None:
        """These faults are on now, and no others."""
        each = [(placed.fault, placed.seed) for placed in faults]
        self._latencies = [
            (round(fault.delay * 1e9), round(fault.jitter * 1e9), seed)
            for fault, seed in each
            if isinstance(fault, Latency)
        ]
        before = self._rate, self._slice
        rates = [fault.rate for fault, _ in each if isinstance(fault, Bandwidth)]
        self._rate = min(rates, default=None)
        slices = [(fault.size, round(fault.delay * 1e9)) for fault, _ in each if isinstance(fault, Slice)]
        self._slice = min(slices, default=None)
        self._blocked = any(isinstance(fault, Blackhole) for fault, _ in each)
        if (self._rate, self._slice) != before:
            self._free_ns = 0
        self._note()

    def push(self, data: bytes, now_ns: int) -> None:
        """Bytes have arrived."""
        self._number += 1
        self._queue.append((now_ns, self._number, data))
        self.held += len(data)
        self.is_on = True

    def pop(self, now_ns: int) -> list[bytes]:
        """What may go on by now, in pieces; it is no longer held."""
        out: list[bytes] = []
        while (due_ns := self.next_due_ns) is not None and due_ns <= now_ns:
            arrived_ns, number, data = self._queue.popleft()
            size = min(len(data), self._portion())
            if size < len(data):
                self._queue.appendleft((arrived_ns, number, data[size:]))
                data = data[:size]
            if self._rate is not None:
                self._free_ns = max(self._free_ns, due_ns) + size * 1_000_000_000 // self._rate
            if self._slice is not None:
                self._free_ns = max(self._free_ns, now_ns + self._slice[1])
            self.held -= size
            out.append(data)
        self._note()
        return out

    def clear(self) -> None:
        """Throw away what waits."""
        self._queue.clear()
        self.held = 0
        self._note()

    @property
    def next_due_ns(self) -> int | None:
        """When the next piece may go on; None: nothing waits, or nothing may until that changes."""
        if self._blocked or not self._queue:
            return None
        arrived_ns, number, _ = self._queue[0]
        return max(arrived_ns + self._delay_ns(number), self._free_ns)

    def _delay_ns(self, number: int) -> int:
        total_ns = 0
        for delay_ns, jitter_ns, seed in self._latencies:
            spread = jitter_ns and jitter_ns * (2 * unit_draw(seed, self._about, number) - 1)
            total_ns += max(0, delay_ns + round(spread))
        return total_ns

    def _portion(self) -> int:
        """Bytes that may go on at once."""
        portion = 1 << 62
        if self._rate is not None:
            portion = max(1, round(self._rate * _GRAIN_S))
        if self._slice is not None:
            portion = min(portion, self._slice[0])
        return portion

    def _note(self) -> None:
        slowed = bool(self._latencies) or self._rate is not None or self._slice is not None
        self.is_on = slowed or self._blocked or bool(self._queue)


class Corruptor:
    """Flips single bits of a stream, at places that its seed fixes, however the stream is cut.

    Args:
        placed: the fault.
        about: what the draws are about.
    """

    __slots__ = ("_about", "_draws", "_left", "_share", "placed")

    def __init__(self, placed: Placed, about: int) -> None:
        assert isinstance(placed.fault, CorruptBytes)  # noqa: S101 - whoever makes one has looked
        self.placed = placed
        self._about = about
        self._share = placed.fault.share
        self._draws = 0
        self._left = self._gap()

    def places(self, size: int) -> list[int]:
        """The places in the next so many bytes at which one is to be flipped."""
        found = []
        at = self._left
        while at < size:
            found.append(at)
            at += 1 + self._gap()
        self._left = at - size
        return found

    def flip(self, byte: int) -> int:
        """The byte with a bit of it flipped."""
        self._draws += 1
        return byte ^ (1 << int(8 * unit_draw(self.placed.seed, self._about, self._draws)))

    def _gap(self) -> int:
        """Bytes that stay whole before the next that does not: geometrically distributed."""
        if self._share >= 1:
            return 0
        self._draws += 1
        drawn = 1 - unit_draw(self.placed.seed, self._about, self._draws)
        return int(log(drawn) / log(1 - self._share))
