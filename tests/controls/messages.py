"""The messages of a run in a wire log: who sent what on which connection, and to whom it is owed.

That follows from the path of the connection (`KINDS`): to the sender itself, or to the others in its room; and in a room
every figure counts (message, member) pairs. Where the service only acknowledges, its acknowledgement stands for the
message: nothing else shows that it arrived, and nothing in which order.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Literal

from controls.order import Arrived
from controls.wire_log import Record
from oracle.envelope import BINARY, TEXT, Envelope, parse

__all__ = [
    "FOREVER_NS",
    "Account",
    "Asked",
    "Key",
    "Log",
    "Message",
    "Stay",
    "is_data",
    "is_join",
    "opcode_of",
    "read",
]

Key = tuple[int, int]
"""A message: its stream and its sequence number."""
Connection = tuple[int, int]

FOREVER_NS = 1 << 62
PLANNED_CLOSE = 1000
"""The code with which squall closes what it closes itself."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a path promises: to whom it delivers, and who acknowledges what comes."""

    delivers_to: Literal["sender", "others"] = "sender"
    acknowledges: Literal["", "service", "client"] = ""
    delivers: bool = True


KINDS = {
    "/ack": Kind(acknowledges="service", delivers=False),
    "/ack/echo": Kind(acknowledges="service"),
    "/push/acked": Kind(acknowledges="client"),
    "/room": Kind(delivers_to="others"),
    "/relay": Kind(delivers_to="others"),
}
"""By path; any other is an echo."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the run was asked for, as far as figures depend on it.

    Args:
        bounds_ns: by type, the greatest response time that is not late.
        start_ns: the run's start on the log's clock. Without, it is told from the log: no message came in before it
            was intended, and one at least at once.
        transit_ns: how long a frame is on its way between client and service.
        attempts: how often a message is sent at most until it is acknowledged.
        timeout_ns: how long the last attempt is waited for.
    """

    bounds_ns: tuple[int, ...] = ()
    start_ns: int | None = None
    transit_ns: int = 0
    attempts: int = 0
    timeout_ns: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """A message: each time that it came in, the first one first."""

    key: Key
    ins: list[tuple[Record, Envelope]]

    @property
    def envelope(self) -> Envelope:
        return self.ins[0][1]

    @property
    def connections(self) -> list[Connection]:
        """The connections that it was sent on, the last one last."""
        return [record.connection for record, _ in self.ins]


@dataclass
class Account:
    """What one stream owes one receiver, and what came of it."""

    owed: dict[int, Message] = field(default_factory=dict)
    carried_by: dict[int, Connection] = field(default_factory=dict)
    """In a room, the receiver's connection when a message was published."""
    shows_order: bool = True
    """Whether what comes is the messages themselves."""
    arrived: dict[int, Arrived] = field(default_factory=dict)
    """The first good copies, in the order in which they came."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A member of a room, on one connection: from when its client knows that it has joined until it knows of its end."""

    connection: Connection
    stream: int
    room: str
    from_ns: int
    until_ns: int


@dataclass
class Log:
    """A log with its messages found: what the figures are worked out from."""

    records: list[Record]
    sent_as: int
    run: int
    kinds: dict[Connection, Kind] = field(default_factory=dict)
    messages: dict[Key, Message] = field(default_factory=dict)
    stream_of: dict[Connection, int] = field(default_factory=dict)
    lived: dict[Connection, bool] = field(default_factory=dict)
    ended_ns: dict[Connection, int] = field(default_factory=dict)
    """When the client knew of a connection's end."""
    asked: Asked = Asked()
    stays: list[Stay] = field(default_factory=list)
    rooms: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By stream, the rooms that it was in."""
    accounts: dict[tuple[int, int], Account] = field(default_factory=lambda: defaultdict(Account))
    """By publisher and receiver."""
    acks: dict[Key, list[Record]] = field(default_factory=lambda: defaultdict(list))

    def kind_of(self, message: Message) -> Kind:
        return self.kinds[message.connections[0]]

    def expects(self, receiver: int, key: Key) -> bool:
        """Whether a receiver may get a message: its own, or another's of its room."""
        message = self.messages.get(key)
        if message is None:
            return False
        kind = self.kind_of(message)
        if kind.delivers_to == "others":
            return key[0] != receiver and bool(self.rooms[key[0]] & self.rooms[receiver])
        return kind.delivers and key[0] == receiver


def opcode_of(record: Record) -> int:
    return {"text": TEXT, "binary": BINARY}[record.op]


def is_data(record: Record) -> bool:
    return record.op in {"text", "binary"}


def read(records: list[Record], asked: Asked) -> Log:
    """Find the messages of the run, who sent on which connection, how each ended, and what is owed.

    Raises:
        ValueError: it is not the log of one run in one form.
    """
    came_in = [each for each in records if each.what in {"in", "never"} and is_data(each)]
    found = [(each, parse(opcode_of(each), each.payload)) for each in came_in]
    mine = [(record, envelope) for record, envelope in found if envelope is not None and not envelope.is_ack]
    runs = {envelope.run for _, envelope in mine}
    opcodes = {opcode_of(record) for record, _ in mine}
    if len(runs) != 1 or len(opcodes) != 1:
        raise ValueError(
            f"not the log of one run in one form: runs {sorted(runs)}, opcodes {sorted(opcodes)}"
        )
    log = Log(records, opcodes.pop(), runs.pop())
    ins: dict[Key, list[tuple[Record, Envelope]]] = defaultdict(list)
    for record, envelope in mine:
        ins[envelope.stream, envelope.sequence].append((record, envelope))
        if log.stream_of.setdefault(record.connection, envelope.stream) != envelope.stream:
            raise ValueError(f"two streams on connection {record.connection}")
    log.messages = {key: Message(key, copies) for key, copies in sorted(ins.items())}
    for record in records:
        if record.what == "open":
            log.kinds[record.connection] = KINDS.get(record.path, Kind())
        elif record.what == "closed":
            log.lived[record.connection] = record.code == PLANNED_CLOSE
            log.ended_ns[record.connection] = record.at_ns + asked.transit_ns
    log.asked = asked if asked.start_ns is not None else replace(asked, start_ns=started(log))
    log.stays = stays(log)
    for stay in log.stays:
        log.rooms[stay.stream].add(stay.room)
    owe(log)
    return log


def started(log: Log) -> int:
    """The latest time at which the run can have begun."""
    firsts = (message.ins[0] for message in log.messages.values())
    return min(record.at_ns - envelope.intended_ns for record, envelope in firsts if record.what == "in")


def stays(log: Log) -> list[Stay]:
    """Who was in which room from when to when. How a planned end begins is not in the log: it has none here."""
    return [
        Stay(
            record.connection,
            log.stream_of[record.connection],
            json.loads(record.payload)["joined"],
            record.at_ns + log.asked.transit_ns,
            FOREVER_NS if log.lived.get(record.connection, True) else log.ended_ns[record.connection],
        )
        for record in log.records
        if record.what == "out" and is_join(record) and record.connection in log.stream_of
    ]


def is_join(record: Record) -> bool:
    """Whether it answers a join."""
    return record.op == "text" and record.payload.startswith(b'{"joined"')


def owe(log: Log) -> None:
    """Open the accounts: each message is owed to whom its path says."""
    for (stream, sequence), message in log.messages.items():
        kind = log.kind_of(message)
        if kind.delivers_to == "sender":
            log.accounts[stream, stream].owed[sequence] = message
            log.accounts[stream, stream].shows_order = kind.delivers
        elif kind.delivers_to == "others":
            own = next(stay for stay in log.stays if stay.connection == message.connections[0])
            sent_ns = message.ins[0][0].at_ns - log.asked.transit_ns
            for stay in log.stays:
                is_other = stay.stream != stream and stay.room == own.room
                if is_other and stay.from_ns <= sent_ns < stay.until_ns:
                    account = log.accounts[stream, stay.stream]
                    account.owed[sequence] = message
                    account.carried_by[sequence] = stay.connection
