"""Acknowledged push: each message is delivered back to its sender until the sender acknowledges it.

An acknowledgement is an envelope with flag 4. A delivery that is not acknowledged within the time-out is followed by
the next attempt after a back-off: 500 ms, doubled with each, at most 5 s, of which a share is drawn (full jitter). The
attempt stands in the envelope. After the last one the message is given up; with the connection all are. A message
that is under way already, and anything without a good envelope, is not taken.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from picows import WSCloseCode, WSMsgType

from squall.reference.behaviours import Attended, Taking, Wire, is_writable
from squall.reference.draws import share
from squall.reference.envelope import ATTEMPT_MAX, Envelope, read, with_attempt
from squall.reference.neighbours import Neighbours

__all__ = ["UNDER_WAY_BYTES_MAX", "UNDER_WAY_MAX", "AckedPush", "PushTiming"]

UNDER_WAY_MAX: Final = 10_000
UNDER_WAY_BYTES_MAX: Final = 64 * 1024 * 1024
"""Messages of a connection that may be under way, and their size; more closes it with 1013."""

_BACKOFF_FIRST_S: Final = 0.5
_BACKOFF_MAX_S: Final = 5.0
_CLOSE_REPLY_TIMEOUT_S: Final = 0.5
_TIMEOUT_MAX_MS: Final = 3_600_000

Key = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PushTiming:
    """How long an acknowledgement may take, and how often a delivery is tried again."""

    timeout_s: float = 5.0
    retries: int = 3

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> PushTiming:
        """From `timeout=MILLISECONDS` and `retries=COUNT`, both of which may be missing.

        Raises:
            ValueError: there is something else, or no such number.
        """
        unknown = query.keys() - {"timeout", "retries"}
        if unknown:
            raise ValueError(f"{min(unknown)!r} is not known here; there are timeout (ms) and retries")
        default = cls()
        return cls(
            timeout_s=_number(query, "timeout", round(default.timeout_s * 1000), 1, _TIMEOUT_MAX_MS) / 1000,
            retries=_number(query, "retries", default.retries, 0, ATTEMPT_MAX - 1),
        )


@dataclass(slots=True)
class _Push:
    """One message under way."""

    wire: Wire
    opcode: WSMsgType
    payload: bytes
    envelope: Envelope
    attempt: int = 0
    timer: TimerHandle | None = None


class AckedPush(Attended):
    """What serves one connection.

    Args:
        neighbours: the open connections of the path.
        deliver: takes the deliveries.
        loop: for the timers.
        timing: time-out and retries.
        seed: draws the jitter.
    """

    __slots__ = ("_bytes", "_deliver", "_loop", "_seed", "_timing", "_under_way")

    def __init__(
        self,
        neighbours: Neighbours[Wire],
        deliver: Taking,
        loop: AbstractEventLoop,
        timing: PushTiming,
        seed: int,
    ) -> None:
        super().__init__(neighbours)
        self._deliver = deliver
        self._loop = loop
        self._timing = timing
        self._seed = seed
        self._under_way: dict[Key, _Push] = {}
        self._bytes = 0

    def on_message(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        """Begin to deliver it, or note that it arrived."""
        envelope = read(opcode, payload)
        if envelope is None:
            return
        key = (envelope.run, envelope.stream, envelope.sequence)
        if envelope.is_acknowledgement:
            self._let_go(key)
        elif key not in self._under_way:
            if len(self._under_way) >= UNDER_WAY_MAX or self._bytes + len(payload) > UNDER_WAY_BYTES_MAX:
                wire.send_close(WSCloseCode.TRY_AGAIN_LATER)
                self._loop.call_later(_CLOSE_REPLY_TIMEOUT_S, wire.disconnect)
                return
            self._bytes += len(payload)
            self._under_way[key] = _Push(wire, opcode, bytes(payload), envelope)
            self._push(key)

    def on_closed(self, wire: Wire) -> None:
        """All are given up."""
        super().on_closed(wire)
        for key in list(self._under_way):
            self._let_go(key)

    def _push(self, key: Key) -> None:
        push = self._under_way[key]
        push.attempt += 1
        push.timer = self._loop.call_later(self._timing.timeout_s, self._on_time_out, key)
        if is_writable(push.wire):
            message = with_attempt(push.envelope, push.payload, push.attempt)
            self._deliver(push.wire, push.opcode, memoryview(message))

    def _on_time_out(self, key: Key) -> None:
        push = self._under_way[key]
        if push.attempt > self._timing.retries:
            self._let_go(key)
            return
        most_s = min(_BACKOFF_FIRST_S * 2 ** (push.attempt - 1), _BACKOFF_MAX_S)
        wait_s = most_s * share(self._seed, *key, push.attempt)
        push.timer = self._loop.call_later(wait_s, self._push, key)

    def _let_go(self, key: Key) -> None:
        push = self._under_way.pop(key, None)
        if push is None:
            return
        self._bytes -= len(push.payload)
        if push.timer is not None:
            push.timer.cancel()


def _number(query: Mapping[str, Sequence[str]], name: str, default: int, least: int, most: int) -> int:
    """The one value of a parameter."""
    given = query.get(name)
    if given is None:
        return default
    if len(given) != 1 or not given[0].isdecimal() or not least <= int(given[0]) <= most:
        raise ValueError(f"{name} is a whole number from {least} to {most}")
    return int(given[0])
