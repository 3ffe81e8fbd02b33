"""Machines watched while a run goes on: looks by interval and phase; what fails is said, and the run goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from squall.fleet.inline import InlineFleet
from squall.live.base import LiveView
from squall.record.resources import ResourceSample, Role
from squall.record.run import Phase
from squall.runner.active import RunResult
from squall.runner.rereading import totals_of
from squall.runner.watching import Watching
from squall.sampling.lookout import Lookout
from squall.scenario.models import Scenario
from squall.store.reader import open_run

Make = Callable[..., Scenario]
Run = Callable[..., RunResult]


class EndedByHold(LiveView):
    """Ends a process when the hold begins."""

    def __init__(self, process: psutil.Popen) -> None:
        self._process = process

    def begin_phase(self, phase: Phase, duration_s: float | None = None) -> None:  # noqa: ARG002 - not shown
        if phase.kind == "sustained":
            self._process.kill()


def bounds(result: RunResult) -> list[tuple[str, bool]]:
    """How the bounds on the target's resources came out, and whether they are required."""
    named = [each for each in result.verdict.judgements if each.name.startswith("target's")]
    return [(each.truth, each.required) for each in named]


def test_the_target_is_watched_and_what_fails_is_said(make: Make, run: Run, service: str) -> None:
    port = urlsplit(service).port
    dies = psutil.Popen(["sleep", "60"])
    sources: list[dict[str, Any]] = [
        {"name": "service", "port": port},
        {"name": "dies", "pid": dies.pid},
        {"name": "page", "prometheus": "http://joe:hunter2@127.0.0.1:9/metrics?key=hunter2"},
        {"name": "command", "command": "echo hunter2; sleep 60"},
    ]
    try:
        scenario = make(watch={"interval": 0.4, "target": sources}, threshold_sets=["readiness"])
        result = run(scenario, EndedByHold(dies))
    finally:
        dies.kill()
        dies.wait()
    assert bounds(result) == [("passed", True)] * 2
    record = open_run(result.folder)
    seen = {each.source for each in record.resources}
    assert seen == {"generator", "host", "service", "dies", "page", "command"}
    of_service = [each for each in record.resources if each.source == "service"]
    assert [each.problem for each in of_service] == [""] * len(of_service)
    assert max((each.tcp_states or {}).get("established", 0) for each in of_service) == 40
    problems = {(each.source, each.problem) for each in record.resources}
    assert ("dies", f"process {dies.pid} has ended") in problems
    assert ("page", "the connection was refused") in problems
    assert ("command", "the command printed a line that is no JSON object") in problems
    assert b"hunter2" not in b"".join(
        path.read_bytes() for path in result.folder.rglob("*") if path.is_file()
    )
    summary = json.loads((result.folder / "summary.json").read_bytes())["resources"]
    assert summary["service"]["phases"].keys() == {"ramp_up", "hold", "ramp_down"}
    assert summary["service"]["sustained"]["cpu_share"]["peak"] > 0
    assert summary["generator"]["sustained"]["processes"]["peak"] == 3
    assert summary["page"]["problems"] == summary["page"]["looks"]
    again = totals_of(record).resources
    assert again.utilization().peak.memory == summary["service"]["run"]["memory_share"]["peak"]
    assert [each for each in psutil.Process().children() if "sleep" in each.name()] == []


def test_without_a_target_squall_and_the_host_are_watched(make: Make, run: Run) -> None:
    result = run(make({"hold": 0.3}, threshold_sets=["readiness"]), fleet=InlineFleet(1))
    assert {each.source for each in open_run(result.folder).resources} == {"generator", "host"}
    assert bounds(result) == [("unknown", False)] * 2
    assert not any("target's" in reason for reason in result.verdict.reasons)


class Counted:
    """A sampler that counts its looks."""

    source = "target"
    role: Role = "target"

    def __init__(self) -> None:
        self.looks = 0

    def look(self, at_ns: int, _clock_ns: int) -> ResourceSample:
        self.looks += 1
        return ResourceSample(at_ns=at_ns, source="target", role="target")

    def close(self) -> None:
        pass


@pytest.fixture
def watched() -> tuple[Counted, list[ResourceSample]]:
    return Counted(), []


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a thread looks, and nobody tells
            await asyncio.sleep(0.005)


def test_looks_come_by_interval_and_end(watched: tuple[Counted, list[ResourceSample]]) -> None:
    sampler, samples = watched

    async def doing() -> None:
        watching = Watching(
            [Lookout(sampler, lambda: (0, 0))], interval_s=0.05, timeout_s=1, sampled=samples.append
        )
        await watching.start()
        await watching.start()  # once is enough
        await until(lambda: sampler.looks >= 3)
        await watching.aclose()
        await watching.aclose()
        looks = sampler.looks
        await asyncio.sleep(0.1)
        assert sampler.looks == looks == len(samples)

    asyncio.run(doing())


def test_a_phase_that_ends_is_looked_at_unless_it_just_was(
    watched: tuple[Counted, list[ResourceSample]],
) -> None:
    sampler, samples = watched

    async def doing() -> None:
        watching = Watching(
            [Lookout(sampler, lambda: (0, 0))], interval_s=0.4, timeout_s=1, sampled=samples.append
        )
        await watching.start()
        await until(lambda: sampler.looks == 1)
        watching.look_now()
        await asyncio.sleep(0.02)
        assert sampler.looks == 1  # a quarter of the interval has not passed
        await asyncio.sleep(0.1)
        watching.look_now()
        await until(lambda: sampler.looks == 2)
        await watching.aclose()

    asyncio.run(doing())


def test_one_that_never_began_leaves_nothing(watched: tuple[Counted, list[ResourceSample]]) -> None:
    async def doing() -> None:
        await Watching([], interval_s=1, timeout_s=1, sampled=watched[1].append).aclose()

    asyncio.run(doing())
