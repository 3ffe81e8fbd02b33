"""The wire log has a line for each message in, each frame out and each end, in order; and says when it cannot."""

from __future__ import annotations

import errno
import io
import json
from pathlib import Path
from typing import Any

import pytest
from picows import WSCloseCode, WSMsgType

from service_wires import BINARY, TEXT, Wire
from squall.errors import EnvironmentFailure
from squall.reference.wire_log import LoggedWire, WireLog, open_log_files

CLOSE, PING, PONG = WSMsgType.CLOSE, WSMsgType.PING, WSMsgType.PONG


class Log:
    """A node's log in memory."""

    def __init__(self) -> None:
        self.file = io.BytesIO()
        self.log = WireLog(self.file, pytest.fail)

    def lines(self) -> list[dict[str, Any]]:
        self.log.flush()
        lines = [json.loads(line) for line in self.file.getvalue().splitlines()]
        times = [line.pop("at_ns") for line in lines]
        assert times == sorted(times)
        assert [line.pop("n") for line in lines] == list(range(1, len(lines) + 1))
        return lines


def test_what_comes_and_goes_stands_there_in_order() -> None:
    log, transport = Log(), Wire()
    connection = log.log.connection('/a"b')
    connection.opened()
    wire = LoggedWire(transport, connection)
    take = connection.taking(lambda to, opcode, payload: to.send(opcode, bytes(payload).upper()))
    take(wire, TEXT, memoryview(b"ab"))
    take(wire, BINARY, memoryview(b""))
    connection.came(PING, b"\x00\xff")
    wire.send(PONG, b"\x00\xff")
    assert transport.frames == [(TEXT, b"AB"), (BINARY, b""), (PONG, b"\x00\xff")]
    wire.send_close(WSCloseCode.GOING_AWAY)
    assert wire.is_close_frame_sent
    connection.came(CLOSE, b"\x0f\xa0bye")
    connection.closed(1001)
    assert log.lines() == [
        {"conn": 1, "what": "open", "path": '/a"b'},
        {"conn": 1, "what": "in", "op": "text", "hex": "6162"},
        {"conn": 1, "what": "out", "op": "text", "hex": "4142"},
        {"conn": 1, "what": "in", "op": "binary", "hex": ""},
        {"conn": 1, "what": "out", "op": "binary", "hex": ""},
        {"conn": 1, "what": "in", "op": "ping", "hex": "00ff"},
        {"conn": 1, "what": "out", "op": "pong", "hex": "00ff"},
        {"conn": 1, "what": "out", "op": "close", "hex": "03e9"},
        {"conn": 1, "what": "in", "op": "close", "hex": "0fa0627965"},
        {"conn": 1, "what": "closed", "code": 4000},
    ]


@pytest.mark.parametrize(("payload", "code"), [(None, 1006), (b"", 1005), (b"\x03\xe8", 1000)])
def test_an_end_has_the_code_that_the_peer_gave(payload: bytes | None, code: int) -> None:
    log = Log()
    connection = log.log.connection("/")
    if payload is not None:
        connection.came(CLOSE, payload)
    connection.closed(None)
    assert log.lines()[-1] == {"conn": 1, "what": "closed", "code": code}


def test_connections_are_numbered_and_a_close_of_picows_own_is_there_too() -> None:
    log = Log()
    log.log.connection("/").opened()
    second = log.log.connection("/x")
    second.closed(1002)
    assert log.lines() == [
        {"conn": 1, "what": "open", "path": "/"},
        {"conn": 2, "what": "out", "op": "close", "hex": "03ea"},
        {"conn": 2, "what": "closed", "code": 1006},
    ]


def test_what_cannot_leave_a_closing_socket_is_not_said_to_have_left() -> None:
    log, transport = Log(), Wire()
    wire = LoggedWire(transport, log.log.connection("/"))
    wire.disconnect(False)
    wire.send(TEXT, b"late")
    wire.send_close(WSCloseCode.GOING_AWAY)
    assert transport.did == ["abort"]
    assert transport.frames == log.lines() == []


class Full(io.BytesIO):
    def write(self, _line: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self) -> None:
        self.write(b"")


@pytest.mark.parametrize("first", ["write", "flush"])
def test_a_log_that_cannot_be_written_says_so_once(first: str) -> None:
    failures: list[OSError] = []
    log = WireLog(Full(), failures.append)
    if first == "flush":
        log.flush()
    log.connection("/").opened()
    log.flush()
    assert [each.errno for each in failures] == [errno.ENOSPC]


def test_files_are_new_and_one_for_each_node(tmp_path: Path) -> None:
    for file in open_log_files(tmp_path / "a" / "b", 2):
        file.close()
    assert sorted(each.name for each in (tmp_path / "a" / "b").iterdir()) == ["node-0.jsonl", "node-1.jsonl"]
    with pytest.raises(EnvironmentFailure, match=r"node-0\.jsonl is there already"):
        open_log_files(tmp_path / "a" / "b", 1)
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailure, match="cannot write the wire log"):
        open_log_files(tmp_path / "file" / "b", 1)
