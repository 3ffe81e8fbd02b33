"""The naive reader: from the log of the echo server it counts what a client must have seen.

It is brute force on purpose: lists, dictionaries and sets, no window, no incremental state. It assumes that
the frames out reached the client, all of them and in order, which TCP grants where there was no reset.

The truth comes from the log and not from checksums: a message in is genuine. A frame out is one of

good copy         equals, in bytes and opcode, a message in, and went out on a connection of its stream
corrupted_header  still looks like an envelope, and differs from its source within the envelope
corrupted_body    still looks like an envelope, and differs behind it only: in bytes, length or opcode
unexpected        looks like no envelope, or is a good copy on a connection of another stream or run

Looks like an envelope: has the smallest size that a message of the form sent has (64 bytes where text was
sent, else 48), and at most one wrong byte of magic.

From the good copies, by (stream, sequence): the first one delivers, each further one is a duplicate.
Reordered is RFC 4737, section 3: a first copy whose sequence number is below the next expected one, which is
the highest seen so far plus one. A message received and never delivered is lost if the client closed its
connection by handshake, else unknown. What a client sent and the server never read is in no log: a client may
have more unknown than stands here.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from oracle.envelope import Envelope, header_size, looks_like_envelope, parse
from oracle.wire_log import EVENT, IN, OUT, Record, read_log

__all__ = ["Counts", "Truth", "judge", "read"]

Key = tuple[int, int]
"""A message: its stream and its sequence number."""


@dataclass
class Counts:
    """Figures of a run, a type or a stream.

    Of a type: frames with a bad header and unexpected frames belong to no type and stay 0.
    Of a stream: they count for the stream of the connection that they arrived on.
    """

    received: int = 0
    good_copies: int = 0
    delivered: int = 0
    lost: int = 0
    unknown: int = 0
    duplicated: int = 0
    reordered: int = 0
    reordered_within_type: int = 0
    """The same rule over the sequence within the type."""
    corrupted_header: int = 0
    corrupted_body: int = 0
    unexpected: int = 0


@dataclass
class Truth:
    """What happened to one run, as the log of its server shows it."""

    run: int
    total: Counts = field(default_factory=Counts)
    by_type: dict[int, Counts] = field(default_factory=dict)
    by_stream: dict[int, Counts] = field(default_factory=dict)
    connections_ended: dict[str, int] = field(default_factory=dict)
    """Connections with a message of this run, by how they ended (``open``: the log shows no end)."""
    bad_checksums_in: int = 0
    """Messages in that contradict their own checksums: a fault of the client's encoder."""

    def of(self, *, message_type: int | None, stream: int) -> list[Counts]:
        """The counts that something with this type and stream adds to."""
        counts = [self.total, self.by_stream.setdefault(stream, Counts())]
        if message_type is not None:
            counts.append(self.by_type.setdefault(message_type, Counts()))
        return counts


@dataclass(frozen=True)
class Message:
    """A message in with its envelope."""

    record: Record
    envelope: Envelope

    @property
    def key(self) -> Key:
        return self.envelope.stream, self.envelope.sequence


def read(path: Path, *, run: int | None = None) -> Truth:
    """Judge one run of a log file; ``run`` may be left out where the log holds one only.

    Raises:
        ValueError: the file is no log, or holds no run or several and none was named.
    """
    return judge(read_log(path), run=run)


def judge(records: Iterable[Record], *, run: int | None = None) -> Truth:
    """Judge one run of a list of records; ``run`` may be left out where it holds one only."""
    log = list(records)
    messages = find_messages(log)
    run = choose_run([message.envelope.run for message in messages.values()], run)
    own = [message for message in messages.values() if message.envelope.run == run]
    stream_of = {message.record.connection: message.envelope.stream for message in own}
    for message in own:
        if stream_of[message.record.connection] != message.envelope.stream:
            raise ValueError("two streams on one connection: not a log of an echo run")

    truth = Truth(run)
    for message in own:
        envelope = message.envelope
        truth.bad_checksums_in += not (envelope.header_good and envelope.body_good)
        for counts in truth.of(message_type=envelope.type, stream=envelope.stream):
            counts.received += 1
    delivered = count_arrivals(truth, log, messages, stream_of)
    endings = {record.connection: record.details["how"] for record in log if is_close(record)}
    truth.connections_ended = dict(Counter(endings.get(connection, "open") for connection in stream_of))
    count_missing(truth, own, set(delivered), endings)
    count_reordered(truth, delivered)
    return truth


def find_messages(log: list[Record]) -> dict[int, Message]:
    """All messages in that have an envelope, by their index in the log."""
    messages = {}
    for record in log:
        if record.kind == IN:
            envelope = parse(record.opcode, record.payload)
            if envelope is not None:
                messages[record.index] = Message(record, envelope)
    return messages


def choose_run(runs: list[int], wanted: int | None) -> int:
    """The run to judge."""
    found = sorted(set(runs))
    if wanted is not None:
        return wanted
    if len(found) != 1:
        raise ValueError(f"name the run to judge: the log holds {found}")
    return found[0]


def is_close(record: Record) -> bool:
    """Whether this is the event of a connection's end."""
    return record.kind == EVENT and record.details["event"] == "close"


def count_arrivals(
    truth: Truth, log: list[Record], messages: dict[int, Message], stream_of: dict[int, int]
) -> dict[Key, Envelope]:
    """Judge each frame out on a connection of the run; returns the delivered messages in order of arrival."""
    delivered: dict[Key, Envelope] = {}
    for record in log:
        if record.kind != OUT or record.connection not in stream_of:
            continue
        stream = stream_of[record.connection]
        source = None if record.source is None else messages.get(record.source)
        fate = judge_arrival(record, source, run=truth.run, stream=stream)
        if fate != "good" or source is None:
            belongs_to_message = fate == "corrupted_body" and source is not None
            message_type = source.envelope.type if belongs_to_message and source is not None else None
            for counts in truth.of(message_type=message_type, stream=stream):
                setattr(counts, fate, getattr(counts, fate) + 1)
            continue
        is_first = source.key not in delivered
        delivered.setdefault(source.key, source.envelope)
        for counts in truth.of(message_type=source.envelope.type, stream=stream):
            counts.good_copies += 1
            counts.delivered += is_first
            counts.duplicated += not is_first
    return delivered


def judge_arrival(arrival: Record, source: Message | None, *, run: int, stream: int) -> str:
    """What an arrival on a connection of this run and stream is: ``good``, or the count that it adds to."""
    if source is None:
        return "unexpected"
    sent = source.record
    if (arrival.opcode, arrival.payload) == (sent.opcode, sent.payload):
        is_own = (source.envelope.run, source.envelope.stream) == (run, stream)
        return "good" if is_own else "unexpected"
    if not looks_like_envelope(sent.opcode, arrival.payload):
        return "unexpected"
    size = header_size(sent.opcode)
    if arrival.payload[:size] != sent.payload[:size]:
        return "corrupted_header"
    return "corrupted_body"


def count_missing(truth: Truth, own: list[Message], delivered: set[Key], endings: dict[int, str]) -> None:
    """Count what was received and never delivered, each message once, by the end of its last connection."""
    last_connection = {message.key: message for message in own}
    for key, message in last_connection.items():
        if key in delivered:
            continue
        was_closed_by_client = endings.get(message.record.connection) == "client"
        envelope = message.envelope
        for counts in truth.of(message_type=envelope.type, stream=envelope.stream):
            if was_closed_by_client:
                counts.lost += 1
            else:
                counts.unknown += 1


def count_reordered(truth: Truth, delivered: dict[Key, Envelope]) -> None:
    """Go through the first good copies in their order of arrival and count those behind a successor."""
    next_in_stream: dict[int, int] = {}
    next_in_type: dict[tuple[int, int], int] = {}
    for envelope in delivered.values():
        stream, kind = envelope.stream, (envelope.stream, envelope.type)
        is_reordered = envelope.sequence < next_in_stream.get(stream, 0)
        is_reordered_within_type = envelope.type_sequence < next_in_type.get(kind, 0)
        if not is_reordered:
            next_in_stream[stream] = envelope.sequence + 1
        if not is_reordered_within_type:
            next_in_type[kind] = envelope.type_sequence + 1
        for counts in truth.of(message_type=envelope.type, stream=stream):
            counts.reordered += is_reordered
            counts.reordered_within_type += is_reordered_within_type


def main() -> None:
    """Print the truth about a run as JSON, or with ``--dump`` the log itself, a line a record."""
    parser = argparse.ArgumentParser(description="Read the log of the oracle's echo server.")
    parser.add_argument("log", type=Path)
    parser.add_argument("--run", type=int)
    parser.add_argument("--dump", action="store_true")
    arguments = parser.parse_args()
    if not arguments.dump:
        print(json.dumps(asdict(read(arguments.log, run=arguments.run)), indent=2))
        return
    for record in read_log(arguments.log):
        kind = {IN: "in", OUT: "out", EVENT: "event"}[record.kind]
        print(
            record.index, record.at_ns, record.connection, kind, record.opcode, record.source, record.payload
        )


if __name__ == "__main__":
    main()
