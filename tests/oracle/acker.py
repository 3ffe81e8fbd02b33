"""A service that acknowledges, on the ``websockets`` library; honest, or lying in counted ways. Shares no code with squall.

What carries squall's envelope is acknowledged by an envelope with flag 4, a JSON text ``{"id", "try"}`` by
``{"ack": {"of", "try"}}``. With ``--deliver`` an enveloped message goes back to its sender too, once. With ``--push`` it
goes back until its sender acknowledges it: every ``--timeout`` seconds, ``--retries`` times at most.

Each option names every how-manieth message it spoils, counted over messages that come for the first time; at its end
it prints how often it did what.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import sys
from collections import Counter
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from oracle.envelope import BINARY, TEXT, Envelope, build, header_size, parse

__all__ = ["SPOILS", "Acker", "main"]

SPOILS = ("swallow", "mute", "twice", "unknown", "stranger", "undelivered", "doubled", "cut")
"""Of acknowledgements: that of the first attempt not given, none ever given, given twice, another one of a number never
sent, another one for another stream. Of messages: acknowledged and not delivered, delivered twice. Of connections: cut
when the message came, without an acknowledgement."""


def remade(message: Envelope, opcode: int, body: bytes = b"", **changed: Any) -> bytes:
    """The message once more, or its acknowledgement."""
    fields = dataclasses.asdict(message) | changed
    return build(
        opcode=opcode,
        run=fields["run"],
        stream=fields["stream"],
        sequence=fields["sequence"],
        type_sequence=fields["type_sequence"],
        message_type=fields["type"],
        epoch=fields["epoch"],
        attempt=fields["attempt"],
        is_ack=fields.get("is_ack", False),
        priority=fields["priority"],
        intended_ns=fields["intended_ns"],
        body=body,
    )


class Acker:
    """All connections of one server."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.did: Counter[str] = Counter()
        self._fate: dict[tuple[int, int, int] | str, str] = {}
        self._turns: Counter[str] = Counter()
        self._awaited: dict[tuple[int, int, int], asyncio.Event] = {}

    def _fate_of(self, key: tuple[int, int, int] | str) -> tuple[str, bool]:
        """What is done to a message, and whether this is its first attempt to come."""
        if key in self._fate:
            self.did["retries"] += 1
            return self._fate[key], False
        self.did["messages"] += 1
        fate = ""
        for kind in SPOILS:
            every = getattr(self.options, kind)
            self._turns[kind] += 1
            if every and self._turns[kind] % every == 0 and self.did["messages"] <= self.options.until:
                fate = kind
                break
        self._fate[key] = fate
        return fate, True

    async def serve(self, connection: ServerConnection) -> None:
        """One connection, to its end."""
        async with asyncio.TaskGroup() as pushes:
            with contextlib.suppress(ConnectionClosed):
                async for message in connection:
                    await self._take(connection, message, pushes)

    async def _take(
        self, connection: ServerConnection, message: str | bytes, pushes: asyncio.TaskGroup
    ) -> None:
        payload = message.encode() if isinstance(message, str) else message
        opcode = TEXT if isinstance(message, str) else BINARY
        envelope = parse(opcode, payload)
        if envelope is None:
            await self._json(connection, json.loads(payload))
        elif envelope.flags & 4:
            self._acknowledged(envelope)
        elif self.options.push:
            pushes.create_task(self._push(connection, envelope, opcode, payload[header_size(opcode) :]))
        else:
            await self._enveloped(connection, envelope, opcode, message)

    async def _json(self, connection: ServerConnection, said: dict[str, Any]) -> None:
        fate, is_first = self._fate_of(said["id"])
        answer = json.dumps({"ack": {"of": said["id"], "try": said.get("try")}})
        await self._answer(connection, fate, is_first, answer, answer.replace('"of": "', '"of": "x'))

    async def _enveloped(
        self, connection: ServerConnection, message: Envelope, opcode: int, whole: str | bytes
    ) -> None:
        fate, is_first = self._fate_of((message.run, message.stream, message.sequence))
        answer = remade(message, opcode, is_ack=True)
        strange = {"unknown": {"sequence": 1 << 30}, "stranger": {"stream": 1 << 30}}.get(fate, {})
        other = remade(message, opcode, is_ack=True, **strange)
        if opcode == TEXT:
            await self._answer(connection, fate, is_first, answer.decode(), other.decode())
        else:
            await self._answer(connection, fate, is_first, answer, other)
        if self.options.deliver and is_first and fate not in {"undelivered", "cut"}:
            for _ in range(2 if fate == "doubled" else 1):
                self.did["delivered"] += 1
                await connection.send(whole)

    async def _answer(
        self,
        connection: ServerConnection,
        fate: str,
        is_first: bool,
        answer: str | bytes,
        other: str | bytes,
    ) -> None:
        if is_first and fate:
            self.did[fate] += 1
        if fate == "mute" or (fate in {"swallow", "cut"} and is_first):
            if fate == "cut":
                connection.transport.abort()
            return
        if fate in {"unknown", "stranger"} and is_first:
            await connection.send(other)
        for _ in range(2 if fate == "twice" else 1):
            self.did["acks"] += 1
            await connection.send(answer)

    # --- acknowledged push ---

    async def _push(self, connection: ServerConnection, message: Envelope, opcode: int, body: bytes) -> None:
        key = (message.run, message.stream, message.sequence)
        fate, _ = self._fate_of(key)
        if fate:
            self.did[fate] += 1
        event = self._awaited[key] = asyncio.Event()
        for attempt in range(1, 2 + self.options.retries):
            copy = remade(message, opcode, body, attempt=attempt)
            if not (fate == "swallow" and attempt == 1):
                self.did["pushed"] += 1
                self.did["pushed_again"] += attempt > 1
                with contextlib.suppress(ConnectionClosed):
                    await connection.send(copy if opcode == BINARY else copy.decode())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), self.options.timeout)
                return
        self.did["gave_up"] += 1

    def _acknowledged(self, message: Envelope) -> None:
        """An acknowledgement came; with "twice" the first one of a message is taken for lost."""
        self.did["acks"] += 1
        key = (message.run, message.stream, message.sequence)
        if self._fate[key] == "twice" and message.attempt == 1:
            return
        self._awaited[key].set()


async def run(options: argparse.Namespace) -> None:
    """Serve until standard input ends."""
    acker = Acker(options)
    async with serve(acker.serve, "127.0.0.1", 0, compression=None, max_queue=None) as server:
        port = server.sockets[0].getsockname()[1]
        sys.stdout.write(json.dumps({"port": port}) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
    sys.stdout.write(json.dumps(acker.did) + "\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    for kind in SPOILS:
        parser.add_argument(f"--{kind}", type=int, default=0)
    parser.add_argument("--until", type=int, default=1 << 30, help="only of so many messages any is spoilt")
    parser.add_argument("--deliver", action="store_true")
    parser.add_argument("--push", action="store_true")
    parser.add_argument("--timeout", type=float, default=1.0)
    parser.add_argument("--retries", type=int, default=3)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
