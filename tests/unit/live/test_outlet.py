"""Whoever offers never waits, whatever the output does."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from squall.live import outlet as outlet_module
from squall.live.outlet import Outlet, stream_apart

WAIT_S = 30.0  # far more than any of this takes, on any machine


def nothing() -> None:
    """Nothing to let go of."""


def test_items_are_shown_in_order_and_the_end_comes_last() -> None:
    shown: list[str] = []
    out: Outlet[str] = Outlet(shown.append, lambda: shown.append("end"), limit=10)
    for item in "abc":
        out.offer(item)
    assert out.close()
    assert shown == ["a", "b", "c", "end"]
    assert out.left_out == 0


def test_a_blocked_output_leaves_out_the_oldest_and_holds_up_nobody() -> None:
    entered, release = threading.Event(), threading.Event()
    shown: list[int] = []

    def show(item: int) -> None:
        entered.set()
        release.wait(WAIT_S)
        shown.append(item)

    out = Outlet(show, nothing, limit=2)
    out.offer(0)
    assert entered.wait(WAIT_S)
    for item in range(1, 6):
        out.offer(item)
    assert out.left_out == 3
    release.set()
    assert out.close()
    assert shown == [0, 4, 5]


def test_closing_does_not_wait_for_an_output_that_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    entered, release = threading.Event(), threading.Event()

    def show(item: int) -> None:
        entered.set()
        release.wait(WAIT_S)

    monkeypatch.setattr(outlet_module, "CLOSE_WAIT_S", 0.05)
    out = Outlet(show, nothing, limit=2)
    out.offer(0)
    assert entered.wait(WAIT_S)
    assert not out.close()
    release.set()


def test_an_output_that_is_gone_is_let_go_of_and_takes_nothing_more() -> None:
    ended = threading.Event()
    shown: list[int] = []

    def show(item: int) -> None:
        shown.append(item)
        raise BrokenPipeError

    out = Outlet(show, ended.set, limit=2)
    out.offer(0)
    assert ended.wait(WAIT_S)
    assert not out.close()
    out.offer(1)
    assert shown == [0]


def test_an_output_that_is_set_not_to_block_gets_every_item_whole() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    text = "x" * 300_000  # several times what a pipe holds
    with os.fdopen(writing, "w") as pipe, os.fdopen(reading) as reader:
        apart, let_go = stream_apart(pipe)
        out: Outlet[str] = Outlet(lambda item: print(item, file=apart), let_go, limit=2)
        out.offer(text)
        assert reader.readline() == f"{text}\n"
        assert out.close()


def test_a_file_gets_a_stream_of_its_own_that_is_closed_apart(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with path.open("w", encoding="utf-8") as file:
        apart, let_go = stream_apart(file)
        assert apart is not file
        apart.write("one\n")
        let_go()
        assert apart.closed
        assert not file.closed
    assert path.read_text(encoding="utf-8") == "one\n"


def test_a_stream_that_is_no_file_is_used_itself_and_stays_open() -> None:
    stream = io.StringIO()
    apart, let_go = stream_apart(stream)
    let_go()
    assert apart is stream
    assert not stream.closed


def test_a_pipe_that_nobody_reads_any_more_harms_nobody() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        apart, let_go = stream_apart(pipe)
        out: Outlet[str] = Outlet(lambda text: print(text, file=apart), let_go, limit=2)
        out.offer("x")
        assert not out.close()
