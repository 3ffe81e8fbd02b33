"""A ramp down of connections that are not all closed as they should be: the share is exact, and the others are listed."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from oracle.peer import BadServer, Peer, PeerLeftError
from squall.api import LoadTester, RampDownResult
from squall.fleet.inline import InlineFleet
from squall.store.reader import open_run

CONNECTIONS = 12


def unwilling(*, deaf: int, cutting: int, resetting: int) -> BadServer:
    """Of its connections the first answer no close frame, the next end by FIN instead, the next by RST."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        peer.answers_close = peer.number >= deaf + cutting + resetting
        peer.ends_on_close = peer.number >= deaf
        try:
            await peer.echo()
        except PeerLeftError:
            if deaf + cutting <= peer.number < deaf + cutting + resetting:
                peer.reset()
            raise

    return BadServer(behave)


def ramped_down(url: str, folder: Path) -> RampDownResult:
    async def body() -> RampDownResult:
        async with LoadTester(
            url,
            max_connections=CONNECTIONS,
            fleet=InlineFleet(2),
            out=folder / "run",
            target={"url": url, "close_timeout": "400ms"},
        ) as tester:
            await tester.execute_ramp_up(start_connections=CONNECTIONS, duration=0.1)
            return await tester.execute_ramp_down(duration=0.2)

    return asyncio.run(asyncio.wait_for(body(), 30))


def test_forced_closes_are_counted_and_listed_with_their_reasons(tmp_path: Path) -> None:
    with unwilling(deaf=2, cutting=1, resetting=1) as server:
        down = ramped_down(server.url, tmp_path)
    assert down.graceful_disconnections == 8 / CONNECTIONS
    assert (down.connections_closed, down.connections_dropped, down.connections_forced) == (CONNECTIONS, 0, 4)
    assert Counter(each.reason for each in down.forced_disconnections) == {
        "no close frame within 400 ms": 2,
        "closed_without_frame (target)": 1,
        "reset (target)": 1,
    }
    assert len({each.connection for each in down.forced_disconnections}) == 4
    assert {(each.step, each.kind): each.count for each in down.errors} == {
        ("close", "not_answered"): 2,
        ("close", "closed_without_frame"): 1,
        ("close", "reset"): 1,
    }
    assert down.resource_cleanup_success is True
    record = open_run(tmp_path / "run")
    kinds = Counter(event.kind for interval in record.intervals for event in interval.events)
    assert kinds["forced"] == 4
