"""Hands what is to be shown to a thread of its own, so that a blocked terminal blocks only that thread.

The rule: `offer` never waits. What the thread has not come to is kept up to a limit, past which the oldest is
left out and counted. An output that is gone (a closed pipe) is noticed once, and everything after it dropped.
"""

from __future__ import annotations

import io
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Generic, TextIO, TypeVar, cast

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

__all__ = ["Outlet", "stream_apart"]

T = TypeVar("T")

CLOSE_WAIT_S: Final = 1.0
"""How long `close` waits for an output that does not take what is left."""


class Outlet(Generic[T]):
    """A bounded queue and the thread that empties it.

    Args:
        show: called in the thread with each item; may block, and may raise `OSError` or `ValueError` where
            the output is gone.
        at_end: called in the thread, last of all; may raise as `show` may.
        limit: items kept while the thread is busy.
        every_s: the thread shows at most one item in this time.
    """

    def __init__(
        self, show: Callable[[T], None], at_end: Callable[[], None], *, limit: int, every_s: float = 0.0
    ) -> None:
        self.left_out = 0
        """Items that were dropped because the output did not take them in time."""
        self._show = show
        self._at_end = at_end
        self._items: deque[T] = deque()
        self._limit = limit
        self._every_s = every_s
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._gone = False
        self._thread = threading.Thread(target=self._run, name="squall live view", daemon=True)
        self._thread.start()

    def offer(self, item: T) -> None:
        """Show this when the output takes it."""
        if self._gone or self._closing.is_set():
            return
        with self._changed:
            if len(self._items) == self._limit:
                self._items.popleft()
                self.left_out += 1
            self._items.append(item)
            self._changed.notify()

    @property
    def waiting(self) -> int:
        """Items that the thread has not come to."""
        return len(self._items)

    def close(self) -> bool:
        """Show what is left, for as long as that takes at most `CLOSE_WAIT_S`; whether all was shown."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(CLOSE_WAIT_S)
        return not self._thread.is_alive() and not self._gone

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                self._show(item)
                self._closing.wait(self._every_s)
        except (OSError, ValueError):
            self._gone = True
        try:
            self._at_end()
        except (OSError, ValueError):
            self._gone = True

    def _next(self) -> T | None:
        """The next item, once there is one; None when all were shown and no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closing.is_set())
            return self._items.popleft() if self._items else None


class _Patient(io.FileIO):
    """Writes all that it is given, also where the file is set not to block and has no room for a while."""

    def write(self, data: Buffer, /) -> int:
        left = memoryview(data)
        size = left.nbytes
        while left.nbytes:
            # None: no room, although no type says so.
            written = cast("int | None", super().write(left))
            if written is None:
                waiting = select.poll()
                waiting.register(self, select.POLLOUT)
                waiting.poll()
            else:
                left = left[written:]
        return size


def stream_apart(stream: TextIO) -> tuple[TextIO, Callable[[], None]]:
    """A stream to the same place, and what closes it; a stream that is no file is itself, and stays open.

    A thread that is blocked while it writes holds its stream's lock, and Python could not end with that held:
    so it gets a stream of its own.
    """
    try:
        fd = os.dup(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return stream, lambda: None
    # Unbuffered: a frame goes out at once, and nothing is left to be flushed when Python ends.
    raw = cast("io.BufferedIOBase", _Patient(fd, "w"))
    apart = io.TextIOWrapper(
        cast("io.BytesIO", raw), encoding=stream.encoding or "utf-8", errors="replace", write_through=True
    )
    return apart, apart.close
