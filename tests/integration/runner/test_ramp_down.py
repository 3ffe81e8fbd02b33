"""A ramp down of connections that are not all closed as they should be: the share is exact, and the others are listed."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from oracle.peer import BadServer, Peer, PeerLeftError
from squall.api import LoadTester, RampDownResult
from squall.fleet.inline import InlineFleet
from squall.metrics.readiness import NOTHING_LEFT
from squall.runner import active
from squall.runner.elsewhere import target_descriptors
from squall.scenario.watch import Watch
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


def test_connections_that_the_target_keeps_are_left_behind(tmp_path: Path) -> None:
    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        try:
            await peer.echo()
        except PeerLeftError:
            await peer.silence()

    with BadServer(behave) as server:
        down = ramped_down(server.url, tmp_path)
    assert down.graceful_disconnections == 1.0
    assert down.resource_cleanup_success is False
    verdict = open_run(tmp_path / "run").verdict
    assert verdict is not None
    (judged,) = (each for each in verdict.judgements if each.name == NOTHING_LEFT)
    assert (judged.truth, judged.figure) == ("failed", CONNECTIONS)


class Metrics(ThreadingHTTPServer):
    """A target's page of metrics: one number of open descriptors a look, the last one for all that follow."""

    def __init__(self, *counts: int) -> None:
        self.counts = list(counts)
        super().__init__(("127.0.0.1", 0), Page)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/metrics"


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Metrics)
        counts = self.server.counts
        body = f"process_open_fds {counts.pop(0) if len(counts) > 1 else counts[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def served(metrics: Metrics) -> Iterator[Metrics]:
    with metrics:
        thread = threading.Thread(target=metrics.serve_forever, daemon=True)
        thread.start()
        yield metrics
        metrics.shutdown()
        thread.join()


async def descriptors(url: str) -> int | None:
    watch = Watch.model_validate({"target": [{"prometheus": url}]})
    return await target_descriptors(watch, lambda: (0, 1))


@pytest.mark.parametrize(("after", "clean"), [((14, 10), True), ((13,), False)], ids=["closed", "left"])
def test_a_target_elsewhere_tells_by_its_metrics_whether_anything_is_left(
    after: tuple[int, ...], clean: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active, "is_local", lambda *_: False)
    monkeypatch.setattr(active, "_LEFT_PAUSE_S", 0.01)
    looks = iter((10, *after))
    seen: list[int] = []

    async def look(watch: Watch, now: object) -> int:
        seen.append(next(looks, after[-1]))
        return seen[-1]

    monkeypatch.setattr(active, "target_descriptors", look)
    with unwilling(deaf=0, cutting=0, resetting=0) as server:
        down = ramped_down(server.url, tmp_path)
    assert down.resource_cleanup_success is clean
    assert len(seen) == (3 if clean else 21)


def test_descriptors_are_those_of_all_nodes_or_not_measured() -> None:
    with served(Metrics(7)) as one, served(Metrics(5, 9)) as other:
        two = Watch.model_validate(
            {"target": [{"prometheus": one.url}, {"prometheus": other.url, "name": "b"}]}
        )
        assert [asyncio.run(target_descriptors(two, lambda: (0, 1))) for _ in range(2)] == [12, 16]
        assert asyncio.run(descriptors(one.url)) == 7
    assert asyncio.run(descriptors(one.url)) is None
    for unwatched in ({}, {"target": [{"pid": 1}]}):
        watch = Watch.model_validate(unwatched)
        assert asyncio.run(target_descriptors(watch, lambda: (0, 1))) is None
