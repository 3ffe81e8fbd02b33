"""The view in a terminal, at width 100."""

from __future__ import annotations

import dataclasses
import io
import threading
import time
from collections.abc import Callable

from rich.console import Console

from squall.live.picture import Picture, Times, Title
from squall.live.terminal import TerminalView, drawn
from squall.record.run import Phase
from squall.record.snapshots import Interval

TITLE = Title("checkout", "ws://127.0.0.1:8080/chat?token=***")

GOLDEN = """\
╭─ checkout → ws://127.0.0.1:8080/chat?token=*** ──────────────────────────────────────────────────╮
│ hold ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━                  0:00:32 of 0:00:45 · run 0:01:12 │
│                                                                                                  │
│ connections  held 9,998 of 10,000   pending 2   connects 0/s   failed 2   dropped 2              │
│ messages     sent 10,012/s   delivered 10,011/s   in all 1,234,567   blocked 0                   │
│                                                                                                  │
│ ms                 p50        p95        p99        max                                          │
│ response          0.41       0.92       13.3        912                                          │
│ service           0.40       0.91       1.30       9.00                                          │
│ send lag          0.01       0.02       0.10       0.30                                          │
│                                                                                                  │
│ outcomes     delivered 1,234,500   lost 3   unknown 0   not sent 0                               │
│ events       duplicated 0   reordered 0   late 0   corrupted 0   unexpected 0                    │
│                                                                                                  │
│ errors       2 × upgrade status 403 (target)                                                     │
│              2 × open reset (target)                                                             │
│                                                                                                  │
│ last         0:00:41 drop: session 17 was reset by the target                                    │
│              0:01:00 worker lost: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… │
╰──────────────────────────────────────────────────── Ctrl-C ends the run in order, twice at once ─╯
"""


def rendered(picture: Picture, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO(), legacy_windows=False)
    with console.capture() as capture:
        console.print(drawn(picture, TITLE))
    return capture.get()


def test_the_picture_at_width_100(picture: Picture) -> None:
    assert rendered(picture) == GOLDEN


def test_an_open_phase_without_troubles_shows_neither_bar_nor_errors(picture: Picture) -> None:
    calm = dataclasses.replace(picture, phase_duration_s=None, troubles=(), events=())
    text = rendered(calm)
    assert "━" not in text
    assert "errors" not in text
    assert "last" not in text
    assert "0:00:32 · run 0:01:12" in text


def test_pings_have_a_row_where_there_are_any(picture: Picture) -> None:
    pinging = dataclasses.replace(picture, ping=Times(1, 2, 3, 4))
    assert "ping              1.00       2.00       3.00       4.00" in rendered(pinging)


def test_a_narrow_terminal_breaks_nothing(picture: Picture) -> None:
    assert {len(line) for line in rendered(picture, width=40).splitlines()} == {40}


def test_the_last_picture_is_wiped(
    make_interval: Callable[..., Interval], make_phase: Callable[..., Phase]
) -> None:
    stream = io.StringIO()
    view = TerminalView(stream, TITLE)
    view.begin_phase(make_phase(), 30.0)
    view.accept(make_interval(0))
    deadline = time.monotonic() + 20
    while "checkout" not in stream.getvalue() and time.monotonic() < deadline:
        threading.Event().wait(0.01)  # another thread draws
    view.finish()
    written = stream.getvalue()
    assert "checkout" in written
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
