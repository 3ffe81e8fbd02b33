"""The naive reader against logs written by hand, whose truth is plain to see."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oracle.envelope import BINARY, TEXT, build
from oracle.reader import Counts, Truth, judge, read
from oracle.wire_log import EVENT, IN, OUT, LogWriter, Record


class Script:
    """A log in the making; messages carry stream = connection unless said otherwise."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def add(self, kind: int, connection: int, opcode: int, payload: bytes, source: int | None = None) -> int:
        index = len(self.records)
        self.records.append(Record(index, kind, connection, index, opcode, source, payload))
        return index

    def message(
        self,
        sequence: int,
        *,
        connection: int = 0,
        stream: int | None = None,
        message_type: int = 0,
        type_sequence: int | None = None,
        run: int = 1,
        opcode: int = BINARY,
        body: bytes = b"a body of some bytes",
    ) -> int:
        payload = build(
            opcode=opcode,
            run=run,
            stream=connection if stream is None else stream,
            sequence=sequence,
            type_sequence=type_sequence,
            message_type=message_type,
            body=body,
        )
        return self.add(IN, connection, opcode, payload)

    def echo(self, *sources: int, connection: int | None = None) -> None:
        for source in sources:
            sent = self.records[source]
            to = sent.connection if connection is None else connection
            self.add(OUT, to, sent.opcode, sent.payload, source)

    def damaged(self, source: int, payload: bytes, *, opcode: int | None = None) -> None:
        sent = self.records[source]
        self.add(OUT, sent.connection, sent.opcode if opcode is None else opcode, payload, source)

    def payload(self, source: int) -> bytes:
        return self.records[source].payload

    def close(self, how: str = "client", *, connection: int = 0) -> None:
        self.add(EVENT, connection, 0, json.dumps({"event": "close", "how": how, "code": 1000}).encode())

    def judge(self, run: int | None = None) -> Truth:
        return judge(self.records, run=run)


def flipped(payload: bytes, place: int) -> bytes:
    return payload[:place] + bytes([payload[place] ^ 4]) + payload[place + 1 :]


def test_an_honest_log_has_every_message_delivered_once_and_nothing_else() -> None:
    script = Script()
    for sequence in range(5):
        script.echo(script.message(sequence))
    script.close()
    truth = script.judge()
    assert truth.total == Counts(received=5, good_copies=5, delivered=5)
    assert truth.by_type == {0: truth.total}
    assert truth.by_stream == {0: truth.total}
    assert truth.connections_ended == {"client": 1}
    assert truth.bad_checksums_in == 0


def test_a_message_without_a_frame_is_lost_where_the_client_closed_and_unknown_elsewhere() -> None:
    script = Script()
    for connection in range(5):
        script.echo(script.message(0, connection=connection))
        script.message(1, connection=connection)
    for connection, how in enumerate(["client", "server", "reset", "vanished"]):
        script.close(how, connection=connection)
    truth = script.judge()
    assert (truth.total.received, truth.total.delivered) == (10, 5)
    assert (truth.total.lost, truth.total.unknown) == (1, 4)
    assert (truth.by_stream[0].lost, truth.by_stream[1].unknown) == (1, 1)
    assert truth.connections_ended == {"client": 1, "server": 1, "reset": 1, "vanished": 1, "open": 1}


def test_each_further_good_copy_is_a_duplicate() -> None:
    script = Script()
    first, second = script.message(0), script.message(1)
    script.echo(first, first, second, first)
    script.close()
    assert script.judge().total == Counts(received=2, good_copies=4, delivered=2, duplicated=2)


@pytest.mark.parametrize(
    ("arrivals", "reordered"),
    [
        ([0, 1, 2, 3], 0),
        ([1, 0, 2, 3], 1),
        ([3, 0, 1, 2], 3),
        ([0, 2, 3, 1], 1),
        ([3, 2, 1, 0], 3),
        ([0, 3], 0),
        ([0, 3, 1], 1),
        ([1, 1, 0, 0], 1),
        ([0, 1, 0, 2], 0),
    ],
)
def test_reordered_is_each_first_copy_below_the_next_expected_number(
    arrivals: list[int], reordered: int
) -> None:
    script = Script()
    sources = [script.message(sequence) for sequence in range(4)]
    script.echo(*[sources[sequence] for sequence in arrivals])
    script.close()
    assert script.judge().total.reordered == reordered


def test_reordering_within_the_type_is_counted_apart() -> None:
    script = Script()
    low = [script.message(0, type_sequence=0), script.message(2, type_sequence=1)]
    high = [
        script.message(1, message_type=1, type_sequence=0),
        script.message(3, message_type=1, type_sequence=1),
    ]
    script.echo(high[0], low[0], high[1], low[1])
    script.close()
    truth = script.judge()
    assert (truth.total.reordered, truth.total.reordered_within_type) == (2, 0)
    assert (truth.by_type[0].reordered, truth.by_type[1].reordered) == (2, 0)
    script.records.clear()
    low = [script.message(0, type_sequence=0), script.message(2, type_sequence=1)]
    script.echo(low[1], low[0])
    assert script.judge().total.reordered_within_type == 1


@pytest.mark.parametrize("opcode", [BINARY, TEXT])
def test_damage_is_judged_by_where_it_lies(opcode: int) -> None:
    size = 64 if opcode == TEXT else 48
    script = Script()
    source = script.message(0, opcode=opcode)
    payload = script.payload(source)
    for place in (0, 3, 4, 20, size - 1):
        script.damaged(source, flipped(payload, place))
    for place in (size, len(payload) - 1):
        script.damaged(source, flipped(payload, place))
    script.damaged(source, payload[:-1])
    script.damaged(source, payload[:size])
    script.damaged(source, payload + b"!")
    script.damaged(source, payload, opcode=BINARY if opcode == TEXT else TEXT)
    script.damaged(source, payload[: size - 1])
    script.damaged(source, b"")
    script.damaged(source, flipped(flipped(payload, 0), 1))
    script.close()
    truth = script.judge()
    assert truth.total == Counts(received=1, lost=1, corrupted_header=5, corrupted_body=6, unexpected=3)
    assert truth.by_type[0] == Counts(received=1, lost=1, corrupted_body=6)
    assert truth.by_stream[0] == truth.total


def test_a_bad_copy_delivers_nothing_and_a_good_one_beside_it_does() -> None:
    script = Script()
    first, second = script.message(0), script.message(1)
    script.damaged(first, flipped(script.payload(first), 50))
    script.echo(first)
    script.echo(second)
    script.damaged(second, flipped(script.payload(second), 10))
    script.close()
    expected = Counts(received=2, good_copies=2, delivered=2, corrupted_body=1, corrupted_header=1)
    assert script.judge().total == expected


def test_garbage_and_the_echo_of_what_is_no_envelope_are_unexpected() -> None:
    script = Script()
    script.echo(script.message(0))
    script.add(OUT, 0, BINARY, b"x" * 100)
    script.echo(script.add(IN, 0, BINARY, b"not an envelope, but long enough to hold one, were it there"))
    script.close()
    assert script.judge().total == Counts(received=1, good_copies=1, delivered=1, unexpected=2)


def test_a_message_of_another_connection_is_unexpected_there_and_delivers_nothing() -> None:
    script = Script()
    own, foreign = script.message(0, connection=0), script.message(0, connection=1)
    script.echo(own)
    script.echo(foreign, connection=0)
    script.close(connection=0)
    script.close(connection=1)
    truth = script.judge()
    assert truth.by_stream[0] == Counts(received=1, good_copies=1, delivered=1, unexpected=1)
    assert truth.by_stream[1] == Counts(received=1, lost=1)


def test_a_stream_goes_on_over_a_second_connection() -> None:
    script = Script()
    script.echo(script.message(0, connection=0, stream=9))
    script.message(1, connection=0, stream=9)
    script.close("server", connection=0)
    script.echo(script.message(2, connection=1, stream=9))
    script.message(3, connection=1, stream=9)
    script.close("client", connection=1)
    truth = script.judge()
    assert truth.by_stream == {9: Counts(received=4, good_copies=2, delivered=2, lost=1, unknown=1)}


def test_runs_in_one_log_are_kept_apart_and_must_be_named() -> None:
    script = Script()
    script.echo(script.message(0, connection=0, run=1))
    other = script.message(0, connection=1, run=2)
    script.echo(other, other)
    with pytest.raises(ValueError, match="name the run"):
        script.judge()
    assert script.judge(run=1).total == Counts(received=1, good_copies=1, delivered=1)
    assert script.judge(run=2).total == Counts(received=1, good_copies=2, delivered=1, duplicated=1)


def test_two_streams_on_one_connection_are_no_log_of_an_echo_run() -> None:
    script = Script()
    script.message(0, stream=1)
    script.message(0, stream=2)
    with pytest.raises(ValueError, match="two streams"):
        script.judge()


def test_a_client_whose_checksums_are_wrong_is_found_out() -> None:
    script = Script()
    good = build(sequence=0, body=b"body")
    script.add(IN, 0, BINARY, good[:-1] + b"!")
    script.add(IN, 0, BINARY, good)
    assert script.judge().bad_checksums_in == 1


def test_a_log_is_read_from_its_file(tmp_path: Path) -> None:
    log = LogWriter(tmp_path / "log")
    message = build(run=5, stream=1, sequence=0)
    source = log.message_in(0, BINARY, message)
    log.frame_out(0, BINARY, message, source=source)
    log.event(0, "close", how="client", code=1000)
    log.close()
    assert read(tmp_path / "log").total == Counts(received=1, good_copies=1, delivered=1)
    assert read(tmp_path / "log", run=5).run == 5
