"""One connection's rules, frame by frame, without a socket."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picows import WSMsgType

from squall.reference.behaviours import Echo
from squall.reference.connection import MESSAGE_BYTES_MAX, Connection
from squall.reference.counters import Tally
from squall.reference.neighbours import Neighbours
from squall.reference.outlet import Sender
from squall.reference.wire_log import WireLog

TEXT, BINARY, CONTINUATION = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION
CLOSE, PING, PONG = WSMsgType.CLOSE, WSMsgType.PING, WSMsgType.PONG


class Frame:
    """A frame as picows hands it over."""

    def __init__(
        self, opcode: WSMsgType, payload: bytes = b"", *, fin: bool = True, rsv1: bool = False
    ) -> None:
        self.msg_type = opcode
        self.fin = fin
        self.rsv1, self.rsv2, self.rsv3 = rsv1, False, False
        self._payload = payload
        self.payload_size = len(payload)

    def get_payload_as_memoryview(self) -> memoryview:
        return memoryview(self._payload)

    def get_payload_as_bytes(self) -> bytes:
        return self._payload


class Transport:
    """What a connection does to its transport, in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[WSMsgType, bytes]] = []
        self.did: list[Any] = []
        self.is_close_frame_sent = False
        self.close_handshake: Any = None
        self.underlying_transport = self

    def send(self, opcode: WSMsgType, payload: Any) -> None:
        self.sent.append((opcode, bytes(payload)))

    def is_closing(self) -> bool:
        return "disconnect" in self.did or "abort" in self.did

    def send_close(self, code: Any) -> None:
        self.did.append(("close", int(code)))
        self.is_close_frame_sent = True

    def disconnect(self, graceful: bool = True) -> None:
        self.did.append("disconnect" if graceful else "abort")

    def pause_reading(self) -> None:
        self.did.append("pause")

    def resume_reading(self) -> None:
        self.did.append("resume")


class Side:
    """A connection with everything around it in reach."""

    def __init__(self, loop: asyncio.AbstractEventLoop, log: WireLog | None = None) -> None:
        self.tally = Tally()
        self.held: set[Connection] = set()
        self.transport = Transport()
        self.neighbours: Neighbours[Any] = Neighbours()
        echo = Echo(self.neighbours, Sender(self.tally).deliver)
        own_log = None if log is None else log.connection("/here")
        self.connection = Connection(loop, echo, self.tally, self.held, own_log)
        self.connection.on_ws_connected(self.transport)

    def take(self, *frames: Frame) -> None:
        for frame in frames:
            self.connection.on_ws_frame(self.transport, frame)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Timers are set on it, and never run."""
    it = asyncio.new_event_loop()
    yield it
    it.close()


@pytest.fixture
def side(loop) -> Side:
    return Side(loop)


@given(
    st.lists(
        st.tuples(st.sampled_from([TEXT, BINARY]), st.lists(st.binary(max_size=300), min_size=1, max_size=6)),
        max_size=8,
    )
)
def test_messages_come_back_whole_however_they_are_cut(loop, messages) -> None:
    side = Side(loop)
    for opcode, parts in messages:
        for number, part in enumerate(parts):
            is_last = number == len(parts) - 1
            side.take(Frame(CONTINUATION if number else opcode, part, fin=is_last))
            side.take(Frame(PONG, b"in between"))
    whole = [(opcode, b"".join(parts)) for opcode, parts in messages]
    size = sum(len(payload) for _, payload in whole)
    assert side.transport.sent == whole
    assert side.transport.did == []
    assert side.tally.messages_received == side.tally.messages_sent == len(whole)
    assert side.tally.bytes_received == side.tally.bytes_sent == size


def test_a_connection_is_held_and_counted_from_upgrade_to_end(side) -> None:
    assert side.held == {side.connection}
    assert len(side.neighbours) == 1
    assert (side.tally.connections, side.tally.connections_total) == (1, 1)
    side.connection.on_ws_disconnected(side.transport)
    assert side.held == set()
    assert len(side.neighbours) == 0
    assert (side.tally.connections, side.tally.connections_total) == (0, 1)


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x03\xe8bye"])
def test_a_close_is_answered_with_its_code_and_ends_the_connection(side, payload) -> None:
    side.take(Frame(CLOSE, payload), Frame(TEXT, b"after"))
    assert side.transport.sent == [(CLOSE, payload[:2])]
    assert side.transport.did == ["disconnect"]
    assert side.tally.messages_received == 0


def test_the_answer_to_our_own_close_is_not_answered(side) -> None:
    side.connection.go_away()
    side.take(Frame(TEXT, b"crossed on the way"), Frame(CLOSE, b"\x03\xe9"))
    assert side.transport.sent == []
    assert side.transport.did == [("close", 1001), "disconnect"]
    assert side.tally.messages_sent == 0


def test_going_away_twice_says_so_once(side) -> None:
    side.connection.go_away()
    side.connection.go_away()
    side.connection.abort()
    assert side.transport.did == [("close", 1001), "abort"]


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([Frame(BINARY, b"x", rsv1=True)], 1002),
        ([Frame(PING, b"x", rsv1=True)], 1002),
        ([Frame(CONTINUATION, b"of nothing")], 1002),
        ([Frame(TEXT, b"one", fin=False), Frame(TEXT, b"two")], 1002),
        ([Frame(TEXT, b"one", fin=False), Frame(BINARY, b"two", fin=False)], 1002),
        ([Frame(TEXT, b"x" * MESSAGE_BYTES_MAX, fin=False), Frame(CONTINUATION, b"y")], 1009),
    ],
)
def test_what_breaks_the_protocol_is_closed_with_its_code_and_nothing_more_is_taken(
    side, frames, code
) -> None:
    side.take(*frames, Frame(TEXT, b"after"), Frame(CONTINUATION, b"after"), Frame(PING, b"after"))
    assert side.transport.did == [("close", code)]
    assert side.transport.sent == []
    assert side.tally.messages_received == 0


def test_a_message_of_exactly_the_limit_is_taken(side) -> None:
    half = bytes(MESSAGE_BYTES_MAX // 2)
    side.take(Frame(BINARY, half, fin=False), Frame(CONTINUATION, half))
    assert side.transport.sent == [(BINARY, half * 2)]


def test_a_slow_reader_is_not_read_from_until_it_caught_up(side) -> None:
    side.connection.pause_writing()
    side.connection.resume_writing()
    assert side.transport.did == ["pause", "resume"]


def test_a_ping_is_answered_with_what_it_holds_and_a_pong_is_not(side) -> None:
    side.take(Frame(PING, b"there?"), Frame(PONG, b"yes"), Frame(TEXT, b"be", fin=False), Frame(PING))
    assert side.transport.sent == [(PONG, b"there?"), (PONG, b"")]
    side.connection.go_away()
    side.take(Frame(PING, b"still?"))
    assert len(side.transport.sent) == 2


def test_the_wire_log_has_whole_messages_control_frames_and_the_end(loop) -> None:
    file = io.BytesIO()
    log = WireLog(file, pytest.fail)
    side = Side(loop, log)
    side.take(Frame(TEXT, b"be", fin=False), Frame(PING, b"p"), Frame(CONTINUATION, b"fore"))
    side.take(Frame(BINARY, b"x"), Frame(CLOSE, b"\x03\xe8"))
    side.connection.on_ws_disconnected(side.transport)
    log.flush()
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    said = [(line["what"], line.get("op"), line.get("hex")) for line in lines]
    assert said == [
        ("open", None, None),
        ("in", "ping", "70"),
        ("out", "pong", "70"),
        ("in", "text", b"before".hex()),
        ("out", "text", b"before".hex()),
        ("in", "binary", "78"),
        ("out", "binary", "78"),
        ("in", "close", "03e8"),
        ("out", "close", "03e8"),
        ("closed", None, None),
    ]
    assert (lines[0]["path"], lines[-1]["code"]) == ("/here", 1000)


def test_a_close_that_picows_sent_is_logged_before_the_end(loop) -> None:
    file = io.BytesIO()
    log = WireLog(file, pytest.fail)
    side = Side(loop, log)
    sent = SimpleNamespace(code=SimpleNamespace(value=1002))
    side.transport.close_handshake = SimpleNamespace(sent=sent)
    side.connection.on_ws_disconnected(side.transport)
    log.flush()
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [(line["what"], line.get("hex"), line.get("code")) for line in lines[1:]] == [
        ("out", "03ea", None),
        ("closed", None, 1006),
    ]
