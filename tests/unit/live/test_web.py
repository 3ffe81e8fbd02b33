"""The view behind the live page: it draws while somebody looks, and its thread gets all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from squall.http_server import Answer, Stream
from squall.live.live_page import LivePage, Order
from squall.live.web import WebView
from squall.metrics.totals import Totals
from squall.record.resources import ResourceSample
from squall.record.run import Phase, RunHeader
from squall.record.snapshots import Event, Interval
from squall.record.stability import StabilityCheck
from squall.record.verdicts import Verdict


class Fed:
    """A view, and the totals that it reads."""

    def __init__(self, header: RunHeader, phase: Phase, make_interval: Callable[..., Interval]) -> None:
        self.view = WebView("checkout")
        self.totals = Totals(["main"], [["message"]])
        self.totals.note(phase)
        self._make, self._seconds = make_interval, 0
        self.view.begin_run(header, Path("run"), self.totals)
        self.view.begin_phase(phase, 60.0)

    def second(self) -> None:
        interval = self._make(self._seconds)
        self._seconds += 1
        self.totals.add(interval)
        self.view.accept(interval)

    def page(self) -> str:
        answer = self.view.routes["/"]()
        assert isinstance(answer, Answer)
        return answer.body.decode()

    def stream(self) -> Any:
        answer = self.view.routes["/events"]()
        assert isinstance(answer, Stream)
        return answer.pieces()


Doing = Callable[[Callable[[Fed], Awaitable[None]]], None]


@pytest.fixture
def fed(header: RunHeader, make_phase: Callable[..., Phase], make_interval: Callable[..., Interval]) -> Doing:
    def run(doing: Callable[[Fed], Awaitable[None]]) -> None:
        async def main() -> None:
            made = Fed(header, make_phase(), make_interval)
            try:
                await asyncio.wait_for(doing(made), 30)
            finally:
                made.view.finish()

        asyncio.run(main())

    return run


def test_without_a_viewer_nothing_is_drawn_but_the_end(
    fed: Doing, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Verdict | None] = []
    changed = LivePage.changed

    def noted(page: LivePage, order: Order) -> dict[str, str]:
        drawn.append(order.verdict)
        return changed(page, order)

    monkeypatch.setattr(LivePage, "changed", noted)

    async def doing(it: Fed) -> None:
        for _ in range(5):
            it.second()
        it.view.concluded(verdict)
        it.view.finish()
        await asyncio.sleep(0)
        assert drawn == [verdict]
        assert "FAILED" in it.page()

    fed(doing)


def test_a_viewer_gets_what_was_told_before_it_came_and_then_the_end(
    fed: Doing, verdict: Verdict, check: StabilityCheck
) -> None:
    async def doing(it: Fed) -> None:
        it.second()
        it.view.happened(Event(at_ns=1, kind="drop", text="session 7 was reset"))
        it.view.sampled(ResourceSample(at_ns=1, source="node 9", role="target", cpu_share=0.5))
        it.view.checked(check)
        viewer = it.stream()
        assert (await anext(viewer)).startswith(b"retry")
        it.second()
        frame = await anext(viewer)
        for words in (b"RUNNING", b"session 7 was reset", b"node 9", b"Stability checks"):
            assert words in frame
        it.view.concluded(verdict)
        it.view.finish()
        rest = b"".join([piece async for piece in viewer])
        assert b"FAILED" in rest
        assert rest.endswith(b"event: over\ndata:\n\n")

    fed(doing)


def test_a_page_that_cannot_be_drawn_says_so_and_fails_nobody(
    fed: Doing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(page: LivePage, order: object) -> dict[str, str]:
        raise ZeroDivisionError("<a mistake>")

    monkeypatch.setattr(LivePage, "changed", broken)

    async def doing(it: Fed) -> None:
        viewer = it.stream()
        await anext(viewer)
        it.second()
        assert b"cannot be drawn: ZeroDivisionError: &lt;a mistake&gt;" in await anext(viewer)
        it.second()
        await viewer.aclose()

    fed(doing)


def test_a_thread_that_lags_draws_only_what_is_newest(fed: Doing, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, release = threading.Event(), threading.Event()
    drawn: list[int] = []
    changed = LivePage.changed

    def slow(page: LivePage, order: Any) -> dict[str, str]:
        drawn.append(order.picture.at_ns // 10**9)
        entered.set()
        release.wait(20)
        return changed(page, order)

    monkeypatch.setattr(LivePage, "changed", slow)

    async def doing(it: Fed) -> None:
        viewer = it.stream()
        await anext(viewer)
        it.second()
        assert entered.wait(20)
        for _ in range(9):
            it.second()
        release.set()
        seen = await anext(viewer)
        if b"run 0:00:01" in seen:  # a viewer that is late itself has only the newest
            seen = await anext(viewer)
        assert b"run 0:00:10" in seen
        assert drawn == [1, 10]
        await viewer.aclose()

    fed(doing)


def test_before_the_run_there_is_a_page_that_waits() -> None:
    async def main() -> None:
        view = WebView("checkout")
        answer = view.routes["/"]()
        assert isinstance(answer, Answer)
        assert b"the first second is not over yet" in answer.body
        view.finish()

    asyncio.run(main())
