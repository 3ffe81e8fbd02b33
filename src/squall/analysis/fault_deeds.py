"""What faults did to which message, gathered from the proxies' logs and from the sessions that squall itself struck.

An *attempt* of a message is destroyed where one of its frames (the message, or what answers it) was thrown away, spoilt,
or held and never let go. A message whose every attempt was destroyed cannot be delivered: a fault explains that it is
missing. Where only the service sends again, one destroyed on its way up has no further attempt; where it delivers each
message once and acknowledges it beside that, a copy destroyed on its way down has none. A stream whose connection a fault
ended may have lost what was sent until then: not what was sent over a later one. Where a message is owed to several
receivers, each copy of it is one that can be missing: all of them, where it did not come as far as the service. Messages
without squall's envelope do not say which they are: what was done to those is only counted.

Bounded: past `MESSAGES_MAX` messages no more are told apart, and `is_whole` is false. Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from squall.record.fault_log import Deed, FaultEntry

__all__ = ["MESSAGES_MAX", "NOTICED_NS", "ONCE", "FaultDeeds", "Message", "Sending", "Sent", "Unnamed"]

MESSAGES_MAX: Final = 2_000_000

_DESTROYS: Final = frozenset({"dropped", "discarded", "truncated", "corrupted"})
_LETS_GO: Final = frozenset({"delayed", "reordered"})
_ENDS: Final = frozenset({"reset", "half_closed", "limited", "closed"})
_SPOILS: Final = frozenset({"truncated", "corrupted"})

Message = tuple[int, int]
"""A stream and a number in it."""
Connection = tuple[int, int]
"""A proxy's log and a number in it."""
Sent = tuple[int, int]
"""When the first and the last of some messages were sent, in nanoseconds of the run."""
NOTICED_NS: Final = 1_000_000_000
"""What is sent until this after the end of a connection may still be sent over that: who sends learns of it later."""
_ENDS_MAX: Final = 64
"""Ends of connections that are kept of a stream; past that the last one stands for those before it."""
_TO_ALL: Final[Connection] = (-1, 0)
"""In place of the connection of one receiver: that of the sender, from which it goes to all."""


_UP: Final = 1
"""The bit of a message that was destroyed before it came as far as the service; those above are its attempts'."""
_DOWN: Final = 1 << 16
"""The bit of a message of which a copy was destroyed on its way to the receiver."""
_ATTEMPTS: Final = _DOWN - 1 - _UP


@dataclass(frozen=True)
class Sending:
    """How often a message is sent at most, and who knows when that is over.

    `by_service`: the service sends it again. `delivered_once`: the service acknowledges each attempt, and delivers the
    message itself to its receiver with the first that comes; whether that arrived makes nobody send it again.
    `is_named`: the proxies can read which message it is.
    """

    attempts: int = 1
    by_service: bool = False
    delivered_once: bool = False
    is_named: bool = True

    def is_over(self, destroyed: int) -> bool:
        """Whether nothing of it can arrive any more, given the bits of what was destroyed."""
        return (
            (destroyed & _ATTEMPTS).bit_count() >= self.attempts
            or bool(self.by_service and destroyed & _UP)
            or bool(self.delivered_once and destroyed & _DOWN)
        )


ONCE: Final = Sending()
"""As a message without retries is sent."""


class Unnamed:
    """How often what was done to messages that do not say which they are."""

    def __init__(self) -> None:
        self.destroyed = 0
        self.delayed = 0
        self.copies = 0
        self.spoilt = 0
        self._held: set[tuple[Connection, str, int | None]] = set()

    def add(self, entry: FaultEntry, connection: Connection) -> None:
        """Take what was done to one, on its connection."""
        frame = (connection, entry.direction, entry.frame)
        if entry.what == "held":
            self._held.add(frame)
            return
        self._held.discard(frame)
        self.destroyed += entry.what in _DESTROYS
        self.delayed += entry.what in _LETS_GO
        self.copies += entry.what == "duplicated"
        self.spoilt += entry.what in _SPOILS

    def settle(self) -> None:
        """The run is over: what is still held came to nothing."""
        self.destroyed += len(self._held)
        self._held.clear()


class FaultDeeds:
    """The deeds of a run's faults.

    Args:
        receivers: says to how many the messages of a stream are owed.
        start_ns: when the run began, by the clock of the logs.
    """

    def __init__(self, receivers: Callable[[int], int] = lambda _stream: 1, start_ns: int = 0) -> None:
        self.by_fault: dict[str, Counter[str]] = defaultdict(Counter)
        """By the fault's name, how often it did what."""
        self.ended: dict[int, list[tuple[int, str]]] = defaultdict(list)
        """By stream, when in the run a fault ended its connection (ns), and its name."""
        self.damaged: dict[int, str] = {}
        """The streams on whose connection a fault flipped a bit, nobody knows of which message; -1: nor on whose."""
        self.unnamed = Unnamed()
        """What was done to messages that do not say which they are."""
        self.slowed = ""
        """A fault that slowed connections or sessions, without a trace of which messages; "" where none did."""
        self.delayed: dict[Message, str] = {}
        """The messages that a fault held and let go, with its name."""
        self.delayed_copies = 0
        """How many copies of those there are, by the receivers that each was on its way to."""
        self.copies = 0
        """Second copies that were made of messages."""
        self.spoilt = 0
        """Messages that were spoilt and went on."""
        self.ends: Counter[tuple[Deed, str]] = Counter()
        """By what ended them first, and in which direction, how many connections the proxies ended."""
        self.damaged_connections: set[Connection] = set()
        """Those on which something was spoilt, which one of the sides may have ended for it."""
        self.is_whole = True
        self._receivers = receivers
        self._start_ns = start_ns
        self._destroyed: dict[Message, tuple[int, str]] = {}
        self._copies_delayed: dict[Message, set[Connection]] = {}
        self._copies_destroyed: dict[Message, set[Connection]] = defaultdict(set)
        self._ended_connections: set[Connection] = set()
        self._cut = 0
        self._held: dict[tuple[int, int, int, Connection, str, bool], str] = {}

    def add(self, entry: FaultEntry, log: int = 0) -> None:
        """Take one entry of a log, of that number. What happened without a fault's doing explains nothing."""
        if not entry.fault:
            return
        self.by_fault[entry.fault][entry.what] += 1
        connection = (log, entry.connection)
        if entry.what in _SPOILS and self._has_room(len(self.damaged_connections)):
            self.damaged_connections.add(connection)
        if entry.what in _ENDS:
            if connection not in self._ended_connections and self._has_room(len(self._ended_connections)):
                self._ended_connections.add(connection)
                self.ends[entry.what, entry.direction] += 1
            self._end(entry)
        elif entry.stream is not None and entry.sequence is not None:
            self._add_message(entry, (entry.stream, entry.sequence), connection)
        elif entry.size_bytes is not None:
            self.unnamed.add(entry, connection)
        elif entry.what == "corrupted":
            self.spoilt += 1
            self.damaged.setdefault(-1 if entry.stream is None else entry.stream, entry.fault)
            self._end(entry)  # in a header it breaks the protocol

    def _end(self, entry: FaultEntry) -> None:
        """Note when the connection of a stream was ended."""
        if entry.stream is None:
            return
        ends, end = self.ended[entry.stream], (entry.at_ns - self._start_ns, entry.fault)
        if len(ends) < _ENDS_MAX:
            ends.append(end)
        else:
            ends[-1] = max(ends[-1], end)

    def _add_message(self, entry: FaultEntry, message: Message, connection: Connection) -> None:
        attempt, is_ack = entry.attempt or 1, bool(entry.is_ack)
        held = (*message, attempt, connection, entry.direction, is_ack)
        if entry.what == "held":
            self._held[held] = entry.fault
            return
        self._held.pop(held, None)
        if entry.what in _DESTROYS:
            self._destroy(message, connection, entry.fault, _bits(attempt, entry.direction, is_ack))
        elif entry.what in _LETS_GO and self._has_room(len(self.delayed)):
            self._delay(message, connection, entry.fault, is_up=entry.direction == "up")
        if not is_ack:
            copies = self._receivers(message[0]) if entry.direction == "up" else 1
            self.copies += copies * (entry.what == "duplicated")
            self.spoilt += copies * (entry.what in _SPOILS)

    def _delay(self, message: Message, connection: Connection, fault: str, *, is_up: bool) -> None:
        """Note that it was held and let go: on its way up, for all of its receivers."""
        receivers = self._receivers(message[0])
        if receivers == 1:
            self.delayed_copies += message not in self.delayed
        else:
            late = self._copies_delayed.setdefault(message, set())
            before = receivers if _TO_ALL in late else len(late)
            late.add(_TO_ALL if is_up else connection)
            self.delayed_copies += (receivers if _TO_ALL in late else len(late)) - before
        self.delayed.setdefault(message, fault)

    def _destroy(self, message: Message, connection: Connection, fault: str, bits: int) -> None:
        """Note what was destroyed of a message."""
        if not bits & _UP and self._receivers(message[0]) > 1:
            self._copies_destroyed[message].add(connection)
        known = self._destroyed.get(message)
        if known is not None:
            self._destroyed[message] = (known[0] | bits, known[1])
        elif self._has_room(len(self._destroyed)):
            self._destroyed[message] = (bits, fault)

    def _has_room(self, kept: int) -> bool:
        self.is_whole &= kept < MESSAGES_MAX
        return kept < MESSAGES_MAX

    def struck(self, fault: str, sessions: int) -> None:
        """A client-side fault struck so many sessions."""
        self.by_fault[fault]["struck"] += sessions

    def cut(self, fault: str, streams: Mapping[int, int], sessions: int) -> None:
        """A client-side fault dropped connections: of these streams, when in the run (ns), and so many in all."""
        self.struck(fault, sessions)
        self._cut += sessions
        for stream, at_ns in streams.items():
            self.ended[stream].append((at_ns, fault))

    def slows(self, fault: str) -> None:
        """A fault was on that makes messages late without saying which."""
        self.slowed = self.slowed or fault

    def settle(self) -> None:
        """The run is over: what is still held came to nothing."""
        for (stream, sequence, attempt, connection, direction, is_ack), fault in self._held.items():
            self._destroy((stream, sequence), connection, fault, _bits(attempt, direction, is_ack))
        self._held.clear()
        self.unnamed.settle()

    @property
    def endings(self) -> int:
        """How many connections faults ended."""
        return len(self._ended_connections) + self._cut

    def has_struck(self, stream: int, *, is_named: bool) -> bool:
        """Whether a fault ended or damaged a connection of a stream; where nobody knows whose, that of any."""
        if not is_named:
            return bool(self.endings or self.damaged)
        return stream in self.ended or stream in self.damaged

    def ender(self, streams: Iterable[int], sent: Sent | None) -> tuple[str | None, bool]:
        """The fault that took along what was sent on one of these streams, and whether any may have.

        What was sent later than a fault ended a connection went over another. `sent` None: when is not known.
        """
        ends = sorted(end for stream in streams for end in self.ended.get(stream, ()))
        if sent is None or not ends:
            return None, bool(ends)
        behind = [fault for at_ns, fault in ends if sent[1] <= at_ns + NOTICED_NS]
        return (behind[0], True) if behind else (None, sent[0] <= ends[-1][0] + NOTICED_NS)

    @property
    def touched(self) -> int:
        """Distinct messages of which an attempt was destroyed."""
        return len(self._destroyed)

    def delayer(self, message: Message) -> str | None:
        """The fault that held a message for a time, or destroyed an attempt of it, so that another had to bring it."""
        found = self._destroyed.get(message)
        return self.delayed.get(message) or (None if found is None else found[1])

    def destroyer(self, message: Message, sending: Sending) -> str | None:
        """The fault that destroyed all attempts of a message; None where not all were."""
        found = self._destroyed.get(message)
        return found[1] if found is not None and sending.is_over(found[0]) else None

    def destroyed(self, sending_of: Callable[[int], Sending]) -> Iterator[tuple[Message, str, int]]:
        """Each message of which all attempts were destroyed, the fault that did it first, and to how many it is owed.

        `sending_of` says how the messages of a stream are sent.
        """
        for message, (bits, fault) in self._destroyed.items():
            if sending_of(message[0]).is_over(bits):
                receivers = self._receivers(message[0])
                if receivers > 1 and not bits & _UP:
                    receivers = len(self._copies_destroyed[message])
                yield message, fault, receivers


def _bits(attempt: int, direction: str, is_ack: bool) -> int:
    """What is destroyed with a frame."""
    if direction == "up":
        return 1 << attempt | (0 if is_ack else _UP)
    return 1 << attempt | (0 if is_ack else _DOWN)
