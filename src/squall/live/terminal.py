"""The view in a terminal: one picture, drawn over the one before.

Drawn at most four times a second, in a thread of its own; a picture that comes while one is drawn takes the
place of the one that waits. What was drawn is wiped at the end: the summary follows.
"""

from __future__ import annotations

from typing import Final, TextIO

from rich.console import Console
from rich.live import Live

from squall.live.base import LiveView
from squall.live.dashboard import Dashboard
from squall.live.outlet import Outlet, stream_apart
from squall.live.picture import Picture, Scene, Title
from squall.record.resources import ResourceSample
from squall.record.run import Phase
from squall.record.snapshots import Event, Interval
from squall.record.stability import StabilityCheck

__all__ = ["TerminalView"]

DRAW_EVERY_S: Final = 0.25


class TerminalView(LiveView):
    """Draws the run into a terminal."""

    def __init__(self, stream: TextIO, title: Title) -> None:
        self._title = title
        self._scene = Scene()
        self._live: Live | None = None
        apart, self._let_go = stream_apart(stream)
        self._console = Console(file=apart, force_terminal=True)
        self._outlet: Outlet[Picture] = Outlet(self._draw, self._wipe, limit=1, every_s=DRAW_EVERY_S)

    def begin_phase(self, phase: Phase, duration_s: float | None = None) -> None:
        """The next picture is in this phase."""
        self._scene.begin_phase(phase, duration_s)

    def accept(self, interval: Interval) -> None:
        """Draw the run as it stands after this interval."""
        self._scene.accept(interval)
        self._outlet.offer(self._scene.picture())

    def happened(self, event: Event) -> None:
        """Shown with the next picture."""
        self._scene.happened(event)

    def sampled(self, sample: ResourceSample) -> None:
        """Shown with the next picture."""
        self._scene.sampled(sample)

    def checked(self, check: StabilityCheck) -> None:
        """Shown with the next picture."""
        self._scene.checked(check)

    def finish(self) -> None:
        """Wipe the picture; the thread is left to itself where the terminal is blocked."""
        self._outlet.close()

    def _draw(self, picture: Picture) -> None:
        if self._live is None:
            # Its own refreshing would draw from a second thread; streams of others are left alone.
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(Dashboard(picture, self._title), refresh=True)

    def _wipe(self) -> None:
        try:
            if self._live is not None:
                self._live.stop()
        finally:
            self._let_go()
