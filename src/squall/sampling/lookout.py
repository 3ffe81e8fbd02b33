"""Takes the looks of one sampler in a thread of its own, each within its time, so that a slow one delays nobody.

The rule: a look that takes too long counts as failed, and the next one is not begun before it has ended. The
thread ends with the process at the latest, whatever it waits for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue

from squall.record.resources import ResourceSample
from squall.sampling.base import Sampler

__all__ = ["CLOSE_WAIT_S", "Lookout"]

CLOSE_WAIT_S = 1.0
"""How long is waited for a sampler to let go of what it holds."""

_Times = tuple[int, int]


class Lookout:
    """One sampler and its thread.

    Args:
        sampler: whose looks are taken.
        now: the time of the run and that of the clock, in nanoseconds.
    """

    def __init__(self, sampler: Sampler, now: Callable[[], _Times]) -> None:
        self._sampler = sampler
        self._now = now
        self._asked: SimpleQueue[
            tuple[asyncio.AbstractEventLoop, asyncio.Future[ResourceSample | None]] | None
        ]
        self._asked = SimpleQueue()
        self._busy = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"squall watch {sampler.source}", daemon=True)
        self._thread.start()

    async def look(self, timeout_s: float) -> ResourceSample | None:
        """One look; None where there is nothing new. A look that failed has its problem, and no figures."""
        if not self._busy.acquire(blocking=False):
            return self._failed("the look before it has not ended yet")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[ResourceSample | None] = loop.create_future()
        self._asked.put((loop, answer))
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            return self._failed(f"no answer within {timeout_s:g} s")

    async def close(self) -> None:
        """Let the sampler leave nothing behind; wait for that, but not for ever."""
        self._asked.put(None)
        await asyncio.to_thread(self._thread.join, CLOSE_WAIT_S)

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            loop, answer = asked
            try:
                found = self._sampler.look(*self._now())
            except Exception as error:  # noqa: BLE001 - whatever a look meets, the run goes on and says so
                found = self._failed(f"the look failed: {type(error).__name__}")
            self._busy.release()
            try:
                loop.call_soon_threadsafe(_give, answer, found)
            except RuntimeError:
                break  # the loop is gone, and with it whoever asked
        self._sampler.close()

    def _failed(self, problem: str) -> ResourceSample:
        at_ns, _ = self._now()
        return ResourceSample(
            at_ns=at_ns, source=self._sampler.source, role=self._sampler.role, problem=problem
        )


def _give(answer: asyncio.Future[ResourceSample | None], found: ResourceSample | None) -> None:
    if not answer.done():  # else it was waited for too long
        answer.set_result(found)
