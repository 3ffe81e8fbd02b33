"""The scaling test end to end: a service that slows with its connections fails where it does, and only there."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import msgspec

from oracle.bad_servers import drops_after
from oracle.launch import lying_server
from squall.api import LoadTester, ScalingLevel, ScalingResult
from squall.errors import ExitCode
from squall.fleet.inline import InlineFleet
from squall.store.reader import open_run

QUICK: dict[str, Any] = {"target.close_timeout": 2, "outputs.html": False, "outputs.csv": False}


def test_latency_growth_fails_where_the_service_slows_and_passes_where_it_does_not(tmp_path: Path) -> None:
    levels = [ScalingLevel(connections=each, duration=2, expected_latency=1000) for each in (10, 20, 40)]
    out = tmp_path / "series"
    with lying_server(tmp_path / "log", "--slow-from", "20", "--slow-ms", "4") as server:
        doing = LoadTester.execute_scaling_test(
            server.url, levels=levels, settle=0.2, growth_floor=20, out=out, fleet=InlineFleet, **QUICK
        )
        result = asyncio.run(asyncio.wait_for(doing, 90))
    assert [each.connection_level for each in result.levels] == [10, 20, 40]
    assert [each.validation.latency_within_bounds for each in result.levels] == [True] * 3
    assert [each.validation.throughput_adequate for each in result.levels] == [True] * 3
    assert [each.validation.system_stable for each in result.levels] == [True] * 3
    assert [each.validation.resources_efficient for each in result.levels] == [None] * 3
    steady, grown = result.growth
    assert steady.truth == "passed"
    assert grown.truth == "failed"
    assert grown.growth is not None
    assert grown.growth > 1
    assert (result.outcome, result.exit_code) == ("failed", ExitCode.FAILED)
    assert result.verdict.startswith("FAILED: from 20 to 40 connections latency grew by +")
    written = msgspec.json.decode((out / "scaling.json").read_bytes(), type=ScalingResult)
    assert written == result
    assert (out / "charts" / "latency.svg").exists()
    assert "Progressive Scaling Test Results" in (out / "scaling.md").read_text()
    assert not (out / "scaling-report.html").exists()  # as nobody wants a page
    for level in result.levels:  # each a run of its own, its figures those of its record
        record = open_run(out / level.folder)
        assert record.complete
        hold = next(phase for phase in record.phases if phase.name == "hold")
        answers = [
            cell.response
            for each in record.intervals
            for cell in each.messages
            if cell.phase == hold.id and cell.response is not None
        ]
        mean_ms = sum(each.sum_ns for each in answers) / sum(each.count for each in answers) / 1e6
        assert level.metrics.average_latency is not None
        assert abs(level.metrics.average_latency - mean_ms) < 1e-6


def test_each_other_bound_of_a_level_fails_where_it_does_not_hold(tmp_path: Path) -> None:
    """Each connection is dropped after its first answer; more is asked of throughput and memory than there can be."""
    level = ScalingLevel(
        connections=10, duration=2, expected_latency=5000, min_throughput=1e6, max_memory=1e-4, max_cpu=1e9
    )
    watch = {"target": [{"pid": os.getpid()}], "interval": 0.5}
    with drops_after(1) as server:
        doing = LoadTester.execute_scaling_test(
            server.url, levels=[level], watch=watch, out=tmp_path / "series", fleet=InlineFleet, **QUICK
        )
        result = asyncio.run(asyncio.wait_for(doing, 60))
    (held,) = result.levels
    assert held.validation.latency_within_bounds is not False  # a machine that is busy does not judge it
    assert held.validation.throughput_adequate is False
    assert held.validation.resources_efficient is False
    assert held.validation.system_stable is False
    assert held.metrics.stability_score is not None
    assert held.metrics.stability_score < 0.95
    assert held.metrics.resource_usage.memory is not None
    assert held.metrics.resource_usage.memory > level.memory_max
    assert (held.outcome, result.outcome, result.exit_code) == ("failed", "failed", ExitCode.FAILED)
