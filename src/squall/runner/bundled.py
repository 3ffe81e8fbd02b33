"""The bundled service as a process of its own on a free port, always stopped.

    with serve(processes=2) as service:     # or: async with
        connect_to(service.url)

It ends with the block, whatever ends that; and since it ends when its standard input does, it ends with this
process too, even where that is killed.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from squall.child import Child
from squall.errors import EnvironmentFailure, PlanError

__all__ = ["Service", "Start", "processes_for", "serve", "service_for"]

PROCESSES_MAX: Final = 8

_FILES_BESIDE: Final = 300
"""Files that a process of the service opens beside its connections, at most."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service that accepts connections."""

    url: str
    port: int
    health_port: int
    pid: int
    """Of its parent process, which carries no connection."""

    @property
    def pids(self) -> tuple[int, ...]:
        """Its processes, the parent first."""
        import psutil

        try:
            return (self.pid, *(each.pid for each in psutil.Process(self.pid).children()))
        except psutil.NoSuchProcess:
            return ()

    def settings(self, path: str = "") -> dict[str, Any]:
        """The settings of a scenario that name it, by one of its paths, and watch it."""
        url = self.url if not path else f"{self.url.rstrip('/')}/{path}"
        return {"target.url": url, "watch.target": [{"pid": self.pid}]}

    @property
    def health_url(self) -> str:
        """Where it says how it is, as JSON; beside it `/metrics`."""
        return f"http://127.0.0.1:{self.health_port}/healthz"

    @property
    def metrics_url(self) -> str:
        """Its counters, for Prometheus."""
        return f"http://127.0.0.1:{self.health_port}/metrics"


class Start(AbstractContextManager[Service], AbstractAsyncContextManager[Service]):
    """A service that is started on entering, and stopped on leaving; `with` and `async with` do the same."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = tuple(arguments)
        self._child: Child | None = None

    def __enter__(self) -> Service:
        if self._child is not None:
            raise PlanError("this service is running already", hint="call serve() again for another")
        command = [sys.executable, "-m", "squall.reference", "serve", "--stdin-lifeline", *self._arguments]
        child = Child(command, "the service")
        facts = child.start()
        self._child = child
        return Service(
            url=facts["url"], port=facts["port"], health_port=facts["health_port"], pid=facts["pid"]
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    async def __aenter__(self) -> Service:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.shield(asyncio.to_thread(self._stop))

    def _stop(self) -> None:
        """Let it end in order, and make it end where it does not."""
        child, self._child = self._child, None
        if child is not None:
            child.stop()  # its nodes end with it


def serve(
    *,
    processes: int = 1,
    name: str = "reference",
    host: str = "127.0.0.1",
    port: int = 0,
    tls_cert: str | None = None,
    tls_key: str | None = None,
    bugs: Sequence[str] = (),
    bug_seed: int = 0,
    wire_log: Path | str | None = None,
) -> Start:
    """The bundled service.

    Args:
        processes: how many share its port.
        name: what its nodes call themselves in the header X-Squall-Node.
        host: the address it listens on.
        port: its port; 0 takes a free one.
        tls_cert: a certificate chain (PEM): it serves wss.
        tls_key: its key, where it is not in the same file.
        bugs: how it misbehaves, as `squall serve --bug` takes it: "lose:10", "delay:0.01:0.2".
        bug_seed: what bugs with a rate draw by.
        wire_log: a new folder, where each message in and each frame out is logged.

    Raises:
        EnvironmentFailure: on entering: it cannot be started.
    """
    options = {
        "--processes": processes,
        "--name": name,
        "--host": host,
        "--port": port,
        "--tls-cert": tls_cert,
        "--tls-key": tls_key,
        "--bug-seed": bug_seed,
        "--wire-log": wire_log,
    }
    given = [f"{option}={value}" for option, value in options.items() if value is not None]
    return Start([*given, *(f"--bug={bug}" for bug in bugs)])


@asynccontextmanager
async def service_for(connections: int | None, path: str = "") -> AsyncIterator[dict[str, Any]]:
    """The bundled service for so many connections, as the settings that name and watch it; for None, nothing.

    Args:
        connections: held at once, at most.
        path: that of the URL, such as "ack"; a path says what the service does.

    Raises:
        EnvironmentFailure: it cannot be started.
    """
    if connections is None:
        yield {}
        return
    async with serve(processes=processes_for(connections)) as service:
        yield service.settings(path)


def processes_for(connections: int) -> int:
    """How many processes of the service hold this many connections, each an open file of one of them.

    Raises:
        EnvironmentFailure: too few files may be opened here.
    """
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY or files >= connections + _FILES_BESIDE:
        return 1
    # One fifth more than evenly shared: the kernel spreads connections over processes by chance.
    processes = -(-connections * 6 // 5 // max(1, files - _FILES_BESIDE))
    if processes > PROCESSES_MAX:
        raise EnvironmentFailure(
            f"a process may open {files} files here, too few to serve {connections} connections",
            hint="raise the hard limit (ulimit -Hn)",
        )
    return processes
