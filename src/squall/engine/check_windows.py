"""What the stability checks of a held level count in this process, each check in its own window of the run.

A phase is cut into windows from its start on, the last one ends with it. A message belongs to the window in which
it was due, and so does its response; a drop to the one in which it happened. A message counts as sent when it is
due and can be, also while the peer's backpressure holds it back; as delivered if its first good copy comes until
the window's deadline, one `drain_timeout` after its end. How many connections were held at a window's start is
noted before the first change after it, so no timer is needed. Phases without checks have windows too, which are
counted in and never reported.

Part of the hot path. Memory is bounded: a window is forgotten after its deadline.
"""

from __future__ import annotations

import cython

from squall.record.snapshots import CheckCell

__all__ = ["CheckWindows", "Window"]

_NEVER_NS = 1 << 62
_UNCHECKED = -1


@cython.cclass
class Window:
    """One stretch of a phase and what was counted in it since the last report; `index` −1 where nothing is checked."""

    def __init__(self, phase: int, index: int, start_ns: int, until_ns: int, spike_ns: int) -> None:
        self.phase = phase
        self.index = index
        self.start_ns = start_ns
        self.until_ns = until_ns
        self.deadline_ns = _NEVER_NS
        self.spike_ns = spike_ns
        self.held = 0
        self.joined = 0
        self.drops = 0
        self.sent = 0
        self.delivered = 0
        self.spiked: set[int] = set()
        self.spiked_told = 0

    def take(self) -> CheckCell | None:
        """The changes since the last call, None where there are none."""
        spiked = len(self.spiked) - self.spiked_told
        counts = (self.held, self.drops, self.sent, self.delivered, spiked, self.joined)
        self.held = self.joined = self.drops = self.sent = self.delivered = 0
        self.spiked_told += spiked
        if not any(counts):
            return None
        return CheckCell(self.phase, self.index, *counts)


@cython.cclass
class CheckWindows:
    """The windows of one process; see the module. Times are nanoseconds of the run."""

    def __init__(self, drain_timeout_ns: int) -> None:
        self.drain_timeout_ns = drain_timeout_ns
        self.phases: list[tuple[int, int, int, int]] = []  # start, id, interval (0: no checks), spike bound
        self.open: dict[tuple[int, int], Window] = {}
        self.begun = Window(_UNCHECKED, _UNCHECKED, -_NEVER_NS, _NEVER_NS, _NEVER_NS)
        self.latest = self.begun

    def begin(self, phase: int, start_ns: int, interval_ns: int, spike_ns: int) -> None:
        """A phase follows the last one at a time; it is checked each interval, if that is not 0."""
        self.phases.append((start_ns, phase, interval_ns, spike_ns if interval_ns else _NEVER_NS))
        for window in (self.begun, self.latest, *self.open.values()):
            if window.until_ns > start_ns:
                window.until_ns = start_ns
                window.deadline_ns = min(window.deadline_ns, start_ns + self.drain_timeout_ns)

    def roll(self, now: int, held: int) -> None:
        """Note how many connections are held at the start of each window begun by now: call it before that changes."""
        while self.begun.until_ns <= now:
            self.begun = self.find(self.begun.until_ns)
            self.begun.held = held

    def joined_at(self, now: int) -> None:
        """A connection was established."""
        window: Window = self._of(now)
        window.joined += 1

    def dropped_at(self, now: int) -> None:
        """A connection was dropped."""
        window: Window = self._of(now)
        window.drops += 1

    @cython.ccall
    def sent_at(self, due_ns: cython.longlong) -> cython.void:
        """A message that is due can be sent."""
        window: Window = self._of(due_ns)
        window.sent += 1

    def unsent_at(self, due_ns: int) -> None:
        """One that was held back will not be sent after all."""
        window: Window = self._of(due_ns)
        window.sent -= 1

    @cython.ccall
    def delivered_at(
        self, due_ns: cython.longlong, now: cython.longlong, connection: cython.longlong
    ) -> cython.void:
        """The first good copy of a message has come, on the connection with this number."""
        window: Window = self._of(due_ns)
        if now < window.deadline_ns:
            window.delivered += 1
            if now - due_ns > window.spike_ns:
                window.spiked.add(connection)

    @cython.cfunc
    def _of(self, at_ns: cython.longlong) -> Window:
        """The window in which a time lies; mostly it is the one of the time before."""
        window: Window = self.latest
        if window.start_ns <= at_ns < window.until_ns:
            return window
        return self.find(at_ns)

    @cython.ccall
    def find(self, at_ns: cython.longlong) -> Window:
        """The same by the phases. A window whose deadline has passed is made anew, and counts nothing any more."""
        start_ns, phase, interval_ns, spike_ns = -_NEVER_NS, _UNCHECKED, 0, _NEVER_NS
        until_ns = _NEVER_NS
        for each in reversed(self.phases):
            if each[0] <= at_ns:
                start_ns, phase, interval_ns, spike_ns = each
                break
            until_ns = each[0]
        index = (at_ns - start_ns) // interval_ns if interval_ns else _UNCHECKED
        window = self.open.get((phase, index))
        if window is None:
            window = self.open[phase, index] = Window(phase, index, start_ns, until_ns, spike_ns)
            if interval_ns:
                window.start_ns = start_ns + index * interval_ns
                window.until_ns = min(window.start_ns + interval_ns, until_ns)
                window.deadline_ns = window.until_ns + self.drain_timeout_ns
        if window.start_ns > self.latest.start_ns:
            self.latest = window
        return window

    def take(self, now: int, held: int) -> list[CheckCell]:
        """What was counted since the last call, by window."""
        self.roll(now, held)
        found = []
        for key, window in list(self.open.items()):
            cell = window.take()
            if cell is not None and window.index >= 0:
                found.append(cell)
            if window.deadline_ns <= now:
                del self.open[key]
        return found
