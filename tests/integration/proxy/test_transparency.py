"""What the proxy must not do: without faults no byte differs, and a change of faults loses none."""

from __future__ import annotations

import asyncio
import random

from integration.proxy.parties import Client, Proxied, Service, message, proxied, run, until
from oracle.mini_websocket import BINARY, PING, TEXT, encode_frame
from squall.scenario.faults import (
    Bandwidth,
    Blackhole,
    Delay,
    Drop,
    FaultKind,
    Latency,
    Reorder,
    Slice,
    SwallowPings,
)


def stream(seed: int, size: int) -> bytes:
    """Frames of many kinds and sizes, whole."""
    draw = random.Random(seed)
    made = b""
    while len(made) < size:
        mask = draw.choice([None, draw.randbytes(4)])
        parts = draw.randint(1, 3)
        for part in range(parts):
            payload = draw.randbytes(draw.choice([0, 1, 125, 126, 1000, 70_000]))
            opcode = draw.choice([TEXT, BINARY]) if part == 0 else 0
            made += encode_frame(opcode, payload, fin=part == parts - 1, mask=mask)
            if draw.random() < 0.3:
                made += encode_frame(PING, draw.randbytes(4), mask=mask)
    return made


async def exchanged(
    through: Proxied,
    service: Service,
    up: bytes,
    down: bytes,
    seed: int,
    *,
    pause_s: float = 0,
    most: int = 100_000,
) -> None:
    """Send both ways at once, in random pieces of so much at most; all of it must arrive as it was sent."""
    draw = random.Random(seed)

    async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
        at = 0
        while at < len(data):
            size = min(most, draw.choice([1, 2, 7, 100, 5000, 100_000]))
            writer.write(data[at : at + size])
            await writer.drain()
            at += size
            if draw.random() < 0.05:
                await asyncio.sleep(pause_s)
        writer.write_eof()

    service.raw = bytearray()
    async with Client.connected(through.port) as client, asyncio.TaskGroup() as tasks:
        await until(lambda: bool(service.says))
        tasks.create_task(send(client.writer, up))
        tasks.create_task(send(service.says[-1], down))
        got = await client.reader.read()
        await until(lambda: bool(service.ends))
    assert bytes(service.raw) == up
    assert got == down


def test_without_a_fault_every_byte_is_the_same_both_ways() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            await exchanged(through, service, stream(1, 3 << 20), stream(2, 3 << 20), seed=3)
            assert through.entries == []
            assert service.heads == [b"GET /any?thing=1 HTTP/1.1"]

    run(main)


def test_bytes_that_are_no_frames_pass_as_well() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            noise = random.Random(5)
            await exchanged(through, service, noise.randbytes(1 << 20), noise.randbytes(1 << 20), seed=6)

    run(main)


def test_faults_that_strike_nothing_change_nothing() -> None:
    never = [
        Drop(probability=1e-300),
        Delay(probability=1e-300),
        SwallowPings(probability=1e-300),
        Blackhole(probability=1e-300),
    ]

    async def main() -> None:
        async with Service().listening() as service, proxied(service.url, *never) as through:
            await exchanged(through, service, stream(7, 2 << 20), stream(8, 2 << 20), seed=9)
            assert through.deeds == {}

    run(main)


def test_changes_while_it_runs_lose_not_one_byte() -> None:
    lists: list[list[FaultKind]] = [
        [Latency(delay=0.02, jitter=0.02)],
        [],
        [Bandwidth(rate=2 << 20), Slice(size=30_000, delay=0.001)],
        [Blackhole()],
        [Drop(probability=1e-300)],
        [Latency(delay=0.01), Drop(probability=1e-300)],
        [Blackhole(direction="up")],
        [SwallowPings(probability=1e-300), Bandwidth(rate=2 << 20)],
    ]

    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            changes = 0

            async def change() -> None:
                nonlocal changes
                while not service.ends:
                    through.put(*lists[changes % len(lists)])
                    changes += 1
                    await asyncio.sleep(0.002)
                through.put()

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(change())
                sent = stream(10, 2 << 20), stream(11, 2 << 20)
                await exchanged(through, service, *sent, seed=12, pause_s=0.002, most=5000)
            assert changes > 5 * len(lists)
            assert through.deeds["applied"] > 10

    run(main)


def test_faults_of_messages_that_come_and_go_leave_every_message_accounted_for() -> None:
    """While drops, delays and swaps are switched on and off, what does not arrive is in the log, and nothing else."""
    lists: list[list[FaultKind]] = [
        [Drop(probability=0.3, direction="up")],
        [],
        [Delay(probability=0.5, delay=0.01, direction="up")],
        [Reorder(probability=0.5, direction="up")],
    ]

    async def main() -> None:
        async with (
            Service().listening() as service,
            proxied(service.url) as through,
            Client.connected(through.port) as client,
        ):
            service.echoes = False
            sent = 2000
            draw = random.Random(4)
            data = b"".join(
                encode_frame(BINARY, message(number), mask=draw.randbytes(4)) for number in range(sent)
            )
            at, turn = 0, 0
            while at < len(data):
                if draw.random() < 0.05:
                    through.put(*lists[turn % len(lists)])
                    turn += 1
                size = draw.randint(1, 400)
                client.writer.write(data[at : at + size])
                at += size
                await asyncio.sleep(0)
            through.put()
            dropped = through.done("dropped")
            await until(lambda: len(service.frames) + len(through.done("dropped")) >= sent)
            dropped = through.done("dropped")
            assert turn > 10
            assert len(dropped) > 20
            assert sorted(service.sequences + [each for each in dropped if each is not None]) == list(
                range(sent)
            )
            moved = through.done("delayed") + through.done("reordered")
            assert sorted(moved, key=repr) == sorted(through.done("held"), key=repr)
            assert len(moved) > 20

    run(main)
