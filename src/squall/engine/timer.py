"""Wakes the pacer at a time of the monotonic clock: by a timerfd where Linux has one, else by the loop's timer.

A timerfd is precise to microseconds where the loop's own timers round to milliseconds. It is armed for one
absolute time; arming it anew clears an expiry that was not read, so the descriptor is never read.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable

from squall.engine.ticks import now_ns

__all__ = ["FdTimer", "LoopTimer", "make_timer"]

_CLOCK_MONOTONIC = 1
_TFD_NONBLOCK = 0o4000
_TFD_CLOEXEC = 0o2000000
_TFD_TIMER_ABSTIME = 1


class _Itimerspec(ctypes.Structure):
    """`struct itimerspec`: interval and value, each seconds and nanoseconds."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


class FdTimer:
    """A timerfd on the loop. Raises `OSError` where the system has none."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._set_time = libc.timerfd_settime
        self._fd = libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK | _TFD_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._spec = _Itimerspec(0, 0, 0, 0)
        self._pointer = ctypes.byref(self._spec)
        self._loop = loop
        loop.add_reader(self._fd, wake)

    def arm(self, at_ns: int) -> None:
        """Wake at this time of CLOCK_MONOTONIC, at once if it is past; replaces what was armed before."""
        self._spec.value_s, self._spec.value_ns = divmod(max(at_ns, 1), 1_000_000_000)
        self._set_time(self._fd, _TFD_TIMER_ABSTIME, self._pointer, None)

    def disarm(self) -> None:
        """Do not wake."""
        self._spec.value_s = self._spec.value_ns = 0
        self._set_time(self._fd, _TFD_TIMER_ABSTIME, self._pointer, None)

    def close(self) -> None:
        """Give the descriptor back."""
        self._loop.remove_reader(self._fd)
        os.close(self._fd)


class LoopTimer:
    """The loop's own timer, for systems without a timerfd."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
        self._loop = loop
        self._wake = wake
        self._handle: asyncio.TimerHandle | None = None

    def arm(self, at_ns: int) -> None:
        """Wake at this time of the monotonic clock, at once if it is past."""
        self.disarm()
        delay_s = max(0.0, (at_ns - now_ns()) / 1e9)
        self._handle = self._loop.call_later(delay_s, self._wake)

    def disarm(self) -> None:
        """Do not wake."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def close(self) -> None:
        """Stop for good."""
        self.disarm()


def make_timer(loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> FdTimer | LoopTimer:
    """The best timer that this system has. It must be disarmed, or armed anew, at each wake-up."""
    has_timerfd = sys.platform == "linux"
    return FdTimer(loop, wake) if has_timerfd else LoopTimer(loop, wake)
