"""The oracle: from a service's wire log, and from nothing else, every counter that squall must have come to.

Brute force on purpose: lists, dictionaries and sets, each figure worked out from its definition. It assumes that a frame
which the service handed to its transport reached the client, which TCP grants where no connection died; and that a message
which a client sent is in the log. Where connections died both hold only for a log that also has the `never` of
simulated networks: a message that left its client and never came in.

What an arrival is, is told by its bytes (`judge_frame`); that none of those taken for good was made up is checked
against the messages in (`forged`). What is owed to whom follows from the path of the connection (`KINDS`): to the sender
itself, to nobody (an acknowledgement is all there is), or to the others in its room; and in a room every figure counts
(message, member) pairs.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Literal

from controls.order import Arrived, gaps, overtaken, waits_ns
from controls.wire_log import Record
from oracle.envelope import BINARY, TEXT, Envelope, looks_like_envelope, parse

__all__ = ["Counts", "Truth", "judge", "judge_frame"]

Key = tuple[int, int]
"""A message: its stream and its sequence number."""
Connection = tuple[int, int]
Fate = Literal["good", "corrupted_body", "corrupted_header", "unexpected"]

CLOSE_NS = 20_000_000
PLANNED_CLOSE = 1000
"""The code with which squall closes what it closes itself."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a path promises: to whom it delivers, and whether it acknowledges."""

    delivers_to: Literal["sender", "others", "nobody"] = "sender"
    acknowledges: bool = False


KINDS = {
    "/ack": Kind(delivers_to="nobody", acknowledges=True),
    "/ack/echo": Kind(acknowledges=True),
    "/room": Kind(delivers_to="others"),
    "/relay": Kind(delivers_to="others"),
}
"""By path; any other is an echo."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What tells a message's response time: the run's start, how long a frame out takes to its client, each type's bound.

    Without a start it is told from the log: no message came in before it was intended, and one at least at once.
    """

    bounds_ns: tuple[int, ...]
    start_ns: int | None = None
    transit_ns: int = 0


@dataclass
class Counts:
    """Figures of a run, a type or a stream. Of a type, what belongs to no message stays 0.

    They bear the names that squall has for them, so that they can be compared one by one; a gap is booked with its first
    message, all else with the message that it is about.
    """

    sent: int = 0
    delivered: int = 0
    lost: int = 0
    unknown: int = 0
    duplicated: int = 0
    recovered: int = 0
    late: int = 0
    reordered: int = 0
    reordered_in_type: int = 0
    reorder_extent_sum: int = 0
    reorder_extent_max: int = 0
    reorder_late_ns_sum: int = 0
    reorder_late_ns_max: int = 0
    order_waited: int = 0
    order_wait_ns_sum: int = 0
    gaps: int = 0
    messages_in_gaps: int = 0
    corrupted_body: int = 0
    corrupted_header: int = 0
    unexpected: int = 0
    acknowledged: int = 0
    acknowledged_first: int = 0
    retried: int = 0
    retry_acknowledged: int = 0
    retries_sent: int = 0
    ack_duplicates: int = 0
    ack_unexpected: int = 0
    acknowledged_lost: int = 0
    causal_pairs: int = 0
    causal_violations: int = 0

    def __add__(self, other: Counts) -> Counts:
        added = {}
        for each in fields(Counts):
            pair = (getattr(self, each.name), getattr(other, each.name))
            added[each.name] = max(pair) if each.name.endswith("_max") else sum(pair)
        return Counts(**added)


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
    arrived: dict[int, Arrived] = field(default_factory=dict)
    """The first good copies, in the order in which they came."""


@dataclass
class Truth:
    """What happened to one run, as the log shows it."""

    run: int
    cells: dict[tuple[int | None, int], Counts] = field(default_factory=lambda: defaultdict(Counts))
    """By type (None: of no message) and stream: that of the message, else that of the receiver."""
    forged: int = 0
    """Frames out that are taken for good copies, and are those of no message in: the log contradicts itself."""
    bad_in: int = 0
    """Messages in that are not whole: a fault of the client's encoder."""
    close_calls: int = 0
    """Messages so near to their bound that a start told from the log does not decide whether they were late."""

    @property
    def total(self) -> Counts:
        return sum(self.cells.values(), Counts())

    def of_type(self, index: int) -> Counts:
        return sum((each for (kind, _), each in self.cells.items() if kind == index), Counts())

    def of_stream(self, number: int) -> Counts:
        return sum((each for (_, stream), each in self.cells.items() if stream == number), Counts())


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
    clock: Clock | None = None
    rooms: dict[int, str] = field(default_factory=dict)
    """By stream, the room that it joined."""
    accounts: dict[tuple[int, int], Account] = field(default_factory=lambda: defaultdict(Account))
    """By publisher and receiver."""
    acks: dict[Key, list[Record]] = field(default_factory=lambda: defaultdict(list))

    def kind_of(self, message: Message) -> Kind:
        return self.kinds[message.connections[0]]


def judge(records: Iterable[Record], clock: Clock | None = None) -> Truth:
    """The truth about the one run in a log; `late` needs a clock.

    Raises:
        ValueError: it holds no run, or several; or it is not the log of such a service.
    """
    log = read(list(records))
    log.clock = None if clock is None else started(clock, log)
    truth = Truth(log.run)
    truth.bad_in = sum(
        not (envelope.header_good and envelope.body_good)
        for message in log.messages.values()
        for _, envelope in message.ins
    )
    owe(log)
    for place, record in enumerate(log.records):
        if record.what == "out" and is_data(record) and record.connection in log.stream_of:
            take_arrival(truth, log, record, place)
    count_acknowledgements(truth, log)
    for (publisher, receiver), account in sorted(log.accounts.items()):
        count_outcomes(truth, log, publisher, account)
        count_order(truth, publisher, list(account.arrived.values()))
        count_causes(truth, log, publisher, receiver)
    return truth


# --- finding the messages ---


def judge_frame(payload: bytes, *, opcode: int, sent_as: int) -> tuple[Fate, Envelope | None]:
    """What an arrival is: `unexpected` (no envelope), `corrupted_header`, `corrupted_body`, or `good`.

    Args:
        payload: the frame's.
        opcode: what it came as.
        sent_as: what this run sends.
    """
    if not looks_like_envelope(sent_as, payload):
        return "unexpected", None
    envelope = parse(sent_as, payload)
    is_ours = envelope is not None and envelope.version == 1 and (envelope.flags & 1 == (sent_as == TEXT))
    if envelope is None or not envelope.header_good or not is_ours or payload[:4] != b"sqEl":
        return "corrupted_header", None
    if opcode != sent_as or not envelope.body_good:
        return "corrupted_body", envelope
    return "good", envelope


def opcode_of(record: Record) -> int:
    return {"text": TEXT, "binary": BINARY}[record.op]


def is_data(record: Record) -> bool:
    return record.op in {"text", "binary"}


def read(records: list[Record]) -> Log:
    """Find the messages of the run, who sent on which connection, and how each connection ended."""
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
        elif record.what == "out" and record.op == "text" and record.payload.startswith(b'{"joined"'):
            log.rooms[log.stream_of[record.connection]] = json.loads(record.payload)["joined"]
    return log


def started(clock: Clock, log: Log) -> Clock:
    """The clock with the run's start."""
    if clock.start_ns is not None:
        return clock
    ins = (message.ins[0] for message in log.messages.values())
    return Clock(
        clock.bounds_ns,
        min(record.at_ns - envelope.intended_ns for record, envelope in ins if record.what == "in"),
        clock.transit_ns,
    )


def owe(log: Log) -> None:
    """Open the accounts: each message is owed to whom its path says."""
    for (stream, sequence), message in log.messages.items():
        receivers = {
            "sender": [stream],
            "nobody": [],
            "others": [
                other for other, room in log.rooms.items() if room == log.rooms[stream] and other != stream
            ],
        }
        for receiver in receivers[log.kind_of(message).delivers_to]:
            log.accounts[stream, receiver].owed[sequence] = message


# --- what came ---


def take_arrival(truth: Truth, log: Log, record: Record, place: int) -> None:
    """Judge one data frame out, and enter it where it belongs."""
    receiver = log.stream_of[record.connection]
    if record.op == "text" and record.payload.startswith(b'{"joined"'):
        return
    fate, envelope = judge_frame(record.payload, opcode=opcode_of(record), sent_as=log.sent_as)
    if envelope is None or fate != "good":
        kind, stream = None, receiver
        if envelope is not None and (envelope.stream, envelope.sequence) in log.messages:
            kind, stream = envelope.type, envelope.stream
        counts = truth.cells[kind, stream]
        setattr(counts, fate, getattr(counts, fate) + 1)
    elif envelope.is_ack:
        take_ack(truth, log, record, envelope, receiver)
    else:
        take_copy(truth, log, record, place, envelope)


def take_copy(truth: Truth, log: Log, record: Record, place: int, envelope: Envelope) -> None:
    """A good copy delivers, or is one more; if it is owed to this receiver."""
    receiver = log.stream_of[record.connection]
    account = log.accounts.get((envelope.stream, receiver))
    message = None if account is None else account.owed.get(envelope.sequence)
    if account is None or message is None or envelope.run != log.run:
        truth.cells[None, receiver].unexpected += 1
        return
    truth.forged += not any(
        same_message(record.payload, sent.payload, log.sent_as) for sent, _ in message.ins
    )
    counts = truth.cells[envelope.type, envelope.stream]
    if envelope.sequence in account.arrived:
        counts.duplicated += 1
        return
    account.arrived[envelope.sequence] = Arrived(
        envelope.sequence, record.at_ns, envelope.type, envelope.type_sequence, place
    )
    counts.delivered += 1
    came_again = (
        log.stream_of[record.connection] == envelope.stream and record.connection != message.connections[0]
    )
    counts.recovered += came_again or envelope.attempt > 1
    if log.clock is not None and log.clock.start_ns is not None:
        response_ns = record.at_ns + log.clock.transit_ns - log.clock.start_ns - envelope.intended_ns
        bound_ns = log.clock.bounds_ns[envelope.type]
        counts.late += response_ns > bound_ns
        truth.close_calls += abs(response_ns - bound_ns) < CLOSE_NS


def same_message(out: bytes, sent: bytes, opcode: int) -> bool:
    """Whether two whole messages are the same but for the attempt."""
    if out == sent:
        return True
    one, other = parse(opcode, out), parse(opcode, sent)
    size = 64 if opcode == TEXT else 48
    if one is None or other is None or out[size:] != sent[size:]:
        return False
    names = (each.name for each in fields(Envelope) if each.name != "attempt")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def take_ack(truth: Truth, log: Log, record: Record, envelope: Envelope, receiver: int) -> None:
    """An acknowledgement of one of the receiver's own messages, or of none."""
    key = (envelope.stream, envelope.sequence)
    if envelope.run != log.run or envelope.stream != receiver or key not in log.messages:
        truth.cells[None, receiver].ack_unexpected += 1
    else:
        log.acks[key].append(record)


# --- what it comes to ---


def count_acknowledgements(truth: Truth, log: Log) -> None:
    """By message: whether it was acknowledged, after how many attempts, and how often again."""
    for key, message in log.messages.items():
        kind = log.kind_of(message)
        counts = truth.cells[message.envelope.type, key[0]]
        if not kind.acknowledges:
            continue
        acks, retries = len(log.acks[key]), len(message.ins) - 1
        counts.acknowledged += acks > 0
        counts.acknowledged_first += acks > 0 and not retries
        counts.retried += retries > 0
        counts.retries_sent += retries
        counts.retry_acknowledged += retries > 0 and acks > 0
        counts.ack_duplicates += max(0, acks - 1)
        if kind.delivers_to == "nobody":  # the acknowledgement is the only evidence there is
            counts.sent += 1
            counts.delivered += acks > 0
            counts.recovered += retries > 0 and acks > 0
            counts.lost += not acks and log.lived.get(message.connections[-1], False)
            counts.unknown += not acks and not log.lived.get(message.connections[-1], False)


def count_outcomes(truth: Truth, log: Log, publisher: int, account: Account) -> None:
    """What was owed and did not come is lost if its connection lived, or if it was acknowledged; else unknown."""
    lost: dict[int, int] = {}
    for sequence, message in account.owed.items():
        counts = truth.cells[message.envelope.type, publisher]
        counts.sent += 1
        if sequence in account.arrived:
            continue
        acknowledged = bool(log.acks.get(message.key))
        if acknowledged or log.lived.get(message.connections[-1], False):
            counts.lost += 1
            counts.acknowledged_lost += acknowledged
            lost[sequence] = message.envelope.type
        else:
            counts.unknown += 1
    for gap in gaps(lost, list(account.arrived.values())):
        truth.cells[lost[gap.start], publisher].gaps += 1
        for number in gap:
            truth.cells[lost[number], publisher].messages_in_gaps += 1


def count_order(truth: Truth, publisher: int, arrivals: list[Arrived]) -> None:
    """Reordering over the whole stream and within each type, and what an in-order receiver would wait."""
    for each in overtaken(arrivals):
        counts = truth.cells[each.arrived.type, publisher]
        counts.reordered += 1
        counts.reorder_extent_sum += each.extent
        counts.reorder_extent_max = max(counts.reorder_extent_max, each.extent)
        counts.reorder_late_ns_sum += each.late_ns
        counts.reorder_late_ns_max = max(counts.reorder_late_ns_max, each.late_ns)
    for kind in Counter(each.type for each in arrivals):
        own = [Arrived(each.type_sequence, each.at_ns, kind, 0) for each in arrivals if each.type == kind]
        truth.cells[kind, publisher].reordered_in_type += len(overtaken(own))
    for arrived, wait_ns in waits_ns(arrivals):
        counts = truth.cells[arrived.type, publisher]
        counts.order_waited += 1
        counts.order_wait_ns_sum += wait_ns


def count_causes(truth: Truth, log: Log, publisher: int, receiver: int) -> None:
    """Of the effects in an account: those whose cause, another's message, came to this receiver too, and which first."""
    came = list(log.accounts[publisher, receiver].arrived)
    for sequence in came:
        effect = log.messages[publisher, sequence].envelope
        cause = effect.cause
        if cause is None or cause[0] in {publisher, receiver}:
            continue
        of_cause = log.accounts.get((cause[0], receiver))
        if of_cause is None or cause[1] not in of_cause.arrived:
            continue
        counts = truth.cells[effect.type, publisher]
        counts.causal_pairs += 1
        place = log.accounts[publisher, receiver].arrived[sequence].place
        counts.causal_violations += of_cause.arrived[cause[1]].place > place
