"""A worker in this process and on this loop: for small runs and for tests. The channel is a real one.

What crosses it is encoded and decoded as between processes, so that a run with an inline worker shows what a
run with processes would. A kill cancels the worker where it stands.
"""

from __future__ import annotations

import asyncio
import socket

from squall.engine.base import FromWorker, ToWorker
from squall.engine.wire import CoordinatorEnd, WorkerEnd
from squall.fleet.process import raise_file_limit, serve

__all__ = ["InlineFleet", "InlineWorker"]


class InlineWorker:
    """The channel to a worker that runs as a task beside its coordinator."""

    clock_offset_ns = 0

    def __init__(self, worker: int, ours: CoordinatorEnd, theirs: WorkerEnd) -> None:
        self.worker = worker
        self._end = ours
        # Not in a task group: the worker outlives the call that starts it. `close` waits for it, and `serve`
        # turns whatever happens in it into a message.
        self._task = asyncio.get_running_loop().create_task(serve(theirs), name=f"squall worker {worker}")

    async def send(self, message: ToWorker) -> None:
        """Hand a message over; a dead worker is noticed by `receive`."""
        self._end.send(message)

    async def receive(self) -> FromWorker | None:
        """The next message; None once the worker is gone."""
        return await self._end.receive()

    def kill(self) -> None:
        """Cancel the worker where it stands, if it still runs."""
        self._task.cancel()

    async def close(self) -> None:
        """Close the channel, which ends the worker, and wait for that. May be repeated."""
        await self._end.close()
        await asyncio.wait([self._task])

    def last_words(self) -> str:
        """How the worker ended; "" while it runs."""
        if not self._task.done():
            return ""
        return "was cancelled" if self._task.cancelled() else f"ended with exit code {self._task.result()}"


class InlineFleet:
    """Starts `workers` tasks; more than one only makes sense in tests, since they share one core."""

    def __init__(self, workers: int = 1) -> None:
        self._workers = workers

    async def start(self) -> list[InlineWorker]:
        """Start them all on the running loop."""
        raise_file_limit()
        return [await self._start(worker) for worker in range(self._workers)]

    @staticmethod
    async def _start(worker: int) -> InlineWorker:
        ours, theirs = socket.socketpair()
        return InlineWorker(worker, await CoordinatorEnd.open(ours), await WorkerEnd.open(theirs.detach()))
