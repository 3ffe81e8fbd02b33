"""Each kind of fault against a service that logs every byte: what arrives is what the proxy's log says, exactly."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from integration.proxy.parties import MASK, Client, Proxied, Service, message, proxied, run, until
from oracle import envelope
from oracle.mini_websocket import BINARY, CLOSE, PING, PONG, TEXT, encode_frame
from squall.scenario.faults import (
    Bandwidth,
    Blackhole,
    ByteLimit,
    CloseFrame,
    Corrupt,
    CorruptBytes,
    Delay,
    Drop,
    Duplicate,
    FaultKind,
    HalfClose,
    Latency,
    Reorder,
    Reset,
    Slice,
    SlowClose,
    SwallowPings,
    Truncate,
)

MANY = 400


async def sent(through: Proxied, service: Service, fault: FaultKind) -> list[int]:
    """Send many messages with the fault on, and wait until all that can come has come back; what did."""
    through.put(fault)
    async with Client.connected(through.port) as client:
        for number in range(MANY):
            client.send(message(number))
            if number % 10 == 0:
                await client.writer.drain()
                await asyncio.sleep(0)

        def is_through() -> bool:
            gone, copies = len(through.done("dropped")), len(through.done("duplicated"))
            return len(service.frames) >= MANY - gone + copies

        await until(is_through)
        through.put()
        client.send(b"the end", TEXT)
        return await client.sequences()


def test_the_same_seed_strikes_the_same_messages() -> None:
    async def dropped(seed: int) -> list[int | None]:
        async with Service().listening() as service, proxied(service.url, seed=seed) as through:
            await sent(through, service, Drop(probability=0.2, direction="up"))
            return through.done("dropped")

    async def main() -> None:
        once, again, other = [await dropped(seed) for seed in (1, 1, 2)]
        assert once == again != other

    run(main)


@pytest.mark.parametrize("direction", ["up", "down", "both"])
def test_dropped_messages_are_those_of_the_log(direction: str) -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            back = await sent(through, service, Drop(probability=0.2, direction=direction))  # type: ignore[arg-type] # one of the three
            up, down = through.done("dropped", "up"), through.done("dropped", "down")
            assert service.sequences == [number for number in range(MANY) if number not in up]
            assert back == [number for number in service.sequences if number not in down]
            assert bool(up) is (direction != "down")
            assert bool(down) is (direction != "up")

    run(main)


def test_duplicates_are_those_of_the_log() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            back = await sent(through, service, Duplicate(probability=0.1, direction="up"))
            copies = Counter(service.sequences)
            assert sorted(number for number, count in copies.items() if count == 2) == through.done(
                "duplicated"
            )
            assert set(copies.values()) == {1, 2}
            assert back == service.sequences == sorted(service.sequences)

    run(main)


def test_swaps_are_those_of_the_log() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            back = await sent(through, service, Reorder(probability=0.1, direction="down"))
            expected = list(range(MANY))
            for number in through.done("reordered", "down"):
                assert number is not None
                at = expected.index(number)
                expected[at], expected[at + 1] = expected[at + 1], expected[at]
            assert back == expected
            assert len(through.done("reordered", "down")) > 20
            assert service.sequences == list(range(MANY))

    run(main)


def test_delayed_messages_come_later_and_are_those_of_the_log() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            through.put(Delay(probability=0.1, delay=0.4, direction="down"))
            async with Client.connected(through.port) as client:
                for number in range(MANY):
                    client.send(message(number))
                back = [envelope.parse(2, (await client.read()).payload) for _ in range(MANY)]
            order = [each.sequence for each in back if each is not None]
            held = [each for each in through.entries if each.what == "held"]
            gone = {each.sequence: each for each in through.entries if each.what == "delayed"}
            late = [each.sequence for each in held]
            assert order[: MANY - len(late)] == [number for number in range(MANY) if number not in late]
            assert order[MANY - len(late) :] == late
            assert len(late) > 20
            for each in held:
                waited_s = (gone[each.sequence].at_ns - each.at_ns) / 1e9
                assert 0.399 <= waited_s < 5

    run(main)


@pytest.mark.parametrize("fault", [Corrupt(probability=0.1), Truncate(probability=0.1, keep=0.9)])
def test_damaged_messages_are_those_of_the_log(fault: Corrupt | Truncate) -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            through.put(fault)
            async with Client.connected(through.port) as client:
                for number in range(MANY):
                    client.send(message(number))
                await until(lambda: len(service.frames) == MANY)
            what = "corrupted" if isinstance(fault, Corrupt) else "truncated"
            numbers = [each.frame for each in through.entries if each.what == what and each.direction == "up"]
            bad = [
                place
                for place, frame in enumerate(service.frames, 1)
                if (found := envelope.parse(frame.opcode, frame.payload)) is None
                or not (found.header_good and found.body_good)
            ]
            assert bad == numbers
            assert len(bad) > 20
            assert through.done(what) == [number - 1 for number in bad]

    run(main)


def test_swallowed_pings_get_no_pong_and_messages_pass() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            service.echoes = False
            through.put(SwallowPings(probability=0.5, direction="up"))
            async with Client.connected(through.port) as client:
                for number in range(100):
                    client.send(b"?", PING)
                    client.send(b"!", PONG)
                    client.send(message(number))
                await until(lambda: len(service.sequences) == 100)
            pings = sum(frame.opcode == PING for frame in service.frames)
            swallowed = through.deeds["swallowed"]
            assert pings + swallowed == 100
            assert 20 < swallowed < 80
            assert sum(frame.opcode == PONG for frame in service.frames) == 100

    run(main)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_close_frame_is_put_in_and_what_follows_is_discarded(direction: str) -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            through.put(CloseFrame(code=4321, direction=direction))  # type: ignore[arg-type] # one of the two
            async with Client.connected(through.port) as client:
                for number in range(5):
                    client.send(message(number))
                frames = await client.read_to_end()
            # At the service it is the one that was put in, or the client's answer to it.
            assert [frame.close_code for frame in frames if frame.opcode == CLOSE] == [4321]
            assert through.deeds["closed"] == 1
            at_service = [frame for frame in service.frames if frame.opcode == CLOSE]
            assert len(at_service) == 1
            passed = len(service.sequences) if direction == "up" else len(frames) - 1
            assert passed == 1
            assert through.done("discarded", direction) == [1, 2, 3, 4]

    run(main)


def test_latency_delays_all_and_does_not_add_up() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            through.put(Latency(delay=0.1))
            loop = asyncio.get_running_loop()
            async with Client.connected(through.port) as client:
                begun_s = loop.time()
                for number in range(50):
                    client.send(message(number))
                    await asyncio.sleep(0.002)
                sending_s = loop.time() - begun_s
                order = [(await client.read()).payload for _ in range(50)]
                took_s = loop.time() - begun_s
            assert order == [message(number) for number in range(50)]
            assert 0.2 <= took_s < sending_s + 5  # added up it would be ten seconds
            assert through.deeds == {"applied": 2}

    run(main)


def test_bandwidth_and_slices_slow_a_stream() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            service.echoes = False
            loop = asyncio.get_running_loop()
            async with Client.connected(through.port) as client:
                for fault in (
                    Bandwidth(rate=500_000, direction="up"),
                    Slice(size=1000, delay=0.002, direction="up"),
                ):
                    through.put(fault)
                    seen, begun_s = len(service.frames), loop.time()
                    client.send(b"x" * 100_000)
                    await until(lambda seen=seen: len(service.frames) > seen)  # type: ignore[misc] # the default binds it
                    took_s = loop.time() - begun_s
                    assert 0.17 <= took_s < 5, fault

    run(main)


def test_a_black_hole_lets_all_of_it_go_once_its_window_is_over() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            loop = asyncio.get_running_loop()
            async with Client.connected(through.port) as client:
                begun_s = loop.time()
                through.put(Blackhole(lasts=0.3))
                for number in range(100):
                    client.send(message(number))
                assert [(await client.read()).payload for _ in range(100)] == [message(n) for n in range(100)]
                assert loop.time() - begun_s >= 0.299
            on, off = (next(e.at_ns for e in through.entries if e.what == what) for what in ("on", "off"))
            assert 0.299 <= (off - on) / 1e9 < 5
            assert through.deeds == {"applied": 2, "lifted": 2}

    run(main)


def test_a_reset_reaches_both_sides_and_strikes_its_share() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            clients = [Client.connected(through.port) for _ in range(30)]
            opened = [await each.__aenter__() for each in clients]
            through.put(Reset(probability=0.5))
            reset = through.deeds["reset"]
            while not reset:
                await asyncio.sleep(0.002)
                reset = through.deeds["reset"]
            await until(lambda: len(service.ends) == reset)
            assert service.ends == ["reset"] * reset
            await until(lambda: sum(each.reader.exception() is not None for each in opened) == reset)
            for client in opened:
                if client.reader.exception() is None:
                    client.send(message(1))
                    assert (await client.read()).payload == message(1)
            assert through.deeds == {"reset": reset}
            assert 5 < reset < 25
            for each in clients:
                await each.__aexit__(None, None, None)

    run(main)


def test_a_half_closed_direction_ends_and_the_other_goes_on() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            service.raw = bytearray()
            async with Client.connected(through.port) as client:
                await until(lambda: bool(service.says))
                through.put(HalfClose(direction="down"))
                assert await client.reader.read() == b""
                client.send(message(1))
                await until(lambda: len(service.raw or b"") > 58)
            assert through.deeds == {"half_closed": 1}

    run(main)


def test_at_a_limit_of_bytes_so_many_arrive_and_the_connection_closes() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            service.raw = bytearray()
            async with Client.connected(through.port) as client:
                through.put(ByteLimit(bytes=1000, direction="up"))
                client.send(b"x" * 5000)
                with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                    await client.read()
                await until(lambda: bool(service.ends))
            assert len(service.raw) == 1000
            assert through.deeds["limited"] == 1

    run(main)


def test_a_slow_close_passes_the_end_on_later() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url, SlowClose(delay=0.2)) as through:
            async with Client.connected(through.port) as client:
                loop = asyncio.get_running_loop()
                begun_s = loop.time()
                client.writer.write_eof()
                await until(lambda: bool(service.ends))
                assert loop.time() - begun_s >= 0.199
            assert through.deeds["close_delayed"] >= 1

    run(main)


def test_damaged_bytes_are_those_of_the_log() -> None:
    async def main() -> None:
        async with Service().listening() as service, proxied(service.url) as through:
            service.raw = bytearray()
            before = b"".join(encode_frame(BINARY, bytes(1006), mask=MASK) for _ in range(100))
            async with Client.connected(through.port) as client:
                through.put(CorruptBytes(share=0.001, direction="up"))
                client.writer.write(before)
                await until(lambda: len(service.raw or b"") == len(before) == 101_400)
            flips = [(x ^ y).bit_count() for x, y in zip(before, service.raw, strict=True) if x != y]
            assert set(flips) == {1}
            frames = [each.frame for each in through.entries if each.what == "corrupted"]
            assert frames == [
                place // 1014 + 1
                for place, (x, y) in enumerate(zip(before, service.raw, strict=True))
                if x != y
            ]
            assert through.deeds == {"applied": 1, "corrupted": len(flips)}
            assert 50 < len(flips) < 200

    run(main)
