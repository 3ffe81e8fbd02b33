"""Many connections that come, talk and end in every way, while faults come and go: nothing is left, nothing breaks."""

from __future__ import annotations

import asyncio
import random
import socket

from integration.proxy.parties import MASK, Client, Service, message, proxied, run, until
from oracle.mini_websocket import BINARY, CLOSE, PING, encode_frame
from squall.scenario.faults import (
    PROXY_KINDS,
    Bandwidth,
    ByteLimit,
    FaultKind,
    Slice,
    read_fault,
)

CONNECTIONS = 150
NEEDED = {
    "bandwidth": Bandwidth(rate=50_000),
    "slice": Slice(size=100),
    "byte_limit": ByteLimit(bytes=2000),
}


def a_fault(draw: random.Random, kind: str) -> FaultKind:
    """Some fault of a kind, of some share, in some direction, quick enough for a test."""
    fault = NEEDED.get(kind) or read_fault({"kind": kind})
    changes = {
        "probability": draw.choice([0.1, 0.5, 1.0]),
        "direction": draw.choice(["up", "down", "both"]),
        "lasts": draw.choice([None, 0.01]),
    }
    quick = {name: 0.01 for name in ("delay", "hold_max", "after") if name in type(fault).model_fields}
    return fault.model_copy(update=changes | quick)


async def talk(port: int, draw: random.Random) -> None:
    """One connection: some messages, then an end of some kind."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    client = Client(reader, writer)
    try:
        writer.write(Client.REQUEST)
        for number in range(draw.randint(0, 15)):
            if draw.random() < 0.2:
                await asyncio.sleep(draw.random() / 50)
            writer.write(encode_frame(draw.choice([BINARY, PING]), message(number)[:120], mask=MASK))
        end = draw.choice(["close", "eof", "reset", "abort", "wait"])
        if end == "close":
            client.send((1000).to_bytes(2), CLOSE)
        if end == "eof":
            writer.write_eof()
        if end == "reset":
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if end in ("close", "eof", "wait"):
            await asyncio.wait_for(reader.read(), 0.05)
    except (OSError, RuntimeError, TimeoutError):
        pass  # a fault was quicker
    finally:
        writer.transport.abort()


def test_whatever_happens_to_connections_the_proxy_is_as_before() -> None:
    async def main() -> None:
        draw = random.Random(11)
        async with Service().listening() as service, proxied(service.url) as through:
            done = asyncio.Event()

            async def change() -> None:
                kinds = list(PROXY_KINDS)
                while not done.is_set():
                    through.put(*(a_fault(draw, kind) for kind in draw.sample(kinds, draw.randint(0, 4))))
                    await asyncio.sleep(0.004)
                through.put()

            async def several(number: int) -> None:
                for _ in range(5):
                    await talk(through.port, random.Random(number))

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(change())
                async with asyncio.TaskGroup() as talks:
                    for number in range(CONNECTIONS // 5):
                        talks.create_task(several(number))
                done.set()
            # What the clients left behind ends by itself, at the latest when the service closes.
            for writer in service.says:
                writer.transport.abort()
            await until(lambda: not through.proxy.connections)
            assert through.proxy.taken == CONNECTIONS
            assert through.proxy.bugs == 0
            assert len(through.deeds) >= 8  # deeds of many kinds were done
            async with Client.connected(through.port) as client:
                client.send(message(1))
                assert (await client.read()).payload == message(1)

    run(main)
