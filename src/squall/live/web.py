"""The page of the running test, for browsers: the report's own fragments, pushed as they change.

The rule: the loop that carries the run only hands on what it is told, and takes a summary a second while somebody
looks; all drawing is done in a thread. Without a viewer nothing is drawn but the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from squall.http_server import Answer, Route
from squall.live.audience import Audience
from squall.live.base import LiveView
from squall.live.live_page import LivePage, Order, shell
from squall.live.outlet import Outlet
from squall.live.picture import Scene
from squall.metrics.summary import summarise
from squall.metrics.totals import Totals
from squall.record.resources import ResourceSample
from squall.record.run import Phase, RunHeader
from squall.record.snapshots import Event, Interval
from squall.record.stability import StabilityCheck
from squall.record.verdicts import Verdict
from squall.reports.markup import text

__all__ = ["WebView"]

TOLD_MAX: Final = 3_600
"""What the thread has not come to yet: an hour of seconds, far more than drawing can take."""

_HTML: Final = "text/html; charset=utf-8"


class WebView(LiveView):
    """Tells the page's thread, and serves what it draws; made on the loop that serves.

    Args:
        title: what the page is called.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._loop = asyncio.get_running_loop()
        self._audience = Audience()
        self._scene = Scene()
        self._page = LivePage()
        self._header: RunHeader | None = None
        self._totals: Totals | None = None
        self._failed = False
        self._outlet: Outlet[Callable[[], None]] = Outlet(_carry_out, self._end, limit=TOLD_MAX)

    @property
    def routes(self) -> Mapping[str, Route]:
        """The page, and what its script listens to."""
        return {"/": self._answer, "/events": self._audience.stream}

    def begin_run(self, header: RunHeader, folder: Path, totals: Totals) -> None:  # noqa: ARG002 - the view's form
        """From now on the page can be drawn."""
        self._header, self._totals = header, totals

    def begin_phase(self, phase: Phase, duration_s: float | None = None) -> None:
        """The page has it from now on."""
        self._scene.begin_phase(phase, duration_s)
        self._outlet.offer(partial(self._page.history.begin_phase, phase))

    def accept(self, interval: Interval) -> None:
        """The page has it from now on, and is drawn if somebody looks."""
        self._scene.accept(interval)
        self._outlet.offer(partial(self._page.history.accept, interval))
        if self._audience.viewers:
            self._order(None)

    def happened(self, event: Event) -> None:
        """The page has it from now on."""
        self._scene.happened(event)
        self._outlet.offer(partial(self._page.history.happened, event))

    def sampled(self, sample: ResourceSample) -> None:
        """The page has it from now on."""
        self._scene.sampled(sample)
        self._outlet.offer(partial(self._page.history.sampled, sample))

    def checked(self, check: StabilityCheck) -> None:
        """The page has it from now on."""
        self._scene.checked(check)
        self._outlet.offer(partial(self._page.history.checked, check))

    def concluded(self, verdict: Verdict) -> None:
        """The page is drawn a last time, whoever looks: it may still be served for a while."""
        self._order(verdict)

    def finish(self) -> None:
        """What is drawn last is sent, and every stream ends."""
        self._outlet.close()

    def _answer(self) -> Answer:
        return Answer(shell(self._title, self._audience.parts).encode(), _HTML)

    def _order(self, verdict: Verdict | None) -> None:
        """Have the page drawn as the run stands."""
        if self._header is None or self._totals is None or self._failed:
            return
        phases = tuple(self._totals.phases.values())
        order = Order(
            header=self._header,
            picture=self._scene.picture(),
            summary=summarise(self._header, phases, self._totals, verdict),
            verdict=verdict,
        )
        self._outlet.offer(partial(self._draw, order))

    # --- in the thread ---

    def _draw(self, order: Order) -> None:
        if order.verdict is None and self._outlet.waiting:
            return  # it lags behind: what comes next is newer
        try:
            changed = self._page.changed(order)
        except Exception as error:  # noqa: BLE001 - a page that cannot be drawn is no reason to end a run
            self._failed = True
            said = f"{type(error).__name__}: {error}"
            changed = {"now": f'<p class="notes">The page cannot be drawn: {text(said)}</p>'}
        self._on_loop(partial(self._audience.publish, changed))

    def _end(self) -> None:
        self._on_loop(self._audience.end)

    def _on_loop(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)


def _carry_out(told: Callable[[], None]) -> None:
    told()
