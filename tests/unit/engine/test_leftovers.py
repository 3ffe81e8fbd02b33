"""What is left in a process is seen: descriptors and tasks, and only those that came after the count began."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

import pytest

from squall.engine import leftovers
from squall.engine.leftovers import Leftovers


def left(body: Callable[[asyncio.AbstractEventLoop], Awaitable[list[object]]]) -> int | None:
    """What is left after `body`; what it returns is kept alive meanwhile."""

    async def run() -> int | None:
        loop = asyncio.get_running_loop()
        connecting = loop.create_task(asyncio.sleep(60))
        made = Leftovers()
        made.begin(besides=connecting)
        kept = await body(loop)
        connecting.cancel()
        try:
            return await made.count()
        finally:
            for each in kept:
                if isinstance(each, socket.socket):
                    each.close()
                elif isinstance(each, asyncio.Task):
                    each.cancel()

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_PAUSE_S", 0.0)


async def nothing(_loop: asyncio.AbstractEventLoop) -> list[object]:
    return []


def test_nothing_is_left_where_nothing_was_opened() -> None:
    assert left(nothing) == 0


def test_open_sockets_and_tasks_are_left() -> None:
    async def body(loop: asyncio.AbstractEventLoop) -> list[object]:
        return [socket.socket(), socket.socket(), loop.create_task(asyncio.sleep(60))]

    assert left(body) == 3


def test_what_closes_a_moment_later_is_not_left() -> None:
    async def body(loop: asyncio.AbstractEventLoop) -> list[object]:
        reading, writing = os.pipe()
        loop.call_soon(os.close, reading)
        loop.call_soon(os.close, writing)
        return [loop.create_task(asyncio.sleep(0))]

    assert left(body) == 0


def test_a_system_that_does_not_tell_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_TABLE", "/nowhere")
    assert left(nothing) is None
