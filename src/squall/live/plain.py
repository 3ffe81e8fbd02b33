"""Lines for where there is no terminal: one a second at first, one each five seconds later.

The rule: a line covers all that came since the line before, so nothing falls between two of them. Events have
lines of their own, at most `EVENTS_PER_LINE` between two others.
"""

from __future__ import annotations

from typing import Final, TextIO

from squall.live.base import LiveView
from squall.live.outlet import Outlet, stream_apart
from squall.live.picture import Picture, Scene
from squall.live.words import clock, event, milliseconds, per_second
from squall.record.run import Phase
from squall.record.snapshots import Event, Interval
from squall.units import format_count, format_duration

__all__ = ["PlainView", "plain_line"]

EACH_SECOND_UNTIL_S: Final = 30
EVERY_S_AFTER: Final = 5
EVENTS_PER_LINE: Final = 5
LINES_WAITING_MAX: Final = 100


class PlainView(LiveView):
    """Writes lines to a stream, in a thread of its own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, let_go = stream_apart(stream)
        self._outlet: Outlet[str] = Outlet(self._write, let_go, limit=LINES_WAITING_MAX)
        self._scene = Scene()
        self._next_index = 0
        self._events = 0
        self._has_more = False

    def begin_phase(self, phase: Phase, duration_s: float | None = None) -> None:
        """A line that says what begins."""
        if self._has_more:
            self._line()
        self._scene.begin_phase(phase, duration_s)
        for_long = f" ({format_duration(round(duration_s, 3))})" if duration_s is not None else ""
        self._outlet.offer(f"{clock(phase.start_ns)} {phase.name} begins{for_long}: {phase.words}")

    def accept(self, interval: Interval) -> None:
        """A line, if it is time for one."""
        self._scene.accept(interval)
        self._has_more = True
        for each in interval.events:
            self._event(each)
        if interval.index >= self._next_index:
            self._line()
            is_early = interval.index < EACH_SECOND_UNTIL_S
            self._next_index = interval.index + (1 if is_early else EVERY_S_AFTER)

    def happened(self, event: Event) -> None:
        """A line of its own."""
        self._scene.happened(event)
        self._event(event)

    def finish(self) -> None:
        """The last line, if something came after the one before."""
        if self._has_more:
            self._line()
        self._outlet.close()

    def _line(self) -> None:
        if self._events > EVENTS_PER_LINE:
            more = self._events - EVENTS_PER_LINE
            self._outlet.offer(f"        … and {format_count(more)} more event{'s' if more > 1 else ''}")
        self._events = 0
        self._has_more = False
        self._outlet.offer(plain_line(self._scene.picture()))

    def _event(self, happened: Event) -> None:
        self._events += 1
        if self._events <= EVENTS_PER_LINE:
            self._outlet.offer(event(happened))

    def _write(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()


def plain_line(picture: Picture) -> str:
    """A picture as one line: time, phase, connections, rates, latency, lag, what went wrong."""
    response, delivery = picture.response, picture.delivery
    wrong = {
        "lost": delivery.lost,
        "unknown": delivery.unknown,
        "not sent": delivery.not_sent,
        "duplicated": delivery.duplicated,
        "reordered": delivery.reordered,
        "corrupted": delivery.corrupted,
        "unexpected": delivery.unexpected,
        "pushes missing": delivery.push_missing,
    }
    times = "/".join(map(milliseconds, (response.p50_ms, response.p95_ms, response.p99_ms)))
    parts = [
        f"{clock(picture.at_ns)} {picture.phase:<9} held {format_count(picture.held)}"
        f"/{format_count(picture.planned)}",
        f"connects {per_second(picture.connects_hz)}",
        f"sent {per_second(picture.sent_hz)}",
        f"delivered {per_second(picture.delivered_hz)}",
        *([f"pushed {per_second(picture.pushed_hz)}"] if picture.pushed_hz is not None else []),
        f"response p50/p95/p99 {times} ms",
        f"lag p99 {milliseconds(picture.lag.p99_ms)} ms",
        f"errors {format_count(picture.errors)}",
        f"drops {format_count(picture.dropped)}",
        *(f"{name} {format_count(count)}" for name, count in wrong.items() if count),
    ]
    return "  ".join(parts)
