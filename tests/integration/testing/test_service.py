"""The service for tests: it starts, misbehaves as asked, and is gone afterwards, whatever happens."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections import Counter
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
    with pytest.raises(EnvironmentFailure, match="there are lose"):
        broken_server("loses").__enter__()  # type: ignore[arg-type] # a mistake


def test_every_bug_of_the_service_can_be_asked_for() -> None:
    assert set(get_args(Bug)) == BUGS.keys()


SHORT = {
    "load": {
        "connections": 5,
        "ramp_up": {"kind": "constant"},
        "hold": 1,
        "ramp_down": {"kind": "constant"},
    },
    "traffic": {"rate": 20},
    "delivery": {"drain_timeout": 0.6},
}

OF_AN_ECHO: tuple[Bug, ...] = (
    "lose", "duplicate", "reorder", "corrupt", "corrupt-header", "delay", "stall", "cross-deliver", "cut", "refuse"
)  # fmt: skip


async def account(bug: Bug, folder: Path) -> dict[str, Any]:
    """What squall finds in a short run: 5 connections, 20 messages a second each."""
    scenario = SHORT | {"outputs": {"out": str(folder)}}
    every = 3 if bug == "refuse" else 10
    seconds = 0.3 if bug in {"delay", "stall", "reorder"} else None
    async with broken_server(bug, every=every, seconds=seconds) as service:
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
    """Of every bug of an echo, at the same time."""
    async with asyncio.timeout(60):
        found = await asyncio.gather(*(account(bug, folder / bug) for bug in OF_AN_ECHO))
    return dict(zip(OF_AN_ECHO, found, strict=True))


def test_squall_finds_each_bug_of_an_echo(tmp_path: Path) -> None:
    """Exactly as often as the service has it: it counts messages, and one in ten is hit."""
    found = asyncio.run(accounts(tmp_path))
    struck = {bug: account["sent"] // 10 for bug, account in found.items()}
    for bug, key in {
        "lose": "lost",
        "duplicate": "duplicated",
        "corrupt": "corrupted_body",
        "corrupt-header": "corrupted_header",
        "cross-deliver": "unexpected",
    }.items():
        assert found[bug][key] == struck[bug], bug
    for bug in ("corrupt", "corrupt-header", "cross-deliver"):
        assert found[bug]["lost"] == struck[bug], bug
    assert found["reorder"]["reordered"] > 0
    assert found["reorder"]["duplicated"] == 0
    for bug in ("delay", "stall", "reorder"):
        assert found[bug]["delivered"] == found[bug]["sent"], bug
    for bug in ("delay", "stall"):
        assert found[bug]["max_ms"] >= 300, bug
    assert found["stall"]["reordered"] == 0
    assert found["cut"]["dropped"] == struck["cut"]
    assert found["refuse"]["failed"] > 0
    assert found["refuse"]["refused"] == ["status_503"]


def test_the_wire_log_is_what_the_service_did_whatever_its_bugs(tmp_path: Path) -> None:
    """With three bugs at rates: squall's account, the log and the switches agree."""
    bugs = ["lose:0.05", "duplicate:0.1", "corrupt:0.05"]
    with serve(bugs=bugs, bug_seed=3, wire_log=tmp_path / "wire") as service:
        scenario = {"target": service.url} | SHORT | {"outputs": {"out": str(tmp_path / "run")}}
        asyncio.run(run_scenario(load_scenario(scenario).scenario, fleet=InlineFleet()))
    lines = [json.loads(line) for line in (tmp_path / "wire" / "node-0.jsonl").read_text().splitlines()]
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    came = [
        bytes.fromhex(line["hex"]) for line in lines if (line["what"], line.get("op")) == ("in", "binary")
    ]
    went = [
        bytes.fromhex(line["hex"]) for line in lines if (line["what"], line.get("op")) == ("out", "binary")
    ]
    assert {line["what"] for line in lines} == {"open", "in", "out", "closed"}
    assert {line["code"] for line in lines if line["what"] == "closed"} == {1000}
    found = read_run(tmp_path / "run").summary.delivery
    assert found.sent == len(set(came)) == len(came)
    good = Counter(went)
    for payload in set(went) - set(came):
        del good[payload]
    assert found.delivered == len(good)
    assert found.lost == len(set(came) - set(good)) > 0
    assert found.duplicated == good.total() - len(good) > 0
    assert found.corrupted_body == len(went) - good.total() > 0


def test_a_wire_log_is_never_written_over(tmp_path: Path) -> None:
    with serve(wire_log=tmp_path):
        pass
    with pytest.raises(EnvironmentFailure, match=r"node-0\.jsonl is there already"):
        serve(wire_log=tmp_path).__enter__()
