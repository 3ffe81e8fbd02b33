"""Bugs that strike at a delivery, and the one that strikes at an arrival.

Each is an outlet (or a behaviour) around another, so several can be had at once, the first outermost; it counts
the deliveries that reach it, and strikes at some. What is held back for a while is copied and counted against one
budget a node; a message that the budget has no room for goes on as it would without the bug.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from picows import WSMsgType

from squall.reference.behaviours import Behaviour, Wire, is_writable
from squall.reference.bugs import Strikes, find
from squall.reference.envelope import read
from squall.reference.outlet import Outlet

__all__ = ["HELD_BYTES_MAX", "Budget", "with_arrival_bugs", "with_delivery_bugs"]

HELD_BYTES_MAX: Final = 256 * 1024 * 1024
"""What all bugs of a node may hold back at a time."""

_OBJECT_BYTES: Final = 200  # what a held message costs beside its payload, about
_MAGIC_BYTES: Final = 4
_BINARY_HEADER_BYTES: Final = 48
_TEXT_HEADER_BYTES: Final = 64

Message = tuple[WSMsgType, memoryview]
After = Callable[[Wire], Iterator[Wire]]
"""The other connections that a message could go to by mistake, the likeliest first."""


class Budget:
    """How much may still be held back."""

    def __init__(self, most: int = HELD_BYTES_MAX) -> None:
        self._left = most

    def keep(self, opcode: WSMsgType, payload: memoryview) -> Message | None:
        """A copy that lives until it is given back; None where there is no room for it."""
        cost = len(payload) + _OBJECT_BYTES
        if cost > self._left:
            return None
        self._left -= cost
        return opcode, memoryview(bytes(payload))

    def give_back(self, message: Message) -> Message:
        """The same message, no longer counted."""
        self._left += len(message[1]) + _OBJECT_BYTES
        return message


def with_delivery_bugs(
    outlet: Outlet, strikes: Iterable[Strikes], loop: AbstractEventLoop, budget: Budget, after: After
) -> Outlet:
    """The outlet with the bugs of deliveries around it; the first is the outermost."""
    for each in reversed(tuple(strikes)):
        name = each.bug.name
        if name in _PLAIN:
            outlet = _PLAIN[name](outlet, each)
        elif name in _HOLDING:
            outlet = _HOLDING[name](outlet, each, loop, budget)
        elif name == "cross-deliver":
            outlet = _CrossDeliver(outlet, each, after)
    return outlet


def with_arrival_bugs(behaviour: Behaviour, strikes: Iterable[Strikes]) -> Behaviour:
    """The behaviour with the bugs of arrivals around it."""
    cut = find("cut", strikes)
    return behaviour if cut is None else _Cut(behaviour, cut)


class _Around:
    """Passes deliveries on to `inner`, and knows when it strikes."""

    __slots__ = ("_inner", "_strikes")

    def __init__(self, inner: Outlet, strikes: Strikes) -> None:
        self._inner = inner
        self._strikes = strikes

    def deliver(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        """Strike, or pass it on."""
        if self._strikes.next():
            self._strike(wire, opcode, payload)
        else:
            self._inner.deliver(wire, opcode, payload)

    def _strike(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        raise NotImplementedError


class _Lose(_Around):
    __slots__ = ()

    def _strike(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        """Nothing follows."""


class _Duplicate(_Around):
    __slots__ = ()

    def _strike(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        self._inner.deliver(wire, opcode, payload)
        self._inner.deliver(wire, opcode, payload)


class _Corrupt(_Around):
    __slots__ = ()

    def _strike(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        changed = bytearray(payload)
        if changed:
            changed[-1] ^= 1  # of a letter that makes another letter: text stays valid UTF-8
        self._inner.deliver(wire, opcode, memoryview(changed))


class _CorruptHeader(_Around):
    """A payload too short for an envelope has no header, and goes on as it is."""

    __slots__ = ()

    def _strike(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        header = _TEXT_HEADER_BYTES if opcode is WSMsgType.TEXT else _BINARY_HEADER_BYTES
        changed = bytearray(payload)
        if len(changed) >= header:
            changed[_MAGIC_BYTES + self._strikes.draw() % (header - _MAGIC_BYTES)] ^= 1
        self._inner.deliver(wire, opcode, memoryview(changed))


class _CrossDeliver(_Around):
    """Alone on its path a connection gets its own messages, bug or not."""

    __slots__ = ("_after",)

    def __init__(self, inner: Outlet, strikes: Strikes, after: After) -> None:
        super().__init__(inner, strikes)
        self._after = after

    def _strike(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        other = next((each for each in self._after(wire) if is_writable(each)), wire)
        self._inner.deliver(other, opcode, payload)


class _Holding(_Around):
    """A bug that holds messages back: with a clock, and a budget for what it holds."""

    __slots__ = ("_budget", "_loop")

    def __init__(self, inner: Outlet, strikes: Strikes, loop: AbstractEventLoop, budget: Budget) -> None:
        super().__init__(inner, strikes)
        self._loop = loop
        self._budget = budget

    def _release(self, wire: Wire, message: Message) -> None:
        """Deliver what was held, where its connection is still there."""
        opcode, payload = self._budget.give_back(message)
        if is_writable(wire):
            self._inner.deliver(wire, opcode, payload)


class _Delay(_Holding):
    __slots__ = ()

    def _strike(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        message = self._budget.keep(opcode, payload)
        if message is None:
            self._inner.deliver(wire, opcode, payload)
        else:
            self._loop.call_later(self._strikes.bug.seconds, self._release, wire, message)


class _Reorder(_Holding):
    """Holds at most one message of a connection. The one that lets it go is counted, and never held itself."""

    __slots__ = ("_held",)

    def __init__(self, inner: Outlet, strikes: Strikes, loop: AbstractEventLoop, budget: Budget) -> None:
        super().__init__(inner, strikes, loop, budget)
        self._held: dict[Wire, Message] = {}

    def deliver(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        """After the next one to its connection comes the one that was held."""
        held = self._held.pop(wire, None)
        if held is None:
            super().deliver(wire, opcode, payload)
            return
        self._strikes.next()
        self._inner.deliver(wire, opcode, payload)
        self._release(wire, held)

    def _strike(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        message = self._budget.keep(opcode, payload)
        if message is None:
            self._inner.deliver(wire, opcode, payload)
            return
        self._held[wire] = message
        self._loop.call_later(self._strikes.bug.seconds, self._on_nothing_followed, wire, message)

    def _on_nothing_followed(self, wire: Wire, message: Message) -> None:
        if self._held.get(wire) is message:
            del self._held[wire]
            self._release(wire, message)


class _Stall(_Holding):
    """Deliveries to a stalled connection are counted, and start no stall of their own."""

    __slots__ = ("_waiting",)

    def __init__(self, inner: Outlet, strikes: Strikes, loop: AbstractEventLoop, budget: Budget) -> None:
        super().__init__(inner, strikes, loop, budget)
        self._waiting: dict[Wire, deque[Message]] = {}

    def deliver(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        """Behind what waits already; else as any other."""
        waiting = self._waiting.get(wire)
        if waiting is None:
            super().deliver(wire, opcode, payload)
            return
        self._strikes.next()
        message = self._budget.keep(opcode, payload)
        if message is None:  # no room: the stall is over at once, for order's sake
            self._go_on(wire, waiting)
            self._inner.deliver(wire, opcode, payload)
        else:
            waiting.append(message)

    def _strike(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        message = self._budget.keep(opcode, payload)
        if message is None:
            self._inner.deliver(wire, opcode, payload)
            return
        waiting = self._waiting[wire] = deque([message])
        self._loop.call_later(self._strikes.bug.seconds, self._go_on, wire, waiting)

    def _go_on(self, wire: Wire, waiting: deque[Message]) -> None:
        if self._waiting.get(wire) is waiting:
            del self._waiting[wire]
            for message in waiting:
                self._release(wire, message)


@dataclass(slots=True)
class _Cause:
    """A message that waits for one that follows from it, and what its stream sent behind it."""

    stream: tuple[int, int]
    sequence: int
    waiting: deque[Message]


class _BreakCausality(_Holding):
    """Holds back a message of one member, and those of its stream behind it: their order is not what is broken."""

    __slots__ = ("_causes",)

    def __init__(self, inner: Outlet, strikes: Strikes, loop: AbstractEventLoop, budget: Budget) -> None:
        super().__init__(inner, strikes, loop, budget)
        self._causes: dict[Wire, _Cause] = {}

    def deliver(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        """Behind what waits of its stream; before what waits, if it follows from that; else as any other."""
        cause = self._causes.get(wire)
        if cause is None:
            super().deliver(wire, opcode, payload)
            return
        self._strikes.next()
        envelope = read(opcode, payload)
        if envelope is not None and (envelope.run, envelope.stream) == cause.stream:
            message = self._budget.keep(opcode, payload)
            if message is not None:
                cause.waiting.append(message)
                return
            self._go_on(wire, cause)
        self._inner.deliver(wire, opcode, payload)
        if envelope is not None and envelope.cause == (cause.stream[1], cause.sequence):
            self._go_on(wire, cause)

    def _strike(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        envelope = read(opcode, payload)
        message = None if envelope is None else self._budget.keep(opcode, payload)
        if envelope is None or message is None:
            self._inner.deliver(wire, opcode, payload)
            return
        cause = _Cause((envelope.run, envelope.stream), envelope.sequence, deque([message]))
        self._causes[wire] = cause
        self._loop.call_later(self._strikes.bug.seconds, self._go_on, wire, cause)

    def _go_on(self, wire: Wire, cause: _Cause) -> None:
        if self._causes.get(wire) is cause:
            del self._causes[wire]
            for message in cause.waiting:
                self._release(wire, message)


_PLAIN: Final = {
    "lose": _Lose,
    "duplicate": _Duplicate,
    "corrupt": _Corrupt,
    "corrupt-header": _CorruptHeader,
}
_HOLDING: Final = {"reorder": _Reorder, "delay": _Delay, "stall": _Stall, "break-causality": _BreakCausality}


class _Cut:
    """Cuts the connection instead of treating its message."""

    __slots__ = ("_inner", "_strikes", "on_closed", "on_open")

    def __init__(self, inner: Behaviour, strikes: Strikes) -> None:
        self._inner = inner
        self._strikes = strikes
        self.on_open = inner.on_open
        self.on_closed = inner.on_closed

    def on_message(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        """Cut, or pass it on."""
        if wire.underlying_transport.is_closing():
            return  # it was cut, and this was read before that
        if self._strikes.next():
            wire.disconnect(False)
        else:
            self._inner.on_message(wire, opcode, payload)
