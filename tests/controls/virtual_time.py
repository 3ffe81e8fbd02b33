"""An event loop on which time passes only while nothing is to be done, so that what runs on it is exact and instant.

Whatever is ready runs at one moment; then the clock jumps to the next timer. So a run of a minute takes as long as
its work does, and every time in it is what the timers say, to the nanosecond. Sockets between tasks of the loop work:
what was written is read before the clock moves. Threads do not: `run_in_executor` runs the call there and then.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

__all__ = ["VirtualLoop"]

BEGIN_NS = 1_000_000_000_000
STUCK_S = 5.0


class VirtualSelector(selectors.DefaultSelector):
    """Looks for input without waiting, and lets the loop's clock jump instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = BEGIN_NS

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:  # no timer is set: only input can go on, which real time brings or nothing does
            if not (ready := super().select(STUCK_S)):
                raise RuntimeError("everything waits, and for nothing that will happen")
            return ready
        self.now_ns += max(1, round(timeout * 1e9))
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module."""

    def __init__(self) -> None:
        self._clock = VirtualSelector()
        super().__init__(self._clock)
        self._clock_resolution = 1e-9

    def now_ns(self) -> int:
        """Nanoseconds since some moment before the loop began."""
        return self._clock.now_ns

    def time(self) -> float:
        return self._clock.now_ns / 1e9

    def run_in_executor(self, _executor: Any, call: Callable[..., Any], *arguments: Any) -> Any:
        done = self.create_future()
        done.set_result(call(*arguments))
        return done
