"""What is served of a run while it lasts, over real sockets: what it says is what the run came to."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from exposition_reader import Family, read_exposition
from squall.errors import EnvironmentFailure
from squall.fleet.inline import InlineFleet
from squall.live.endpoints import served
from squall.runner.active import RunResult
from squall.runner.run import run_scenario
from squall.scenario.models import Scenario

RUN_MAX_S = 60.0

Make = Callable[..., Scenario]


async def fetched(url: str) -> tuple[bytes, bytes]:
    """Head and body."""
    host, _, path = url.removeprefix("http://").partition("/")
    reader, writer = await asyncio.open_connection(*host.rsplit(":", 1))
    try:
        writer.write(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    return head, body


async def scraped(url: str) -> dict[str, Family] | None:
    """What a scrape gets; None before the run has begun."""
    head, body = await fetched(url)
    return read_exposition(body.decode()) if b" 200 " in head.splitlines()[0] else None


def test_a_scrape_during_the_run_grows_and_the_last_one_is_the_summary(make: Make) -> None:
    seen: list[dict[str, Family]] = []

    async def look(url: str) -> None:
        while True:
            if (found := await scraped(url)) is not None:
                seen.append(found)
            await asyncio.sleep(0.2)

    async def main() -> tuple[RunResult, dict[str, Family]]:
        scenario = make(outputs={"prometheus": 0})
        async with served("run", scenario.outputs) as others:
            url = others.urls["prometheus"]
            looking = asyncio.get_running_loop().create_task(look(url))
            result = await run_scenario(scenario, views=others.views, fleet=InlineFleet())
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
            last = await scraped(url)
        with pytest.raises(ConnectionRefusedError):
            await fetched(url)
        assert last is not None
        return result, last

    result, last = asyncio.run(asyncio.wait_for(main(), RUN_MAX_S))
    growing = [each["squall_run_time_seconds"].total() for each in seen]
    assert growing == sorted(growing)
    assert len(set(growing)) >= 3
    check_against_summary(last, result)


def check_against_summary(last: dict[str, Family], result: RunResult) -> None:
    """Counts, times and how it ended."""
    delivery, connections = result.summary.delivery, result.summary.connections
    for name in ("intended", "sent", "not_sent", "delivered", "lost", "unknown", "duplicated", "reordered"):
        assert last[f"squall_ws_msgs_{name}_total"].total() == getattr(delivery, name), name
    assert last["squall_ws_sessions_total"].total() == connections.established
    assert last["squall_ws_connect_attempts_total"].total() == connections.attempted
    assert last["squall_ws_closed_total"].total() == connections.closed
    response = last["squall_ws_response_time_seconds"]
    assert response.total("_count") == delivery.delivered
    latency = result.summary.latency.response
    hold = [response.total(ending, phase="hold") for ending in ("_count", "_sum")]
    assert hold[0] == latency.count
    assert latency.mean is not None
    assert hold[1] / hold[0] == pytest.approx(latency.mean / 1e3)
    assert last["squall_run_exit_code"].total() == result.exit_code


@pytest.mark.parametrize(
    ("setting", "what"), [("prometheus", "the Prometheus endpoint"), ("web", "the live page")]
)
def test_a_port_that_is_taken_is_said_before_anything_begins(
    make: Make, tmp_path: Any, setting: str, what: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        outputs = make(outputs={setting: other.getsockname()[1], "out": str(tmp_path / "run")}).outputs

        async def main() -> None:
            async with served("run", outputs):
                raise AssertionError("it began")

        with pytest.raises(EnvironmentFailure, match=f"{what} cannot listen on"):
            asyncio.run(main())
    assert not (tmp_path / "run").exists()


async def frames(url: str) -> list[dict[str, str]]:
    """Every frame of a live page until its stream ends, by the rules of server-sent events."""
    host = url.removeprefix("http://").rstrip("/")
    reader, writer = await asyncio.open_connection(*host.rsplit(":", 1), limit=1 << 24)
    writer.write(f"GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head, *events = (await reader.read()).decode().split("\n\n")
    writer.close()
    assert "Content-Type: text/event-stream" in head
    found = [event.split("\n") for event in events if event.startswith("event: ")]
    assert found[-1][0] == "event: over"
    return [json.loads(data.removeprefix("data: ")) for kind, data in found if kind == "event: parts"]


def test_a_viewer_that_never_reads_loses_frames_and_harms_neither_run_nor_others(make: Make) -> None:
    async def main() -> tuple[RunResult, list[dict[str, str]]]:
        scenario = make(outputs={"web": 0})
        async with served("run", scenario.outputs) as others:
            host, port = others.urls["web"].removeprefix("http://").rstrip("/").rsplit(":", 1)
            with socket.socket() as deaf:
                deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                deaf.connect((host, int(port)))
                deaf.sendall(f"GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                seeing = asyncio.get_running_loop().create_task(frames(others.urls["web"]))
                result = await run_scenario(scenario, views=others.views, fleet=InlineFleet())
                return result, await seeing

    result, seen = asyncio.run(asyncio.wait_for(main(), RUN_MAX_S))
    assert result.error is None
    assert result.summary.connections.peak == 40
    assert len(seen) >= 3
    assert {"now", "verdict", "connections", "data"} <= set(seen[0])
    assert "RUNNING" in seen[0]["verdict"]
    last = {ident: text for frame in seen for ident, text in frame.items()}
    assert f"{result.summary.delivery.intended:,}" in last["messages"]
    assert "RUNNING" not in last["verdict"]
    assert last["now"] == ""
