"""Looks at each watched machine while a run goes on: each interval, and at each phase's end.

One task a source, so that none waits for another. The look at a phase's end lets its figures end with it; it is
left out where the source was looked at just before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from squall.record.resources import ResourceSample
from squall.sampling.lookout import Lookout

__all__ = ["Watching"]

_GAP_S: Final = 0.5
_GAP_SHARE: Final = 0.25
"""Two looks are at least this far apart, or this share of the interval: a rate over less says little."""

_LAST_LOOKS_S: Final = 0.5
"""How long the looks that are under way at the end may take."""


class Watching:
    """The looks of one run.

    Args:
        lookouts: one for each source.
        interval_s: from one look to the next.
        timeout_s: longest that one may take.
        sampled: given each sample, in the loop.
    """

    def __init__(
        self,
        lookouts: Sequence[Lookout],
        *,
        interval_s: float,
        timeout_s: float,
        sampled: Callable[[ResourceSample], None],
    ) -> None:
        self._lookouts = lookouts
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._sampled = sampled
        self._wanted = [asyncio.Event() for _ in lookouts]
        self._group: asyncio.TaskGroup | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._ending = False

    async def start(self) -> None:
        """Take the first looks, from which rates are counted, and go on."""
        if self._group is None:
            self._group = await asyncio.TaskGroup().__aenter__()
            self._tasks = [
                self._group.create_task(self._watch(lookout, wanted))
                for lookout, wanted in zip(self._lookouts, self._wanted, strict=True)
            ]

    def look_now(self) -> None:
        """A phase ends: look again at once. Does not wait for it."""
        for wanted in self._wanted:
            wanted.set()

    async def aclose(self) -> None:
        """Take no further looks, and let every sampler leave nothing behind. May be repeated."""
        if self._ending:
            return
        self._ending = True
        self.look_now()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LAST_LOOKS_S)
        for task in self._tasks:
            task.cancel()
        if self._group is not None:
            await self._group.__aexit__(None, None, None)
        await asyncio.gather(*(lookout.close() for lookout in self._lookouts))

    async def _watch(self, lookout: Lookout, wanted: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        while not self._ending:
            began_s = loop.time()
            found = await lookout.look(self._timeout_s)
            if found is not None:
                self._sampled(found)
            await self._pause(wanted, began_s)

    async def _pause(self, wanted: asyncio.Event, began_s: float) -> None:
        """Until the next look is due by the interval, or wanted and not too soon."""
        loop = asyncio.get_running_loop()
        gap_s = min(_GAP_S, _GAP_SHARE * self._interval_s)
        while not self._ending:
            wanted.clear()
            try:
                async with asyncio.timeout(began_s + self._interval_s - loop.time()):
                    await wanted.wait()
            except TimeoutError:
                return
            if loop.time() - began_s >= gap_s:
                return
