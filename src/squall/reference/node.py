"""One process of the service: one uvloop, one listening socket, many connections.

It runs in a child that the parent forked, and never outlives it: the read end of the parent's lifeline pipe
becomes readable when the parent is gone, however it went, and the node then ends at once, as a killed service
does. Asked to stop (SIGTERM) it closes its connections with 1001 first. It does not know its siblings, only
their counters.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import ssl
import sys
import time
import traceback
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, BinaryIO, Final, Protocol

import uvloop
from picows import (
    WSListener,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from squall.errors import EnvironmentFailure
from squall.reference import health
from squall.reference.bugs import Bug, Strikes, find
from squall.reference.connection import MESSAGE_BYTES_MAX, Connection
from squall.reference.counters import NOT_MEASURED, CounterBoard, CounterRow, Tally
from squall.reference.listening import BACKLOG, ListeningSocket
from squall.reference.paths import Paths
from squall.reference.wire_log import WireLog

__all__ = ["ORPHANED_EXIT_CODE", "READY", "STOP_GRACE_S", "NodeSetup", "QuietLogger", "run_node"]

READY: Final = b"ready\n"
"""What a node writes to its status pipe when it accepts connections; the pipe closes when the node ends."""

STOP_GRACE_S: Final = 2.0
"""How long the peers may take to answer our close frames before their sockets are closed."""

ORPHANED_EXIT_CODE: Final = 1

_BEAT_S: Final = 0.05
_LAG_WINDOW_BEATS: Final = 20
_READ_BUFFER_BYTES: Final = 2048
_HANDSHAKE_TIMEOUT_S: Final = 10.0
_GC_THRESHOLDS: Final = (
    20_000,
    20,
    100,
)  # with Python's own, a ramp to 10,000 stalls the loop ten times as long


class _Server(Protocol):
    """What picows' server is to us."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSetup:
    """What the parent hands to a node."""

    name: str
    index: int
    listening: ListeningSocket
    tls: ssl.SSLContext | None
    board: CounterBoard
    lifeline_fd: int
    status_fd: int
    bugs: tuple[Bug, ...] = ()
    bug_seed: int = 0
    log_file: BinaryIO | None = None


def run_node(setup: NodeSetup) -> None:
    """Serve until asked to stop.

    Raises:
        EnvironmentFailure: the wire log could not be written any more.
    """
    uvloop.run(_Node(setup).serve())


class QuietLogger:
    """What picows logs to: nothing for each connection, a traceback where our own code raised.

    picows makes a logger per connection out of a `logging.Logger`, and formats several values for each; an
    object of another type is used as it is.
    """

    def isEnabledFor(self, level: int) -> bool:  # noqa: ARG002, N802 - the logging module's name and signature
        """No level is."""
        return False

    def info(self, *_: object, **__: object) -> None:
        """Say nothing."""

    debug = log = warning = error = info

    def exception(self, message: str, *_: object, **__: object) -> None:
        """A listener raised, which it must not: say where."""
        sys.stderr.write(f"squall serve: {message}\n{traceback.format_exc()}")


class _Node:
    def __init__(self, setup: NodeSetup) -> None:
        self._setup = setup
        self._tally = Tally()
        self._strikes = [Strikes(bug, setup.bug_seed) for bug in setup.bugs]
        self._refusals = find("refuse", self._strikes)
        self._log = None if setup.log_file is None else WireLog(setup.log_file, self._on_log_failure)
        self._failure: EnvironmentFailure | None = None
        self._held: set[Connection] = set()
        self._row = setup.board.row(setup.index)
        self._node_header = {health.NODE_HEADER: setup.name}

    async def serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._paths = Paths(self._tally, self._strikes, self._loop, self._setup.bug_seed)
        self._loop.set_exception_handler(self._on_loop_error)
        self._loop.add_reader(self._setup.lifeline_fd, os._exit, ORPHANED_EXIT_CODE)
        self._stopping = asyncio.Event()
        self._loop.add_signal_handler(signal.SIGTERM, self._stopping.set)
        self._row.publish_pid(os.getpid())
        _Beat(self._loop, self._row, self._tally, self._log).start()
        server = await self._listen()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        os.write(self._setup.status_fd, READY)
        await self._stopping.wait()
        await self._go_away(server)
        if self._log is not None:
            self._log.flush()
        if self._failure is not None:
            raise self._failure

    async def _listen(self) -> _Server:
        self._setup.listening.keep_spare_descriptor()
        server: _Server = await ws_create_server(
            self._admit,
            sock=self._setup.listening,
            ssl=self._setup.tls,
            backlog=BACKLOG,
            websocket_handshake_timeout=_HANDSHAKE_TIMEOUT_S,
            logger_name=QuietLogger(),  # type: ignore[arg-type] # any object with a logger's methods serves
            max_frame_size=MESSAGE_BYTES_MAX,
            enable_auto_pong=False,  # what goes out goes through us, so that the wire log has it
            read_buffer_init_size=_READ_BUFFER_BYTES,
            # With the loop's own transports picows hands out views of buffers that are reused before a
            # write of more than 8 KiB is through; aiofastnet copies what it cannot send at once.
            use_aiofastnet=True,
        )
        return server

    def _admit(self, request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        """Upgrade on any path, unless its query makes no sense; answer a plain GET as HTTP."""
        if "upgrade" in request.headers:
            if self._refusals is not None and self._refusals.next():
                return health.refusal(self._setup.name, HTTPStatus.SERVICE_UNAVAILABLE, "Not this time.")
            path, _, query = request.path.decode("latin-1").partition("?")
            try:
                behaviour = self._paths.behaviour(path, query)
            except ValueError as error:
                return health.refusal(self._setup.name, HTTPStatus.BAD_REQUEST, str(error))
            log = None if self._log is None else self._log.connection(path)
            listener: WSListener = Connection(self._loop, behaviour, self._tally, self._held, log)
            response = WSUpgradeResponse.create_101_response(self._node_header)
            return WSUpgradeResponseWithListener(response, listener)
        return self._answer(request)

    def _answer(self, request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        name, path = self._setup.name, health.path_of(request)
        self._row.publish(self._tally)
        if path == b"/healthz":
            return health.node_health(name, self._setup.board.figures()[self._setup.index])
        if path == b"/metrics":
            return health.metrics_text(name, self._setup.board.figures())
        if path == b"/":
            upgrade = {"Upgrade": "websocket"}
            return health.refusal(name, HTTPStatus.UPGRADE_REQUIRED, "This is a WebSocket service.", upgrade)
        return health.refusal(name, HTTPStatus.NOT_FOUND, "Here are /, /healthz and /metrics.")

    async def _go_away(self, server: _Server) -> None:
        """Close every connection by handshake; what has not answered in time is cut."""
        server.close()
        for connection in list(self._held):
            connection.go_away()
        deadline = self._loop.time() + STOP_GRACE_S
        while self._held and self._loop.time() < deadline:  # noqa: ASYNC110 - a set has no event; ends soon
            await asyncio.sleep(0.01)
        for connection in list(self._held):
            connection.abort()
        await asyncio.sleep(0)
        self._row.publish(self._tally)

    def _on_log_failure(self, error: OSError) -> None:
        self._failure = EnvironmentFailure(f"cannot write the wire log any more: {error.strerror}")
        self._stopping.set()

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Peers that reset, vanish or never finish their handshake are daily bread; the rest is a bug."""
        if not isinstance(context.get("exception"), OSError | TimeoutError):
            loop.default_exception_handler(context)


class _Beat:
    """Runs every 50 ms: publishes the counts, and how late it was, which is the loop's lag (uvloop: to 1
    ms). Hands the wire log's lines on, where there is one."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, row: CounterRow, tally: Tally, log: WireLog | None
    ) -> None:
        self._loop = loop
        self._row = row
        self._tally = tally
        self._log = log
        self._due_ns = 0
        self._beats = 0
        self._window_ns = self._window_before_ns = self._max_ns = NOT_MEASURED

    def start(self) -> None:
        """Publish at once, so that the row is alive before the first beat is due."""
        self._publish_and_schedule(time.monotonic_ns())

    def _on_due(self) -> None:
        now_ns = time.monotonic_ns()
        lag_ns = max(0, now_ns - self._due_ns)
        if self._beats % _LAG_WINDOW_BEATS == 0:
            self._window_before_ns, self._window_ns = self._window_ns, NOT_MEASURED
        self._beats += 1
        self._window_ns = max(self._window_ns, lag_ns)
        self._max_ns = max(self._max_ns, lag_ns)
        self._publish_and_schedule(now_ns)
        if self._log is not None:
            self._log.flush()

    def _publish_and_schedule(self, now_ns: int) -> None:
        self._row.publish(self._tally)
        self._row.publish_beat(
            beat_ns=now_ns, lag_ns=max(self._window_ns, self._window_before_ns), lag_max_ns=self._max_ns
        )
        self._due_ns = now_ns + round(_BEAT_S * 1e9)
        self._loop.call_later(_BEAT_S, self._on_due)
