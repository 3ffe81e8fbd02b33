"""Viewers: each gets what is new to it, however much it missed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from squall.live import audience as module
from squall.live.audience import EVENT_STREAM, Audience


def run(doing: Callable[[Audience], Awaitable[None]]) -> None:
    async def main() -> None:
        await asyncio.wait_for(doing(Audience()), 20)

    asyncio.run(main())


async def joined(audience: Audience) -> AsyncGenerator[bytes, None]:
    stream = audience.stream()
    assert stream.content_type == EVENT_STREAM
    pieces = stream.pieces()
    assert await anext(pieces) == b"retry: 2000\n\n"
    return pieces


def parts(piece: bytes) -> dict[str, str]:
    """The data of an event, by the rules of the format: one line of it, and an empty line behind."""
    kind, data, *rest = piece.decode().split("\n")
    assert (kind, rest) == ("event: parts", ["", ""])
    found: dict[str, str] = json.loads(data.removeprefix("data: "))
    return found


def test_a_viewer_gets_the_page_as_it_stands_and_then_what_changes() -> None:
    async def doing(audience: Audience) -> None:
        audience.publish({"a": "1\n2", "b": "é</script>"})
        viewer = await joined(audience)
        assert audience.viewers == 1
        assert parts(await anext(viewer)) == {"a": "1\n2", "b": "é</script>"}
        audience.publish({"b": "3"})
        assert parts(await anext(viewer)) == {"b": "3"}
        assert audience.parts == {"a": "1\n2", "b": "3"}
        await viewer.aclose()
        assert audience.viewers == 0

    run(doing)


def test_a_slow_viewer_loses_frames_and_no_part() -> None:
    async def doing(audience: Audience) -> None:
        slow, quick = await joined(audience), await joined(audience)
        for frame in range(50):
            audience.publish({"a": str(frame)} | ({"b": "once"} if frame == 3 else {}))
            assert parts(await anext(quick))["a"] == str(frame)
        assert parts(await anext(slow)) == {"a": "49", "b": "once"}
        assert audience.frames == 50
        await slow.aclose()
        await quick.aclose()

    run(doing)


def test_nothing_changed_is_no_frame() -> None:
    async def doing(audience: Audience) -> None:
        audience.publish({})
        assert audience.frames == 0

    run(doing)


def test_the_end_comes_after_the_last_frame() -> None:
    async def doing(audience: Audience) -> None:
        viewer = await joined(audience)
        audience.publish({"a": "last"})
        audience.end()
        assert parts(await anext(viewer)) == {"a": "last"}
        assert await anext(viewer) == b"event: over\ndata:\n\n"
        with pytest.raises(StopAsyncIteration):
            await anext(viewer)
        assert audience.viewers == 0

    run(doing)


def test_a_viewer_that_waits_hears_of_news_and_of_the_end() -> None:
    async def doing(audience: Audience) -> None:
        viewer = await joined(audience)
        waiting = asyncio.ensure_future(anext(viewer))
        await asyncio.sleep(0)
        audience.publish({"a": "1"})
        assert parts(await waiting) == {"a": "1"}
        waiting = asyncio.ensure_future(anext(viewer))
        await asyncio.sleep(0)
        audience.end()
        assert (await waiting).startswith(b"event: over")
        await viewer.aclose()

    run(doing)


def test_in_a_silence_there_is_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_MAX_S", 0.001)

    async def doing(audience: Audience) -> None:
        viewer = await joined(audience)
        assert (await anext(viewer)).startswith(b":")
        await viewer.aclose()

    run(doing)
