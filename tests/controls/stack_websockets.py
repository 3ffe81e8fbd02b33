"""A service on the `websockets` library, sound or with bugs planted: it shares no code with squall or its bundled service.

On `/` it echoes; on `/ack` it acknowledges; on `/ack/echo` it acknowledges and delivers each message once, back to its
sender. It writes a wire log of the bundled service's format. `--bug NAME:EVERY` strikes at each so manieth message in; at
most one bug is had. Prints its port once it listens, and serves until its standard input ends.
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

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from oracle.envelope import BINARY, TEXT, build, parse

__all__ = ["BUGS", "Service", "main"]

BUGS = (
    "lose",
    "duplicate",
    "reorder",
    "corrupt",
    "corrupt-header",
    "delay",
    "cross-deliver",
    "ack-never",
    "ack-then-lose",
)
DELAY_S = 0.2


class Connection:
    """What the service keeps of one connection."""

    def __init__(self, number: int, peer: ServerConnection) -> None:
        self.number = number
        self.peer = peer
        self.path = peer.request.path if peer.request is not None else "/"
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
        strikes = self._bug if self._every and next(self._messages) % self._every == 0 else ""
        envelope = parse(opcode, payload)
        acknowledges = connection.path.startswith("/ack")
        if strikes == "lose":
            return
        if acknowledges and envelope is not None:
            key = (envelope.run, envelope.stream, envelope.sequence)
            if strikes == "ack-never":
                self._muted.add(key)
            if key not in self._muted:
                self._send(connection, opcode, acknowledgement(opcode, envelope))
            if connection.path == "/ack" or key in connection.delivered:
                return
            connection.delivered.add(key)
        if strikes != "ack-then-lose":
            self._deliver(connection, opcode, payload, strikes)

    def _deliver(self, connection: Connection, opcode: int, payload: bytes, strikes: str) -> None:
        if strikes == "reorder" and connection.held is None:
            connection.held = payload
            return
        to = connection
        if strikes == "cross-deliver":
            to = next((other for other in self._open if other is not connection), connection)
        if strikes == "corrupt":
            payload = flipped(payload, len(payload) - 1)
        elif strikes == "corrupt-header":
            payload = flipped(payload, 20)
        if strikes == "delay":
            asyncio.get_running_loop().call_later(DELAY_S, self._send, to, opcode, payload)
        else:
            for _ in range(2 if strikes == "duplicate" else 1):
                self._send(to, opcode, payload)
        if connection.held is not None:
            held, connection.held = connection.held, None
            self._send(connection, opcode, held)

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


def acknowledgement(opcode: int, of: Any) -> bytes:
    """The frame that acknowledges a message: its envelope without a body."""
    return build(
        opcode=opcode,
        run=of.run,
        stream=of.stream,
        epoch=of.epoch,
        sequence=of.sequence,
        message_type=of.type,
        type_sequence=of.type_sequence,
        attempt=of.attempt,
        priority=of.priority,
        intended_ns=of.intended_ns,
        is_ack=True,
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
    print("{}", flush=True)


def main() -> None:
    """Serve until the standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bug", default="", metavar="NAME:EVERY", help=", ".join(BUGS))
    parser.add_argument("--wire-log", type=Path, required=True, metavar="FOLDER")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
