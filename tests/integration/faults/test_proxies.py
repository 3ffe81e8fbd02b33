"""The proxies of a run, over real sockets: what their logs lack is known once they have ended."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from squall.faults.proxies import Proxies
from squall.scenario.faults import Drop
from squall.scenario.models import Target

TARGET = Target(url=("ws://127.0.0.1:9/",))


async def ended(folder: Path, *, each: int = 1) -> Proxies:
    """Proxies that had a fault on, and have ended."""
    proxies = Proxies(TARGET, folder, each=each, seed=1, lost=pytest.fail)
    async with proxies:
        await proxies.switch_on(Drop(probability=0.5))
    return proxies


def test_where_every_log_is_whole_there_is_no_problem(tmp_path: Path) -> None:
    assert asyncio.run(ended(tmp_path)).problems == []


def test_a_log_that_could_not_be_written_whole_is_told(tmp_path: Path) -> None:
    (tmp_path / "faults-2.jsonl").symlink_to("/dev/full")
    (problem,) = asyncio.run(ended(tmp_path, each=2)).problems
    assert problem == (
        "the fault proxy in front of ws://127.0.0.1:9/ could not write 1 entry of its log:"
        " No space left on device"
    )
