"""Workers as processes of this host, one interpreter and one event loop each.

A worker gets one end of a socket pair and nothing else of the coordinator's descriptors. It stands in a
session of its own, so that a Ctrl-C of the terminal reaches only the coordinator, which decides what a stop
means. What it writes to stdout or stderr is kept up to its last 8 KiB, for the error that names its death.
It ends when its channel does; see `squall.fleet.process` for the other half.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from typing import IO, cast

from squall.engine.base import FromWorker, ToWorker
from squall.engine.wire import CoordinatorEnd
from squall.errors import FleetError

__all__ = ["STDERR_KEPT", "LocalFleet", "LocalWorker"]

STDERR_KEPT = 8 << 10
"""Bytes of a worker's output that are kept: the last ones."""

EXIT_GRACE_S = 3.0
"""How long a worker whose channel is closed may take to end, before it is killed."""

_POLL_S = 0.01


class LocalWorker:
    """The channel to one worker process."""

    clock_offset_ns = 0

    def __init__(self, worker: int, process: subprocess.Popen[bytes], end: CoordinatorEnd) -> None:
        self.worker = worker
        self.pid = process.pid
        self._process = process
        self._end = end
        self._output = _Tail(cast(IO[bytes], process.stdout))

    async def send(self, message: ToWorker) -> None:
        """Hand a message over; a dead worker is noticed by `receive`."""
        self._end.send(message)

    async def receive(self) -> FromWorker | None:
        """The next message; None once the worker is gone."""
        return await self._end.receive()

    def kill(self) -> None:
        """SIGKILL, if it still runs."""
        self._process.kill()

    async def close(self) -> None:
        """Close the channel, wait for the process, kill it after `EXIT_GRACE_S`, free all that is held."""
        await self._end.close()
        try:
            await asyncio.wait_for(self._exited(), EXIT_GRACE_S)
        except TimeoutError:
            self._process.kill()
            await self._exited()
        finally:
            self._output.close()

    def last_words(self) -> str:
        """How the process ended, and the end of what it wrote; "" while it runs."""
        status = self._process.poll()
        if status is None:
            return ""
        text = self._output.text()
        return f"process {self.pid} {_ending(status)}" + (f"; it wrote:\n{text}" if text else "")

    async def _exited(self) -> None:
        while self._process.poll() is None:  # noqa: ASYNC110 - asyncio and uvloop each watch children differently
            await asyncio.sleep(_POLL_S)


class LocalFleet:
    """Starts `workers` processes of this interpreter."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    async def start(self) -> list[LocalWorker]:
        """Start them all. Raises `FleetError` where the system refuses one, after ending the others."""
        started: list[LocalWorker] = []
        try:
            for worker in range(self._workers):
                started.append(await _start(worker))  # noqa: PERF401 - the ones started so far must be known
        except OSError as error:
            for channel in started:
                channel.kill()
                await channel.close()
            raise FleetError(
                f"worker process {len(started)} could not be started: {error}",
                hint="fewer workers, or a higher limit of processes and open files (ulimit -u, ulimit -n)",
            ) from error
        return started


class _Tail:
    """The last bytes that a process writes, read as they come so that it never blocks on a full pipe."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._kept = b""
        self._loop = asyncio.get_running_loop()
        os.set_blocking(self._pipe.fileno(), False)
        self._loop.add_reader(self._pipe.fileno(), self._read)

    def text(self) -> str:
        """What is kept, as text."""
        self._read()
        return self._kept.decode(errors="replace").strip()

    def close(self) -> None:
        """Take what is there, and free the pipe. May be repeated."""
        if not self._pipe.closed:
            self._read()
            self._loop.remove_reader(self._pipe.fileno())
            self._pipe.close()

    def _read(self) -> None:
        while not self._pipe.closed:
            try:
                data = os.read(self._pipe.fileno(), STDERR_KEPT)
            except BlockingIOError:
                return
            if not data:
                self._loop.remove_reader(self._pipe.fileno())
                return
            self._kept = (self._kept + data)[-STDERR_KEPT:]


async def _start(worker: int) -> LocalWorker:
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = subprocess.Popen(  # noqa: ASYNC220 - it returns once the interpreter is started
                _command(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
    return LocalWorker(worker, process, await CoordinatorEnd.open(ours))


def _command(fd: int) -> list[str]:
    # -P: the folder that squall is started in is no place to import from; a `types.py` there would break all.
    return [sys.executable, "-P", "-m", "squall.fleet.process", "--fd", str(fd), "--parent", str(os.getpid())]


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with exit code {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
