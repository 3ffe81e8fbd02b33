"""A worker that stands still for seconds, as on a machine that is too busy: squall sends late, and judges no time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from integration.runner.spoiling import spoilt, workers
from squall.api import LoadTester, ScalingLevel
from squall.errors import ExitCode
from squall.store.reader import open_run

QUICK: dict[str, Any] = {
    "traffic.rate": 10,
    "engine.workers": 2,
    "outputs.html": False,
    "outputs.csv": False,
}
STILL_S = 5.0
"""Longer than a second of the run waits for a worker's report."""


def stop_one() -> None:
    """One worker does nothing for a while; its sockets stay as they are."""
    worker = workers()[0]
    worker.suspend()
    asyncio.get_running_loop().call_later(STILL_S, worker.resume)


def test_a_level_is_invalid_and_seconds_without_a_report_are_incomplete(tmp_path: Path) -> None:
    """Half of the messages are sent up to 5 s late: the mean is above its bound, and without that it would be below."""
    level = ScalingLevel(connections=10, duration=7, expected_latency=300)
    with spoilt(stop_one, after=100) as server:
        doing = LoadTester.execute_scaling_test(
            server.url,
            levels=[level],
            out=tmp_path / "series",
            **QUICK,
        )
        result = asyncio.run(asyncio.wait_for(doing, 60))
    (held,) = result.levels
    assert held.valid is False
    assert (held.outcome, held.exit_code, result.exit_code) == ("warning", ExitCode.INVALID, ExitCode.INVALID)
    assert held.validation.latency_within_bounds is None
    assert held.validation.throughput_adequate is None
    assert held.metrics.average_latency is not None
    assert held.metrics.average_latency > 300
    record = open_run(tmp_path / "series" / held.folder)
    assert record.verdict is not None
    incomplete = [each.index for each in record.intervals if not each.complete]
    assert incomplete
    assert f"{len(incomplete)} seconds came without every worker's report in time" in (
        record.verdict.validity.warnings
    )
    # What the worker reported late is in a later second: nothing is counted twice, and nothing is left out.
    cells = [cell for each in record.intervals for cell in each.messages]
    assert sum(cell.intended for cell in cells) == sum(cell.delivered for cell in cells)
    assert sum(cell.intended for cell in cells) == len(server.seen.messages)
