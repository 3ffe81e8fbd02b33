"""The wire log: every message that came, and every frame that was handed to the transport, in order.

One file a node, `node-<index>.jsonl`, one JSON object a line:

    {"n": 1, "at_ns": 81234567, "conn": 1, "what": "open", "path": "/ack"}
    {"n": 2, "at_ns": 81250000, "conn": 1, "what": "in", "op": "binary", "hex": "7371…"}
    {"n": 3, "at_ns": 81260000, "conn": 1, "what": "out", "op": "binary", "hex": "7371…"}
    {"n": 4, "at_ns": 91234567, "conn": 1, "what": "closed", "code": 1000}

`n` counts the lines and `conn` the connections of the node, from 1; `at_ns` is CLOCK_MONOTONIC. A message that
came in fragments is one line. `code` is the one that the peer closed with, 1005 where its close frame has none,
1006 where none came. Lines reach the file at the latest at the node's next beat (50 ms): so many a killed node
may lack. The log is the truth about a service with bugs: it is written where the frame leaves, behind them.

It does not know what a payload means. A log that cannot be written any more is no log: the first failure is
handed to whoever asked for it, and ends the service.
"""

from __future__ import annotations

import json
import time
from asyncio import Transport
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from picows import WSCloseCode, WSMsgType

from squall.errors import EnvironmentFailure
from squall.reference.behaviours import Taking, Wire

__all__ = ["ConnectionLog", "LoggedWire", "WireLog", "open_log_files"]

NO_CODE: Final = 1005
NO_CLOSE_FRAME: Final = 1006

_BUFFER_BYTES: Final = 1 << 20
_OPS: Final = {
    WSMsgType.TEXT: "text",
    WSMsgType.BINARY: "binary",
    WSMsgType.CLOSE: "close",
    WSMsgType.PING: "ping",
    WSMsgType.PONG: "pong",
}


def open_log_files(folder: Path, nodes: int) -> list[BinaryIO]:
    """The files of all nodes, new ones.

    Raises:
        EnvironmentFailure: there is a log already, or the folder cannot be written to.
    """
    files: list[BinaryIO] = []
    path = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(nodes):
            path = folder / f"node-{index}.jsonl"
            files.append(path.open("xb", buffering=_BUFFER_BYTES))
    except FileExistsError:
        raise EnvironmentFailure(f"{path} is there already: give --wire-log a new folder") from None
    except OSError as error:
        raise EnvironmentFailure(f"cannot write the wire log {path}: {error.strerror}") from None
    return files


class WireLog:
    """The log of one node; `on_failure` is called once, with what kept it from being written."""

    def __init__(self, file: BinaryIO, on_failure: Callable[[OSError], None]) -> None:
        self._file: BinaryIO | None = file
        self._on_failure = on_failure
        self._lines = 0
        self._connections = 0

    def connection(self, path: str) -> ConnectionLog:
        """The log of the next connection, on this path (without its query, which may hold a secret)."""
        self._connections += 1
        return ConnectionLog(self, self._connections, path)

    def write(self, conn: int, what: str, rest: str) -> None:
        """One line; `rest` is the end of its JSON object."""
        if self._file is None:
            return
        self._lines += 1
        line = f'{{"n": {self._lines}, "at_ns": {time.monotonic_ns()}, "conn": {conn}, "what": "{what}", {rest}}}\n'
        try:
            self._file.write(line.encode())
        except OSError as error:
            self._fail(error)

    def flush(self) -> None:
        """Hand the lines so far to the operating system."""
        if self._file is not None:
            try:
                self._file.flush()
            except OSError as error:
                self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._file = None
        self._on_failure(error)


class ConnectionLog:
    """What one connection writes."""

    __slots__ = ("_close_code", "_is_close_sent", "_log", "_number", "_path")

    def __init__(self, log: WireLog, number: int, path: str) -> None:
        self._log = log
        self._number = number
        self._path = path
        self._close_code = NO_CLOSE_FRAME
        self._is_close_sent = False

    def opened(self) -> None:
        """It was upgraded."""
        self._log.write(self._number, "open", f'"path": {json.dumps(self._path)}')

    def taking(self, take: Taking) -> Taking:
        """What takes its messages, with a line for each in front."""

        def logged(wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
            self.came(opcode, payload)
            take(wire, opcode, payload)

        return logged

    def came(self, opcode: WSMsgType, payload: bytes | memoryview) -> None:
        """A whole message or a control frame came."""
        if opcode is WSMsgType.CLOSE:
            self._close_code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else NO_CODE
        self._frame("in", opcode, payload)

    def went(self, opcode: WSMsgType, payload: bytes | bytearray | memoryview) -> None:
        """A frame was handed to the transport."""
        self._is_close_sent = self._is_close_sent or opcode is WSMsgType.CLOSE
        self._frame("out", opcode, payload)

    def closed(self, sent_by_picows: int | None) -> None:
        """It is gone. `sent_by_picows`: the code with which picows itself refused a malformed frame."""
        if sent_by_picows is not None and not self._is_close_sent:
            self.went(WSMsgType.CLOSE, sent_by_picows.to_bytes(2, "big"))
        self._log.write(self._number, "closed", f'"code": {self._close_code}')

    def _frame(self, what: str, opcode: WSMsgType, payload: bytes | bytearray | memoryview) -> None:
        self._log.write(self._number, what, f'"op": "{_OPS[opcode]}", "hex": "{payload.hex()}"')


class LoggedWire:
    """A connection's way out, with a line for each frame."""

    __slots__ = ("_log", "_wire")

    def __init__(self, wire: Wire, log: ConnectionLog) -> None:
        self._wire = wire
        self._log = log

    @property
    def is_close_frame_sent(self) -> bool:
        """Whether a close handshake has begun from here."""
        return self._wire.is_close_frame_sent

    @property
    def underlying_transport(self) -> Transport:
        """The socket's."""
        return self._wire.underlying_transport

    def send(self, opcode: WSMsgType, payload: bytes | bytearray | memoryview, /) -> None:
        """Log and send it; nothing where the socket is closing, since nothing would leave."""
        if not self._wire.underlying_transport.is_closing():
            self._log.went(opcode, payload)
            self._wire.send(opcode, payload)

    def send_close(self, code: WSCloseCode, /) -> None:
        """Log and begin the close handshake."""
        if not self._wire.underlying_transport.is_closing():
            self._log.went(WSMsgType.CLOSE, int(code.value).to_bytes(2, "big"))
            self._wire.send_close(code)

    def disconnect(self, graceful: bool = True, /) -> None:
        """Close the socket."""
        self._wire.disconnect(graceful)
