"""The proxy as it runs: listens, connects each client to the service, keeps the time of faults, answers its control.

One process, one loop. It says in one line of JSON where it listens, and goes on until it is told to stop; what
happens to a connection, or to the service, does not end it.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from squall.clock import RealClock
from squall.errors import EnvironmentFailure
from squall.http_server import HttpServer
from squall.proxy.connection import Connection, Side
from squall.proxy.control import Control
from squall.proxy.hub import Hub
from squall.proxy.log import FaultLog
from squall.proxy.table import FaultTable, Placed
from squall.proxy.upstream import Upstream, UpstreamSettings
from squall.record.fault_log import FaultEntry
from squall.scenario.addresses import host_and_port
from squall.scenario.faults import FaultKind

__all__ = ["CONNECTIONS_MAX", "Proxy", "ProxySettings", "serve"]

CONNECTIONS_MAX: Final = 8_000
"""Connections that one process carries, where it may open that many files."""

_BACKLOG: Final = 4096
_FILES_BESIDE: Final = 200
"""Open files that are no connection's, at most."""

_END_MAX_S: Final = 0.5
"""How long what is written may take to leave at the end."""

_AT_ONCE: Final = 50
"""Connections that are told of a change in one go; then whatever has come meanwhile has its turn."""


@dataclass(frozen=True, kw_only=True)
class ProxySettings:
    """What a proxy is started with. Addresses are HOST:PORT; port 0 takes a free one."""

    listen: str
    upstream: UpstreamSettings
    control: str | None = None
    faults: tuple[FaultKind, ...] = ()
    log: Path | None = None
    seed: int = 1
    stdin_lifeline: bool = False
    """End when standard input does."""


class Proxy:
    """A proxy that listens, as a context manager.

    Args:
        settings: what it is started with.
        log: where entries go.

    Raises:
        EnvironmentFailure: on entering: it cannot listen there.
    """

    def __init__(self, settings: ProxySettings, log: FaultLog) -> None:
        clock = RealClock()
        self.connections: dict[int, Connection] = {}
        self.taken = 0
        """Connections so far."""
        self.refused = 0
        """Those of them that were not carried."""
        self.bugs = 0
        """What went wrong in the proxy itself; each ended a connection, and is on standard error."""
        self.connections_max = _connections_max()
        self.port = 0
        self._settings = settings
        self._upstream = Upstream(settings.upstream)
        self._table = FaultTable(settings.seed, self._tell)
        self.hub = Hub(table=self._table, log=log, now_ns=clock.monotonic_ns, loop=asyncio.get_running_loop())
        self._next_change: asyncio.TimerHandle | None = None
        self._sweep: list[Connection] = []
        self._tasks = asyncio.TaskGroup()
        self._connecting: set[asyncio.Task[None]] = set()

    async def run(self, ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Listen and carry until `stop`.

        Raises:
            EnvironmentFailure: it cannot listen there.
        """
        host, port = host_and_port(self._settings.listen)
        try:
            server = await self.hub.loop.create_server(
                self._client, host, port, backlog=_BACKLOG, start_serving=False
            )
        except OSError as error:
            raise EnvironmentFailure(
                f"the proxy cannot listen on {self._settings.listen}: {error.strerror or error}",
                hint="choose another address; port 0 takes a free one",
            ) from None
        self.port = server.sockets[0].getsockname()[1]
        try:
            async with self._tasks:
                self.change(lambda table, now_ns: table.replace(self._settings.faults, now_ns))
                await server.start_serving()
                ready()
                await stop.wait()
                server.close()
                await self._end()
        finally:
            server.close()
            if self._next_change is not None:
                self._next_change.cancel()

    def count_bug(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Something went wrong here that nobody foresaw: say so, and go on with the other connections."""
        self.bugs += 1
        loop.default_exception_handler(context)

    def change(self, how: Callable[[FaultTable, int], None]) -> None:
        """Change the faults, and have each connection go by them.

        Raises:
            ScenarioError: the table refuses it; nothing is changed.
        """
        how(self._table, self.hub.now_ns())
        self._changed()

    # --- connections ---

    def _client(self) -> Side:
        """A client has come."""
        self.taken += 1
        connection = Connection(
            self.taken,
            self.hub,
            begun=self._begun,
            ended=lambda each: self.connections.pop(each.number, None),
        )
        return connection.client

    def _begun(self, connection: Connection) -> None:
        if len(self.connections) >= self.connections_max:
            self.refused += 1
            connection.refuse(
                "503 Service Unavailable", f"{self.connections_max} connections are all it carries"
            )
            return
        self.connections[connection.number] = connection
        connection.settle()
        task = self._tasks.create_task(self._connect(connection))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, connection: Connection) -> None:
        try:
            await self._upstream.connect(lambda: connection.service)
        except OSError as error:  # a time-out, a failed TLS handshake and an unknown name are ones, too
            self.refused += 1
            why = error.strerror or str(error) or "no answer in time"
            connection.refuse(
                "502 Bad Gateway", f"the service at {self._upstream.shown} cannot be reached: {why}"
            )

    async def _end(self) -> None:
        """Close all connections: what is written has a moment to leave, then what is left is ended."""
        for task in self._connecting:
            task.cancel()
        for connection in list(self.connections.values()):
            connection.close()
        ends_s = self.hub.loop.time() + _END_MAX_S
        while self.connections and self.hub.loop.time() < ends_s:  # noqa: ASYNC110 - each ends by a callback
            await asyncio.sleep(0.01)
        for connection in list(self.connections.values()):
            connection.abort()

    # --- faults ---

    def _changed(self) -> None:
        """Have each connection go by the faults that are on, so many at once."""
        self._wait_for_change()
        begins = not self._sweep
        self._sweep = list(self.connections.values())
        if begins:
            self._sweep_on()

    def _sweep_on(self) -> None:
        now, self._sweep = self._sweep[-_AT_ONCE:], self._sweep[:-_AT_ONCE]
        for connection in now:
            connection.settle()
        if self._sweep:
            self.hub.loop.call_soon(self._sweep_on)

    def _wait_for_change(self) -> None:
        if self._next_change is not None:
            self._next_change.cancel()
            self._next_change = None
        at_ns = self._table.next_change_ns
        if at_ns is not None:
            wait_s = max(0, at_ns - self.hub.now_ns()) / 1e9
            self._next_change = self.hub.loop.call_later(wait_s, self._is_time)

    def _is_time(self) -> None:
        self._next_change = None
        if self._table.advance(self.hub.now_ns()):
            self._changed()
        else:
            self._wait_for_change()  # the timer was early

    def _tell(self, placed: Placed, is_on: bool) -> None:
        self.hub.log.write(
            FaultEntry(
                at_ns=self.hub.now_ns(),
                connection=0,
                direction=placed.fault.direction,
                frame=None,
                fault=placed.name,
                what="on" if is_on else "off",
                note=placed.kind,
            )
        )


async def serve(settings: ProxySettings) -> None:
    """Run a proxy until SIGTERM, Ctrl-C, or the end of its lifeline.

    Raises:
        ScenarioError: the upstream is none.
        EnvironmentFailure: it cannot listen, or its log cannot be written.
    """
    settings.upstream.check()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if settings.stdin_lifeline:
        _watch_lifeline(loop, stop)
    with FaultLog(settings.log) as log:
        proxy = Proxy(settings, log)
        loop.set_exception_handler(proxy.count_bug)
        control = Control(proxy)
        address = settings.control or "127.0.0.1:0"
        async with HttpServer(address, {}, what="the proxy's control", handler=control.answer) as server:
            await proxy.run(lambda: _announce(settings, proxy, server.url), stop)


def _announce(settings: ProxySettings, proxy: Proxy, control: str) -> None:
    host, _ = host_and_port(settings.listen)
    facts: dict[str, Any] = {
        "url": f"ws://{f'[{host}]' if ':' in host else host}:{proxy.port}/",
        "port": proxy.port,
        "control": control,
        "pid": os.getpid(),
        "connections_max": proxy.connections_max,
    }
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _watch_lifeline(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stop when standard input ends: whoever holds its other end is gone."""
    descriptor = sys.stdin.fileno()

    def read() -> None:
        if not os.read(descriptor, 4096):
            loop.remove_reader(descriptor)
            stop.set()

    loop.add_reader(descriptor, read)


def _connections_max() -> int:
    """Raise the limit of open files; how many connections, of two files each, that leaves room for."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return max(1, min(CONNECTIONS_MAX, (hard - _FILES_BESIDE) // 2))
    return CONNECTIONS_MAX
