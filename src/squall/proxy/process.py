"""The fault proxy as a process of its own, started, changed, asked and stopped from Python.

    async with ProxyProcess("ws://127.0.0.1:8765", faults=[Drop(probability=0.01)], log=path) as proxy:
        connect_to(proxy.url)
        await proxy.add(Latency(delay=0.05))

It ends with the block, whatever ends that; and since it ends when its standard input does, it ends with this
process too, even where that is killed. Its log is readable at any time.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

from squall.child import Child
from squall.errors import EnvironmentFailure, PlanError, ScenarioError
from squall.proxy.upstream import UpstreamSettings
from squall.record.fault_log import FaultEntry, read_entries
from squall.scenario.faults import FaultKind

__all__ = ["ProxyProcess"]

_ASK_MAX_S: Final = 10.0


class ProxyProcess:
    """A proxy that is started on entering and stopped on leaving.

    Args:
        upstream: the service: ws[s]://HOST[:PORT].
        faults: those that it begins with.
        log: the file of what it does, made anew; by default one that is gone with the proxy.
        listen: HOST:PORT; port 0 takes a free one.
        seed: fixes every random choice.
        ca_file: certificates to trust (PEM) for wss://, instead of the system's.
        verify: False accepts any certificate.

    Raises:
        ScenarioError: the upstream is none.
        EnvironmentFailure: on entering: it cannot be started.
    """

    def __init__(
        self,
        upstream: str,
        *,
        faults: Sequence[FaultKind] = (),
        log: Path | None = None,
        listen: str = "127.0.0.1:0",
        seed: int = 1,
        ca_file: str | None = None,
        verify: bool = True,
    ) -> None:
        UpstreamSettings(url=upstream, ca_file=ca_file, verify=verify).check()
        self.url = ""
        """Where clients connect: ws://HOST:PORT/; path and query are handed on."""
        self.control_url = ""
        """Where it is controlled over HTTP, with a slash at its end."""
        self.pid = 0
        self.connections_max = 0
        """How many connections it carries."""
        self._faults = tuple(faults)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._log = log
        self._command = [
            *(sys.executable, "-P", "-m", "squall.proxy", "--stdin-lifeline"),
            *(f"--listen={listen}", f"--upstream={upstream}", f"--seed={seed}"),
            *([f"--ca-file={ca_file}"] if ca_file is not None else []),
            *([] if verify else ["--insecure"]),
        ]
        self._child: Child | None = None

    @property
    def log_path(self) -> Path:
        """The file of its log.

        Raises:
            PlanError: it has not been started.
        """
        if self._log is None:
            raise PlanError("the proxy has not been started")
        return self._log

    @property
    def ended_with(self) -> int | None:
        """The exit code where it has ended by itself; None while it runs."""
        return None if self._child is None else self._child.ended_with

    async def __aenter__(self) -> Self:
        if self._child is not None:
            raise PlanError("this proxy is running already", hint="make another ProxyProcess")
        if self._log is None:
            self._folder = tempfile.TemporaryDirectory(prefix="squall-proxy-")
            self._log = Path(self._folder.name) / "faults.jsonl"
        self._child = Child([*self._command, f"--log={self._log}"], "the fault proxy")
        try:
            facts = await asyncio.to_thread(self._child.start)
            self.url, self.control_url, self.pid = facts["url"], facts["control"], facts["pid"]
            self.connections_max = facts["connections_max"]
            if self._faults:
                await self.put(self._faults)
        except BaseException:
            await asyncio.shield(self._stop())
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.shield(self._stop())

    async def put(self, faults: Sequence[FaultKind]) -> None:
        """Have these faults and no others.

        Raises:
            ScenarioError: it refuses them.
            EnvironmentFailure: it does not answer.
        """
        await self._ask("PUT", "faults", [each.model_dump(mode="json", by_alias=True) for each in faults])

    async def add(self, fault: FaultKind) -> None:
        """Have one more. Raises as `put`."""
        await self._ask("POST", "faults", fault.model_dump(mode="json", by_alias=True))

    async def remove(self, name: str) -> None:
        """Take one away. Raises as `put`."""
        await self._ask("DELETE", f"faults/{quote(name, safe='')}")

    async def state(self) -> dict[str, Any]:
        """`faults` and `state`, as GET /faults has them. Raises as `put`."""
        return dict(json.loads(await self._ask("GET", "faults")))

    async def health(self) -> dict[str, Any]:
        """What GET /healthz says. Raises as `put`."""
        return dict(json.loads(await self._ask("GET", "healthz")))

    def entries(self) -> list[FaultEntry]:
        """What it has done so far, from its log; also once it was killed.

        Raises:
            PlanError: it has not been started.
            EnvironmentFailure: the log cannot be read.
        """
        try:
            return list(read_entries(self.log_path.read_bytes()))
        except (OSError, ValueError) as error:
            raise EnvironmentFailure(f"cannot read the log of the fault proxy: {error}") from error

    def kill(self) -> None:
        """Kill it where it stands."""
        if self._child is not None:
            self._child.kill()

    async def _stop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await asyncio.to_thread(child.stop)
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = self._log = None

    async def _ask(self, method: str, path: str, content: object = None) -> bytes:
        """One request to its control; the body of the answer."""
        parts = urlsplit(self.control_url)
        body = b"" if content is None else json.dumps(content).encode()
        head = f"{method} /{path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
        try:
            async with asyncio.timeout(_ASK_MAX_S):
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                try:
                    writer.write(head.encode() + body)
                    answer = await reader.read()
                finally:
                    writer.close()
        except (OSError, TimeoutError) as error:
            raise EnvironmentFailure(
                f"the fault proxy does not answer: {str(error) or 'no answer in time'}"
            ) from None
        status, _, rest = answer.partition(b"\r\n")
        text = rest.partition(b"\r\n\r\n")[2]
        if status.split(b" ")[1:2] == [b"200"]:
            return text
        if status.split(b" ")[1:2] == [b"400"]:
            problem = json.loads(text)
            raise ScenarioError(problem["error"], hint=problem["hint"])
        raise EnvironmentFailure(f"the fault proxy answered {status.decode(errors='replace')}")
