"""How a run is asked to end before its plan does: once gracefully, twice at once.

Whoever holds the switch knows nothing of the run, and the run nothing of signals.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["StopSwitch", "stopped_by_signals"]

INTERRUPTED = "interrupted"


class StopSwitch:
    """Remembers that it was thrown; a run that is bound to it is told, also if that was before."""

    def __init__(self) -> None:
        self.times = 0
        self._stop: Callable[[str], None] | None = None
        self._kill: Callable[[str], None] | None = None
        self._thrown = asyncio.Event()

    def throw(self) -> None:
        """The first time: stop gracefully, keeping all results. From the second on: at once."""
        self.times += 1
        self._thrown.set()
        if self.times == 1 and self._stop is not None:
            self._stop(INTERRUPTED)
        elif self._kill is not None:
            self._kill(INTERRUPTED)

    async def wait(self, timeout_s: float) -> None:
        """Wait until it is thrown, or was already; at most this long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._thrown.wait()

    def bind(self, stop: Callable[[str], None], kill: Callable[[str], None]) -> None:
        """From now on this run is meant."""
        self._stop, self._kill = stop, kill
        if self.times == 1:
            stop(INTERRUPTED)
        elif self.times > 1:
            kill(INTERRUPTED)

    def release(self) -> None:
        """The run is over: nobody is meant any more."""
        self._stop = self._kill = None


@contextmanager
def stopped_by_signals(switch: StopSwitch) -> Iterator[None]:
    """Let SIGINT and SIGTERM throw the switch while the block runs; only in the main thread's loop."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        loop.add_signal_handler(number, switch.throw)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])
