"""The fault proxies of a run: one process in front of each entry point, more where one cannot carry the connections.

Sessions connect to a proxy instead of the entry point; the proxy speaks TLS with the service where that has to be
spoken, and path, query and headers pass as they are. Each writes its log into the run folder as it goes. A proxy that
ends by itself ends the run, and its log stays. Before they are ended each is asked whether its log is whole.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from squall.errors import EnvironmentFailure, SquallError
from squall.proxy.process import ProxyProcess
from squall.record.fault_log import FaultEntry, read_entries
from squall.scenario.faults import FaultKind
from squall.scenario.models import Target
from squall.scenario.urls import public_url
from squall.seeds import derive

__all__ = ["CONNECTIONS_PER_PROXY", "Proxies", "proxies_for", "read_log"]

CONNECTIONS_PER_PROXY: Final = 8_000
"""More than this and one proxy's loop, or its limit of open files, is what a run measures."""

_LOOK_S: Final = 0.2
_CHUNK_BYTES: Final = 1 << 20


def proxies_for(connections: int) -> int:
    """How many proxies an entry point needs that may get all of these connections."""
    return max(1, -(-connections // CONNECTIONS_PER_PROXY))


class Proxies:
    """See the module. An async context manager: on leaving it, no proxy is left.

    Args:
        target: the service; its entry points and how TLS is spoken there.
        folder: where the logs go.
        each: how many stand in front of each entry point.
        seed: fixes every random choice of theirs.
        lost: told of a proxy that ended by itself, with words for it.
    """

    def __init__(
        self, target: Target, folder: Path, *, each: int, seed: int, lost: Callable[[str], None]
    ) -> None:
        self._target = target
        self._folder = folder
        self._each = each
        self._seed = seed
        self._lost = lost
        self._stack = AsyncExitStack()
        self._group: asyncio.TaskGroup | None = None
        self._watch: asyncio.Task[None] | None = None
        self._proxies: list[list[tuple[str, ProxyProcess]]] = []
        self._gone: set[int] = set()
        self.problems: list[str] = []
        """Why their logs may lack something of what they did; known once they have ended."""

    async def __aenter__(self) -> Self:
        try:
            number = 0
            for url in self._target.url:
                here = []
                for _ in range(self._each):
                    number += 1
                    here.append((public_url(url), await self._start(url, number)))
                self._proxies.append(here)
        except BaseException:
            await self._stack.aclose()
            self._remove_logs()
            raise
        self._group = await asyncio.TaskGroup().__aenter__()
        self._watch = self._group.create_task(self._look())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await asyncio.gather(*(self._ask(*each) for each in self._alive()))
            if self._watch is not None and self._group is not None:
                self._watch.cancel()
                await self._group.__aexit__(None, None, None)
        finally:
            await self._stack.aclose()

    async def _start(self, url: str, number: int) -> ProxyProcess:
        parts, tls = urlsplit(url), self._target.tls
        secure = parts.scheme.lower() == "wss"
        netloc = parts.netloc.rpartition("@")[2]
        process = ProxyProcess(
            f"{parts.scheme.lower()}://{netloc}",
            log=self._folder / f"faults-{number}.jsonl",
            seed=derive(self._seed, f"proxy {number}") >> 1,
            ca_file=tls.ca_file if secure else None,
            verify=tls.verify if secure else True,
        )
        return await self._stack.enter_async_context(process)

    @property
    def routes(self) -> tuple[tuple[tuple[str, int], ...], ...]:
        """By entry point, the addresses of the proxies in front of it."""
        return tuple(tuple(_address(proxy.url) for _, proxy in here) for here in self._proxies)

    @property
    def logs(self) -> list[Path]:
        """The files of their logs."""
        return [proxy.log_path for _, proxy in self._all()]

    @property
    def pids(self) -> list[int]:
        """Their processes."""
        return [proxy.pid for _, proxy in self._all()]

    async def switch_on(self, fault: FaultKind) -> None:
        """Have a fault in each proxy, from now on.

        Raises:
            EnvironmentFailure: one does not answer.
        """
        plain = fault.model_copy(update={"name": fault.label, "at": 0.0, "lasts": None})
        for _, proxy in self._alive():
            await proxy.add(plain)

    async def switch_off(self, fault: FaultKind) -> None:
        """Take a fault from each proxy that there still is.

        Raises:
            EnvironmentFailure: one does not answer.
        """
        for _, proxy in self._alive():
            await proxy.remove(fault.label)

    async def _ask(self, entry_point: str, proxy: ProxyProcess) -> None:
        """Find out what the log of a proxy lacks."""
        which = f"the fault proxy in front of {entry_point}"
        try:
            health = await proxy.health()
        except SquallError as error:
            self.problems.append(f"{which} could not be asked whether its log is whole: {error.message}")
            return
        if lacking := health["log_unwritten"]:
            entries = "1 entry" if lacking == 1 else f"{lacking:,} entries"
            self.problems.append(f"{which} could not write {entries} of its log: {health['log_problem']}")
        if bugs := health["bugs"]:
            self.problems.append(f"{which} had {bugs:,} errors of its own, and may have broken connections")

    async def _look(self) -> None:
        """See whether one has ended by itself."""
        while True:
            await asyncio.sleep(_LOOK_S)
            for number, (entry_point, proxy) in enumerate(self._all()):
                if number not in self._gone and proxy.ended_with is not None:
                    self._gone.add(number)
                    self._lost(f"the fault proxy in front of {entry_point} {_ending(proxy.ended_with)}")

    def _all(self) -> Iterator[tuple[str, ProxyProcess]]:
        return (each for here in self._proxies for each in here)

    def _alive(self) -> list[tuple[str, ProxyProcess]]:
        return [each for each in self._all() if each[1].ended_with is None]

    def _remove_logs(self) -> None:
        """No run will be in the folder."""
        for log in self._folder.glob("faults-*.jsonl"):
            log.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._folder.rmdir()


def read_log(path: Path) -> Iterator[FaultEntry]:
    """The entries of a log, however long it is.

    Raises:
        EnvironmentFailure: it cannot be read.
    """
    left = b""
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                whole, newline, rest = (left + chunk).rpartition(b"\n")
                left = rest
                yield from read_entries(whole + newline)
    except (OSError, ValueError) as error:
        raise EnvironmentFailure(f"cannot read the log of a fault proxy, {path.name}: {error}") from None


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0


def _ending(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
