"""A network of paper between squall's sessions and the bundled service's connections, both the production ones.

A link carries frames both ways, in order, each `LATENCY_NS` late; nothing is lost, delayed or damaged here. It writes
the service's wire log as the service would: what came in, and what was handed to its transport, in order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from picows import WSMsgType

from controls.wire_log import Record

__all__ = ["LATENCY_NS", "End", "Frame", "Link"]

LATENCY_NS = 200_000
MESSAGES = (WSMsgType.TEXT, WSMsgType.BINARY)
OPCODES = {
    WSMsgType.TEXT: "text",
    WSMsgType.BINARY: "binary",
    WSMsgType.CLOSE: "close",
    WSMsgType.PING: "ping",
    WSMsgType.PONG: "pong",
}


@dataclass(frozen=True)
class Frame:
    """A whole message or a control frame, as picows hands it over."""

    msg_type: WSMsgType
    payload: bytes
    fin: bool = True
    rsv1: bool = False
    rsv2: bool = False
    rsv3: bool = False

    @property
    def payload_size(self) -> int:
        return len(self.payload)

    def get_payload_as_bytes(self) -> bytes:
        return self.payload

    def get_payload_as_memoryview(self) -> memoryview:
        return memoryview(self.payload)

    def get_close_code(self) -> int:
        return int.from_bytes(self.payload[:2], "big")

    def get_close_message(self) -> str:
        return self.payload[2:].decode()


@dataclass
class Handshake:
    """The close frames that have passed, as picows tells them."""

    sent: Any = None
    recv: Any = None


def close_frame(payload: bytes) -> Any:
    return SimpleNamespace(code=int.from_bytes(payload[:2], "big"), reason=payload[2:].decode())


class End:
    """One side's transport: that of picows and the one beneath it, as far as they are used."""

    def __init__(self, link: Link, *, serves: bool) -> None:
        self.link = link
        self.serves = serves
        self.listener: Any = None
        self.other: End
        self.is_close_frame_sent = False
        self.handshake = Handshake()
        self.gone = False
        self.underlying_transport = self
        self.request = self.response = None
        self._on_way: deque[Frame | None] = deque()

    @property
    def close_handshake(self) -> Handshake | None:
        return self.handshake if self.handshake.sent or self.handshake.recv else None

    def send(self, opcode: WSMsgType, payload: Any) -> None:
        data = bytes(payload)
        if self.gone:
            return
        if self.is_close_frame_sent:  # picows drops it, and says nothing
            return
        if self.serves:
            self.link.note("out", OPCODES[opcode], data)
        if opcode is WSMsgType.CLOSE:
            self.is_close_frame_sent = True
            self.handshake.sent = close_frame(data)
        self._carry(Frame(opcode, data))

    def send_close(self, code: Any = 0, _reason: Any = b"") -> None:
        self.send(WSMsgType.CLOSE, int(code).to_bytes(2, "big"))

    def send_ping(self, payload: bytes = b"") -> None:
        self.send(WSMsgType.PING, payload)

    def disconnect(self, _graceful: bool = True) -> None:
        """What was sent still arrives, and behind it the end; what is on its way here does not."""
        if self.gone:
            return
        self.gone = True
        self._carry(None)
        self.link.loop.call_soon(self._lost)

    abort = disconnect

    def is_closing(self) -> bool:
        return self.gone

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The network takes everything at once."""

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        raise NotImplementedError("no simulated peer is slow")

    resume_reading = pause_reading

    def _carry(self, frame: Frame | None) -> None:
        self._on_way.append(frame)
        self.link.loop.call_later(LATENCY_NS / 1e9, self._arrive)

    def _arrive(self) -> None:
        """The oldest frame on its way is there; timers due at one time fire in any order."""
        frame, there = self._on_way.popleft(), self.other
        if there.gone:
            if there.serves and frame is not None and frame.msg_type in MESSAGES:
                self.link.note("never", OPCODES[frame.msg_type], frame.payload)
            return
        if frame is None:
            there.gone = True
            there._lost()
            return
        if there.serves:
            self.link.note("in", OPCODES[frame.msg_type], frame.payload)
        if frame.msg_type is WSMsgType.CLOSE:
            there.handshake.recv = close_frame(frame.payload)
        there.listener.on_ws_frame(there, frame)

    def _lost(self) -> None:
        if self.serves:
            received = self.handshake.recv
            self.link.note("closed", "close", b"", code=1006 if received is None else received.code)
        self.listener.on_ws_disconnected(self)


@dataclass
class Link:
    """One connection: two ends, and the number by which the service's log knows it."""

    loop: asyncio.AbstractEventLoop
    number: int
    path: str
    write: Callable[..., None]
    client: End = field(init=False)
    server: End = field(init=False)

    def __post_init__(self) -> None:
        self.client, self.server = End(self, serves=False), End(self, serves=True)
        self.client.other, self.server.other = self.server, self.client

    def note(self, what: str, opcode: str, payload: bytes, **more: Any) -> None:
        self.write(what, self.number, opcode, payload, **more)

    def open(self, session: Any, serving: Any) -> None:
        """The upgrade is accepted: the service has it first, as over a socket."""
        self.client.listener, self.server.listener = session, serving
        self.write("open", self.number, "", b"", path=self.path)
        serving.on_ws_connected(self.server)
        session.on_ws_connected(self.client)


def record_of(n: int, at_ns: int, what: str, conn: int, op: str, payload: bytes, **more: Any) -> Record:
    return Record(
        n=n, at_ns=at_ns, node=0, conn=conn, what=what, op=op, payload=payload,
        path=more.get("path", ""), code=more.get("code"),
    )  # fmt: skip
