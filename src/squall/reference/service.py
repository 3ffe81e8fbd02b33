"""The parent of the service: binds, forks the nodes, answers health, and ends all of it.

The rule it lives by: no process stays. The nodes hold the read end of a pipe whose only write end is here,
so that they end when this process does, even by SIGKILL; on Linux the kernel is asked to kill them too,
since a stopped process watches no pipe. This process in turn ends on SIGTERM, on SIGINT, when a node ends
unasked, and with `stdin_lifeline` when its standard input reaches its end. It does not carry connections.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import resource
import signal
import ssl
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

import uvloop
from picows import WSUpgradeRequest, WSUpgradeResponseWithListener, ws_create_server

from squall.errors import EnvironmentFailure, SquallError
from squall.reference import health
from squall.reference.bugs import Bug
from squall.reference.counters import CounterBoard
from squall.reference.listening import BACKLOG, ListeningSocket, listen, url_host
from squall.reference.node import ORPHANED_EXIT_CODE, READY, STOP_GRACE_S, NodeSetup, QuietLogger, run_node
from squall.reference.wire_log import open_log_files

__all__ = ["ServiceSettings", "serve"]

_PR_SET_PDEATHSIG: Final = 1
_STDIN: Final = 0
_STDOUT: Final = 1
_STOP_MARGIN_S: Final = 1.0
_STOP_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """How to serve. Port 0 takes a free port; with several processes the nodes are called
    `<name>-<index>`."""

    host: str = "127.0.0.1"
    port: int = 0
    health_port: int = 0
    processes: int = 1
    name: str = "reference"
    tls_cert: str | None = None
    tls_key: str | None = None
    stdin_lifeline: bool = False
    bugs: tuple[Bug, ...] = ()
    bug_seed: int = 0
    wire_log: Path | None = None


def serve(settings: ServiceSettings) -> None:
    """Serve until told to end; returns after an orderly end.

    Prints one JSON line on standard output when every process accepts connections.

    Raises:
        EnvironmentFailure: a port, the certificate, a file of the wire log or a process could not be had, or a
            process ended unasked.
    """
    if settings.stdin_lifeline and sys.stdin is None:
        raise EnvironmentFailure("the lifeline was asked for, and there is no standard input")
    _fill_standard_descriptors()
    tls = _tls_context(settings)
    listening = listen(settings.host, settings.port, sockets=settings.processes)
    port = listening[0].getsockname()[1]
    health_socket = listen(settings.host, settings.health_port)[0]
    _raise_descriptor_limit()
    logs: Sequence[BinaryIO | None] = [None] * settings.processes
    if settings.wire_log is not None:
        logs = open_log_files(settings.wire_log, settings.processes)
    board = CounterBoard(settings.processes)
    # Until the handlers are in place, in the children too, a signal waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    nodes = _fork_nodes(settings, listening, logs, health_socket, board, tls)
    uvloop.run(_Parent(settings, nodes, board, health_socket, port=port).run())


@dataclass(slots=True, kw_only=True)
class _NodeProcess:
    """A node as its parent sees it."""

    index: int
    pid: int
    status_fd: int
    is_ready: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class _Parent:
    """Watches the nodes and answers health, until something ends the service."""

    def __init__(
        self,
        settings: ServiceSettings,
        nodes: Sequence[_NodeProcess],
        board: CounterBoard,
        health_socket: ListeningSocket,
        *,
        port: int,
    ) -> None:
        self._settings = settings
        self._nodes = nodes
        self._board = board
        self._health_socket = health_socket
        self._port = port
        self._stopping = asyncio.Event()
        self._failure: EnvironmentFailure | None = None

    async def run(self) -> None:
        try:
            await self._start()
            await self._stopping.wait()
        finally:
            await self._stop_nodes()
        if self._failure is not None:
            raise self._failure

    async def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            self._loop.add_signal_handler(number, self._on_stop_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
        self._health_socket.keep_spare_descriptor()
        await ws_create_server(
            self._answer_health,
            sock=self._health_socket,
            backlog=BACKLOG,
            logger_name=QuietLogger(),  # type: ignore[arg-type] # any object with a logger's methods serves
            use_aiofastnet=True,
        )
        for node in self._nodes:
            self._loop.add_reader(node.status_fd, self._on_status, node)
        if self._settings.stdin_lifeline:
            threading.Thread(target=self._watch_stdin, daemon=True).start()

    async def _stop_nodes(self) -> None:
        """Ask each node to end, and end those that do not."""
        self._signal_nodes(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_GRACE_S + _STOP_MARGIN_S):
                for node in self._nodes:
                    await node.ended.wait()
        except TimeoutError:
            self._signal_nodes(signal.SIGKILL)
            for node in self._nodes:
                await node.ended.wait()

    def _signal_nodes(self, number: signal.Signals) -> None:
        for node in self._nodes:
            if not node.ended.is_set():
                os.kill(node.pid, number)

    def _on_stop_signal(self) -> None:
        if self._stopping.is_set():  # asked twice: at once
            self._signal_nodes(signal.SIGKILL)
        self._stopping.set()

    def _on_status(self, node: _NodeProcess) -> None:
        """A node is ready, or has ended: its end of the pipe closes with it."""
        if os.read(node.status_fd, len(READY)):
            node.is_ready = True
            if all(each.is_ready for each in self._nodes) and not self._stopping.is_set():
                self._announce()
            return
        self._loop.remove_reader(node.status_fd)
        os.close(node.status_fd)
        _, status = os.waitpid(node.pid, 0)
        node.ended.set()
        if not self._stopping.is_set():
            code = os.waitstatus_to_exitcode(status)
            how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
            self._fail(f"process {node.index} of the service (pid {node.pid}) ended {how}, unasked")

    def _announce(self) -> None:
        scheme = "ws" if self._settings.tls_cert is None else "wss"
        line = {
            "url": f"{scheme}://{url_host(self._settings.host)}:{self._port}/",
            "port": self._port,
            "health_port": self._health_socket.getsockname()[1],
            "pid": os.getpid(),
            "processes": len(self._nodes),
            "pids": [node.pid for node in self._nodes],
        }
        try:
            os.write(_STDOUT, json.dumps(line).encode() + b"\n")
        except OSError as error:
            self._fail(f"cannot say on standard output where the service is: {error.strerror}")

    def _fail(self, message: str) -> None:
        self._failure = self._failure or EnvironmentFailure(message)
        self._stopping.set()

    def _watch_stdin(self) -> None:
        """Runs in a thread: a loop cannot watch every kind of file that standard input may be."""
        with suppress(OSError):  # an input that can no longer be read has ended as well
            while os.read(_STDIN, 4096):
                pass
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._stopping.set)

    def _answer_health(self, request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        name, path = self._settings.name, health.path_of(request)
        if path == b"/healthz":
            return health.service_health(name, os.getpid(), self._board.figures(), time.monotonic_ns())
        if path == b"/metrics":
            return health.metrics_text(name, self._board.figures())
        return health.refusal(name, HTTPStatus.NOT_FOUND, "Here are /healthz and /metrics.")


def _fork_nodes(
    settings: ServiceSettings,
    listening: Sequence[ListeningSocket],
    logs: Sequence[BinaryIO | None],
    health_socket: ListeningSocket,
    board: CounterBoard,
    tls: ssl.SSLContext | None,
) -> list[_NodeProcess]:
    """Start one process for each listening socket; afterwards only that process has it, and its log."""
    lifeline_fd, held_end = os.pipe()
    parent_pid = os.getpid()
    nodes: list[_NodeProcess] = []
    gc.freeze()  # what exists now is shared with the children: a collection would copy every page of it
    for index, (own, log) in enumerate(zip(listening, logs, strict=True)):
        status_fd, report_fd = os.pipe()
        pid = os.fork()
        if pid == 0:
            for inherited in (health_socket, *listening[index + 1 :]):
                inherited.close()
            for other in logs[index + 1 :]:
                if other is not None:
                    other.close()
            for descriptor in (held_end, status_fd, *(node.status_fd for node in nodes)):
                os.close(descriptor)
            name = settings.name if len(listening) == 1 else f"{settings.name}-{index}"
            setup = NodeSetup(
                name=name,
                index=index,
                listening=own,
                tls=tls,
                board=board,
                lifeline_fd=lifeline_fd,
                status_fd=report_fd,
                bugs=settings.bugs,
                bug_seed=settings.bug_seed,
                log_file=log,
            )
            _live_as_node(setup, parent_pid)
        os.close(report_fd)
        own.close()
        if log is not None:
            log.close()
        nodes.append(_NodeProcess(index=index, pid=pid, status_fd=status_fd))
    os.close(lifeline_fd)
    return nodes


def _live_as_node(setup: NodeSetup, parent_pid: int) -> NoReturn:
    """The whole life of a child: nothing of the parent's is run or cleaned up in it."""
    code = 1
    try:
        _die_with(parent_pid)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, _STDIN)
        os.dup2(nothing, _STDOUT)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
        run_node(setup)
        code = 0
    except SquallError as error:
        sys.stderr.write(f"squall serve: {error.message}\n")
        code = int(error.exit_code)
    except BaseException:  # noqa: BLE001 - a child must not return into its parent's code, whatever happens
        traceback.print_exc()
    finally:
        os._exit(code)


def _die_with(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent ends: it may be stopped, and watch no pipe."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(ORPHANED_EXIT_CODE)


def _tls_context(settings: ServiceSettings) -> ssl.SSLContext | None:
    if settings.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # An empty password: a key that needs one is refused, where OpenSSL would ask on the terminal.
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except (OSError, ValueError) as error:
        files = (
            settings.tls_cert if settings.tls_key is None else f"{settings.tls_cert} and {settings.tls_key}"
        )
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise EnvironmentFailure(f"cannot use the certificate in {files}: {reason}") from error
    return context


def _raise_descriptor_limit() -> None:
    """A connection is a descriptor: take all that this process may open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _fill_standard_descriptors() -> None:
    """A closed standard stream would leave its number to the next socket, which the nodes then redirect."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
