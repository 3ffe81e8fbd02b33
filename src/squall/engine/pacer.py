"""The pacer: asks each session, at the right time, to send what is due.

A timing wheel (Varghese and Lauck, SOSP 1987) whose slots are one pacing window wide. A session stands in the slot
of its next due time; one that is due later than a turn of the wheel is passed over until its turn comes. The
pacer wakes for the earliest due time, but never sooner than one window after it last woke, so that everything
due meanwhile goes out at one wake-up; intended times stay exact whatever the window.

Knows sessions only by their number of nanoseconds; when to wake is said to a timer that is passed in.
"""

from __future__ import annotations

from collections.abc import Callable

import cython

if cython.compiled:
    from cython.cimports.squall.engine.session import Session
    from cython.cimports.squall.engine.ticks import now_ns
else:
    from squall.engine.session import Session
    from squall.engine.ticks import now_ns

__all__ = ["Pacer"]


@cython.cclass
class Pacer:
    """The wheel of one process.

    Args:
        window_ns: the pacing window.
        start_ns: the start of the run on this process's monotonic clock.
        arm: called with the time of the run at which to call `tick` next.
        failed: called with an exception of squall's own, which must not vanish in the event loop.
    """

    def __init__(
        self,
        window_ns: int,
        start_ns: int,
        arm: Callable[[int], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self.window_ns = window_ns
        self.start_ns = start_ns
        self.arm = arm
        self.failed = failed
        self.slots = [[] for _ in range(4096)]
        self.waiting = 0
        self.reached = 0
        self.woken_ns = 0
        self.armed_ns = 1 << 62

    def enrol(self, session: Session) -> None:
        """Ask a session from its `due_ns` on, and no longer from when it was to be asked before."""
        if session.slot >= 0:
            cython.cast(list, self.slots[session.slot & 4095]).remove(session)
            session.slot = -1
            self.waiting -= 1
        if session.due_ns < 1 << 62:
            self._place(session, session.due_ns)
            wake = max(session.due_ns, self.woken_ns + self.window_ns)
            if wake < self.armed_ns:
                self.armed_ns = wake
                self.arm(wake)

    @cython.cfunc
    def _place(self, session: Session, due: cython.longlong) -> cython.int:
        slot: cython.longlong = due // self.window_ns
        slot = max(slot, self.reached)
        session.slot = slot
        cython.cast(list, self.slots[slot & 4095]).append(session)
        self.waiting += 1
        return 0

    def tick(self) -> None:
        """Let everything that is due go out, and say when to wake next."""
        try:
            self._tick(now_ns() - self.start_ns)
        except BaseException as error:  # noqa: BLE001 - the event loop would only log it
            self.failed(error)

    @cython.ccall
    def _tick(self, now: cython.longlong) -> cython.int:
        upto: cython.longlong = now // self.window_ns
        slot: cython.longlong = self.reached
        if upto - slot >= 4096:
            slot = upto - 4095
        self.reached = upto
        while slot <= upto:
            if self.slots[slot & 4095]:
                self._serve(slot & 4095, now)
            slot += 1
        self.woken_ns = now
        self.armed_ns = self._next_wake(now)
        self.arm(
            self.armed_ns
        )  # also where that is never: a timer that has expired would wake the loop again at once
        return 0

    @cython.cfunc
    def _serve(self, index: cython.Py_ssize_t, now: cython.longlong) -> cython.int:
        """Ask the sessions of one slot that are due; the others go back."""
        present: list = self.slots[index]
        self.slots[index] = []
        due: cython.longlong
        session: Session
        for entry in present:
            session = cython.cast(Session, entry)
            self.waiting -= 1
            session.slot = -1
            due = session.due_ns
            if due <= now:
                due = session.on_due(now)
            if due < 1 << 62:
                self._place(session, due)
        return 0

    @cython.cfunc
    def _next_wake(self, now: cython.longlong) -> cython.longlong:
        """The earliest due time within a turn of the wheel, at least a window from now; the turn's end else."""
        if self.waiting == 0:
            return 1 << 62
        step: cython.Py_ssize_t
        earliest: cython.longlong = 1 << 62
        session: Session
        for step in range(4096):
            present: list = self.slots[(self.reached + step) & 4095]
            if present:
                for entry in present:
                    session = cython.cast(Session, entry)
                    earliest = min(earliest, session.due_ns)
                if earliest < (self.reached + step + 1) * self.window_ns:
                    break
        return max(min(earliest, now + 4000 * self.window_ns), now + self.window_ns)
