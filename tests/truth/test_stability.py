"""Stability checks over real sockets: exactly as many spikes, drops and failures as the server has caused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from oracle.peer import BadServer, Peer
from squall.record.stability import StabilityCheck
from squall.store.reader import open_run
from squall_run import Ran, run_squall

CONNECTIONS = 12
HONEST_MESSAGES = 15
"""At ten a second: what follows them lies in the middle of the hold."""


def planted(*, stalled: int, swallowed: int, dropped: int) -> BadServer:
    """Of its connections the first stall once for 0.8 s, the next swallow a message, the next are cut."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        if peer.number < stalled + swallowed + dropped:
            await peer.echo(HONEST_MESSAGES)
        if peer.number < stalled:
            await asyncio.sleep(0.8)
        elif peer.number < stalled + swallowed:
            await peer.message()
        elif peer.number < stalled + swallowed + dropped:
            await peer.drop()
        await peer.echo()

    return BadServer(behave)


def run(url: str, folder: Path, **more: Any) -> tuple[Ran, StabilityCheck]:
    """A hold of three seconds, which one check covers; the run, and that check."""
    scenario = {
        "target": {"url": url},
        "load": {"connections": CONNECTIONS, "ramp_up": "200ms", "hold": "3s", "ramp_down": "200ms"},
        "traffic": {"rate": "10/s"},
        "delivery": {"drain_timeout": "1s", "integrity": False},
        "engine": {"workers": 2},
        "threshold_sets": "readiness",
    }
    ran = run_squall(scenario | more, folder)
    (check,) = open_run(ran.folder).checks
    return ran, check


def judged(ran: Ran) -> dict[str, Any]:
    assert ran.summary is not None
    found = {each["name"]: each for each in ran.summary["verdict"]["judgements"]}
    return dict(found["stability checks"])


def test_spikes_drops_and_failures_are_counted_exactly(tmp_path: Path) -> None:
    with planted(stalled=3, swallowed=2, dropped=1) as server:
        ran, check = run(server.url, tmp_path)
    assert (check.held, check.spiked, check.drops, check.undelivered) == (CONNECTIONS, 3, 1, 2)
    assert check.spike_share == 3 / CONNECTIONS
    assert check.drop_share == 1 / CONNECTIONS
    assert check.failure_share == 2 / check.sent
    failed = judged(ran)
    assert (failed["truth"], failed["required"], failed["evidence"]) == ("failed", True, "1 of 1 failed")
    (event,) = [each for each in open_run(ran.folder).events if each.kind == "stability"]
    assert "3 of 12 connections had a response above" in event.text
    assert "stability: check 1 of hold failed" in ran.stdout + ran.stderr
    assert ran.code == 99


def test_an_honest_server_passes(tmp_path: Path) -> None:
    with planted(stalled=0, swallowed=0, dropped=0) as server:
        ran, check = run(server.url, tmp_path, stability={"spike": "5s"})
    assert (check.held, check.spiked, check.drops, check.undelivered) == (CONNECTIONS, 0, 0, 0)
    assert check.passed
    assert 12 * 29 <= check.sent <= 12 * 31
    assert judged(ran)["truth"] == "passed"
    assert ran.summary is not None
    assert ran.summary["stability"]["checks"] == 1
    assert not [each for each in open_run(ran.folder).events if each.kind == "stability"]
