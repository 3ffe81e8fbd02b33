"""Bugs that the service can be given, so that whoever looks for one can be seen to find it.

    --bug swallows:10          each tenth message gets no answer
    --bug delays:10:0.2        each tenth answer comes 0.2 s late

A bug is a behaviour around another, so several can be had at once. It counts the messages of its node, over all
connections, from its start: with EVERY = n it strikes at the n-th, the 2n-th, … It lies in no figure: what is
counted as sent was sent.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from picows import WSMsgType, WSTransport

from squall.reference.behaviours import Behaviour

__all__ = ["BUGS", "Bug", "parse_bug", "refusal_every", "with_bugs"]

BUGS: Final = {
    "swallows": "the message gets no answer",
    "duplicates": "the answer is sent twice",
    "corrupts": "the last byte of the answer is changed",
    "reorders": "the answer comes after the next one of its connection",
    "delays": "the answer comes SECONDS late (1 by default)",
    "cuts": "the connection is cut, without an answer and without a close frame",
    "refuses": "not a message but an upgrade: it is answered with 503",
}
"""By name, what happens each time it strikes."""

_DELAY_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One bug: its name, how often it strikes, and by how many seconds where it is one of time."""

    name: str
    every: int
    seconds: float = _DELAY_S


def parse_bug(text: str) -> Bug:
    """NAME:EVERY, or delays:EVERY:SECONDS.

    Raises:
        ValueError: it is not, with what it must be.
    """
    name, _, rest = text.partition(":")
    every, _, seconds = rest.partition(":")
    if name not in BUGS:
        raise ValueError(f"{name!r} is no bug; there are {', '.join(BUGS)}")
    if not every.isdecimal() or int(every) < 1:
        raise ValueError(f"{text!r}: a bug is written NAME:EVERY, as in {name}:10")
    if not seconds:
        return Bug(name=name, every=int(every))
    if name != "delays":
        raise ValueError(f"{text!r}: only delays takes seconds")
    try:
        delay_s = float(seconds)
    except ValueError:
        delay_s = 0.0
    if not 0 < delay_s < float("inf"):
        raise ValueError(f"{text!r}: {seconds!r} is no time; delays is written as in delays:10:0.2")
    return Bug(name=name, every=int(every), seconds=delay_s)


def with_bugs(behaviour: Behaviour, bugs: Iterable[Bug], loop: AbstractEventLoop) -> Behaviour:
    """The behaviour with these around it; the first is the outermost."""
    for bug in reversed(tuple(bugs)):
        if bug.name == "delays":
            behaviour = _Delays(behaviour, bug, loop)
        elif bug.name in _AROUND:
            behaviour = _AROUND[bug.name](behaviour, bug)
    return behaviour


def refusal_every(bugs: Iterable[Bug]) -> int | None:
    """Each how many upgrades is refused; None where none is."""
    return next((bug.every for bug in bugs if bug.name == "refuses"), None)


class _Around:
    """Passes messages on to `inner`, and knows when it strikes."""

    __slots__ = ("_bug", "_inner", "_seen")

    def __init__(self, inner: Behaviour, bug: Bug) -> None:
        self._inner = inner
        self._bug = bug
        self._seen = 0

    def on_message(self, transport: WSTransport, opcode: WSMsgType, payload: memoryview) -> None:
        """Strike, or pass it on."""
        self._seen += 1
        if self._seen % self._bug.every:
            self._inner.on_message(transport, opcode, payload)
        else:
            self._strike(transport, opcode, payload)

    def _strike(self, transport: WSTransport, opcode: WSMsgType, payload: memoryview) -> None:
        raise NotImplementedError


class _Swallows(_Around):
    __slots__ = ()

    def _strike(self, transport: WSTransport, opcode: WSMsgType, payload: memoryview) -> None:
        """Nothing follows."""


class _Duplicates(_Around):
    __slots__ = ()

    def _strike(self, transport: WSTransport, opcode: WSMsgType, payload: memoryview) -> None:
        self._inner.on_message(transport, opcode, payload)
        self._inner.on_message(transport, opcode, payload)


class _Corrupts(_Around):
    __slots__ = ()

    def _strike(self, transport: WSTransport, opcode: WSMsgType, payload: memoryview) -> None:
        changed = bytearray(payload)
        if changed:
            changed[-1] ^= 1  # of a letter that makes another letter: text stays valid UTF-8
        self._inner.on_message(transport, opcode, memoryview(changed))


class _Reorders(_Around):
    """Holds at most one message at a time; one whose connection is gone meanwhile is let go of."""

    __slots__ = ("_held",)

    def __init__(self, inner: Behaviour, bug: Bug) -> None:
        super().__init__(inner, bug)
        self._held: tuple[WSTransport, WSMsgType, memoryview] | None = None

    def on_message(self, transport: WSTransport, opcode: WSMsgType, payload: memoryview) -> None:
        """After the next one of its connection comes the one that was held."""
        if self._held is None or self._held[0] is not transport:
            super().on_message(transport, opcode, payload)
            return
        held, self._held = self._held, None
        self._inner.on_message(transport, opcode, payload)
        self._inner.on_message(*held)

    def _strike(self, transport: WSTransport, opcode: WSMsgType, payload: memoryview) -> None:
        if self._held is not None and _is_writable(self._held[0]):
            self._inner.on_message(transport, opcode, payload)
        else:
            self._held = (transport, opcode, memoryview(bytes(payload)))


class _Delays(_Around):
    __slots__ = ("_loop",)

    def __init__(self, inner: Behaviour, bug: Bug, loop: AbstractEventLoop) -> None:
        super().__init__(inner, bug)
        self._loop = loop

    def _strike(self, transport: WSTransport, opcode: WSMsgType, payload: memoryview) -> None:
        self._loop.call_later(self._bug.seconds, self._answer, transport, opcode, memoryview(bytes(payload)))

    def _answer(self, transport: WSTransport, opcode: WSMsgType, payload: memoryview) -> None:
        if _is_writable(transport):
            self._inner.on_message(transport, opcode, payload)


class _Cuts(_Around):
    __slots__ = ()

    def _strike(self, transport: WSTransport, _opcode: WSMsgType, _payload: memoryview) -> None:
        transport.disconnect(False)


_AROUND: Final = {
    "swallows": _Swallows,
    "duplicates": _Duplicates,
    "corrupts": _Corrupts,
    "reorders": _Reorders,
    "cuts": _Cuts,
}


def _is_writable(transport: WSTransport) -> bool:
    """Whether an answer can still be sent: no close frame has gone, and the socket is there."""
    return not (transport.is_close_frame_sent or transport.underlying_transport.is_closing())
