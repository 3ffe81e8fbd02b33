"""A JSON chat and feed on the ``websockets`` library, honest or lying in counted ways. Shares no code with squall.

It answers ``{"op": "login", "token"}`` with ``welcome`` (``denied`` for a token that starts with "bad", nothing for
"mute"), ``{"op": "subscribe", "rooms"}`` with ``subscribed`` and ticks of each room, ``{"op": "say", "id", "text"}`` with
``{"re": {"id"}, "status": "ok", "text"}`` and tells the others what was said; and the text ``PING n`` with ``PONG n``.

Each option names every how-manieth message it spoils; at its end it prints how many it did.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

__all__ = ["SPOILS", "Chat", "main"]

SPOILS = (
    "wrong",
    "twice",
    "never",
    "other",
    "broken",
    "fieldless",
    "skip",
    "repeat",
    "swap",
    "early",
    "mute_tick",
)
"""Of replies: with another status, given twice, not given, with another connection's id, no JSON, without the id. Of
ticks: left out, sent twice, sent behind the next one, stamped a minute ahead, without a number."""


class Chat:
    """All connections of one server."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.did: Counter[str] = Counter()
        self._open: set[ServerConnection] = set()
        self._turns: Counter[tuple[str, str]] = Counter()
        self._first: ServerConnection | None = None
        self._last_id = ""

    def _spoils(self, *kinds: str) -> str:
        """What is done to this message; "" for nothing. At most one thing is."""
        of = kinds[0]
        for kind in kinds:
            every = getattr(self.options, kind)
            if every:
                self._turns[of, kind] += 1
                if self._turns[of, kind] % every == 0:
                    self.did[kind] += 1
                    return kind
        return ""

    async def serve_one(self, connection: ServerConnection) -> None:
        """Answer one connection until it is over."""
        self._open.add(connection)
        try:
            async with asyncio.TaskGroup() as feeds:
                await self._answer_all(connection, feeds)
                raise ConnectionClosed(None, None)  # so that its feeds end, too
        except* ConnectionClosed:
            pass
        finally:
            self._open.discard(connection)

    async def _answer_all(self, connection: ServerConnection, feeds: asyncio.TaskGroup) -> None:
        async for message in connection:
            text = message if isinstance(message, str) else message.decode()
            if text.startswith("PING "):
                await connection.send(f"PONG {text[5:]}")
                continue
            said = json.loads(text)
            if said["op"] == "login":
                await self._login(connection, said["token"])
            elif said["op"] == "subscribe":
                await connection.send(json.dumps({"op": "subscribed"}))
                for room in said["rooms"]:
                    feeds.create_task(self._feed(connection, room))
            else:
                await self._say(connection, said)

    async def _login(self, connection: ServerConnection, token: str) -> None:
        if token.startswith("bad"):
            await connection.send(json.dumps({"op": "denied"}))
        elif not token.startswith("mute"):
            await connection.send(json.dumps({"op": "welcome"}))

    async def _say(self, connection: ServerConnection, said: dict[str, Any]) -> None:
        self.did["said"] += 1
        self._first = self._first or connection
        if connection is self._first:
            self._last_id = said["id"]
        kinds = ("wrong", "twice", "never", "broken", "fieldless", "other")
        spoiled = self._spoils(*kinds[: 5 if connection is self._first else 6])
        for _ in range({"twice": 2, "never": 0}.get(spoiled, 1)):
            await connection.send(self._reply(said, spoiled))
        if self.options.tell:
            told = json.dumps({"op": "said", "text": said["text"]})
            for other in list(self._open - {connection}):
                with contextlib.suppress(ConnectionClosed):
                    await other.send(told)
                    self.did["told"] += 1

    def _reply(self, said: dict[str, Any], spoiled: str) -> str:
        if spoiled == "broken":
            return "<html>502</html>"
        reply = {"re": {"id": said["id"]}, "status": "ok", "text": said["text"]}
        if spoiled == "wrong":
            reply["status"] = "error"
        elif spoiled == "other":
            reply["re"] = {"id": self._last_id}
        elif spoiled == "fieldless":
            del reply["re"]
        return json.dumps(reply)

    async def _feed(self, connection: ServerConnection, room: str) -> None:
        """Ticks of a room, the held one behind the next."""
        held: str | None = None
        for number in range(self.options.limit):
            await asyncio.sleep(self.options.tick_ms / 1000)
            is_inner = (
                0 < number < self.options.limit - 1
            )  # of what is before and behind all, nobody can tell
            spoiled = self._spoils("skip", "repeat", "swap", "early", "mute_tick") if is_inner else ""
            ahead_ms = 60_000 if spoiled == "early" else 0
            tick: dict[str, Any] = {"op": "tick", "room": room, "at": time.time_ns() / 1e6 + ahead_ms}
            if spoiled != "mute_tick":
                tick["n"] = 1000 + number
            if spoiled == "skip":
                continue
            text = json.dumps(tick)
            if spoiled == "swap" and held is None:
                held = text
                continue
            for _ in range(2 if spoiled == "repeat" else 1):
                self.did["ticks"] += 1
                await connection.send(text)
            if held is not None:
                self.did["ticks"] += 1
                await connection.send(held)
                held = None


async def _run(options: argparse.Namespace) -> None:
    chat = Chat(options)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, lambda: ended.set() if not sys.stdin.read(1) else None)
    async with serve(chat.serve_one, "127.0.0.1", 0, ping_interval=None, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(json.dumps({"port": port}), flush=True)
        await ended.wait()
    loop.remove_reader(sys.stdin)
    print(json.dumps(dict(chat.did)), flush=True)


def main() -> None:
    """Serve until the standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    for kind in SPOILS:
        parser.add_argument(f"--{kind.replace('_', '-')}", type=int, default=0, metavar="EVERY")
    parser.add_argument("--tick-ms", type=float, default=20.0)
    parser.add_argument("--limit", type=int, default=1_000_000, help="ticks of a room, for each connection")
    parser.add_argument("--tell", action="store_true", help="tell all others what was said")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
