"""The service for tests: it starts, misbehaves as asked, and is gone afterwards, whatever happens."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, get_args

import psutil
import pytest

from squall.errors import EnvironmentFailure, PlanError
from squall.fleet.inline import InlineFleet
from squall.reference.bugs import BUGS
from squall.runner.run import run_scenario
from squall.scenario.loader import load_scenario
from squall.testing import Bug, broken_server, read_run, serve


def assert_gone(pids: tuple[int, ...]) -> None:
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=10)
    assert alive == []


def test_it_runs_inside_its_block_and_not_longer() -> None:
    with serve(processes=2) as service:
        assert len(service.pids) == 3
        with urllib.request.urlopen(service.health_url, timeout=10) as answer:
            assert json.load(answer)["status"] == "ok"
        with urllib.request.urlopen(service.metrics_url, timeout=10) as answer:
            assert b"squall" in answer.read()
        pids = service.pids
    assert_gone(pids)
    assert service.pids == ()


def test_it_is_stopped_where_the_block_fails_and_in_async_code() -> None:
    async def fail() -> None:
        async with serve() as service:
            pids.extend(service.pids)
            raise ValueError("the test's own")

    pids: list[int] = []
    with pytest.raises(ValueError, match="the test's own"):
        asyncio.run(fail())
    assert len(pids) == 2
    assert_gone(tuple(pids))


def test_it_ends_with_the_process_that_started_it() -> None:
    program = "from squall.testing import serve\nwith serve() as s: print(*s.pids, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pids = tuple(int(word) for word in process.stdout.readline().split())
        process.kill()
    assert len(pids) == 2
    assert_gone(pids)


def test_what_cannot_be_started_says_why() -> None:
    with serve() as first:
        with pytest.raises(EnvironmentFailure, match=f"port {first.port}"):
            serve(port=first.port).__enter__()
        one = serve()
        with one, pytest.raises(PlanError, match="running already"):
            one.__enter__()
    with pytest.raises(EnvironmentFailure, match="there are swallows"):
        broken_server("swallow").__enter__()  # type: ignore[arg-type] # a mistake


def test_every_bug_of_the_service_can_be_asked_for() -> None:
    assert set(get_args(Bug)) == BUGS.keys()


async def account(bug: Bug, folder: Path) -> dict[str, Any]:
    """What squall finds in a short run: 5 connections, 20 messages a second each."""
    scenario = {
        "load": {
            "connections": 5,
            "ramp_up": {"kind": "constant"},
            "hold": 1,
            "ramp_down": {"kind": "constant"},
        },
        "traffic": {"rate": 20},
        "delivery": {"drain_timeout": 0.6},
        "outputs": {"out": str(folder)},
    }
    every = 3 if bug == "refuses" else 10
    async with broken_server(bug, every=every, seconds=0.3 if bug == "delays" else None) as service:
        await run_scenario(load_scenario({"target": service.url} | scenario).scenario, fleet=InlineFleet())
    summary = read_run(folder).summary
    found = {name: getattr(summary.delivery, name) for name in summary.delivery.__struct_fields__}
    return found | {
        "dropped": summary.connections.dropped,
        "failed": summary.connections.failed,
        "refused": [each.kind for each in summary.errors if each.step == "upgrade"],
        "max_ms": summary.latency_by_phase["hold"].response.max,
    }


async def accounts(folder: Path) -> dict[str, dict[str, Any]]:
    """Of every bug, at the same time."""
    async with asyncio.timeout(60):
        found = await asyncio.gather(*(account(bug, folder / bug) for bug in get_args(Bug)))
    return dict(zip(get_args(Bug), found, strict=True))


def test_squall_finds_each_bug(tmp_path: Path) -> None:
    """Exactly as often as the service has it: it counts messages, and one in ten is hit."""
    found = asyncio.run(accounts(tmp_path))
    for bug, key in {"swallows": "lost", "duplicates": "duplicated", "corrupts": "corrupted_body"}.items():
        assert found[bug][key] == found[bug]["sent"] // 10, bug
    assert found["corrupts"]["lost"] == found["corrupts"]["corrupted_body"]
    assert found["reorders"]["reordered"] > 0
    assert found["reorders"]["duplicated"] == 0
    assert found["delays"]["delivered"] == found["delays"]["sent"]
    assert found["delays"]["max_ms"] >= 300
    assert found["cuts"]["dropped"] == found["cuts"]["sent"] // 10
    assert found["refuses"]["failed"] > 0
    assert found["refuses"]["refused"] == ["status_503"]
