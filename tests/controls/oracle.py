"""The oracle: from a service's wire log, and from nothing else, every counter that squall must have come to.

Brute force on purpose: lists, dictionaries and sets, each figure worked out from its definition. It assumes that a frame
which the service handed to its transport reached the client, which TCP grants where no connection died; and that a message
which a client sent is in the log. Where connections died both hold only for a log that also has the `never` of
simulated networks: a message that left its client and never came in.

What an arrival is, is told by its bytes (`judge_frame`); that none of those taken for good was made up is checked
against the messages in (`forged`). What is owed to whom is `messages`' to find.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Literal

from controls.messages import FOREVER_NS, Account, Asked, Log, Message, is_data, is_join, opcode_of, read
from controls.order import Arrived, gaps, gone_back, overtaken, waits_ns
from controls.wire_log import Record
from oracle.envelope import TEXT, Envelope, looks_like_envelope, parse

__all__ = ["Counts", "Truth", "judge", "judge_frame"]

Fate = Literal["good", "corrupted_body", "corrupted_header", "unexpected"]

CLOSE_NS = 20_000_000


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
    gave_up: int = 0
    acknowledged_late: int = 0
    ack_duplicates: int = 0
    ack_unexpected: int = 0
    acknowledged_lost: int = 0
    duplicate_arrivals: int = 0
    timestamps_judged: int = 0
    timestamps_wrong: int = 0
    causal_pairs: int = 0
    causal_violations: int = 0

    def __add__(self, other: Counts) -> Counts:
        added = {}
        for each in fields(Counts):
            pair = (getattr(self, each.name), getattr(other, each.name))
            added[each.name] = max(pair) if each.name.endswith("_max") else sum(pair)
        return Counts(**added)


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


def judge(records: Iterable[Record], asked: Asked = Asked()) -> Truth:
    """The truth about the one run in a log.

    Raises:
        ValueError: it holds no run, or several; or it is not the log of such a service.
    """
    log = read(list(records), asked)
    truth = Truth(log.run)
    truth.bad_in = sum(
        not (envelope.header_good and envelope.body_good)
        for message in log.messages.values()
        for _, envelope in message.ins
    )
    for place, record in enumerate(log.records):
        if record.what == "out" and is_data(record) and record.connection in log.stream_of:
            take_arrival(truth, log, record, place)
    count_acknowledgements(truth, log)
    for (publisher, receiver), account in sorted(log.accounts.items()):
        count_outcomes(truth, log, publisher, account)
        count_times(truth, publisher, list(account.arrived.values()))
        if account.shows_order:
            count_gaps(truth, log, publisher, account)
            count_order(truth, publisher, list(account.arrived.values()))
        count_causes(truth, log, publisher, receiver)
    return truth


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


# --- what came ---


def take_arrival(truth: Truth, log: Log, record: Record, place: int) -> None:
    """Judge one data frame out, and enter it where it belongs."""
    receiver = log.stream_of[record.connection]
    if is_join(record):
        return
    fate, envelope = judge_frame(record.payload, opcode=opcode_of(record), sent_as=log.sent_as)
    if envelope is None or fate != "good":
        kind, stream = None, receiver
        if envelope is not None and (envelope.stream, envelope.sequence) in log.messages:
            kind, stream = envelope.type, envelope.stream
        counts = truth.cells[kind, stream]
        setattr(counts, fate, getattr(counts, fate) + 1)
    elif envelope.is_ack:
        take_ack(truth, log, record, place, envelope)
    else:
        take_copy(truth, log, record, place, envelope)


def take_copy(truth: Truth, log: Log, record: Record, place: int, envelope: Envelope) -> None:
    """A good copy delivers, or is one more; if it is owed to this receiver."""
    receiver = log.stream_of[record.connection]
    key = (envelope.stream, envelope.sequence)
    if envelope.run != log.run or not log.expects(receiver, key):
        truth.cells[None, receiver].unexpected += 1
        return
    account = log.accounts[envelope.stream, receiver]
    message = account.owed.get(envelope.sequence)
    if message is None:  # published while the receiver's join was pending, or its leave: nobody waits for it
        return
    truth.forged += not any(
        same_message(record.payload, sent.payload, log.sent_as) for sent, _ in message.ins
    )
    counts = truth.cells[envelope.type, envelope.stream]
    is_first = envelope.sequence not in account.arrived
    is_acked_push = log.kind_of(message).acknowledges == "client"
    if is_acked_push:
        count_push(counts, envelope, is_first=is_first)
    if is_first:
        came_again = receiver == envelope.stream and record.connection != message.connections[0]
        counts.recovered += came_again or envelope.attempt > 1
        deliver(truth, log, account, envelope, record, place)
    else:
        counts.duplicated += not is_acked_push


def deliver(truth: Truth, log: Log, account: Account, envelope: Envelope, record: Record, place: int) -> None:
    """Enter the first sign that a message has arrived."""
    account.arrived[envelope.sequence] = Arrived(
        envelope.sequence, record.at_ns, envelope.type, envelope.type_sequence, envelope.intended_ns, place
    )
    counts, asked = truth.cells[envelope.type, envelope.stream], log.asked
    counts.delivered += 1
    if asked.bounds_ns and asked.start_ns is not None:
        response_ns = record.at_ns + asked.transit_ns - asked.start_ns - envelope.intended_ns
        counts.late += response_ns > asked.bounds_ns[envelope.type]
        truth.close_calls += abs(response_ns - asked.bounds_ns[envelope.type]) < CLOSE_NS


def count_push(counts: Counts, envelope: Envelope, *, is_first: bool) -> None:
    """A copy of a message that the client acknowledges, and of which it drops further copies."""
    by_retry = envelope.attempt > 1
    counts.retries_sent += by_retry
    if is_first:
        counts.acknowledged += 1
        counts.acknowledged_first += not by_retry
        counts.retried += by_retry
        counts.retry_acknowledged += by_retry
    else:
        counts.duplicate_arrivals += 1


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


def take_ack(truth: Truth, log: Log, record: Record, place: int, envelope: Envelope) -> None:
    """An acknowledgement of one of the receiver's own messages, or of none."""
    receiver = log.stream_of[record.connection]
    key = (envelope.stream, envelope.sequence)
    if envelope.run != log.run or envelope.stream != receiver:
        truth.cells[None, receiver].unexpected += 1
        return
    if key not in log.messages:
        truth.cells[None, receiver].ack_unexpected += 1
        return
    log.acks[key].append(record)
    message, account = log.messages[key], log.accounts[receiver, receiver]
    if not log.kind_of(message).delivers and envelope.sequence not in account.arrived:
        counts = truth.cells[envelope.type, receiver]
        came_again = record.connection != message.connections[0]
        counts.recovered += came_again or (len(message.ins) > 1 and envelope.attempt != 1)
        deliver(truth, log, account, message.envelope, record, place)


# --- what it comes to ---


def count_acknowledgements(truth: Truth, log: Log) -> None:
    """By message: whether the service acknowledged it, after how many attempts, and how often again."""
    for key, message in log.messages.items():
        if log.kind_of(message).acknowledges != "service":
            continue
        counts = truth.cells[message.envelope.type, key[0]]
        acks, retries = log.acks[key], len(message.ins) - 1
        given_up_ns = give_up_ns(log, message)
        in_time = [each for each in acks if each.at_ns + log.asked.transit_ns < given_up_ns]
        counts.acknowledged += bool(in_time)
        counts.acknowledged_first += bool(in_time) and not retries
        counts.retried += retries > 0
        counts.retries_sent += retries
        counts.retry_acknowledged += bool(in_time) and retries > 0
        counts.gave_up += not in_time and given_up_ns < FOREVER_NS
        counts.acknowledged_late += bool(acks) and not in_time
        counts.ack_duplicates += max(0, len(acks) - 1)


def give_up_ns(log: Log, message: Message) -> int:
    """When a message was given up: at its last attempt's time-out, if its connection was there; else never."""
    record = message.ins[-1][0]
    timed_out_ns = record.at_ns - log.asked.transit_ns + log.asked.timeout_ns
    is_last = len(message.ins) == log.asked.attempts
    # Who leaves as planned has given up what is not acknowledged: it waits for its last attempt's time-out.
    has_left = log.lived.get(record.connection, True)
    was_there = has_left or timed_out_ns <= log.ended_ns[record.connection]
    return timed_out_ns if is_last and was_there else FOREVER_NS


def count_outcomes(truth: Truth, log: Log, publisher: int, account: Account) -> None:
    """What was owed and did not come is lost if its connection lived, or if it was acknowledged; else unknown."""
    for sequence, message in account.owed.items():
        counts = truth.cells[message.envelope.type, publisher]
        counts.sent += 1
        if sequence not in account.arrived:
            is_lost = was_lost(log, account, message)
            counts.lost += is_lost
            counts.unknown += not is_lost
            counts.acknowledged_lost += bool(log.acks.get(message.key))


def was_lost(log: Log, account: Account, message: Message) -> bool:
    """Of a message that did not come: whether its end is known."""
    last = message.connections[-1]
    carriers = (last, account.carried_by.get(message.key[1], last))
    return bool(log.acks.get(message.key)) or all(log.lived.get(each, False) for each in carriers)


def count_gaps(truth: Truth, log: Log, publisher: int, account: Account) -> None:
    """Runs of lost numbers with an arrival behind them; each is booked with its first message."""
    lost = {
        sequence: message.envelope.type
        for sequence, message in account.owed.items()
        if sequence not in account.arrived and was_lost(log, account, message)
    }
    for gap in gaps(lost, list(account.arrived.values())):
        truth.cells[lost[gap.start], publisher].gaps += 1
        for number in gap:
            truth.cells[lost[number], publisher].messages_in_gaps += 1


def count_times(truth: Truth, publisher: int, arrivals: list[Arrived]) -> None:
    """Whether the times in what arrived go back."""
    for arrived in arrivals:
        truth.cells[arrived.type, publisher].timestamps_judged += 1
    for arrived in gone_back(arrivals):
        truth.cells[arrived.type, publisher].timestamps_wrong += 1


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
