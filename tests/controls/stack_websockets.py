"""A service on the `websockets` library, sound or with bugs planted: it shares no code with squall or its bundled service.

It is written from docs/reference/what-a-service-answers.md. On `/` it echoes; on `/ack` it acknowledges; on `/ack/echo`
it acknowledges and delivers each message once, back to its sender; on `/push/acked?timeout=MS&retries=COUNT` it delivers
back until that is acknowledged; on `/room` and `/relay` it hands on to those who have joined the same room.

It writes a wire log of the bundled service's format. `--bug NAME:EVERY` strikes at each so manieth message in, not
counting what joins or acknowledges; in a room at what the first of the others gets, of a push at its first attempt. At
most one bug is had. Prints its port once it listens, serves until its standard input ends, and then prints how often the
bug has struck.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from oracle.envelope import BINARY, TEXT, Envelope, build, header_size, parse

__all__ = ["BUGS", "Service", "main"]

OF_ACKNOWLEDGING = ("ack-never", "ack-then-lose")
BUGS = (
    "lose",
    "duplicate",
    "reorder",
    "corrupt",
    "corrupt-header",
    "delay",
    "cross-deliver",
    *OF_ACKNOWLEDGING,
)
DELAY_S = 0.2
ROOMS = ("/room", "/relay")


class Connection:
    """What the service keeps of one connection."""

    def __init__(self, number: int, peer: ServerConnection) -> None:
        self.number = number
        self.peer = peer
        asked = urlsplit(peer.request.path if peer.request is not None else "/")
        self.path = asked.path
        self.asked = {name: int(values[0]) for name, values in parse_qs(asked.query).items()}
        self.room = ""
        self.held: bytes | None = None
        self.delivered: set[tuple[int, int, int]] = set()


class Service:
    """All connections of the service."""

    def __init__(self, bug: str, every: int, log: Path) -> None:
        self._bug = bug
        self._every = every
        self._log = log.open("w")
        self._lines = itertools.count(1)
        self._numbers = itertools.count(1)
        self._messages = itertools.count(1)
        self._open: list[Connection] = []
        self._muted: set[tuple[int, int, int]] = set()
        self._pushed: dict[tuple[int, int, int], asyncio.TimerHandle] = {}
        self.struck = 0
        """How often the bug has."""

    async def serve_one(self, peer: ServerConnection) -> None:
        """Answer one connection until it is over."""
        connection = Connection(next(self._numbers), peer)
        self._open.append(connection)
        self._write(connection, "open", path=connection.path)
        try:
            async for message in peer:
                opcode = TEXT if isinstance(message, str) else BINARY
                payload = message.encode() if isinstance(message, str) else message
                self._write(connection, "in", opcode, payload)
                self._take(connection, opcode, payload)
        except ConnectionClosed:
            pass
        finally:
            self._open.remove(connection)
            received = peer.protocol.close_rcvd
            self._write(connection, "closed", code=1006 if received is None else received.code)

    def close(self) -> None:
        self._log.close()

    def _take(self, connection: Connection, opcode: int, payload: bytes) -> None:
        envelope = parse(opcode, payload)
        if connection.path in ROOMS and not connection.room:
            self._join(connection, payload)
        elif envelope is not None and envelope.is_ack:
            self._push_is_done(envelope)
        else:
            strikes = self._bug if self._every and next(self._messages) % self._every == 0 else ""
            if connection.room:
                self._publish(connection, opcode, payload, strikes)
            elif envelope is None or not connection.path.startswith(("/ack", "/push")):
                self._deliver(connection, connection, opcode, payload, strikes)
            elif connection.path == "/push/acked":
                self._push(connection, opcode, payload, strikes)
            else:
                self._acknowledge(connection, opcode, payload, strikes)

    # --- acknowledged send ---

    def _acknowledge(self, connection: Connection, opcode: int, payload: bytes, strikes: str) -> None:
        envelope = parse(opcode, payload)
        assert envelope is not None
        self.struck += strikes in {"lose", *OF_ACKNOWLEDGING}
        if strikes == "lose":
            return
        key = key_of(envelope)
        if strikes == "ack-never":
            self._muted.add(key)
        if key not in self._muted:
            self._send(connection, opcode, again(envelope, opcode, is_ack=True))
        if connection.path == "/ack" or key in connection.delivered:
            return
        connection.delivered.add(key)
        if strikes != "ack-then-lose":
            spoils = "" if strikes in OF_ACKNOWLEDGING else strikes
            self._deliver(connection, connection, opcode, payload, spoils)

    # --- acknowledged push ---

    def _push(self, connection: Connection, opcode: int, payload: bytes, strikes: str) -> None:
        """Send it back, and again after each time-out, until it is acknowledged."""
        loop = asyncio.get_running_loop()
        envelope = parse(opcode, payload)
        assert envelope is not None
        key, body = key_of(envelope), payload[header_size(opcode) :]

        def attempt(number: int, strikes: str) -> None:
            if number > 1 + connection.asked["retries"] or connection not in self._open:
                del self._pushed[key]
                return
            self._pushed[key] = loop.call_later(connection.asked["timeout"] / 1000, attempt, number + 1, "")
            self._deliver(
                connection, connection, opcode, again(envelope, opcode, body, attempt=number), strikes
            )

        attempt(1, strikes)

    def _push_is_done(self, acknowledged: Envelope) -> None:
        timer = self._pushed.pop(key_of(acknowledged), None)
        if timer is not None:
            timer.cancel()

    # --- rooms and pairs ---

    def _join(self, connection: Connection, payload: bytes) -> None:
        name = json.loads(payload)["join"]
        is_full = connection.path == "/relay" and len(self._others(connection, name)) > 1
        if not is_full:
            connection.room = name
        self._send(connection, TEXT, json.dumps({"refused" if is_full else "joined": name}).encode())

    def _publish(self, sender: Connection, opcode: int, payload: bytes, strikes: str) -> None:
        for member in self._others(sender, sender.room):
            self._deliver(member, sender, opcode, payload, strikes)
            strikes = ""

    def _others(self, connection: Connection, room: str) -> list[Connection]:
        return [each for each in self._open if each.room == room and each is not connection]

    # --- delivering ---

    def _deliver(
        self, receiver: Connection, sender: Connection, opcode: int, payload: bytes, strikes: str
    ) -> None:
        self.struck += strikes != ""
        if strikes == "lose":
            return
        if strikes == "reorder" and receiver.held is None:
            receiver.held = payload
            return
        to = self._stranger(receiver, sender) if strikes == "cross-deliver" else receiver
        if strikes == "corrupt":
            payload = flipped(payload, len(payload) - 1)
        elif strikes == "corrupt-header":
            payload = flipped(payload, 20)
        if strikes == "delay":
            asyncio.get_running_loop().call_later(DELAY_S, self._send, to, opcode, payload)
        else:
            for _ in range(2 if strikes == "duplicate" else 1):
                self._send(to, opcode, payload)
        if receiver.held is not None:
            held, receiver.held = receiver.held, None
            self._send(receiver, opcode, held)

    def _stranger(self, receiver: Connection, sender: Connection) -> Connection:
        """Who gets what is meant for another: one of the same room, where there is one."""
        others = [each for each in self._open if each not in {receiver, sender}]
        return next(iter(sorted(others, key=lambda each: each.room != receiver.room)), receiver)

    def _send(self, to: Connection, opcode: int, payload: bytes) -> None:
        """Hand a frame to the transport at once, in order."""
        if to not in self._open or to.peer.transport.is_closing():
            return
        send = to.peer.protocol.send_text if opcode == TEXT else to.peer.protocol.send_binary
        send(payload)
        self._write(to, "out", opcode, payload)
        to.peer.send_data()

    def _write(
        self, connection: Connection, what: str, opcode: int = 0, payload: bytes = b"", **more: Any
    ) -> None:
        line = {"n": next(self._lines), "at_ns": time.monotonic_ns(), "conn": connection.number, "what": what}
        if opcode:
            line |= {"op": "text" if opcode == TEXT else "binary", "hex": payload.hex()}
        self._log.write(json.dumps(line | more) + "\n")


def key_of(envelope: Envelope) -> tuple[int, int, int]:
    """Which message it is."""
    return envelope.run, envelope.stream, envelope.sequence


def again(
    of: Envelope, opcode: int, body: bytes = b"", *, attempt: int | None = None, is_ack: bool = False
) -> bytes:
    """The message at another attempt; or what acknowledges it, which has no body."""
    return build(
        opcode=opcode,
        run=of.run,
        stream=of.stream,
        epoch=of.epoch,
        sequence=of.sequence,
        message_type=of.type,
        type_sequence=of.type_sequence,
        attempt=of.attempt if attempt is None else attempt,
        priority=of.priority,
        intended_ns=of.intended_ns,
        cause=None if is_ack else of.cause,
        body=body,
        is_ack=is_ack,
    )


def flipped(payload: bytes, place: int) -> bytes:
    """The payload with the lowest bit of one byte turned over: text stays text."""
    return payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]


async def run(options: argparse.Namespace) -> None:
    name, _, every = options.bug.partition(":")
    service = Service(name, int(every or 0), options.wire_log / "node-0.jsonl")
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, lambda: ended.set() if not sys.stdin.read(1) else None)
    async with serve(service.serve_one, "127.0.0.1", 0, ping_interval=None, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(json.dumps({"port": port}), flush=True)
        await ended.wait()
    loop.remove_reader(sys.stdin)
    service.close()
    print(json.dumps({"struck": service.struck}), flush=True)


def main() -> None:
    """Serve until the standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bug", default="", metavar="NAME:EVERY", help=", ".join(BUGS))
    parser.add_argument("--wire-log", type=Path, required=True, metavar="FOLDER")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
