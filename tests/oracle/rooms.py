"""Rooms on the ``websockets`` library, honest or lying in counted ways. Shares no code with squall.

``{"join": NAME}`` is answered with ``{"joined": NAME, "members": N}``; then every message goes to all other members.
Messages carry squall's envelope, of which it reads stream, number and cause by their offsets. Each option names every
how-manieth *delivery* it spoils, a message to one member; only one thing is done to each. At its end it prints how many
it did, how many messages and deliveries there were, and what follows from the list of what it wrote to each member, in
order: copies behind a successor of their own stream, causal pairs, and those of them whose effect came first.

With ``--replay SECONDS`` whoever joins is sent what was said in the room so long ago or longer, before the answer and again
behind it; but only what went to somebody whose own join was long over.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import struct
import sys
import time
from collections import Counter, defaultdict
from contextlib import suppress

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

__all__ = ["SPOILS", "Rooms", "main"]

SPOILS = ("lose", "twice", "swap", "flip", "stray", "effect_first")
"""Of deliveries: left out, made twice, made behind the next one of the same sender to the same member, with a bit of the
body flipped, made to a member of another room as well, made behind the first message that names it as its cause."""

_STREAM = struct.Struct("<I")
_FLAG_CAUSE = 2
_LONG_OVER_S = 0.2


def named(message: bytes) -> tuple[tuple[int, int], tuple[int, int] | None]:
    """Stream and number of a binary message, and those of its cause."""

    def at(offset: int) -> int:
        return int(_STREAM.unpack_from(message, offset)[0])

    cause = (at(32), at(36)) if message[4] & _FLAG_CAUSE else None
    return (at(11), at(17)), cause


class Rooms:
    """All connections of one server."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.did: Counter[str] = Counter()
        self.rooms: dict[str, list[ServerConnection]] = defaultdict(list)
        self._joined_at: dict[ServerConnection, float] = {}
        self._said: dict[str, list[tuple[float, bytes | str]]] = defaultdict(list)
        self._turns: Counter[str] = Counter()
        self._held: dict[tuple[ServerConnection, int], bytes] = {}
        self._waiting: dict[ServerConnection, tuple[tuple[int, int], bytes]] = {}
        self._written: dict[ServerConnection, list[bytes]] = defaultdict(list)

    def _spoils(self) -> str:
        for kind in SPOILS:
            every = getattr(self.options, kind)
            self._turns[kind] += bool(every)
            if every and self._turns[kind] % every == 0:
                return kind
        return ""

    async def serve_one(self, connection: ServerConnection) -> None:
        """Serve one connection until it is over."""
        name = ""
        try:
            async for message in connection:
                if name:
                    await self._publish(name, connection, message)
                    continue
                name = json.loads(message)["join"]
                if self.options.mute and name.endswith(self.options.mute):
                    name = ""
                elif self.options.limit and len(self.rooms[name]) >= self.options.limit:
                    await connection.send(json.dumps({"refused": name}))
                    name = ""
                else:
                    self.rooms[name].append(connection)
                    joined = {"joined": name, "members": len(self.rooms[name])}
                    self._joined_at[connection] = time.monotonic()
                    await self._replay(name, connection)
                    await connection.send(json.dumps(joined))
                    await self._replay(name, connection)
        except ConnectionClosed:
            pass
        finally:
            if name:
                self.rooms[name].remove(connection)

    async def _replay(self, name: str, member: ServerConnection) -> None:
        """Say again what was said long before it joined."""
        if self.options.replay is None:
            return
        until = self._joined_at[member] - self.options.replay
        for said_at, message in list(self._said[name]):
            if said_at <= until:
                self.did["replayed"] += 1
                await member.send(message)

    async def _publish(self, name: str, sender: ServerConnection, message: bytes | str) -> None:
        self.did["published"] += 1
        now = time.monotonic()
        others = [self._joined_at[each] for each in self.rooms[name] if each is not sender]
        if min(others, default=now) < now - _LONG_OVER_S:
            self._said[name].append((now, message))
        for member in list(self.rooms[name]):
            if member is not sender:
                self.did["deliveries"] += 1
                # Who has just left gets nothing, and the sender's own connection does not end for that.
                with suppress(ConnectionClosed):
                    await self._deliver(name, member, message)

    async def _deliver(self, name: str, member: ServerConnection, message: bytes | str) -> None:
        if isinstance(message, str):
            await member.send(message)
            return
        (stream, number), cause = named(message)
        spoil = "" if member in self._waiting or (member, stream) in self._held else self._spoils()
        if spoil == "effect_first":
            self._waiting[member] = ((stream, number), message)
            return
        if spoil == "swap":
            self._held[member, stream] = message
            return
        self.did[spoil] += 1
        copies = {"lose": [], "twice": [message, message], "flip": [message[:-1] + bytes([message[-1] ^ 1])]}
        for copy in copies.get(spoil, [message]):
            await self._write(member, copy, is_good=spoil != "flip")
        if spoil == "stray":
            others = [each for room, there in self.rooms.items() if room != name for each in there]
            await others[0].send(message)
        held = self._held.pop((member, stream), None)
        if held is not None:
            self.did["swap"] += 1
            await self._write(member, held)
        if member in self._waiting and self._waiting[member][0] == cause:
            self.did["effect_first"] += 1
            await self._write(member, self._waiting.pop(member)[1])

    async def _write(self, member: ServerConnection, message: bytes, *, is_good: bool = True) -> None:
        if is_good:
            self._written[member].append(message)
        await member.send(message)

    def truth(self) -> dict[str, int]:
        """What it did, and what follows from that."""
        found: Counter[str] = Counter(self.did)
        found["held"] = len(self._held) + len(self._waiting)
        for written in self._written.values():
            order: dict[tuple[int, int], int] = {}
            for place, message in enumerate(written):
                order.setdefault(named(message)[0], place)
            for message in {named(each)[0]: each for each in written}.values():
                name, cause = named(message)
                ahead = [
                    place
                    for (stream, number), place in order.items()
                    if stream == name[0] and number > name[1]
                ]
                found["reordered"] += any(place < order[name] for place in ahead)
                if cause in order:
                    found["pairs"] += 1
                    found["violations"] += order[cause] > order[name]
        return found


async def _run(options: argparse.Namespace) -> None:
    rooms = Rooms(options)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, lambda: ended.set() if not sys.stdin.read(1) else None)
    async with serve(rooms.serve_one, "127.0.0.1", 0, ping_interval=None, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(json.dumps({"port": port}), flush=True)
        await ended.wait()
    loop.remove_reader(sys.stdin)
    print(json.dumps(rooms.truth()), flush=True)


def main() -> None:
    """Serve until the standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    for kind in SPOILS:
        parser.add_argument(f"--{kind.replace('_', '-')}", type=int, default=0, metavar="EVERY")
    parser.add_argument("--mute", default="", help="joins of rooms whose name ends so are not answered")
    parser.add_argument("--replay", type=float, help="seconds since it was said, of what is said again")
    parser.add_argument("--limit", type=int, default=0, help="members of a room; further ones are refused")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
