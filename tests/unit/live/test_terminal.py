"""The view in a terminal: when it draws, and what it leaves."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable

import pytest

from squall.live.picture import Title
from squall.live.terminal import TerminalView
from squall.record.resources import ResourceSample
from squall.record.run import Phase
from squall.record.snapshots import Event, Interval
from squall.record.stability import StabilityCheck

TITLE = Title("checkout", "ws://127.0.0.1:8080/chat?token=***")


@pytest.fixture(autouse=True)
def _in_a_terminal_that_can_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")


def test_the_last_picture_is_wiped(
    make_interval: Callable[..., Interval], make_phase: Callable[..., Phase], check: StabilityCheck
) -> None:
    stream = io.StringIO()
    view = TerminalView(stream, TITLE)
    view.begin_phase(make_phase(), 30.0)
    view.happened(Event(at_ns=1, kind="alert", text="too slow", name="connection_latency"))
    view.sampled(ResourceSample(at_ns=1, source="host", role="host", cpu_share=0.25))
    view.checked(check)
    view.accept(make_interval(0))
    deadline = time.monotonic() + 20
    while "checkout" not in stream.getvalue() and time.monotonic() < deadline:
        threading.Event().wait(0.01)  # another thread draws
    view.finish()
    written = stream.getvalue()
    for shown in ("checkout", "too slow", "cpu 25 %", "drops 10 %"):
        assert shown in written
    assert written.rstrip().endswith("\x1b[2K") or "\x1b[1A\x1b[2K" in written
    assert "\x1b[?25h" in written  # the cursor is back


def test_a_terminal_that_went_away_harms_nobody(make_interval: Callable[..., Interval]) -> None:
    stream = io.StringIO()
    view = TerminalView(stream, TITLE)
    stream.close()
    for index in range(3):
        view.accept(make_interval(index))
    view.finish()


def test_nothing_drawn_leaves_nothing() -> None:
    stream = io.StringIO()
    TerminalView(stream, TITLE).finish()
    assert stream.getvalue() == ""
