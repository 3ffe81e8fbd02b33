"""Priority echo: what was read in one go is answered in descending priority, in order within each.

One go is one turn of the loop, over all connections of the path, cut at 5 ms. The priority stands in the envelope;
a message that states none, or has no good envelope, counts as normal. The bug `ignore-priorities` answers the
messages that it strikes at once, as they arrive.
"""

from __future__ import annotations

import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from typing import Final

from picows import WSMsgType

from squall.reference.behaviours import Attended, Taking, Wire, is_writable
from squall.reference.bugs import Strikes, find
from squall.reference.envelope import read
from squall.reference.neighbours import Neighbours

__all__ = ["PriorityEcho"]

_NORMAL: Final = 2
_GO_NS: Final = 5_000_000
_GO_MESSAGES_MAX: Final = 10_000


class PriorityEcho(Attended):
    """See the module. `clock` gives monotonic nanoseconds: the loop's own stands still during a turn."""

    __slots__ = ("_begun_ns", "_clock", "_deliver", "_ignore", "_loop", "_waiting")

    def __init__(
        self,
        neighbours: Neighbours[Wire],
        deliver: Taking,
        loop: AbstractEventLoop,
        strikes: Sequence[Strikes],
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__(neighbours)
        self._deliver = deliver
        self._loop = loop
        self._clock = clock
        self._ignore = find("ignore-priorities", strikes)
        self._waiting: list[tuple[int, Wire, WSMsgType, bytes]] = []
        self._begun_ns = 0

    def on_message(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        """Keep it to the end of the go."""
        if self._ignore is not None and self._ignore.next():
            self._deliver(wire, opcode, payload)
            return
        envelope = read(opcode, payload)
        priority = _NORMAL if envelope is None else envelope.priority or _NORMAL
        if not self._waiting:
            self._begun_ns = self._clock()
            self._loop.call_soon(self._answer)
        self._waiting.append((priority, wire, opcode, bytes(payload)))
        if len(self._waiting) >= _GO_MESSAGES_MAX or self._clock() - self._begun_ns >= _GO_NS:
            self._answer()

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        waiting.sort(key=lambda each: -each[0])  # stable: in order within a priority
        for _, wire, opcode, payload in waiting:
            if is_writable(wire):
                self._deliver(wire, opcode, memoryview(payload))
