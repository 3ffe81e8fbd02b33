"""What a scenario promises, and whether it sends at all, decide which of the facts are violations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oracle.launch import lying_server
from oracle.peer import BadServer, Peer
from squall_run import Ran, run_squall


def run(url: str, folder: Path, **more: Any) -> Ran:
    scenario = {
        "target": url,
        "load": {"connections": 10, "ramp_up": "200ms", "hold": "1500ms", "ramp_down": "200ms"},
        "engine": {"workers": 1},
        "outputs": {"html": False},
        **more,
    }
    ran = run_squall(scenario, folder)
    ran.assert_adds_up()
    return ran


def failed(ran: Ran) -> dict[str, float]:
    """The judgements that failed, and their figures."""
    assert ran.summary is not None
    judged = ran.summary["verdict"]["judgements"]
    return {each["name"]: each["figure"] for each in judged if each["truth"] == "failed"}


@pytest.mark.parametrize(
    ("promise", "code"), [("at-least-once", 0), ("at-most-once", 99), ("exactly-once", 99)]
)
def test_duplicates_are_counted_always_and_forgiven_where_no_more_is_promised(
    promise: str, code: int, tmp_path: Path
) -> None:
    asked = {"traffic": {"rate": "20/s"}, "delivery": {"promise": promise, "drain_timeout": "1s"}}
    with lying_server(tmp_path / "log", "--duplicate", "0.1") as server:
        ran = run(server.url, tmp_path, **asked)
        truth = server.truth().total
    assert ran.delivery["duplicated"] == truth.duplicated > 0
    assert ran.delivery["delivered"] == truth.delivered == ran.delivery["intended"]
    assert failed(ran) == ({f"promise: {promise}": truth.duplicated} if code else {})
    assert ran.code == code, ran.stdout


@pytest.mark.parametrize("dropped", [0, 1])
def test_a_run_that_only_holds_fails_on_a_single_drop(dropped: int, tmp_path: Path) -> None:
    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        if peer.number < dropped:
            await peer.drop()
        await peer.listen()

    with BadServer(behave) as server:
        ran = run(server.url, tmp_path, exchange="idle")
    assert ran.delivery["intended"] == 0
    assert ran.connections["established"] == 10
    assert ran.connections["dropped"] == dropped
    assert failed(ran) == ({"no drop": 1} if dropped else {})
    assert ran.code == (99 if dropped else 0), ran.stdout
