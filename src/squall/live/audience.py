"""Those who look at the live page: what each has seen of it, and what is new to them. Server-sent events.

The rule: nothing waits in a queue. There is one state of the page, its parts each with the number of the frame that
changed it last; a viewer that has taken one frame gets what is newer than that, however many frames it missed.
So a slow viewer loses frames and keeps a true page, and costs no memory. All of it is on the server's loop.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Final

from squall.http_server import Stream

__all__ = ["EVENT_STREAM", "Audience"]

EVENT_STREAM: Final = "text/event-stream; charset=utf-8"

QUIET_MAX_S: Final = 10.0
"""A viewer hears something at least this often, so that both sides notice where the other has gone."""


class Audience:
    """The state of a page, and its viewers."""

    def __init__(self) -> None:
        self.frames = 0
        """Frames so far."""
        self._parts: dict[str, tuple[int, str]] = {}
        self._waiting: set[asyncio.Event] = set()
        self._over = False

    @property
    def viewers(self) -> int:
        """How many look."""
        return len(self._waiting)

    @property
    def parts(self) -> dict[str, str]:
        """The page as it stands."""
        return {ident: json.loads(text) for ident, (_, text) in self._parts.items()}

    def publish(self, changed: Mapping[str, str]) -> None:
        """A frame: the parts that are new or otherwise than before."""
        if changed:
            self.frames += 1
            self._parts |= {ident: (self.frames, json.dumps(text)) for ident, text in changed.items()}
            self._wake()

    def end(self) -> None:
        """No frame follows: each viewer takes the last one, and its stream ends."""
        self._over = True
        self._wake()

    def stream(self) -> Stream:
        """What a viewer gets."""
        return Stream(self._events, EVENT_STREAM)

    async def _events(self) -> AsyncGenerator[bytes, None]:
        news = asyncio.Event()
        self._waiting.add(news)
        try:
            seen = 0
            yield b"retry: 2000\n\n"
            while True:
                news.clear()
                if seen < self.frames:
                    frame, seen = self._newer_than(seen), self.frames
                    yield frame
                elif self._over:
                    yield b"event: over\ndata:\n\n"
                    return
                elif not await _heard(news):
                    yield b": nothing new\n\n"
        finally:
            self._waiting.discard(news)

    def _newer_than(self, seen: int) -> bytes:
        newer = ",".join(
            f"{json.dumps(ident)}:{text}" for ident, (at, text) in self._parts.items() if at > seen
        )
        return f"event: parts\ndata: {{{newer}}}\n\n".encode()

    def _wake(self) -> None:
        for news in self._waiting:
            news.set()


async def _heard(news: asyncio.Event) -> bool:
    """Wait for news; False where there were none in `QUIET_MAX_S`."""
    try:
        async with asyncio.timeout(QUIET_MAX_S):
            await news.wait()
    except TimeoutError:
        return False
    return True
